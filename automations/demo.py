"""The demo's automations: three that work on its leads, with runs that succeed, wait, fail and do not fire."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.urls import reverse

from automations.models import Automation, AutomationState
from automations.services import create_automation, publish, save_draft, set_state
from webhooks.demo import hooks, parts
from webhooks.demo.objects import LEADS, Definitions
from webhooks.models import InboundEndpoint

CRM: Final = "CRM (answers with an id)"
_CRM_ANSWER: Final = '{"data": {"externalId": "crm-4711"}}'


def make_automations(definitions: Definitions) -> None:
    """Published and active, so that the records which come next set them off."""
    crm = InboundEndpoint.objects.create(name=CRM, answer_status=201, answer_body=_CRM_ANSWER)
    partner = InboundEndpoint.objects.get(name=hooks.FAILING_INSPECTOR)
    for name, description, document in (
        (
            "Welcome new leads",
            "Large leads go to the CRM, whose id is kept; high priorities are told of, and cold calls get a visit.",
            _welcome(crm.url, partner.url),
        ),
        (
            "Follow up",
            "Who owns a lead that moves on has three days to call.",
            _follow_up(),
        ),
        (
            "Daily digest",
            "On working days the sales team is reminded of the day's leads.",
            _digest(),
        ),
    ):
        automation = create_automation(name=name, description=description, draft=document)
        publish(automation=automation)
        set_state(automation=automation, state=AutomationState.ACTIVE)


def _welcome(crm_url: str, partner_url: str) -> dict[str, Any]:
    """A cold call fails at the partner, which has a bad day; the lead is in quarantine until somebody looks."""
    body = {
        "name": "{{ record.name }}",
        "email": "{{ record.email }}",
        "company": "{{ record.company.name }}",
        "value": "{{ record.estimated_value }}",
    }
    return {
        "trigger": {"type": "event", "config": {"event": "record.created", "object": LEADS}},
        "conditions": {
            "match": "all",
            "rules": [{"field": "estimated_value", "operator": "greater_than", "value": 10_000}],
        },
        "steps": [
            _step(
                "webhook",
                "crm",
                "Add it to the CRM",
                url=crm_url,
                body_kind="json",
                body=json.dumps(body, indent=2),
                response_schema=[{"name": "externalId", "pointer": "/data/externalId"}],
                store=[{"field": "crm_id", "value": "externalId"}],
                sample_response=_CRM_ANSWER,
            ),
            _step(
                "branch",
                "kind",
                "What kind of lead is it?",
                conditions=[
                    {
                        "name": "Cold call",
                        "if": _equals("source", "cold_call"),
                        "then": [
                            _step(
                                "webhook",
                                "visit",
                                "Book a visit with the partner",
                                url=partner_url,
                                body_kind="rows",
                                body_rows=[
                                    {"name": "lead", "value": "{{ record.name }}"},
                                    {
                                        "name": "crm_id",
                                        "value": "{{ steps.crm.response.externalId }}",
                                    },
                                ],
                                retry_delays_s=[],
                            )
                        ],
                    },
                    {
                        "name": "High priority",
                        "if": _equals("priority", "high"),
                        "then": [
                            _step(
                                "notify",
                                "tell",
                                "Tell who owns it",
                                title="New lead: {{ record.name }}, {{ record.estimated_value }} EUR",
                                body="In the CRM it is {{ steps.crm.response.externalId }}.",
                                owner=True,
                                urgency="high",
                            )
                        ],
                    },
                ],
            ),
        ],
        "settings": {"on_failure": {"quarantine": True}},
    }


def _follow_up() -> dict[str, Any]:
    return {
        "trigger": {
            "type": "stage_changed",
            "config": {"object": LEADS, "to_stages": ["contacted", "qualified"]},
        },
        "conditions": None,
        "steps": [
            _step(
                "add_task",
                "call",
                "A task in three days",
                title="Call {{ record.name }}",
                note="It moved to {{ record.stage }}.",
                owner=True,
                due="{{ date_add(now, 3, 'days') }}",
            ),
            _step(
                "set_variables",
                "here",
                "Remember the stage",
                variables={"stage": "{{ record.stage }}"},
            ),
            _step("wait", "three_days", "Wait three days", duration=3, unit="days"),
            _step(
                "branch",
                "still",
                "Still there?",
                conditions=[
                    {
                        "name": "It has not moved",
                        "if": {"expression": "record.stage == vars.stage"},
                        "then": [
                            _step(
                                "notify",
                                "remind",
                                "Remind who owns it",
                                title="{{ record.name }} is still at {{ record.stage }}",
                                owner=True,
                            )
                        ],
                    }
                ],
            ),
        ],
        "settings": {"concurrency": {"mode": "restart"}},
    }


def _digest() -> dict[str, Any]:
    return {
        "trigger": {"type": "schedule", "config": {"cron": "0 8 * * 1-5"}},
        "conditions": None,
        "steps": [
            _step(
                "notify",
                "tell",
                "Tell the sales team",
                title="Leads to look at, {{ format_date(now, '%A, %d %B') }}",
                body="Sort your leads by “Next contact”, and begin with those of today.",
                teams=["Sales"],
                urgency="low",
                by_mail=True,
            )
        ],
        "settings": {},
    }


def _step(kind: str, step_id: str, title: str, /, **config: Any) -> dict[str, Any]:
    return {"id": step_id, "type": kind, "name": title, "config": config}


def _equals(field: str, value: str) -> dict[str, Any]:
    return {"match": "all", "rules": [{"field": field, "operator": "equals", "value": value}]}


def follow_address() -> None:
    """Automations that lead to an inspector of ours on this machine follow it to another port, as a new version."""
    for automation in Automation.objects.select_related("published"):
        published = automation.published
        draft, moved = automation.draft, _moved(automation.draft)
        if published is not None and _moved(published.document) != published.document:
            save_draft(automation=automation, draft=_moved(published.document))
            publish(automation=automation, note="The inspectors have another address")
            save_draft(automation=automation, draft=moved)
        elif moved != draft:
            save_draft(automation=automation, draft=moved)


def _moved(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the address at which this installation is now."""
    prefix = reverse("inspector", args=["_"]).removesuffix("_")
    tokens = "|".join(map(re.escape, InboundEndpoint.objects.values_list("token", flat=True)))
    pattern = rf"http://127\.0\.0\.1:\d+(?={re.escape(prefix)}(?:{tokens})\b)"
    text = json.dumps(document)
    moved: dict[str, Any] = json.loads(
        re.sub(pattern, settings.PUBLIC_URL, text) if tokens else text
    )
    return moved


parts.register(parts.Part(make=make_automations, follow=follow_address))
