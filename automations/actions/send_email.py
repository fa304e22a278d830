"""Write a mail to somebody, from a template or from the step's own text. Workers send it."""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import BeforeValidator, Field, model_validator

from automations.jsonvalues import plain
from automations.models import MailTemplate
from automations.people import user_named
from automations.steps import (
    Action,
    Answer,
    Config,
    Done,
    Outputs,
    Scene,
    StepFailed,
    action,
    closest,
    failed_expression,
)
from records.expressions import ExpressionError, Namespace, render_text
from records.messages import queue_mail
from records.models import User

# More addresses than this are a mailing, not a message.
MAX_ADDRESSES: Final = 50
_MAX_BODY: Final = 200_000
# Between addresses, but not within the braces of an expression.
_between = re.compile(r"[,;\n](?![^{]*\}\})")


def _as_list(value: Any) -> Any:
    """One text may hold several addresses."""
    if isinstance(value, str):
        return [part.strip() for part in _between.split(value) if part.strip()]
    return value


def _as_mapping(value: Any) -> Any:
    """Also the rows of a form: [{"name": …, "value": …}]."""
    if isinstance(value, list):
        return {
            row["name"]: row.get("value")
            for row in value
            if isinstance(row, dict) and "name" in row
        }
    return value


Addresses = Annotated[list[str], BeforeValidator(_as_list)]
VariableName = Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,39}$")]


class SendEmailConfig(Config):
    """With `template_id` the template has subject and text; a subject or body of the step's own goes before."""

    template_id: Annotated[
        str,
        Field(
            title="Template",
            description="Empty: write subject and text here.",
            json_schema_extra={"input": "mail_template"},
            max_length=50,
        ),
    ] = ""
    to: Annotated[
        Addresses,
        Field(
            title="To",
            description="Addresses, or expressions such as {{ record.email }}, with commas between them.",
            json_schema_extra={"input": "emails"},
            min_length=1,
            max_length=MAX_ADDRESSES,
        ),
    ]
    cc: Annotated[
        Addresses,
        Field(title="Copy to", json_schema_extra={"input": "emails"}, max_length=MAX_ADDRESSES),
    ] = []
    subject: Annotated[
        str, Field(title="Subject", json_schema_extra={"input": "expression"}, max_length=2000)
    ] = ""
    body: Annotated[
        str, Field(title="Text", json_schema_extra={"input": "long_text"}, max_length=_MAX_BODY)
    ] = ""
    variables: Annotated[
        dict[VariableName, Any],
        BeforeValidator(_as_mapping),
        Field(
            title="Variables",
            description="Names that the template uses: {{ first_name }}.",
            json_schema_extra={"input": "rows"},
            max_length=50,
        ),
    ] = {}

    @model_validator(mode="after")
    def _says_something(self) -> "SendEmailConfig":
        if not self.template_id and not self.subject.strip():
            raise ValueError("Choose a template, or write a subject.")
        return self


