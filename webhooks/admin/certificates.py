"""What the admin shows of client certificates: whose they are, from whom, and until when."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from webhooks.certificates import CertificateProblem, read_certificate
from webhooks.keyring import OpenSecret, SecretKind
from webhooks.models import Secret
from webhooks.vault import open_secret


@dataclass(frozen=True, slots=True)
class CertificateView:
    """`warning` is empty when all is well; `is_valid` is about now."""

    subject: str
    issuer: str
    valid_until: datetime
    is_valid: bool
    warning: str


@sensitive_variables()
def certificate_view(opened: OpenSecret) -> CertificateView | None:
    """None of other kinds, and of what can't be read."""
    if opened.kind != SecretKind.CERTIFICATE or opened.problem:
        return None
    try:
        facts = read_certificate(opened.value).facts
    except CertificateProblem:
        return None
    now = timezone.now()
    return CertificateView(
        subject=facts.subject,
        issuer=facts.issuer,
        valid_until=facts.valid_until,
        is_valid=not facts.problem(now),
        warning=facts.warning(now),
    )


def certificate_warning(name: str) -> str:
    """What to say to somebody who chooses the certificate of this name; empty when there is nothing to say."""
    secret = Secret.objects.filter(name=name).first() if name else None
    view = certificate_view(open_secret(secret)) if secret else None
    return view.warning if view else ""
