"""The webhook jobs on a record's page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory

from records.models import User
from records.panels import panels_for
from tests.webhooks.jobs_at_hand import a_failed_job, a_job, a_person, a_record
from webhooks.panels import jobs_of_record

pytestmark = pytest.mark.django_db


def asked_by(user: User) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def a_viewer() -> User:
    user = a_person("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_webhookjob"))
    return user


def test_the_panel_has_the_records_latest_jobs_and_links_to_them(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    record = a_record()
    jobs = [
        a_failed_job(record=record, webhook_name=f"<b>{n}</b>", status_code=404) for n in range(12)
    ]
    a_job()
    request = asked_by(a_viewer())
    request.user.has_perm("webhooks.view_webhookjob")  # now it is known

    with django_assert_num_queries(1):
        panel = jobs_of_record(request, record)

    assert panel is not None
    assert [row.job for row in panel.context["jobs"]] == jobs[:1:-1]
    html = render_to_string(panel.template, {"panel": panel.context})
    assert f"/admin/webhooks/webhookjob/{jobs[-1].pk}/change/" in html
    assert "404 Not Found" in html
    assert "&lt;b&gt;11" in html
    assert f"/admin/webhooks/webhookjob/?q={record.pk}" in html


def test_a_record_without_jobs_has_no_panel() -> None:
    assert jobs_of_record(asked_by(a_viewer()), a_record()) is None


def test_only_staff_with_the_permission_see_it() -> None:
    record = a_record()
    a_job(record=record)

    assert jobs_of_record(asked_by(a_person("guest")), record) is None
    assert jobs_of_record(asked_by(a_person("clerk", is_staff=True)), record) is None


def test_it_is_on_the_pages_of_records() -> None:
    record = a_record()
    a_job(record=record)

    assert "Webhook jobs" in [panel.title for panel in panels_for(asked_by(a_viewer()), record)]
