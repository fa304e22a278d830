"""Fields of a record's JSON as columns that SQL can compare and sort, alike on SQLite and PostgreSQL.

Data may be older than its field's kind: a value that does not fit reads as null (or, on SQLite, as 0); it
never makes a query fail.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import BooleanField, FloatField, Func, IntegerField, TextField
from django.db.models.functions import Left, Lower

from records.models.objects import slug_validator

# Text sorts by so many characters; the id decides beyond. It bounds the length of a page's address.
SORT_LENGTH: Final = 100

# What PostgreSQL can surely cast to a double: neither overflow nor underflow is possible.
_POSTGRES_NUMBER: Final = r"^-?[0-9]{1,150}(\.[0-9]{1,50})?([eE][+-]?[0-9]{1,2})?$"


class _JSONFunc(Func):
    """A function of one key of `data`. The key is part of the SQL, so that an index could serve it."""

    arity = 1
    template_sqlite: str
    template_postgresql: str

    def __init__(self, key: str, **extra: Any) -> None:
        slug_validator(key)
        super().__init__("data", key=key, **extra)

    # Func is rebuilt from `source_expressions` when it is copied, never through __init__.
    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template=self.template_sqlite, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template=self.template_postgresql, **context)


class JSONText(_JSONFunc):
    """The value as text; empty text is null."""

    output_field = TextField()
    template_sqlite = "NULLIF(JSON_EXTRACT(%(expressions)s, '$.%(key)s'), '')"
    template_postgresql = "NULLIF(%(expressions)s ->> '%(key)s', '')"


class JSONMoment(JSONText):
    """A date or moment in ISO 8601: text that sorts byte by byte, whatever the database's language."""

    template_postgresql = "(NULLIF(%(expressions)s ->> '%(key)s', '') COLLATE \"C\")"


class JSONNumber(_JSONFunc):
    """The value as a double: of a number, of text that holds one (decimals are kept as text), of a boolean."""

    output_field = FloatField()
    template_sqlite = "CAST(NULLIF(JSON_EXTRACT(%(expressions)s, '$.%(key)s'), '') AS REAL)"
    template_postgresql = (
        "CASE WHEN %(expressions)s ->> '%(key)s' ~ '" + _POSTGRES_NUMBER + "' "
        "THEN (%(expressions)s ->> '%(key)s')::double precision "
        "WHEN %(expressions)s ->> '%(key)s' = 'true' THEN 1 "
        "WHEN %(expressions)s ->> '%(key)s' = 'false' THEN 0 END"
    )


class JSONListHas(_JSONFunc):
    """Whether the list under the key holds a text."""

    output_field = BooleanField()
    arity = 1
    template_sqlite = (
        "EXISTS (SELECT 1 FROM JSON_EACH(%(column)s, '$.%(key)s') WHERE value = %(needle)s)"
    )
    template_postgresql = "COALESCE(%(column)s -> '%(key)s' @> to_jsonb(%(needle)s::text), false)"

    def __init__(self, key: str, needle: str) -> None:
        super().__init__(key)
        self.needle = needle

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self._sql(compiler, self.template_sqlite)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self._sql(compiler, self.template_postgresql)

    def _sql(self, compiler: Any, template: str) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        sql = template % {"column": column, "key": self.extra["key"], "needle": "%s"}
        return sql, (*params, self.needle)


class Rank(Func):
    """The position of a text in a list; null when it is not in it."""

    output_field = IntegerField()

    def __init__(self, expression: Any, values: Sequence[str]) -> None:
        super().__init__(expression)
        self.values = tuple(values)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        operand, params = compiler.compile(self.source_expressions[0])
        if not self.values:
            return f"CASE WHEN {operand} IS NULL THEN NULL ELSE 0 END", tuple(params)
        whens = " ".join(f"WHEN %s THEN {position}" for position in range(len(self.values)))
        return f"CASE {operand} {whens} END", (*params, *self.values)


def sortable_text(expression: Any) -> Any:
    """Small letters, shortened."""
    return Left(Lower(expression), SORT_LENGTH)
