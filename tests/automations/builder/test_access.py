"""Who may see and change a draft; two people at once."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from automations.builder.saving import stamp_of
from automations.models import Automation
from tests.automations.builder.at_hand import Post, url_of
from tests.records.making import make_user
from webhooks.secret_services import create_secret

pytestmark = pytest.mark.django_db


def test_the_second_of_two_people_is_told_and_overwrites_nothing(
    admin: Client, edit: Post, automation: Automation
) -> None:
    seen = stamp_of(automation.draft)
    edit("toggle", card="end")
    mine = automation.draft

    late = admin.post(f"{url_of(automation)}edit/remove/", {"stamp": seen, "card": "end"})

    assert late.status_code == 409
    assert "Somebody else has changed this automation" in late.content.decode()
    automation.refresh_from_db()
    assert automation.draft == mine


def test_who_may_only_look_changes_nothing(client: Client, automation: Automation) -> None:
    viewer = make_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_automation"))
    client.force_login(viewer)
    values = {"stamp": stamp_of(automation.draft), "card": "end"}

    page = client.get(f"{url_of(automation)}change/")
    card = client.get(f"{url_of(automation)}card/", {"card": "end"})
    refused = [
        client.post(f"{url_of(automation)}{part}/", values).status_code
        for part in ("edit/remove", "details", "publish", "state", "roll-back", "json", "duplicate")
    ]

    assert page.status_code == 200
    assert "data-edit=" not in page.content.decode()
    assert '<fieldset class="au-fieldset" disabled>' in card.content.decode()
    assert refused == [403] * 7


def test_strangers_see_nothing(client: Client, automation: Automation) -> None:
    client.force_login(make_user("stranger", is_staff=True))

    for part in ("change", "card", "names", "versions", "json", "export", "publishing"):
        assert client.get(f"{url_of(automation)}{part}/").status_code == 403


def test_secrets_are_shown_by_name_only(admin: Client, edit: Post, automation: Automation) -> None:
    create_secret(name="api_key", kind="text", value="s3cr3t-value")
    edit("add", type="webhook", block="", place="0")
    names = admin.get(f"{url_of(automation)}names/", {"card": "webhook"}).content.decode()
    values = {"source": "{{ secrets.api_key }}", "mode": "text", "card": "webhook"}
    value = admin.post(f"{url_of(automation)}value/", values).content.decode()

    assert "secrets.api_key" in names
    assert "put in when it is sent" in value
    assert "s3cr3t" not in names + value


@pytest.mark.parametrize("path", ["nonsense", "auto_00000000000000000000000000", "auto_%2500"])
def test_what_is_no_automation_is_not_found(path: str, admin: Client) -> None:
    assert admin.get(f"/admin/automations/automation/{path}/json/").status_code == 404
