"""Forms built from the fields of an object."""

from contextlib import suppress
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict

from records import forms
from records.exceptions import InvalidData, StaleRecord
from records.forms import BaseRecordForm, choices_for, record_form
from records.models import Record, Upload
from records.services import update_record
from tests.records.making import fresh, make_object, make_record, make_user

pytestmark = pytest.mark.django_db

EVERY_KIND: list[dict[str, Any]] = [
    {"slug": "name", "required": True},
    {"slug": "notes", "kind": "long_text"},
    {"slug": "size", "kind": "number"},
    {"slug": "ratio", "kind": "decimal"},
    {"slug": "amount", "kind": "currency"},
    {"slug": "agreed", "kind": "boolean"},
    {"slug": "day", "kind": "date"},
    {"slug": "moment", "kind": "datetime"},
    {"slug": "colour", "kind": "choice", "options": {"choices": [{"value": "r", "label": "Red"}]}},
    {
        "slug": "tags",
        "kind": "multi_choice",
        "options": {"choices": [{"value": v, "label": v.upper()} for v in "abc"]},
    },
    {"slug": "email", "kind": "email"},
    {"slug": "site", "kind": "url"},
    {"slug": "phone", "kind": "phone"},
    {"slug": "person", "kind": "user"},
    {"slug": "parent", "kind": "link", "options": {"object": "leads"}},
    {"slug": "paper", "kind": "file"},
    {"slug": "extra", "kind": "json"},
]


def post(form: BaseRecordForm, **changes: Any) -> QueryDict:
    """What a browser sends for the form as it was shown, with some inputs changed."""
    data = QueryDict(mutable=True)
    for bound in form:
        value = changes.pop(bound.name, bound.value())
        if value is None or value is False or isinstance(value, forms.StoredFile):
            continue
        data.setlist(
            bound.name, value if isinstance(value, list) else ["on" if value is True else value]
        )
    for name, value in changes.items():
        data[name] = value
    return data


def test_every_kind_is_entered_saved_and_shown_again() -> None:
    leads, ada = make_object("leads", *EVERY_KIND), make_user()
    other = make_record(leads, name="Other")
    form = record_form(
        leads,
        user=ada,
        data=post(
            record_form(leads),
            name="Ada",
            notes="a\r\nb",
            size="12",
            ratio="0.5",
            amount="9.90",
            agreed=True,
            day="2025-01-31",
            moment="2025-01-31T10:30",
            colour="r",
            tags=["c", "a"],
            email="ada@example.com",
            site="https://example.com/",
            phone="030 123",
            person=ada.pk,
            parent=other.pk,
            extra='{"a": 1}',
        ),
        files={"paper": SimpleUploadedFile("cv.txt", b"hello", "text/plain")},
    )
    assert form.is_valid(), form.errors
    record = fresh(form.save("submit"))
    upload = Upload.objects.get()
    assert record.data == {
        "name": "Ada",
        "notes": "a\nb",
        "size": 12,
        "ratio": 0.5,
        "amount": 9.9,
        "agreed": True,
        "day": "2025-01-31",
        "moment": "2025-01-31T10:30:00Z",
        "colour": "r",
        "tags": ["a", "c"],
        "email": "ada@example.com",
        "site": "https://example.com/",
        "phone": "030 123",
        "person": ada.pk,
        "parent": other.pk,
        "paper": upload.pk,
        "extra": {"a": 1},
    }
    assert (record.owner, record.state) == (ada, "submitted")
    assert (upload.name, upload.size_bytes, upload.uploaded_by) == ("cv.txt", 5, ada)
    assert upload.file.read() == b"hello"

    shown = record_form(leads, instance=record)
    html = shown.as_p()
    for text in (
        'value="9.90"',
        'value="2025-01-31T10:30"',
        "cv.txt",
        "&quot;a&quot;: 1",
        'type="date"',
    ):
        assert text in html
    # Saving it as it is shown changes nothing.
    again = record_form(leads, instance=record, data=post(shown))
    assert again.is_valid(), again.errors
    assert again.changed_values() == {}
    assert again.save().version == 1


def test_errors_stand_beside_their_fields() -> None:
    leads = make_object("leads", *EVERY_KIND)
    wrong = {"size": "1.5", "day": "soon", "extra": "{", "colour": "blue", "person": "nobody"}
    form = record_form(leads, data=post(record_form(leads), **wrong))
    assert not form.is_valid()
    assert set(form.errors) == {"name", *wrong}
    assert form.errors["name"] == ["This field is required."]
    assert "line 1, column 2" in form.errors["extra"][0]


