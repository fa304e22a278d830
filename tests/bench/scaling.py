"""Two workers beside one, against a receiver whose 200 ms leave the workers waiting, not computing."""

from collections.abc import Iterator

from tests.bench.deliveries import delivery_rate
from tests.bench.figures import Figure
from tests.bench.processes import receiver

BACKLOG = 5_000


def figures(database: str) -> Iterator[Figure]:
    if database != "PostgreSQL":
        return  # SQLite has one writer; who needs a second worker needs PostgreSQL
    with receiver(delay_ms=200) as url:
        one = delivery_rate(url, BACKLOG)
        two = delivery_rate(url, BACKLOG, workers=2)
    yield Figure(f"two workers, receiver takes 200 ms ({database})", two, "/s")
    yield Figure(f"two workers over one ({database})", two / one, "×", 1.6)
