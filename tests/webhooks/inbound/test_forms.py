"""Posts of a form on another site become records, without an automation."""

import pytest

from records.models import Event, Record, Upload
from tests.records.making import make_object
from tests.webhooks.inbound.making import make_form, send
from webhooks.models import RequestLog

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def leads():
    return make_object(
        "leads",
        {"slug": "name", "required": True},
        {"slug": "email", "kind": "email"},
        {"slug": "amount", "kind": "number"},
        {"slug": "agreed", "kind": "boolean"},
        {"slug": "cv", "kind": "file"},
        stages="new",
    )


def post(client, endpoint, body, **values):
    return send(client, endpoint, body=body, content_type=FORM, **values)


def test_a_post_becomes_a_record_by_the_names_of_its_fields(client, leads):
    answer = post(client, make_form(object=leads), b"name=Ada&amount=3&agreed=on&other=x")
    record = Record.objects.get()
    assert (answer.status_code, answer.json()) == (201, {"record": record.pk})
    assert (record.data["name"], record.data["amount"], record.data["agreed"]) == ("Ada", 3, True)
    assert Event.objects.get(record=record).actor_label == "Form “Contact”"
    row = RequestLog.objects.get()
    assert (row.status_code, row.error_kind) == (201, "")


def test_or_by_a_map(client, leads):
    field_map = {
        "name": "{{ webhook.body.first }} {{ webhook.body.last }}",
        "amount": "{{ webhook.body.sum }}",
        "email": "{{ webhook.body.missing }}",
    }
    post(client, make_form(object=leads, field_map=field_map), b"first=Ada&last=L&sum=7&name=No")
    data = Record.objects.get().data
    assert (data["name"], data["amount"], data["email"]) == ("Ada L", 7, None)


def test_json_does_as_well(client, leads):
    assert send(client, make_form(object=leads), {"name": "Ada"}).status_code == 201


def test_values_that_do_not_fit_are_told_field_by_field(client, leads):
    answer = post(client, make_form(object=leads), b"amount=many&email=no")
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"name", "amount", "email"}
    assert not Record.objects.exists()
    row = RequestLog.objects.get()
    assert (row.status_code, row.error_kind) == (422, "invalid")
    assert "amount" in row.error


@pytest.mark.parametrize(
    "body", [b"[1, 2]", b'"text"', b"", b"null", b'{"name": {"a": 1}}', b'{"name": [1]}']
)
def test_a_body_that_is_no_form_is_no_error_of_ours(client, leads, body):
    assert send(client, make_form(object=leads), body=body).status_code in (201, 422)


def test_a_browser_is_sent_on(client, leads):
    endpoint = make_form(object=leads, redirect_url="https://www.example.com/thanks?a=1#top")
    answer = post(client, endpoint, b"name=Ada", headers={"accept": "text/html"})
    assert (answer.status_code, answer["Location"]) == (
        303,
        "https://www.example.com/thanks?a=1#top",
    )
    answer = post(client, endpoint, b"amount=x", headers={"accept": "text/html"})
    assert answer["Location"] == "https://www.example.com/thanks?a=1&error=name%2Camount#top"
    answer = post(client, endpoint, b"name=Ada", headers={"accept": "application/json"})
    assert answer.status_code == 201


def test_what_fills_in_the_hidden_field_is_thrown_away_and_not_told(client, leads):
    endpoint = make_form(object=leads, honeypot_field="website")
    answer = post(client, endpoint, b"name=Bot&website=spam")
    assert answer.status_code == 201
    assert not Record.objects.exists()
    assert RequestLog.objects.get().error_kind == "honeypot"
    assert post(client, endpoint, b"name=Ada&website=").status_code == 201
    assert Record.objects.count() == 1