@action
class SendEmail(Action):
    name = "send_email"
    label = "Send email"
    help = "Write to the people in a record, or to anybody else."
    icon = "mail"
    group = "Messages"
    effects = "outside"

    Config: ClassVar = SendEmailConfig

    def execute(self, config: SendEmailConfig, scene: Scene, prepared: Any) -> Answer:
        to = _addresses(scene, "to", config.to)
        cc = _addresses(scene, "cc", config.cc)
        if not to:
            words = "There is nobody to send it to: no address is left once the expressions are worked out."
            raise StepFailed(words, field="to", expression=", ".join(config.to)[:500], kind="mail")
        variables = {
            name: plain(scene.render(f"variables/{name}", value))
            for name, value in config.variables.items()
        }
        subject, body = _written(config, scene, variables)
        scene.input = {
            "template_id": config.template_id,
            "to": to,
            "cc": cc,
            "subject": subject,
            "body": body,
            "variables": variables,
        }
        if not subject:
            raise StepFailed("The subject is empty.", field="subject", expression=config.subject)
        output = {"to": to, "subject": subject}
        if scene.sends_nothing:
            return Done(output, note=f"Would have written to {', '.join(to)}; nothing was sent.")
        queue_mail(to=to, cc=cc, subject=subject, body=body)
        return Done(output, note=f"Written to {', '.join(to)}")

    def outputs(self, config: SendEmailConfig) -> Outputs:
        return {"to": "The addresses", "subject": "The subject as it was sent"}

    def describe(self, config: SendEmailConfig) -> str:
        what = f"“{config.template_id}”" if config.template_id else config.subject
        return f"Mail to {', '.join(config.to[:3])}{' …' if len(config.to) > 3 else ''}: {what}"

    def own_names(self, config: SendEmailConfig) -> Collection[str]:
        return config.variables

    def texts_without_expressions(self) -> frozenset[str]:
        return frozenset({"template_id"})

    def problems(self, config: SendEmailConfig, names: Any) -> list[tuple[str, str]]:
        found = []
        if config.template_id:
            try:
                _template(config.template_id)
            except StepFailed as failure:
                found.append(("template_id", failure.message))
        for field, sources in (("to", config.to), ("cc", config.cc)):
            for place, source in enumerate(sources):
                if "{" not in source and not source.startswith("user_") and not _is_address(source):
                    found.append((f"{field}/{place}", f"“{source[:100]}” is no e-mail address."))
        return found


def _written(
    config: SendEmailConfig, scene: Scene, variables: Mapping[str, Any]
) -> tuple[str, str]:
    """Subject and text. The step's variables are names of their own, and among `vars`."""
    subject, body = config.subject, config.body
    if config.template_id:
        template = _template(config.template_id)
        subject, body = subject or template.subject, body or template.body
    own = {**scene.run.variables.get("vars", {}), **variables}
    names = {**scene.names, **variables, "vars": Namespace(own, label="`vars`", noun="variable")}
    parts = []
    for part, source, given in (("subject", subject, config.subject), ("body", body, config.body)):
        where = (
            part if given or not config.template_id else f"template_id/{config.template_id}/{part}"
        )
        try:
            parts.append(render_text(source, names))
        except ExpressionError as error:
            raise failed_expression(where, source, error) from None
    return " ".join(parts[0].split())[:300], parts[1].replace("\0", "").strip()


def _template(template_id: str) -> MailTemplate:
    template = MailTemplate.objects.filter(pk=template_id).first()
    if template is None:
        offered = MailTemplate.objects.values_list("pk", flat=True)[:500]
        words = closest(f"There is no mail template “{template_id}”", template_id, offered)
        raise StepFailed(words, field="template_id", kind="mail")
    return template


def _addresses(scene: Scene, field: str, sources: list[str]) -> list[str]:
    """Each once. An expression may give several, in a text or a list, and users by their ids."""
    found: dict[str, None] = {}
    for place, source in enumerate(sources):
        where = f"{field}/{place}"
        for address in _split(scene.render(where, source)):
            if address.startswith("user_"):
                address = _address_of(user_named(address, where, source), where)
            if not _is_address(address):
                words = f"“{address[:100]}” is no e-mail address."
                raise StepFailed(words, field=where, expression=source[:500], kind="mail")
            found[address] = None
    if len(found) > MAX_ADDRESSES:
        words = f"These are {len(found)} addresses; a mail goes to {MAX_ADDRESSES} at most."
        raise StepFailed(words, field=field, kind="mail")
    return list(found)


def _address_of(user: User, where: str) -> str:
    if not user.email:
        raise StepFailed(f"“{user}” has no e-mail address.", field=where, kind="mail")
    return user.email


def _split(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [address for entry in value for address in _split(entry)]
    return [part.strip() for part in re.split(r"[,;\n]", str(value)) if part.strip()]


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
