import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.db import OperationalError

from config.management.commands import prepare
from records.models import ObjectDefinition, Record, User
from records.permissions import can, visible_objects


@pytest.mark.django_db
def test_the_demo_logins_are_an_administrator_and_an_end_user(settings: object) -> None:
    settings.DEBUG = True
    settings.DEMO_PASSWORD = "open sesame"
    call_command("prepare", verbosity=0)

    admin, demo = User.objects.get(username="admin"), User.objects.get(username="demo")
    assert admin.is_superuser
    assert not demo.is_superuser
    assert admin.check_password("open sesame")
    assert demo.check_password("open sesame")
    assert {one.slug for one in visible_objects(demo)} == {"leads", "companies", "tickets"}
    assert can(demo, "change", ObjectDefinition.objects.get(slug="leads"))
    assert Record.objects.filter(owner=demo).exists()


@pytest.mark.django_db
def test_a_second_run_keeps_what_people_changed(settings: object) -> None:
    settings.DEBUG = True
    call_command("prepare", verbosity=0)
    admin = User.objects.get(username="admin")
    admin.set_password("my own")
    admin.save()
    records = Record.objects.count()

    call_command("prepare", verbosity=0)

    assert User.objects.get(username="admin").check_password("my own")
    assert Record.objects.count() == records


@pytest.mark.django_db
def test_an_installation_gets_no_demo(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = False
    called = []
    monkeypatch.setattr(prepare, "call_command", lambda name, **_: called.append(name))

    call_command("prepare", verbosity=0)

    assert called == ["migrate", "collectstatic"]
    assert not User.objects.exists()


def test_a_database_that_does_not_answer_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, **options: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(prepare, "call_command", fail)

    with pytest.raises(CommandError, match="DATABASE_URL does not answer: connection refused"):
        call_command("prepare")


def test_an_empty_database_can_be_migrated_and_unmigrated_code_checked(tmp_path: Path) -> None:
    """Nothing that runs at the start may need tables."""
    for command in ("check", "migrate"):
        result = subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=project.BASE_DIR,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3",
            },
            capture_output=True,
            text=True,
            check=False,
        )

        assert result.returncode == 0, result.stderr


@pytest.mark.django_db
def test_an_end_user_who_is_made_again_is_in_the_teams_again(settings: object) -> None:
    settings.DEBUG = True
    call_command("prepare", verbosity=0)
    Record.objects.update(owner=None)
    User.objects.all().delete()

    call_command("prepare", verbosity=0)

    demo = User.objects.get(username="demo")
    assert can(demo, "change", ObjectDefinition.objects.get(slug="leads"))