def test_a_draft_may_lack_what_is_required() -> None:
    leads = make_object()
    form = record_form(leads, data=post(record_form(leads)), draft=True)
    assert form.is_valid()
    record = form.save("draft")
    assert record.state == "draft"
    submitted = record_form(leads, instance=record, data=post(record_form(leads, instance=record)))
    assert not submitted.is_valid()
    complete = post(record_form(leads, instance=record), name="Ada")
    form = record_form(leads, instance=record, data=complete)
    assert form.is_valid()
    assert form.save("submit").state == "submitted"


def test_required_fields_are_marked_and_the_browser_is_only_strict_where_we_are() -> None:
    leads = make_object()
    assert record_form(leads)["name"].field.required
    assert " required" in str(record_form(leads)["name"])
    assert " required" not in str(record_form(leads, draft=True)["name"])


def test_defaults_are_shown_in_the_form_of_a_new_record() -> None:
    leads = make_object("leads", {"slug": "city", "default": "Rome"})
    assert 'value="Rome"' in str(record_form(leads)["city"])
    form = record_form(leads, data={"city": ""})
    assert form.is_valid()
    assert form.save().data == {"city": None}


def test_a_conflicting_edit_is_told_and_overwrites_nothing() -> None:
    leads = make_object()
    record = make_record(leads)
    shown = post(record_form(leads, instance=fresh(record)), name="Mine")
    update_record(record=record, data={"name": "Theirs"})
    form = record_form(leads, instance=fresh(record), data=shown)
    assert form.is_valid()
    with pytest.raises(StaleRecord) as caught:
        form.save()
    assert caught.value.differs == ["name"]
    assert fresh(record).data["name"] == "Theirs"


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999999999999"])
def test_a_version_that_is_none_is_no_error_of_ours(version: str) -> None:
    leads = make_object()
    record = make_record(leads)
    form = record_form(leads, instance=record, data={"name": "B", "version": version})
    if form.is_valid():
        with suppress(StaleRecord):
            form.save()


def test_a_unique_value_that_is_taken_is_told_beside_its_field() -> None:
    leads = make_object("leads", {"slug": "name", "unique": True})
    make_record(leads, name="Ada")
    form = record_form(leads, data={"name": "Ada"})
    assert form.is_valid()
    with pytest.raises(InvalidData):
        form.save()
    assert "has this value already" in form.errors["name"][0]


def test_the_help_of_a_field_is_text_and_no_markup() -> None:
    leads = make_object("leads", {"slug": "size", "kind": "number", "help_text": "<b>1 < 2</b>"})
    record = make_record(leads, size=3)
    assert record_form(leads)["size"].help_text == "&lt;b&gt;1 &lt; 2&lt;/b&gt;"
    leads.fields.update(options={"max": 2})
    shown = record_form(leads, instance=fresh(record))["size"].help_text
    assert "stays until you change it" in shown
    assert "<b>" not in shown


def test_a_value_that_no_longer_fits_is_shown_raw_and_stays_until_it_is_edited() -> None:
    leads = make_object("leads", {"slug": "name"}, {"slug": "size"}, {"slug": "day"})
    record = make_record(leads, name="Ada", size="large", day="someday")
    leads.fields.filter(slug="size").update(kind="number")
    leads.fields.filter(slug="day").update(kind="date")
    record = fresh(record)
    shown = record_form(leads, instance=record)
    assert 'value="large"' in str(shown["size"])
    assert 'type="text"' in str(shown["day"])
    assert "stays until you change it" in shown["size"].help_text
    form = record_form(leads, instance=record, data=post(shown, name="B"))
    assert form.is_valid(), form.errors
    assert form.save().data == {"name": "B", "size": "large", "day": "someday"}
    form = record_form(leads, instance=record, data=post(shown, size="larger"))
    assert list(form.errors) == ["size"]


def test_a_choice_that_is_no_longer_offered_stays() -> None:
    leads = make_object("leads", *EVERY_KIND)
    record = make_record(leads, name="Ada", colour="r", tags=["a", "b"])
    for slug in ("colour", "tags"):
        field = leads.fields.get(slug=slug)
        field.options = {"choices": [{"value": "c", "label": "C"}]}
        field.save()
    record = fresh(record)
    shown = record_form(record.object, instance=record)
    assert "r (no longer offered)" in str(shown["colour"])
    form = record_form(record.object, instance=record, data=post(shown, name="B"))
    assert form.is_valid(), form.errors
    assert form.save().data["tags"] == ["a", "b"]


