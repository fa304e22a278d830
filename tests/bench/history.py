"""The admin's history with a million jobs."""

import time
from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from records.models import User
from tests.bench.figures import Figure, median
from webhooks.models import WebhookJob

JOBS = 1_000_000
LOOKS = 9
PAGES = {"first page": "", "Failures": "?tab=failures", "Pending": "?tab=pending"}


def figures(database: str) -> Iterator[Figure]:
    if database != "PostgreSQL":
        return  # the bar is for PostgreSQL; a million rows are not what SQLite is for
    _fill()
    client = Client()
    client.force_login(User.objects.create_superuser("bench", password="bench"))
    # The static files have not been collected; their addresses do not matter here.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    storages = {**settings.STORAGES, "staticfiles": plain}
    with override_settings(ALLOWED_HOSTS=["testserver"], STORAGES=storages):
        for name, query in PAGES.items():
            yield from _look(client, database, name, query)
    WebhookJob.objects.all().delete()


def _look(client: Client, database: str, name: str, query: str) -> Iterator[Figure]:
    address = f"/admin/webhooks/webhookjob/{query}"
    times_ms = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        answer = client.get(address)
        times_ms.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.status_code
    figure = f"history of 1,000,000 jobs, {name} ({database})"
    yield Figure(figure, median(times_ms), "ms", 100, at_most=True)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    yield Figure(f"its queries ({database})", len(queries), "", 15, at_most=True)


def _fill() -> None:
    """A million jobs of the last weeks: one in fifty failed, a thousand pending. UUIDv7, as real ones have."""
    WebhookJob.objects.all().delete()
    columns = """id, webhook_name, event_name, is_test, method, url, headers, body, timeout_s, max_redirects, lane,
        status, attempts, max_attempts, manual_attempts, interruptions, policy, next_attempt_at, status_code,
        error_kind, error, reason, created_at, finished_at"""
    known = {name.strip() for name in columns.split(",")}
    missing = [
        field for field in WebhookJob._meta.concrete_fields
        if field.column not in known and not field.null
    ]  # fmt: skip
    more = "".join(f", {field.column}" for field in missing)
    values = [field.get_db_prep_save(field.get_default(), connection) for field in missing]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO webhooks_webhookjob ({columns}{more})
            SELECT
                (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' ||
                    lpad(to_hex(n %% 4096), 3, '0') || '8' || substr(md5(n::text), 1, 15))::uuid,
                'Bench', 'record.created', false, 'POST', 'https://api.example.com/hook', '[]', '{{}}', 30, 0,
                'https://api.example.com:443', status, 1, 4, 0, 0, '{{}}',
                CASE WHEN status = 'pending' THEN at + interval '30 days' END,
                CASE WHEN status = 'failed' THEN 500 WHEN status = 'succeeded' THEN 200 END,
                '', '', '', at, CASE WHEN status <> 'pending' THEN at END
                {", %s" * len(values)}
            FROM (
                SELECT n, now() - (n || ' seconds')::interval AS at,
                    CASE WHEN n %% 1000 = 1 THEN 'pending' WHEN n %% 50 = 0 THEN 'failed'
                        ELSE 'succeeded' END AS status
                FROM generate_series(1, {JOBS}) AS n
            ) AS jobs
            """,  # noqa: S608  (only names and numbers of ours)
            values,
        )
        cursor.execute("ANALYZE webhooks_webhookjob")
