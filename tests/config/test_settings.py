import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PRODUCTION = {
    "SECRET_KEY": "kO3-v7vV0nNn1oU4f8mQe2rT6yB9cX5zL0aS8dJ1gH3kW7pQ-xYz2wV",
    "PUBLIC_URL": "https://signalbox.example",
    "DATABASE_URL": "postgres://signalbox@localhost/signalbox",
    "REDIS_URL": "redis://localhost:6379/0",
}


def read_names() -> set[str]:
    """The names of all variables that the settings read from the environment."""
    names = set()
    for path in ("config/settings.py", "config/look.py"):
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name("env") | ast.Call()),
                    args=[ast.Constant(str(name)), *_],
                ) if re.fullmatch("[A-Z][A-Z_0-9]+", name):
                    names.add(name)
    return names


def described_names() -> list[str]:
    return re.findall(r"^#?([A-Z][A-Z_0-9]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with nothing in the environment but what is given."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_describes_every_setting_once() -> None:
    assert len(read_names()) > 20
    assert sorted(described_names()) == sorted(read_names())


def test_every_setting_of_the_example_has_a_line_of_explanation() -> None:
    for block in (ROOT / ".env.example").read_text().split("\n\n"):
        if re.search(r"^#?[A-Z_]+=", block, re.MULTILINE):
            assert block.startswith("# "), block


def test_the_example_changes_nothing() -> None:
    assert manage("check", DEBUG="true", ENV_FILE=".env.example").returncode == 0


def test_without_debug_there_has_to_be_a_secret_key() -> None:
    result = manage("check")

    assert result.returncode != 0
    assert "SECRET_KEY is not set." in result.stderr
    assert "DEBUG=true is enough" in result.stderr


def test_production_settings_pass_djangos_deployment_check() -> None:
    result = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "PUBLIC_URL",
            "signalbox.example",
            "PUBLIC_URL is “signalbox.example”, which is not a URL",
        ),
        ("REDIS_URL", "localhost:6379", "REDIS_URL is “localhost:6379”, which is not a URL"),
        ("OUTBOUND_PROXY", "proxy:3128", "OUTBOUND_PROXY is “proxy:3128”, which is not a URL"),
        ("OUTBOUND_ALLOWED_NETWORKS", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("DELIVERY_CONCURRENCY", "0", "DELIVERY_CONCURRENCY is 0; it has to be 1 or more"),
    ],
)
def test_a_setting_that_makes_no_sense_is_an_error(name: str, value: str, message: str) -> None:
    result = manage("check", **{**PRODUCTION, name: value})

    assert result.returncode != 0
    assert message in result.stderr


def test_a_public_url_that_is_not_public_is_a_warning_when_deployed() -> None:
    result = manage("check", "--deploy", **{**PRODUCTION, "PUBLIC_URL": "http://localhost:8000"})

    assert "signalbox.W001" in result.stderr
