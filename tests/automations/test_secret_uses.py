"""Where automations use secrets is listed: in what is published and in drafts."""

import pytest

from automations.models import Automation
from automations.services import save_draft
from tests.automations.making import make_automation, make_leads, step
from webhooks.secret_uses import uses_of

pytestmark = pytest.mark.django_db


def tell(**config: object) -> dict[str, object]:
    return step("webhook", "tell", name_="Tell them", url="https://x.example/", **config)


@pytest.fixture
def automation() -> Automation:
    make_leads()
    inner = step("ping", "poke", url="https://x.example/{{ secrets.token }}")
    loop = step("for_each", "each", list="{{ [1] }}", steps=[inner])
    request = tell(
        headers={"X-Key": "{{ secrets.api_key }}"},
        body_kind="json",
        body='{"a": "{{ secrets.api_key }}"}',
        auth={"kind": "bearer", "secret": "bearer_token"},
        signing_secret="sign",
    )
    return make_automation(request, loop, checked=False)


def test_every_place_of_a_request_is_named(automation: Automation) -> None:
    (use,) = uses_of("api_key")
    assert (use.title, use.kind, use.is_active) == ("Welcome", "Automation", True)
    assert use.url.endswith(f"/{automation.pk}/change/")
    assert use.places == ("step “Tell them”, header `X-Key`", "step “Tell them”, body")
    assert uses_of("bearer_token")[0].places == ("step “Tell them”, authentication",)
    assert uses_of("sign")[0].places == ("step “Tell them”, signing",)


def test_steps_within_loops_are_looked_at(automation: Automation) -> None:
    assert uses_of("token")[0].places == ("step “poke”, URL",)


def test_what_only_a_draft_uses_is_marked(automation: Automation) -> None:
    document = {
        **automation.published.document,
        "steps": [tell(headers={"X-New": "{{ secrets.newest }}"})],
    }
    save_draft(automation=automation, draft=document)
    assert uses_of("newest")[0].places == ("step “Tell them”, header `X-New` (draft)",)
    assert uses_of("api_key")


def test_drafts_with_mistakes_hide_nothing_of_the_others(automation: Automation) -> None:
    save_draft(
        automation=automation, draft={"steps": [{"type": "webhook", "config": {"url": 7}}, "x"]}
    )
    assert uses_of("api_key")


def test_a_name_that_nobody_uses_has_no_uses(automation: Automation) -> None:
    assert uses_of("other") == []
