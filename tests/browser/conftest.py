"""A headless Chromium, the site it looks at, and a real worker behind that."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.conftest import WorkerProcess
from webhooks.outbound import network_policy

# Playwright's event loop lives in the thread of the tests; Django would take them for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

SCREENSHOTS = settings.BASE_DIR / "var" / "screenshots"
# What a page needs at most on a busy machine; only a test that fails waits for so long.
TIMEOUT_MS = 15_000

_reports: pytest.StashKey[dict[str, pytest.TestReport]] = pytest.StashKey()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    item.stash.setdefault(_reports, {})[report.when] = report
    return report


def find_chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.fail(
        "There is no Chromium to test with: install it (on Debian: apt-get install chromium)."
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=[
                "--no-sandbox",  # it runs as root in containers; it sees nothing but our own pages
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                # Nothing but this machine can be reached.
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def own_address(live_server: LiveServer, settings: Any) -> Iterator[None]:
    """Each file has a server of its own; what is judged as our own host goes with it."""
    settings.PUBLIC_URL = live_server.url
    network_policy.cache_clear()
    yield
    network_policy.cache_clear()


@pytest.fixture
def site(live_server: LiveServer, spawn_worker: Callable[..., WorkerProcess]) -> LiveServer:
    """The site with a worker, which may send requests to this machine. `site.url` is its address."""
    spawn_worker(OUTBOUND_ALLOWED_HOSTS="localhost,127.0.0.1", PUBLIC_URL=live_server.url)
    return live_server


@pytest.fixture
def page(
    browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A fresh page, at `live_server.url`. Scripts and answers that fail, fail the test, which leaves a screenshot."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "response",
        lambda response: (
            errors.append(f"{response.status} {response.url}") if response.status >= 500 else None
        ),
    )
    page.on(
        "console",
        lambda message: (
            errors.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )

    yield page

    call = request.node.stash.get(_reports, {}).get("call")
    if call is None or call.failed:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "_", request.node.name)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    context.close()
    assert not errors, errors


@pytest.fixture
def log_in(page: Page) -> Callable[[str, str], None]:
    """Log in at the front door: `log_in("admin", "password")`."""

    def enter(username: str, password: str) -> None:
        page.goto("/")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="Welcome").wait_for()

    return enter
