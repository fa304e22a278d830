"""Notifications in the app: the bell, the list, opening one, marking as read."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from records.models import Notification, User
from records.notifications import PAGE_SIZE, mark_read, unread_count

pytestmark = pytest.mark.django_db

LIST = "/notifications/"
ADMIN_LIST = "/admin/records/notification/"


def note(user: User, title: str = "Something happened", **values: Any) -> Notification:
    return Notification.objects.create(
        user=user, title=title, **{"created_at": timezone.now(), **values}
    )


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password="secret", is_staff=True)


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob", password="secret")


@pytest.fixture
def client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- the bell --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/admin/", "/password/"])
def test_the_bell_says_how_many_are_new(client: Client, ada: User, bob: User, address: str) -> None:
    assert ", 2 new" not in text(client.get(address))
    note(ada)
    note(ada)
    note(ada, read_at=timezone.now())
    note(bob)
    assert "Notifications, 2 new" in text(client.get(address))


def test_beyond_a_cap_it_says_that_there_are_more(client: Client, ada: User) -> None:
    Notification.objects.bulk_create(
        Notification(user=ada, title="x", created_at=timezone.now()) for _ in range(120)
    )
    assert "Notifications, 99+ new" in text(client.get("/"))


def test_the_bell_costs_one_query(ada: User, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        note(ada)
    with django_assert_num_queries(1):
        assert unread_count(ada) == 5


# --- the list --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [LIST, ADMIN_LIST])
def test_everybody_sees_their_own(client: Client, ada: User, bob: User, address: str) -> None:
    note(ada, "For <Ada>", body="Line one\nand two", urgency="high", url="/o/leads/")
    note(bob, "For Bob")
    page = text(client.get(address))
    assert "For &lt;Ada&gt;" in page
    assert "Line one<br>and two" in page
    assert "High" in page
    assert "For Bob" not in page


@pytest.mark.parametrize("address", [LIST, ADMIN_LIST])
def test_without_any_the_list_says_so(client: Client, address: str) -> None:
    assert "Nothing to tell" in text(client.get(address))


@pytest.mark.parametrize("address", [LIST, ADMIN_LIST])
def test_the_list_goes_page_by_page_and_costs_the_same(
    client: Client, ada: User, address: str, django_assert_max_num_queries: Any
) -> None:
    note(ada, "number 0")
    with django_assert_max_num_queries(40) as few:
        client.get(address)
    for number in range(1, PAGE_SIZE + 5):
        note(ada, f"number {number};")
    with django_assert_max_num_queries(len(few)):
        page = text(client.get(address))
    assert "number 34;" in page
    assert "number 4;" not in page
    older = Notification.objects.order_by("-pk")[PAGE_SIZE - 1].pk
    assert f"?before={older}" in page
    page = text(client.get(address, {"before": older}))
    assert "number 4;" in page
    assert "number 5;" not in page


@pytest.mark.parametrize("address", [LIST, ADMIN_LIST])
@pytest.mark.parametrize("before", ["nonsense", "\0", "ntf_", "ntf_00000000000000000000000000"])
def test_any_address_has_a_page(client: Client, address: str, before: str) -> None:
    assert client.get(address, {"before": before}).status_code == 200


def test_who_is_not_logged_in_logs_in_first() -> None:
    assert Client().get(LIST).url.startswith("/login/")


# --- reading ---------------------------------------------------------------------------------


def test_opening_one_marks_it_as_read_and_leads_on(client: Client, ada: User) -> None:
    one, other = note(ada, url="/o/leads/?q=a"), note(ada)
    response = client.post(reverse("notification_open", args=[one.pk]))
    assert response.url == "/o/leads/?q=a"
    one.refresh_from_db()
    other.refresh_from_db()
    assert one.read_at is not None
    assert other.read_at is None


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", ""]
)
def test_one_that_leads_elsewhere_leads_to_the_list(client: Client, ada: User, url: str) -> None:
    response = client.post(reverse("notification_open", args=[note(ada, url=url).pk]))
    assert response.url == LIST


def test_one_can_be_marked_as_read_and_the_page_stays(client: Client, ada: User) -> None:
    one = note(ada)
    response = client.post(reverse("notification_read", args=[one.pk]), {"next": ADMIN_LIST})
    assert response.url == ADMIN_LIST
    assert unread_count(ada) == 0


def test_all_that_were_shown_are_marked_and_nothing_that_came_since(
    client: Client, ada: User, bob: User
) -> None:
    note(ada)
    shown = note(ada)
    newer, others = note(ada), note(bob)
    page = client.post(reverse("notifications_read"), {"up_to": shown.pk}, follow=True)
    assert "2 notifications marked as read." in text(page)
    unread = set(Notification.objects.filter(read_at=None).values_list("pk", flat=True))
    assert unread == {newer.pk, others.pk}


@pytest.mark.parametrize("up_to", ["nonsense", "\0"])
def test_what_is_no_id_marks_nothing(client: Client, ada: User, up_to: str) -> None:
    note(ada)
    assert client.post(reverse("notifications_read"), {"up_to": up_to}).status_code == 302
    assert unread_count(ada) == 1


@pytest.mark.parametrize("name", ["notification_open", "notification_read"])
def test_those_of_others_are_not_there(client: Client, bob: User, name: str) -> None:
    theirs = note(bob)
    assert client.post(reverse(name, args=[theirs.pk])).status_code == 404
    assert client.post(reverse(name, args=["nonsense"])).status_code == 404
    assert unread_count(bob) == 1


@pytest.mark.parametrize("name", ["notification_open", "notification_read"])
def test_reading_is_a_post(client: Client, ada: User, name: str) -> None:
    assert client.get(reverse(name, args=[note(ada).pk])).status_code == 405


def test_reading_twice_keeps_the_first_time(ada: User) -> None:
    one = note(ada)
    assert mark_read(ada, only=one.pk) == 1
    one.refresh_from_db()
    assert mark_read(ada, only=one.pk) == 0
    before = one.read_at
    one.refresh_from_db()
    assert one.read_at == before
