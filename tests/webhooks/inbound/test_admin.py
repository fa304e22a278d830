"""The pages of endpoints: their addresses, who may send, what became of what arrived."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from records.models import Record, User
from tests.automations.making import step
from tests.records.making import make_object
from tests.webhooks.inbound.making import make_endpoint, make_form, make_listener, send
from webhooks.models import EndpointKind, InboundEndpoint
from webhooks.secret_services import create_secret

pytestmark = pytest.mark.django_db

SENSIBLE = {
    "methods": ["POST"],
    "scheme": "none",
    "max_body_kib": "64",
    "window": "1 day",
    "answer_mode": "at_once",
    "wait_s": "10",
    "per_minute": "600",
}


def page(name, *args):
    return reverse(f"admin:webhooks_inboundendpoint_{name}", args=args)


def text_of(response):
    return response.content.decode()


def save(admin_client, endpoint, **values):
    response = admin_client.post(page("change", endpoint.pk), {**SENSIBLE, **values})
    endpoint.refresh_from_db()
    return response


def errors_of(response):
    return response.context["adminform"].form.errors


def test_the_page_has_the_addresses_and_what_arrived_with_reasons(client, admin_client):
    _, endpoint = make_listener(step("stop", "s"))
    send(client, endpoint)
    send(client, endpoint, body=b"{")
    text = text_of(admin_client.get(page("change", endpoint.pk)))
    for part in (endpoint.url, endpoint.test_url, "It set off", "no valid JSON"):
        assert part in text


def test_settings_are_saved(admin_client):
    endpoint = make_endpoint()
    response = save(
        admin_client,
        endpoint,
        methods=["POST", "PUT"],
        content_types="application/json\ntext/*",
        origins="https://www.example.com",
        allowed_networks="192.0.2.0/24",
        duplicate_key="webhook.body.id",
        window="2 h",
        answer_mode="wait",
        wait_s="5",
    )
    assert response.status_code == 302, errors_of(response)
    assert endpoint.methods == ["POST", "PUT"]
    assert endpoint.content_types == ["application/json", "text/*"]
    assert endpoint.origins == ["https://www.example.com"]
    assert (endpoint.max_body_bytes, endpoint.duplicate_window_s) == (65536, 7200)
    assert (endpoint.answer_mode, endpoint.wait_s, endpoint.per_minute) == ("wait", 5, 600)
    assert endpoint.per_address_per_minute is None
    assert (endpoint.kind, endpoint.name) == (EndpointKind.AUTOMATION, "Orders")


def test_the_chosen_scheme_and_no_other_is_saved(admin_client):
    create_secret(name="hub", kind="text", value="a-secret-of-some-length-0123456789")
    endpoint = make_endpoint()
    values = {
        "scheme": "hmac",
        "scheme_hmac_key": "hub",
        "scheme_hmac_header": "X-Sig",
        "scheme_hmac_algorithm": "sha512",
        "scheme_hmac_encoding": "hex",
        "scheme_hmac_tolerance_s": "60",
        "scheme_stripe_key": "hub",
    }
    response = save(admin_client, endpoint, **values)
    assert response.status_code == 302, errors_of(response)
    assert (endpoint.scheme, endpoint.scheme_secrets) == ("hmac", {"key": "hub"})
    assert endpoint.scheme_settings["header"] == "X-Sig"
    assert endpoint.scheme_settings["algorithm"] == "sha512"
    assert "X-Sig" in text_of(admin_client.get(page("change", endpoint.pk)))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"scheme": "github"}, "scheme_github_key"),
        ({"scheme": "hmac", "scheme_hmac_header": "no header"}, "scheme_hmac_header"),
        ({"allowed_networks": "everybody"}, "allowed_networks"),
        ({"content_types": "json"}, "content_types"),
        ({"origins": "example.com"}, "origins"),
        ({"duplicate_key": "webhook.body."}, "duplicate_key"),
        ({"duplicate_key": "record.id"}, "duplicate_key"),
        ({"wait_s": "31"}, "wait_s"),
        ({"window": "soon"}, "window"),
        ({"max_body_kib": "999999"}, "max_body_kib"),
        ({"methods": []}, "methods"),
        ({"per_minute": "-1"}, "per_minute"),
    ],
)
def test_mistakes_stand_beside_their_fields(admin_client, values, field):
    response = save(admin_client, make_endpoint(), **values)
    assert response.status_code == 200
    assert field in errors_of(response)


def test_a_new_address_leaves_the_old_one_for_a_while(client, admin_client):
    endpoint = make_endpoint()
    old = endpoint.path
    response = admin_client.post(page("rotate", endpoint.pk), {"grace": "86400"}, follow=True)
    endpoint.refresh_from_db()
    assert endpoint.path != old
    assert endpoint.url in text_of(response)
    assert "is good until" in text_of(response)
    assert send(client, endpoint, path=old).status_code == 202
    admin_client.post(page("rotate", endpoint.pk), {"grace": "nonsense"})
    token = endpoint.token
    endpoint.refresh_from_db()
    assert endpoint.token == token


def test_a_new_test_address(admin_client):
    endpoint = make_endpoint()
    old = endpoint.test_token
    admin_client.post(page("rotate_test", endpoint.pk))
    endpoint.refresh_from_db()
    assert endpoint.test_token != old
    inspector = InboundEndpoint.objects.create(name="I")
    assert admin_client.post(page("rotate_test", inspector.pk)).status_code == 404


@pytest.mark.parametrize("name", ["rotate", "rotate_test", "clear"])
def test_changes_take_a_post_and_permission(client, admin_client, name):
    endpoint = make_endpoint()
    assert admin_client.get(page(name, endpoint.pk)).status_code == 405
    assert client.post(page(name, endpoint.pk)).status_code in (302, 403)
    before = endpoint.token
    endpoint.refresh_from_db()
    assert endpoint.token == before


def test_a_form_is_made_and_its_fields_are_mapped(client, admin_client):
    leads = make_object("leads", {"slug": "name"}, {"slug": "source"}, stages="new")
    add = page("add") + "?kind=form"
    assert "Object" in text_of(admin_client.get(add))
    response = admin_client.post(add, {"name": "Contact", "is_active": "on", "object": leads.pk})
    endpoint = InboundEndpoint.objects.get()
    assert response["Location"] == page("change", endpoint.pk)
    assert (endpoint.kind, endpoint.object) == (EndpointKind.FORM, leads)
    assert "map_source" in text_of(admin_client.get(page("change", endpoint.pk)))
    values = {"name": "Contact", "is_active": "on", "object": leads.pk, "honeypot_field": "url"}
    mapping = {"map_name": "{{ webhook.body.who }}", "map_source": "Site"}
    response = save(admin_client, endpoint, **values, **mapping)
    assert response.status_code == 302, errors_of(response)
    assert endpoint.field_map == {"name": "{{ webhook.body.who }}", "source": "Site"}
    send(client, endpoint, {"who": "Ada"})
    assert Record.objects.get().data == {"name": "Ada", "source": "Site"}
    response = save(admin_client, endpoint, **values, map_name="{{ nobody.knows }}")
    assert "map_name" in errors_of(response)


def test_an_automations_endpoint_is_not_deleted_by_hand(admin_client):
    assert admin_client.post(page("delete", make_endpoint().pk), {"post": "yes"}).status_code == 403
    assert InboundEndpoint.objects.exists()


def test_the_list_shows_all_kinds(admin_client):
    endpoints = [make_endpoint(), make_form(), InboundEndpoint.objects.create(name="I")]
    text = text_of(admin_client.get(page("changelist")))
    assert all(endpoint.url in text for endpoint in endpoints)
    text = text_of(admin_client.get(page("changelist"), {"kind__exact": "form"}))
    assert endpoints[0].url not in text


def test_what_is_no_id_is_404(admin_client):
    assert admin_client.get(page("arrivals", "nonsense")).status_code == 404


def test_an_endpoint_leads_to_its_automation(admin_client, client):
    automation, endpoint = make_listener(step("stop", "s"))
    url = reverse("admin:automations_automation_change", args=[automation.pk])
    assert url in text_of(admin_client.get(page("change", endpoint.pk)))
    assert "/automations/automation/auto_" not in text_of(
        admin_client.get(page("change", make_form().pk))
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [("inspector", "It sets off nothing"), ("form", "each post becomes a record")],
)
def test_adding_says_where_the_address_of_an_automation_comes_from(admin_client, kind, words):
    text = text_of(admin_client.get(page("add"), {"kind": kind}))
    assert words in text
    assert "comes with the trigger" in text
    assert reverse("admin:automations_automation_add") in text


@pytest.mark.parametrize("model", ["inboundendpoint", "destination", "webhook", "secret"])
def test_an_empty_list_says_what_comes_first(admin_client, model):
    text = text_of(admin_client.get(reverse(f"admin:webhooks_{model}_changelist")))
    assert "Nothing here yet" not in text
    assert "sb-empty-words" in text


@pytest.mark.parametrize("make", [make_endpoint, make_form])
def test_who_may_only_look_reads_the_settings_of_the_chosen_scheme(client, make):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_inboundendpoint"))
    client.force_login(user)
    endpoint = make(scheme="api_key", scheme_settings={"header": "X-Shop"})
    response = client.get(page("change", endpoint.pk))
    assert response.status_code == 200
    text = text_of(response)
    assert "X-Shop" in text
    assert "Add a form" not in text_of(client.get(page("changelist")))
    assert "Stripe" not in text