def test_a_file_goes_to_a_file_field(client, leads, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    body = (
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
        b'--x\r\nContent-Disposition: form-data; name="cv"; filename="cv.txt"\r\n\r\nhello\r\n--x--\r\n'
    )
    endpoint = make_form(object=leads)
    kind = "multipart/form-data; boundary=x"
    assert send(client, endpoint, body=body, content_type=kind).status_code == 201
    assert Record.objects.get().data["cv"] == Upload.objects.get().pk
    body = body.replace(b"Ada", b"")
    assert send(client, endpoint, body=body, content_type=kind).status_code == 422
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_repeat_gets_the_first_answer(client, leads):
    endpoint = make_form(object=leads, duplicate_key="webhook.body.id")
    first, again = (post(client, endpoint, b"name=Ada&id=1") for _ in range(2))
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert Record.objects.count() == 1


def test_a_form_without_an_object_says_so(client):
    answer = post(client, make_form(), b"name=Ada")
    assert answer.status_code == 422
    assert "no object" in str(answer.json()["errors"])


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_pages_of_chosen_origins_may_send_and_read_the_answer(client, leads, accept):
    endpoint = make_form(object=leads, origins=["https://www.example.com"])
    asked = client.options(endpoint.path, headers={"origin": "https://www.example.com"})
    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (
        204,
        "https://www.example.com",
    )
    assert asked["Access-Control-Allow-Methods"] == "POST"
    headers = {"origin": "https://www.example.com", "accept": accept}
    answer = post(client, endpoint, b"name=Ada", headers=headers)
    assert answer["Access-Control-Allow-Origin"] == "https://www.example.com"
    assert "Origin" in answer["Vary"]
    other = post(client, endpoint, b"name=Ada", headers={"origin": "https://evil.example"})
    assert other.status_code == 403
    assert "Access-Control-Allow-Origin" not in other
    assert "Access-Control-Allow-Origin" not in client.options(
        endpoint.path, headers={"origin": "https://evil.example"}
    )
    assert Record.objects.count() == 1


# --- people whose browser shows the answer ---------------------------------------------------

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def page_of(answer):
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert "sandbox" in answer["Content-Security-Policy"]
    return answer.content.decode()


def test_a_person_is_thanked(client, leads):
    answer = post(client, make_form(object=leads), b"name=Ada", headers=BROWSER)
    assert answer.status_code == 201
    assert "Thank you" in page_of(answer)
    assert Record.objects.get().data["name"] == "Ada"


def test_a_person_is_told_which_fields_to_mend(client, leads):
    answer = post(client, make_form(object=leads), b"amount=many", headers=BROWSER)
    assert answer.status_code == 422
    text = page_of(answer)
    assert "<strong>Name</strong>: This field is required." in text
    assert "<strong>Amount</strong>" in text
    assert RequestLog.objects.get().response_body == text


@pytest.mark.parametrize("redirect_url", ["", "https://www.example.com/thanks"])
@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"per_minute": 1}, 429, "Too many requests"),
        ({"is_active": False}, 503, "switched off for now"),
        ({"methods": ["PUT"]}, 405, "This address takes what forms send."),
        ({"max_body_bytes": 3}, 413, "more than 3 bytes"),
    ],
)
def test_a_person_is_told_in_words_what_else_is_wrong(
    client, leads, values, status, words, redirect_url
):
    endpoint = make_form(object=leads, redirect_url=redirect_url, **values)
    for _ in range(2):
        answer = post(client, endpoint, b"name=Ada", headers=BROWSER)
    assert answer.status_code == status
    assert words in page_of(answer)


def test_a_page_shows_nothing_of_what_was_sent_as_markup(client, leads):
    endpoint = make_form(object=leads, content_types=["text/*"])
    answer = send(
        client, endpoint, body=b"x", content_type="<b>x</b>", headers={"accept": "text/html"}
    )
    assert answer.status_code == 415
    assert "&lt;b&gt;x&lt;/b&gt;" in page_of(answer)


def test_a_form_that_is_not_there_is_told_to_people_too(client):
    answer = client.post("/api/webhooks/form/nowhere", headers=BROWSER)
    assert answer.status_code == 404
    assert "There is nothing at this address." in page_of(answer)
