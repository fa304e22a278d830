"""The admin's form of a record: the fields of its object, its stage and its owner."""

from typing import Any, ClassVar, Final

from django import forms
from django.urls import reverse
from unfold.widgets import (
    CHECKBOX_CLASSES,
    INPUT_CLASSES,
    TEXTAREA_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
)

from records.admin.owners import first_owners, owner_of
from records.exceptions import InvalidData, StaleRecord
from records.fieldkinds.references import MAX_OFFERED
from records.forms import BaseRecordForm
from records.models import FieldDefinition, ObjectDefinition, Record, RecordState, User
from records.services import create_record, update_record

CONFLICT = (
    "Somebody else has changed this record while you edited it. Nothing was overwritten. Both versions are "
    "shown above; save again to put yours in place."
)


class AdminRecordForm(BaseRecordForm):
    """What `ModelAdmin` wants of a form, on top of the form built from the fields."""

    # Set by the admin for one request.
    definition: ClassVar[ObjectDefinition]
    acting_user: ClassVar[User]
    may_move: ClassVar[bool] = True
    as_draft: ClassVar[bool] = False
    # What a first attempt to save ran into.
    conflict: ClassVar[StaleRecord | None] = None
    problems: ClassVar[InvalidData | None] = None

    # Asked for by ModelAdmin; there is nothing of this kind here.
    base_fields: ClassVar[dict[str, forms.Field]] = {}

    stage = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    owner = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        instance: Record | None = None,
        initial: Any = None,  # what stands in the address is not taken for values
    ) -> None:
        if self.conflict is not None and instance is not None:
            data = data.copy()
            data["version"] = str(instance.version)
        super().__init__(
            self.definition,
            data,
            files,
            instance=instance,
            user=self.acting_user,
            draft=self.as_draft,
        )
        self._set_choices(instance)
        for field in self.fields.values():
            restyle(field)

    def _set_choices(self, instance: Record | None) -> None:
        stage, owner = self.fields["stage"], self.fields["owner"]
        labels = self.definition.schema.stage_labels
        current = instance.stage if instance else self.definition.schema.first_stage
        retired = {} if current in labels else {current: f"{current} (no longer a stage)"}
        if not labels and not current:
            retired = {"": "—"}
        stage.choices = [*retired.items(), *labels.items()]  # type: ignore[attr-defined]
        stage.initial = current
        stage.disabled = not self.may_move or len(stage.choices) == 1  # type: ignore[attr-defined]
        chosen = owner_of(str(self.data.get("owner") or ""), instance)
        users = first_owners(instance.owner if instance else self.acting_user, chosen)
        owner.choices = [("", "—"), *users.items()]  # type: ignore[attr-defined]
        if len(users) >= MAX_OFFERED:
            owner.widget.attrs["data-search-address"] = reverse("admin:records_record_owners")
        owner.initial = (instance.owner_id if instance else self.acting_user.pk) or ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.conflict is not None:
            self.add_error(None, CONFLICT)
        if self.problems is not None:
            self.add_errors(self.problems)
        return cleaned

    def save_m2m(self) -> None:
        """There are no relations to save."""

    def _create(self, values: Any, action: str, stage: str | None, owner: User | None) -> Record:
        return create_record(
            object_definition=self.object_definition,
            data=values,
            state=RecordState.DRAFT if action == "draft" else RecordState.SUBMITTED,
            stage=self.cleaned_data["stage"],
            owner=self._owner(),
        )

    def _update(self, record: Record, values: Any, action: str, stage: str | None) -> Record:
        submits = action == "submit" and record.state == RecordState.DRAFT
        return update_record(
            record=record,
            expected_version=self.cleaned_data.get("version") or record.version,
            data=values,
            stage=self.cleaned_data["stage"],
            owner=self._owner(),
            state=RecordState.SUBMITTED if submits else None,
        )

    def _owner(self) -> User | None:
        pk = self.cleaned_data["owner"]
        return User.objects.filter(pk=pk).first() if pk else None


def differences(form: AdminRecordForm, current: Record) -> list[dict[str, str]]:
    """What stands in the database, and what the form would put there, for each field that differs."""
    rows = []
    for definition in form.object_definition.schema.fields:
        if definition.slug in form.changed_data:
            mine = form.data.get(definition.slug, "")
            if hasattr(form.data, "getlist"):
                mine = "; ".join(form.data.getlist(definition.slug))
            rows.append(_difference(form, definition, current, mine))
    for name in ("stage", "owner"):
        if name in form.changed_data:
            labels = dict(form.fields[name].choices)  # type: ignore[attr-defined]
            theirs = str(getattr(current, "owner_id" if name == "owner" else name) or "")
            rows.append(
                {
                    "label": name.capitalize(),
                    "theirs": labels.get(theirs, theirs),
                    "mine": labels.get(form.data.get(name, ""), ""),
                }
            )
    return rows


def _difference(
    form: AdminRecordForm, definition: FieldDefinition, current: Record, mine: str
) -> dict[str, str]:
    kind = form.defined_field(definition.slug).kind
    value = current.data.get(definition.slug)
    theirs = kind.labels([value], definition).get(value, "") if kind.refers and value else ""
    if kind.refers:
        mine = kind.labels([mine], definition).get(mine, mine)
    elif definition.slug in form.cleaned_data:
        mine = kind.to_text(form.cleaned_data[definition.slug], definition)
    return {
        "label": definition.label,
        "theirs": theirs or kind.to_text(value, definition),
        "mine": mine,
    }


def restyle(field: forms.Field) -> None:
    """The kinds' plain inputs in the admin's clothes."""
    old = field.widget
    for kind, admins in _WIDGETS.items():
        if type(old) is kind:
            new = admins(attrs=old.attrs)
            if isinstance(old, forms.widgets.ChoiceWidget):
                new.choices = old.choices
            new.is_required = old.is_required
            field.widget = new
            return
    if isinstance(old, forms.Textarea):
        code = ["font-mono"] if old.attrs.get("class") == "code" else []
        old.attrs["class"] = " ".join([*TEXTAREA_CLASSES, *code])
    elif "class" not in old.attrs:
        classes = CHECKBOX_CLASSES if isinstance(old, forms.CheckboxInput) else INPUT_CLASSES
        old.attrs["class"] = " ".join(classes)


_WIDGETS: Final[dict[type[forms.Widget], Any]] = {
    forms.ClearableFileInput: UnfoldAdminFileFieldWidget,
    forms.CheckboxSelectMultiple: UnfoldAdminCheckboxSelectMultipleWidget,
    forms.Select: UnfoldAdminSelectWidget,
}
