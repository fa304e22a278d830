"""Lists that stay fast however long they get."""

from typing import Final

from django.core.paginator import Paginator
from django.utils.functional import cached_property

from records.pages import capped_count

# Pages are offered so far: counting and skipping rows costs time for each of them. Filters lead further.
MAX_ROWS: Final = 5_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than it pages."""

    @cached_property
    def count(self) -> int:
        return min(capped_count(self.object_list, MAX_ROWS), MAX_ROWS)  # type: ignore[arg-type]
