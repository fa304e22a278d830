"""The failed step on the page before a retry: its form, or its JSON, changed for this once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from django.http import QueryDict

from automations.builder.cardforms import form_of
from automations.builder.forms import read_config
from automations.builder.mistakes import Marked, as_json, mistakes_of
from automations.builder.place import Place
from automations.builder.requestform import read_stores
from automations.exceptions import RunRefused
from automations.jsonvalues import plain
from automations.models import AutomationVersion, Run
from automations.request_config import WebhookConfig
from automations.services.retry_edits import (
    config_of_run,
    document_with,
    editable_config,
    failed_card,
)
from automations.services.retry_plans import On
from automations.steps import ACTIONS
from records.models import User

View = Literal["form", "json"]
Values = dict[str, Any]
_MAX_CONFIG: Final = 200_000
# How the names of a form's inputs begin.
_INPUTS: Final = "c-"


@dataclass(slots=True)
class Editor:
    """`config`: as it is shown, with what was typed; `text`: where it is JSON. `problem`: why that can't be read."""

    run: Run
    version: AutomationVersion
    on: On
    view: View
    config: Values
    is_typed: bool = False
    text: str = ""
    problem: str = ""
    form: Mapping[str, Any] | None = None
    mistakes: list[Marked] = field(default_factory=list)
    # What was changed for the run itself is shown, too.
    is_carried: bool = False

    @property
    def step_id(self) -> str:
        return str((self.run.error or {}).get("step", ""))

    def chosen(self) -> Values | None:
        """The configuration to retry with; None where nothing was typed. Raises RunRefused when it can't be read."""
        if self.problem:
            raise RunRefused(self.problem)
        return self.config if self.is_typed else None

    def state_json(self) -> str:
        """For the builder's script, which shows mistakes at their fields."""
        return _state(as_json(self.mistakes))


def _state(mistakes: list[dict[str, Any]]) -> str:
    return json.dumps({"stamp": "", "mistakes": mistakes, "summaries": {}})


# What the script is told where there is nothing to change.
NO_STATE: Final = _state([])


def editor_of(
    run: Run, version: AutomationVersion, on: On, values: QueryDict, user: User
) -> Editor | None:
    """What was typed stays when another version or view is chosen; what was not changed follows the version."""
    config = config_of_run(run, version)
    if config is None:
        return None
    view: View = "json" if values.get("view") == "json" else "form"
    editor = Editor(run, version, on, view, config)
    editor.is_carried = config != editable_config(run, version)
    _read(editor, values)
    if editor.problem:
        editor.view = "json"
        return editor
    if editor.is_typed:
        found = mistakes_of(document_with(run, version, editor.config))
        editor.mistakes = [mistake for mistake in found if mistake.card == editor.step_id]
    _draw(editor, user)
    return editor


def _read(editor: Editor, values: QueryDict) -> None:
    """What was sent, where that is not what the page had shown before."""
    if "config" in values:
        text = str(values["config"]).replace("\0", "").replace("\r\n", "\n")
        try:
            sent = _parsed(text)
        except RunRefused as refusal:
            editor.problem, editor.text, editor.is_typed = str(refusal), text, True
            return
    elif any(name.startswith(_INPUTS) for name in values):
        sent = _read_form(editor, values)
    else:
        return
    if not _is_same(editor, sent, _shown_before(editor, values)):
        editor.config, editor.is_typed = sent, True


def _shown_before(editor: Editor, values: QueryDict) -> Values:
    """As it was in the version that the page had shown."""
    run = editor.run
    current = run.automation.published
    shown = {"same": run.version, "current": current}.get(str(values.get("shown_on")))
    return config_of_run(run, shown or editor.version) or {}


def _read_form(editor: Editor, values: QueryDict) -> Values:
    card = failed_card(editor.run, editor.version.document)
    assert card is not None  # it can be edited
    kind = ACTIONS[card.type].Config
    config = read_config(kind, _shown_before(editor, values), values)
    return read_stores(config, values) if issubclass(kind, WebhookConfig) else config


def _parsed(text: str) -> Values:
    """Raises RunRefused with the place of a mistake."""
    try:
        config = plain(json.loads(text[:_MAX_CONFIG]))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise RunRefused(f"The changed step is no JSON: {error.msg} ({place}).") from None
    except (ValueError, RecursionError):
        raise RunRefused("The changed step is no JSON that can be read.") from None
    if not isinstance(config, dict):
        raise RunRefused("The changed step is an object: { … }.")
    return config


def _is_same(editor: Editor, one: Values, other: Values) -> bool:
    """Also where one of them says what goes without saying."""
    if one == other:
        return True
    card = failed_card(editor.run, editor.version.document)
    assert card is not None
    kind = ACTIONS[card.type].Config
    try:
        return bool(kind.model_validate(one) == kind.model_validate(other))
    except ValueError:  # pydantic's is one, too: it has a mistake, so it was typed
        return False


def _draw(editor: Editor, user: User) -> None:
    document = document_with(editor.run, editor.version, editor.config)
    form = form_of(document, editor.step_id, Place(document, user))
    if editor.view == "form" and form["fields"]:
        editor.form = form
    else:
        editor.view = "json"
        editor.text = json.dumps(editor.config, indent=2, ensure_ascii=False)
