"""Sending HTTP: the only place that does.

`Transport.send` takes an `OutboundRequest` and gives back an `Outcome`, whatever happens. Rooms:
`client` (the door), `redirects`, `pools` (requests and urllib3), `connections`, `resolver`, `tls`,
`idle`, `answers` and `bodies` (reading), `attempt` (the deadline), `faults` (words), `outcome`.
"""

from webhooks.transport.client import Transport
from webhooks.transport.outcome import (
    KEEP_BYTES,
    ClientCertificate,
    ErrorKind,
    Fault,
    OutboundRequest,
    Outcome,
)
from webhooks.transport.tls import check_client_cert

__all__ = [
    "KEEP_BYTES",
    "ClientCertificate",
    "ErrorKind",
    "Fault",
    "OutboundRequest",
    "Outcome",
    "Transport",
    "check_client_cert",
]
