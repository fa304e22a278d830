"""How the database is talked to: what a lost machine leaves behind does not stay for hours."""

import ast

import pytest
from django.db import connection

from tests.config.test_settings import PRODUCTION, manage

ON_POSTGRESQL = "postgres://signalbox@localhost/signalbox"


def options_for(url: str) -> dict[str, object]:
    code = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    result = manage("shell", "-v", "0", "-c", code, **{**PRODUCTION, "DATABASE_URL": url})
    assert result.returncode == 0, result.stderr
    found: dict[str, object] = ast.literal_eval(result.stdout.strip().splitlines()[-1])
    return found


def test_what_the_address_of_the_database_says_itself_wins() -> None:
    own = "-c%20idle_in_transaction_session_timeout%3D5min"
    options = options_for(f"{ON_POSTGRESQL}?sslmode=require&keepalives_idle=60&options={own}")
    assert (options["sslmode"], str(options["keepalives_idle"])) == ("require", "60")
    assert options["keepalives_count"] == 3
    session = str(options["options"])
    assert session.startswith("-c idle_in_transaction_session_timeout=30s -c tcp_keepalives_idle=")
    assert session.endswith(" -c idle_in_transaction_session_timeout=5min")


def test_sqlite_is_asked_for_nothing_of_that() -> None:
    assert "options" not in options_for("sqlite:////tmp/none.sqlite3")


@pytest.mark.django_db
def test_a_session_that_is_silent_in_a_transaction_is_ended() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's locks end with their process.")
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("30s",)
        cursor.execute("SELECT inet_client_addr()")
        (address,) = cursor.fetchone()
        cursor.execute("SHOW tcp_keepalives_idle")
        # On a Unix socket nobody can be lost.
        assert cursor.fetchone() == ("10" if address else "0",)
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
