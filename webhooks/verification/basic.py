"""User name and password in the header Authorization (RFC 7617). Pure."""

from collections.abc import Sequence
from typing import ClassVar

from webhooks.verification.arrivals import Arrival
from webhooks.verification.credentials import authorization
from webhooks.verification.deliveries import standard_id
from webhooks.verification.fields import Field, Values, secret_field
from webhooks.verification.scheme import Scheme
from webhooks.verification.signatures import any_fits, key_bytes, read_base64
from webhooks.verification.verdicts import Refused, Verdict, accept


def _username_problem(username: str) -> str:
    return "A user name can't have a colon (RFC 7617)." if ":" in username else ""


class Basic(Scheme):
    name: ClassVar = "basic"
    label: ClassVar = "User name and password"
    help: ClassVar = (
        "Enter this user name and the password at the sender's, as basic authentication."
    )
    fields: ClassVar = (
        Field("username", "User name", "text", required=True, check=_username_problem),
        secret_field("Password", "What belongs to the user name."),
    )
    www_authenticate: ClassVar = 'Basic realm="Signalbox", charset="UTF-8"'

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        credentials = read_base64(authorization(arrival, "Basic"))
        username, colon, password = (credentials or b"").partition(b":")
        if not colon:
            raise Refused(
                "The header `Authorization` should have base64 of user name, colon and password."
            )
        # Both are compared, whatever comes of the first: the time taken doesn't tell which was right.
        is_user = any_fits([username], [key_bytes(values["username"])])
        is_password = any_fits([password], [key_bytes(key) for key in keys])
        if not (is_user and is_password):
            raise Refused("The user name or the password in `Authorization` is not the right one.")
        return accept(standard_id(arrival.headers))
