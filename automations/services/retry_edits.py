"""The failed step of a run, changed for one retry: whether it can be, what is wrong with it, and what differs."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from automations.document.cards import Card, cards_of, without_children
from automations.document.checking import Mistake, check_document
from automations.exceptions import RunRefused, StepHasMistakes
from automations.models import AutomationVersion, Run
from automations.steps import ACTIONS, Action


def editable_config(run: Run, version: AutomationVersion) -> dict[str, Any] | None:
    """The failed step's configuration in that version; None where it can't be changed for one retry: a step whose
    conditions are made ready beforehand, or one that is not there."""
    card = failed_card(run, version.document)
    action = ACTIONS.get(card.type) if card else None
    if card is None or action is None or type(action).prepare is not Action.prepare:
        return None
    return without_children(card.values)


def config_of_run(run: Run, version: AutomationVersion) -> dict[str, Any] | None:
    """The same as the run had it: with what was changed for it, where it is a retry on that version."""
    config = editable_config(run, version)
    if config is None:
        return None
    return config | {each["field"]: deepcopy(each["after"]) for each in _changes(run, version)}


def document_with(
    run: Run, version: AutomationVersion, config: Mapping[str, Any]
) -> dict[str, Any]:
    """The version's document with a changed configuration of the failed step. Raises RunRefused."""
    document: dict[str, Any] = deepcopy(version.document)
    card = failed_card(run, document)
    if card is None or editable_config(run, version) is None:
        raise RunRefused("This step can't be changed for one retry; change the automation instead.")
    card.values["config"] = dict(config)  # type: ignore[index]  # our own copy
    return document


def mistakes_in(
    run: Run, version: AutomationVersion, config: Mapping[str, Any]
) -> Sequence[Mistake]:
    """Those of the changed step; of what else stands in the version nobody asks here."""
    found = check_document(document_with(run, version, config))
    return [mistake for mistake in found if mistake.card == (run.error or {}).get("step")]


def checked_config(
    run: Run, version: AutomationVersion, config: Mapping[str, Any]
) -> dict[str, Any]:
    """A changed configuration, as it is kept. Raises StepHasMistakes, RunRefused."""
    if mistakes := mistakes_in(run, version, config):
        raise StepHasMistakes(mistakes)
    card = failed_card(run, version.document)
    assert card is not None
    return _as_kept(card, config)


def edit_of(
    run: Run, version: AutomationVersion, checked: Mapping[str, Any], by: str
) -> dict[str, Any] | None:
    """What a checked configuration changes in the failed step of that version; None where it changes nothing."""
    card = failed_card(run, version.document)
    assert card is not None
    before = _as_kept(card, without_children(card.values))
    changes = [
        {"field": name, "before": before.get(name), "after": value}
        for name, value in checked.items()
        if before.get(name) != value
    ]
    if not changes:
        return None
    error = run.error or {}
    return {"path": error["path"], "step": error["step"], "by": by, "changes": changes}


def failed_card(run: Run, document: Mapping[str, Any]) -> Card | None:
    """The step that failed, where it stands in a document."""
    step_id = (run.error or {}).get("step")
    cards = [card for card in cards_of(document) if not card.is_fallback]
    return next((card for card in cards if step_id and card.id == step_id), None)


def _changes(run: Run, version: AutomationVersion) -> Sequence[Mapping[str, Any]]:
    """What was changed for the run itself, at the place where it failed."""
    edited = run.edited or {}
    if run.version_id != version.pk or edited.get("path") != (run.error or {}).get("path"):
        return ()
    changes: Sequence[Mapping[str, Any]] = edited.get("changes", ())
    return changes


def _as_kept(card: Card, config: Mapping[str, Any]) -> dict[str, Any]:
    """With all defaults, so that two forms of the same are the same."""
    try:
        read = ACTIONS[card.type].Config.model_validate(dict(config))
    except ValidationError:  # an earlier form of the action
        return dict(config)
    kept: dict[str, Any] = read.model_dump(mode="json", by_alias=True)
    return kept
