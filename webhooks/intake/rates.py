"""The arithmetic of rates: a bucket that fills steadily, and each request takes one from it. Pure."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was in it at a moment (seconds, of any clock that all who ask share)."""

    tokens: float
    at: float


def take(
    bucket: Bucket | None, now: float, rate_per_min: float, burst: float
) -> tuple[Bucket, float | None]:
    """The bucket afterwards, and None, or the seconds until there will be something in it.

    No bucket is a full one. A clock that goes back neither gives nor takes.
    """
    level = burst
    if bucket is not None:
        level = min(burst, bucket.tokens + max(0.0, now - bucket.at) * rate_per_min / 60)
    if level < 1:
        return Bucket(level, now), (1 - level) * 60 / rate_per_min
    return Bucket(level - 1, now), None


def sender_of(address: str) -> str:
    """Whom an address counts for. One IPv6 sender commands a whole /64 network, so that counts as one."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:60]
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), 64), strict=False))
