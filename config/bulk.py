"""Many rows changed by one prepared statement: cheaper than Django's `bulk_update`, whose CASEs grow with the rows."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


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
    meta = model._meta
    by_column = {field.column: field for field in meta.concrete_fields}
    fields = [by_column[name] for name in (*columns, *conditions)]
    assignments = ", ".join(f"{name} = %s" for name in columns)
    wanted = " AND ".join(f"{name} = %s" for name in conditions)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {meta.db_table} SET {assignments} WHERE {wanted}",  # noqa: S608
            [
                [
                    field.get_db_prep_save(value, connection)
                    for field, value in zip(fields, row, strict=True)
                ]
                for row in rows
            ],
        )
