"""Tell people in the app, and by mail if wanted."""

from typing import Annotated, Any, ClassVar, Literal

from django.urls import reverse
from pydantic import Field

from automations.people import members_of, owner_of, united, users_in
from automations.steps import Action, Answer, Config, Done, Outputs, Scene, StepFailed, action
from records.messages import notify
from records.models import Urgency

_MAX_TITLE = 200


class NotifyConfig(Config):
    title: Annotated[
        str,
        Field(
            title="Title", json_schema_extra={"input": "expression"}, min_length=1, max_length=2000
        ),
    ]
    body: Annotated[
        str, Field(title="Text", json_schema_extra={"input": "long_text"}, max_length=20_000)
    ] = ""
    users: Annotated[
        list[str],
        Field(
            title="People",
            description="By user name or e-mail address; expressions such as {{ record.manager }} too.",
            json_schema_extra={"input": "users"},
            max_length=100,
        ),
    ] = []
    teams: Annotated[
        list[str],
        Field(
            title="Teams",
            description="Everybody in them.",
            json_schema_extra={"input": "teams"},
            max_length=50,
        ),
    ] = []
    owner: Annotated[
        bool, Field(title="Who owns the record", json_schema_extra={"input": "checkbox"})
    ] = False
    urgency: Annotated[
        Literal["urgent", "high", "medium", "low"],
        Field(title="Urgency", json_schema_extra={"input": "choice"}),
    ] = "medium"
    by_mail: Annotated[
        bool, Field(title="By mail, too", json_schema_extra={"input": "checkbox"})
    ] = False


@action
class Notify(Action):
    name = "notify"
    label = "Notify"
    help = "Tell people or teams in the app, and by mail if you like."
    icon = "notifications"
    group = "Messages"
    effects = "outside"

    Config: ClassVar = NotifyConfig

    def execute(self, config: NotifyConfig, scene: Scene, prepared: Any) -> Answer:
        owner = owner_of(scene) if config.owner else None
        people = united(
            users_in(scene, "users", config.users),
            members_of(scene, "teams", config.teams),
            [owner] if owner else [],
        )
        title = " ".join(str(scene.render("title", config.title) or "").split())[:_MAX_TITLE]
        body = str(scene.render("body", config.body) or "")
        scene.input = {
            "title": title,
            "body": body,
            "to": [user.username for user in people],
            "urgency": config.urgency,
            "by_mail": config.by_mail,
        }
        if not title:
            raise StepFailed("The title is empty.", field="title", expression=config.title)
        output = {"people": len(people)}
        if not people:
            return Done(output, note="There is nobody to tell.")
        count = f"{len(people)} people" if len(people) > 1 else str(people[0])
        if scene.sends_nothing:
            return Done(output, note=f"Would have told {count}; nothing was sent.")
        notify(
            people,
            title=title,
            body=body,
            url=_url(scene),
            urgency=Urgency(config.urgency),
            by_mail=config.by_mail,
        )
        return Done(output, note=f"Told {count}")

    def outputs(self, config: NotifyConfig) -> Outputs:
        return {"people": "How many were told"}

    def describe(self, config: NotifyConfig) -> str:
        people = [*config.users, *config.teams, *(["the owner"] if config.owner else [])]
        return f"Notify {', '.join(people[:4]) or 'nobody yet'}{' …' if len(people) > 4 else ''}"

    def problems(self, config: NotifyConfig, names: Any) -> list[tuple[str, str]]:
        if not (config.users or config.teams or config.owner):
            return [
                ("users", "Nobody would be told: choose people, teams, or who owns the record.")
            ]
        return []


def _url(scene: Scene) -> str:
    record = scene.load_record()
    if record is None or record.deleted_at is not None:
        return ""
    return reverse("record_detail", args=[record.object.slug, record.pk])
