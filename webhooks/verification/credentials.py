"""What the header Authorization carries. Pure."""

from webhooks.verification.arrivals import Arrival
from webhooks.verification.verdicts import Refused


def authorization(arrival: Arrival, scheme: str) -> str:
    """What stands behind the scheme's name, which may be in upper or lower case (RFC 9110). Raises Refused."""
    given, _, credentials = arrival.headers.required("Authorization").partition(" ")
    if given.lower() != scheme.lower():
        raise Refused(f"The header `Authorization` should begin with “{scheme} ”; it does not.")
    if not credentials.strip(" "):
        raise Refused(f"The header `Authorization` has nothing behind “{scheme}”.")
    return credentials.strip(" ")
