"""Which addresses may send: a list of addresses and networks. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from webhooks.addresses import Address, Network
from webhooks.verification.verdicts import FORBIDDEN, Verdict, refuse

_split = re.compile(r"[,\s]+").split
_has_mask = re.compile(r"/(?![0-9]{1,3}$)").search
_IPV4_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def judge_sender(address: str, allowed: str) -> Verdict | None:
    """The refusal of an address, or None when it may send. An empty list lets every address in."""
    networks, errors = parse_networks(allowed)
    if errors:
        return refuse(f"The list of allowed addresses can't be read. {errors[0]}", status=FORBIDDEN)
    if not allowed.strip() or is_allowed(address, networks):
        return None
    return refuse(
        f"The address {address[:60] or '(unknown)'} is not in the list of allowed addresses.",
        status=FORBIDDEN,
    )


@lru_cache(maxsize=256)
def parse_networks(text: str) -> tuple[tuple[Network, ...], tuple[str, ...]]:
    """The networks in a text, one on each line or between commas; and what is wrong, in words."""
    networks, errors = [], []
    for entry in filter(None, _split(text)):
        try:
            networks.append(_network(entry))
        except ValueError as error:
            errors.append(str(error))
    return tuple(networks), tuple(errors)


def is_allowed(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of the networks. What is no address is in none, and so is any in none at all."""
    try:
        sender = _plain(ip_address(address))
    except ValueError:
        return False
    return any(sender in network for network in networks)


def _network(entry: str) -> Network:
    shown = f"`{entry[:60]}`"
    try:
        if _has_mask(entry):
            raise ValueError
        network = ip_network(entry, strict=False)
    except ValueError:
        raise ValueError(
            f"{shown} is no address and no network. Write it like `192.0.2.7`, `192.0.2.0/24`"
            " or `2001:db8::/32`."
        ) from None
    if str(network.network_address) != str(ip_address(entry.partition("/")[0])):
        raise ValueError(f"{shown} has an address inside of its network. Write `{network}`.")
    return _plain_network(network)


def _plain(address: Address) -> Address:
    """An IPv4 address that a socket for both kinds shows as IPv6 is the IPv4 address."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _plain_network(network: Network) -> Network:
    if isinstance(network, IPv6Network) and network.subnet_of(_IPV4_MAPPED):
        mapped = network.network_address.ipv4_mapped
        assert mapped is not None
        return IPv4Network((mapped, network.prefixlen - 96))
    return network
