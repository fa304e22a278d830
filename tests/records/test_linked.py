"""Links and users in expressions: ids that lead on."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from records.expressions import ExpressionError, evaluate_condition, render_text, render_typed
from records.expressions.values import Reference
from records.linked import MAX_LINKS, names_behind, record_values
from records.models import ObjectDefinition, Record
from records.services import create_record, delete_record
from tests.records.making import make_object, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def context() -> dict[str, Any]:
    make_object("companies", {"slug": "name"}, {"slug": "boss", "kind": "user"}, stages="")
    leads = make_object(
        "leads",
        {"slug": "name"},
        {"slug": "company", "kind": "link", "options": {"object": "companies"}},
        {"slug": "manager", "kind": "user"},
        {"slug": "mentor", "kind": "link", "options": {"object": "leads"}},
    )
    ada = make_user("ada", first_name="Ada", last_name="Lovelace", email="ada@example.com")
    companies = _object("companies")
    acme = create_record(object_definition=companies, data={"name": "Acme", "boss": ada.pk})
    lead = create_record(
        object_definition=leads,
        data={"name": "Grace", "company": acme.pk, "manager": ada.pk},
        owner=ada,
    )
    return {"record": record_values(lead), "acme": acme, "ada": ada, "lead": lead}


def _object(slug: str) -> Any:
    return ObjectDefinition.objects.get(slug=slug)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ record.company.name }}", "Acme"),
        ("{{ record.company['name'] }}", "Acme"),
        ("{{ record.company.boss.name }}", "Ada Lovelace"),
        ("{{ record.manager.email }}", "ada@example.com"),
        ("{{ record.owner.username }}", "ada"),
        ("{{ record.company.stage }}", ""),
        ("{{ record.company.object_id }}", "obj_def_companies"),
        ("{{ [record.company] | map(attribute='name') | join }}", "Acme"),
    ],
)
def test_a_link_leads_to_what_is_behind_it(
    context: dict[str, Any], source: str, expected: str
) -> None:
    assert render_typed(source, context) == expected


def test_a_link_is_its_id_wherever_it_is_used(context: dict[str, Any]) -> None:
    pk = context["acme"].pk
    assert render_typed("{{ record.company }}", context) == pk
    assert type(render_typed("{{ record.company }}", context)) is str
    assert render_text("to {{ record.company }}", context) == f"to {pk}"
    assert render_typed("{{ {'a': record.company} | tojson }}", context) == f'{{"a":"{pk}"}}'
    assert render_typed("{{ record.company.id }}", context) == pk
    assert evaluate_condition(f"record.company == '{pk}'", context)
    assert evaluate_condition(f"record.company in ['{pk}']", context)
    assert render_typed("{{ record.company | upper }}", context) == pk.upper()
    assert render_typed("{{ record.company ~ '!' }}", context) == f"{pk}!"


def test_nothing_is_looked_up_that_nobody_asks_for_and_nothing_twice(
    context: dict[str, Any],
) -> None:
    lead = Record.objects.select_related("object").get(pk=context["lead"].pk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        names = {"record": record_values(lead)}
        render_text("{{ record.company }} {{ record.manager }} {{ record.owner }}", names)
    assert len(queries) == 0
    with CaptureQueriesContext(connection) as queries:
        render_text("{{ record.company.name }} {{ record.company.id }}", names)
        render_text("{{ record.company.stage }}", names)
    assert len(queries) == 1


def test_what_is_deleted_is_empty(context: dict[str, Any]) -> None:
    delete_record(record=context["acme"])
    assert render_typed("{{ record.company.name }}", context) is None
    assert render_typed("{{ record.company.id }}", context) == context["acme"].pk


def test_an_unknown_field_behind_a_link_is_named(context: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError, match="Companies has no field `nmae`; did you mean `name`"):
        render_text("{{ record.company.nmae }}", context)


def test_no_link_leads_nowhere(context: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError, match=r"`record.mentor` is empty, so it has no `name`"):
        render_text("{{ record.mentor.name }}", context)
    assert render_typed("{{ record.mentor.name | default('nobody') }}", context) == "nobody"


def test_links_that_go_round_are_followed_so_far_and_no_further(context: dict[str, Any]) -> None:
    lead = context["lead"]
    Record.objects.filter(pk=lead.pk).update(data={**lead.data, "mentor": lead.pk})
    lead.refresh_from_db()
    names = {"record": record_values(lead)}
    allowed = ".mentor" * MAX_LINKS
    assert render_typed(f"{{{{ record{allowed}.name }}}}", names) == "Grace"
    with pytest.raises(ExpressionError, match="is text, so it has no `name`"):
        render_text(f"{{{{ record{allowed}.mentor.name }}}}", names)


def test_a_value_that_is_no_id_leads_nowhere(context: dict[str, Any]) -> None:
    lead = context["lead"]
    lead.data = {**lead.data, "company": "Acme"}
    names = {"record": record_values(lead)}
    assert isinstance(names["record"]["company"], Reference)
    assert render_typed("{{ record.company }}", names) == "Acme"
    assert render_typed("{{ record.company.name }}", names) is None


def test_names_behind_a_field_are_known(context: dict[str, Any]) -> None:
    fields = _object("leads").schema.by_slug
    assert names_behind(fields["name"]) is None
    assert names_behind(fields["manager"]) == ["id", "username", "name", "email"]
    assert (names_behind(fields["company"]) or [])[:3] == ["name", "boss", "id"]