def test_a_file_stays_is_replaced_or_removed() -> None:
    leads = make_object("leads", {"slug": "paper", "kind": "file"})
    upload = Upload.objects.create(name="old.txt", size_bytes=1, file="uploads/old")
    record = make_record(leads, paper=upload.pk)

    def save(data: dict[str, Any], **files: Any) -> Any:
        form = record_form(leads, instance=record, data=data, files=files)
        assert form.is_valid(), form.errors
        return form.save().data["paper"]

    assert save({}) == upload.pk
    replaced = save({}, paper=SimpleUploadedFile("new.txt", b"new"))
    assert Upload.objects.get(pk=replaced).name == "new.txt"
    assert save({"paper-clear": "on"}) is None


def test_a_file_is_not_kept_when_its_record_is_not_saved() -> None:
    leads = make_object(
        "leads", {"slug": "name", "unique": True}, {"slug": "paper", "kind": "file"}
    )
    make_record(leads, name="Ada")
    files = {"paper": SimpleUploadedFile("a.txt", b"a")}
    form = record_form(leads, data={"name": "Ada"}, files=files)
    assert form.is_valid()
    with pytest.raises(InvalidData):
        form.save()
    assert not Upload.objects.exists()


def test_a_file_that_is_too_large_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(forms, "MAX_UPLOAD_BYTES", 3)
    leads = make_object("leads", {"slug": "paper", "kind": "file"})
    form = record_form(leads, data={}, files={"paper": SimpleUploadedFile("a.txt", b"four")})
    assert "at most" in form.errors["paper"][0]


@pytest.mark.parametrize("name", ["../../etc/passwd", "x" * 400 + ".pdf", "a\x00b.txt", ".."])
def test_the_name_of_an_upload_never_becomes_a_path(name: str) -> None:
    leads = make_object("leads", {"slug": "paper", "kind": "file"})
    file = SimpleUploadedFile("x", b"x")
    file._name = name
    form = record_form(leads, data={}, files={"paper": file})
    assert form.is_valid()
    form.save()
    upload = Upload.objects.get()
    assert upload.file.name == f"uploads/{upload.pk}"
    assert len(upload.name) <= 255


def test_long_lists_of_choices_are_bounded_searched_and_keep_the_current_one() -> None:
    leads = make_object(
        "leads",
        {"slug": "name"},
        {"slug": "parent", "kind": "link", "options": {"object": "leads"}},
    )
    Record.objects.bulk_create(
        [Record(object=leads, data={"name": f"Lead {n:03}"}) for n in range(60)]
    )
    last = Record.objects.get(title="Lead 059")
    field = leads.schema.by_slug["parent"]
    assert [label for _, label in choices_for(field)][:2] == ["Lead 000", "Lead 001"]
    assert len(choices_for(field)) == 50
    assert choices_for(field, "lead 059\x00") == [(last.pk, "Lead 059")]
    record = make_record(leads, name="x", parent=last.pk)
    html = str(record_form(leads, instance=record)["parent"])
    assert f'value="{last.pk}" selected' in html
    assert f'data-search-field="{field.pk}"' in html


def test_a_link_to_a_record_that_was_deleted_stays_but_cannot_be_chosen_anew() -> None:
    leads = make_object(
        "leads",
        {"slug": "name"},
        {"slug": "parent", "kind": "link", "options": {"object": "leads"}},
    )
    gone = make_record(leads, name="Gone")
    record, other = make_record(leads, name="A", parent=gone.pk), make_record(leads, name="B")
    Record.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    form = record_form(
        leads, instance=record, data=post(record_form(leads, instance=record), name="C")
    )
    assert form.is_valid(), form.errors
    form.save()
    form = record_form(leads, instance=other, data={"name": "B", "parent": gone.pk})
    assert list(form.errors) == ["parent"]


def test_the_form_costs_no_more_for_more_fields_of_one_kind(
    django_assert_num_queries: Any,
) -> None:
    leads = make_object("leads", *[{"slug": f"f{n}"} for n in range(40)])
    record = fresh(make_record(leads, f0="x"))
    record.object.schema  # noqa: B018
    with django_assert_num_queries(0):
        str(record_form(record.object, instance=record))
