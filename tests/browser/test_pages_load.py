"""The first things anybody sees."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from records.models import User


@pytest.fixture
def admin(transactional_db: None) -> User:
    return User.objects.create_superuser("admin", "admin@example.com", "let me in")


def test_the_admin_opens_after_logging_in(page: Page, admin: User, log_in: Callable) -> None:
    log_in("admin", "let me in")

    page.goto("/admin/")

    assert (
        page.get_by_role("link", name="Dashboard")
        .or_(page.get_by_text("Records"))
        .first.is_visible()
    )


def test_the_admin_works_with_a_worker_behind_it(
    site: LiveServer, page: Page, admin: User, log_in: Callable
) -> None:
    log_in("admin", "let me in")

    page.goto("/admin/django-rq/")

    assert page.get_by_text("deliveries").first.is_visible()
