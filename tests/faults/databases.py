"""Taking the database away, in the way of each kind: a PostgreSQL that is stopped, a SQLite that is locked."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection


@contextmanager
def durable_database() -> Iterator[None]:
    """What is committed survives a crash: the tests' cluster is not asked to be so careful otherwise."""
    if not _is_our_cluster():
        yield
        return
    _set_system("SET synchronous_commit = 'on'")
    try:
        yield
    finally:
        _set_system("RESET synchronous_commit")


def _set_system(change: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SYSTEM {change}")
        cursor.execute("SELECT pg_reload_conf()")


def _is_our_cluster() -> bool:
    """pg_virtualenv made it, for these tests."""
    return connection.vendor == "postgresql" and "PG_CLUSTER_CONF_ROOT" in os.environ


@contextmanager
def database_away() -> Iterator[None]:
    """As real as can be: the throw-away cluster crashes and comes back; SQLite's file is locked for writers."""
    if connection.vendor == "sqlite":
        with _sqlite_locked():
            yield
    elif _is_our_cluster():
        with _cluster_stopped():
            yield
    else:
        with _connections_ended():
            yield


@contextmanager
def _sqlite_locked() -> Iterator[None]:
    other = sqlite3.connect(connection.settings_dict["NAME"], timeout=20, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def _cluster_stopped() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        version, name = Path(cursor.fetchone()[0]).parts[-2:]
    connection.close()
    subprocess.run(["pg_ctlcluster", version, name, "stop", "-m", "immediate"], check=True)
    try:
        yield
    finally:
        subprocess.run(["pg_ctlcluster", version, name, "start"], check=True)


@contextmanager
def _connections_ended() -> Iterator[None]:
    """A server that is not ours to stop: everybody else is thrown out, and again when it is over."""
    for leave in (True, False):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        if leave:
            yield


@contextmanager
def database_that_comes_late(folder: Path) -> Iterator[tuple[str, str]]:
    """(URL, name) of a database that does not exist yet; `copy_to` makes it."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        path = folder / "late.sqlite3"
        yield f"sqlite:///{path}", str(path)
        return
    name = f"{database['NAME']}_late"
    try:
        yield name, name
    finally:
        connection.close()
        with _maintenance() as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def copy_to(name: str) -> None:
    """The tests' database with all that is in it, under another name. Nobody may be using it."""
    if connection.vendor == "sqlite":
        with sqlite3.connect(connection.settings_dict["NAME"]) as source:
            target = sqlite3.connect(name, timeout=20)
            source.backup(target)
            target.close()
        return
    template = connection.settings_dict["NAME"]
    connection.close()
    deadline = time.monotonic() + 10
    while True:
        try:
            with _maintenance() as server:
                server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            return
        except psycopg.errors.ObjectInUse:  # a connection that is just being closed
            if time.monotonic() > deadline:
                raise


def _maintenance() -> psycopg.Connection[tuple[object, ...]]:
    database = connection.settings_dict
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    )
