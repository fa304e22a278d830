"""Wait for some time, or until a moment. No worker waits: the run is a row until then."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from pydantic import Field, model_validator

from automations.steps import (
    Action,
    Answer,
    Config,
    Done,
    Outputs,
    Scene,
    StepFailed,
    WaitUntil,
    action,
)

Unit = Literal["seconds", "minutes", "hours", "days", "weeks"]
# A wait longer than this is a mistake in a date.
MAX_WAIT: Final = timedelta(days=3660)


class WaitConfig(Config):
    """`duration` may be an expression; `until` is one that gives a date, and wins."""

    duration: Annotated[
        float | str | None,
        Field(
            title="For",
            description="A number, or an expression that gives one.",
            json_schema_extra={"input": "number"},
        ),
    ] = None
    unit: Annotated[Unit, Field(title="Unit", json_schema_extra={"input": "choice"})] = "hours"
    until: Annotated[
        str,
        Field(
            title="Or until",
            description="A date, or an expression such as {{ date_add(record.due, -1, 'days') }}; it goes before.",
            json_schema_extra={"input": "moment"},
            max_length=2000,
        ),
    ] = ""

    @model_validator(mode="after")
    def _says_how_long(self) -> "WaitConfig":
        if self.duration is None and not self.until:
            raise ValueError("Say how long to wait, or until when.")
        return self


@action
class Wait(Action):
    name = "wait"
    label = "Wait"
    help = "Go on later: after some time, or when a moment has come."
    icon = "hourglass_empty"
    group = "Flow"

    Config: ClassVar = WaitConfig

    def execute(self, config: WaitConfig, scene: Scene, prepared: Any) -> Answer:
        moment = self._until(config, scene) if config.until else self._after(config, scene)
        scene.input = {"until": moment.isoformat()}
        if moment <= scene.now:
            return Done(note="That moment has passed; the run goes on at once.")
        if moment - scene.now > MAX_WAIT:
            raise StepFailed(
                f"{moment:%Y-%m-%d} is more than ten years ahead; is the date right?",
                field="until" if config.until else "duration",
            )
        return WaitUntil(moment, f"Waits until {moment:%Y-%m-%d %H:%M:%S} UTC")

    def outputs(self, config: WaitConfig) -> Outputs:
        return {}

    def _after(self, config: WaitConfig, scene: Scene) -> datetime:
        duration = config.duration
        value = scene.render("duration", duration) if isinstance(duration, str) else duration
        try:
            moment: datetime = scene.now + timedelta(**{config.unit: float(value or 0)})
            return moment
        except (TypeError, ValueError, OverflowError):
            raise StepFailed(
                f"A duration is a number of {config.unit}, not {value!r}.",
                field="duration",
                expression=str(duration),
            ) from None

    def _until(self, config: WaitConfig, scene: Scene) -> datetime:
        value = scene.render("until", config.until)
        moment = _moment_of(value)
        if moment is None:
            raise StepFailed(
                f"“{value}” is no date and time; write one as 2026-03-01 or 2026-03-01T09:00.",
                field="until",
                expression=config.until,
            )
        return moment

    def describe(self, config: WaitConfig) -> str:
        if config.until:
            return f"Wait until {config.until}"
        amount = config.duration
        if amount in (1, "1"):
            return f"Wait 1 {config.unit.removesuffix('s')}"
        shown = f"{amount:g}" if isinstance(amount, float) else str(amount)
        return f"Wait {shown} {config.unit}"


def _moment_of(value: Any) -> datetime | None:
    """A date is its first moment; what has no time zone is in the installation's."""
    try:
        if isinstance(value, str):
            text = value.strip()
            value = parse_datetime(text) or parse_date(text)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
        if not isinstance(value, datetime):
            return None
        return value if timezone.is_aware(value) else timezone.make_aware(value)
    except (ValueError, OverflowError):
        return None
