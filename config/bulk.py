"""Many rows written by one prepared statement.

Cheaper than Django's `bulk_create` and `bulk_update`, which build their statement anew each time and have the database
read it anew each time: half the cost or less, for one row as for a hundred.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper


def insert_rows(objects: Sequence[models.Model]) -> None:
    """Insert unsaved objects of one model whose keys are known; inside a transaction, so that all are there or none.

    No signals are sent, as with `bulk_create`. Raises django.db.IntegrityError for a key that exists.
    """
    if not objects:
        return
    # Not by `connection`, which looks it up anew for each value.
    database = connections[DEFAULT_DB_ALIAS]
    statement, fields = _insertion(type(objects[0]))
    rows = [
        [field.get_db_prep_save(field.pre_save(each, True), database) for field in fields]
        for each in objects
    ]
    _write(database, statement, rows)
    for each in objects:
        each._state.adding, each._state.db = False, database.alias


def update_rows(
    model: type[models.Model],
    columns: Sequence[str],
    conditions: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Set `columns` where `conditions` hold; a row has the values of both, in this order.

    Names are those of columns (`record_id`). A condition's value is never None.
    """
    if not rows:
        return
    database = connections[DEFAULT_DB_ALIAS]
    statement, fields = _change(model, tuple(columns), tuple(conditions))
    _write(
        database,
        statement,
        [
            [
                field.get_db_prep_save(value, database)
                for field, value in zip(fields, row, strict=True)
            ]
            for row in rows
        ],
    )


@cache
def _insertion(model: type[models.Model]) -> tuple[str, Sequence["models.Field[Any, Any]"]]:
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({places})', fields  # noqa: S608


@cache
def _change(
    model: type[models.Model], columns: Sequence[str], conditions: Sequence[str]
) -> tuple[str, Sequence["models.Field[Any, Any]"]]:
    by_column = {field.column: field for field in model._meta.concrete_fields}
    assignments = ", ".join(f'"{name}" = %s' for name in columns)
    wanted = " AND ".join(f'"{name}" = %s' for name in conditions)
    fields = [by_column[name] for name in (*columns, *conditions)]
    return f'UPDATE "{model._meta.db_table}" SET {assignments} WHERE {wanted}', fields  # noqa: S608


def _write(database: BaseDatabaseWrapper, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    if database.vendor == "postgresql" and not database.queries_logged:
        _write_prepared(database, statement, rows)
        return
    with database.cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(statement, rows[0])
        else:
            cursor.executemany(statement, rows)


def _write_prepared(
    database: BaseDatabaseWrapper, statement: str, rows: Sequence[Sequence[Any]]
) -> None:
    """By psycopg's own cursor: Django's puts the values into the text, so that it is another one each time."""
    from psycopg import Cursor  # where there is SQLite alone, it need not be

    database.ensure_connection()
    with database.wrap_database_errors, Cursor(database.connection) as cursor:
        if len(rows) == 1:
            cursor.execute(statement, rows[0], prepare=True)
        else:
            cursor.executemany(statement, rows)
