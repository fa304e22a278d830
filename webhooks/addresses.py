"""Which addresses an outbound request may reach: pure judgement, no sockets, no DNS.

`judge_url` judges what is written, `judge_address` judges every address a name turned out to have.
Both must agree before a connection is opened, and it is opened to the very address judged.
"""

import re
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal
from urllib.parse import quote

import idna

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# RFC 9110, section 4.1 asks everyone to support at least 8,000 octets.
MAX_URL_LENGTH = 8192
MAX_HOST_LENGTH = 253
DEFAULT_PORTS = {"http": 80, "https": 443}

# IANA IPv4 Special-Purpose Address Registry, plus multicast and addresses of cloud machinery.
# Spelled out because `ipaddress.is_global` lets several of them pass (192.88.99.0/24, AS112, …).
_IPV4_RANGES: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "an address of “this network” (RFC 791)"),
    ("10.0.0.0/8", "a private network address (RFC 1918)"),
    ("100.64.0.0/10", "a shared address of carrier-grade NAT (RFC 6598)"),
    ("127.0.0.0/8", "a loopback address (RFC 1122)"),
    ("169.254.0.0/16", "a link-local address, where cloud metadata lives (RFC 3927)"),
    ("172.16.0.0/12", "a private network address (RFC 1918)"),
    ("192.0.0.0/24", "an address for protocol assignments (RFC 6890)"),
    ("192.0.2.0/24", "a documentation address (RFC 5737)"),
    ("192.31.196.0/24", "an AS112 address (RFC 7535)"),
    ("192.52.193.0/24", "an AMT relay address (RFC 7450)"),
    ("192.88.99.0/24", "a 6to4 relay address (RFC 7526)"),
    ("192.168.0.0/16", "a private network address (RFC 1918)"),
    ("192.175.48.0/24", "an AS112 address (RFC 7534)"),
    ("198.18.0.0/15", "a benchmarking address (RFC 2544)"),
    ("198.51.100.0/24", "a documentation address (RFC 5737)"),
    ("203.0.113.0/24", "a documentation address (RFC 5737)"),
    ("224.0.0.0/4", "a multicast address (RFC 5771)"),
    ("255.255.255.255/32", "the broadcast address (RFC 919)"),
    ("240.0.0.0/4", "a reserved address (RFC 1112)"),
    # Public by its number, yet inside Azure it is the host's own control service.
    ("168.63.129.16/32", "the Azure host's service address"),
)

# IANA IPv6 Special-Purpose Address Registry and the IPv6 address space, narrowest first where
# one range lies inside another.
_IPV6_RANGES: tuple[tuple[str, str], ...] = (
    ("::1/128", "the loopback address (RFC 4291)"),
    ("::/128", "the unspecified address (RFC 4291)"),
    ("::ffff:0:0/96", "an IPv4 address written as IPv6 (RFC 4291)"),
    ("::ffff:0:0:0/96", "an IPv4 address translated to IPv6 (RFC 2765)"),
    ("::/96", "an IPv4 address written as IPv6 (RFC 4291, deprecated)"),
    ("64:ff9b::/96", "an IPv4 address behind NAT64 (RFC 6052)"),
    ("64:ff9b:1::/48", "an address of local NAT64 (RFC 8215)"),
    ("100::/64", "a discard address (RFC 6666)"),
    ("100:0:0:1::/64", "a dummy address (RFC 9780)"),
    ("2001::/32", "a Teredo address (RFC 4380)"),
    ("2001:1::1/128", "a port control anycast address (RFC 7723)"),
    ("2001:1::2/128", "a TURN anycast address (RFC 8155)"),
    ("2001:1::3/128", "a service registration anycast address (RFC 9665)"),
    ("2001:2::/48", "a benchmarking address (RFC 5180)"),
    ("2001:3::/32", "an AMT relay address (RFC 7450)"),
    ("2001:4:112::/48", "an AS112 address (RFC 7535)"),
    ("2001:10::/28", "an ORCHID (RFC 4843, deprecated)"),
    ("2001:20::/28", "an ORCHID (RFC 7343)"),
    ("2001:30::/28", "a drone remote ID (RFC 9374)"),
    ("2001::/23", "an address for protocol assignments (RFC 2928)"),
    ("2001:db8::/32", "a documentation address (RFC 3849)"),
    ("2002::/16", "a 6to4 address (RFC 3056)"),
    ("2620:4f:8000::/48", "an AS112 address (RFC 7534)"),
    ("3fff::/20", "a documentation address (RFC 9637)"),
    ("5f00::/16", "a segment routing address (RFC 9602)"),
    ("fc00::/7", "a private network address (unique local, RFC 4193)"),
    ("fe80::/10", "a link-local address (RFC 4291)"),
    ("fec0::/10", "a site-local address (RFC 3879)"),
    ("ff00::/8", "a multicast address (RFC 4291)"),
)

_IPV4_TABLE = tuple((IPv4Network(network), words) for network, words in _IPV4_RANGES)
_IPV6_TABLE = tuple((IPv6Network(network), words) for network, words in _IPV6_RANGES)
# Outside of this, IANA has given no IPv6 address to anyone on the public Internet.
_IPV6_GLOBAL_UNICAST = IPv6Network("2000::/3")
_LOW_32 = 0xFFFFFFFF
# The interface identifiers that RFC 5214 (ISATAP) puts before an embedded IPv4 address.
_ISATAP_MARKS = (0x00005EFE, 0x02005EFE)
_EMBEDDED_LOW_32 = tuple(
    IPv6Network(n)
    for n in ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
_EMBEDDED_6TO4 = IPv6Network("2002::/16")
_EMBEDDED_TEREDO = IPv6Network("2001::/32")

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#]*)(.*)", re.DOTALL)
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_PORT = re.compile(r"[0-9]{1,5}")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]]*")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# An own path is opened by what it says plainly: no dot segments, escapes or doubled slashes, which
# another server on the way might read differently.
_PLAIN_SEGMENTS = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What the administrator allows beyond public addresses, and which hosts are our own.

    `allowed_hosts`: "host", "host:port", "*.example.com" (every host below, not itself), with or
    without a port. `own_hosts`: the same forms; requests to them are refused, except to the paths
    in `own_paths_allowed` (whole path segments, such as "/inspector").
    """

    allowed_hosts: frozenset[str] = frozenset()
    allowed_networks: tuple[Network, ...] = ()
    own_hosts: frozenset[str] = frozenset()
    own_paths_allowed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("allowed_hosts", "own_hosts"):
            hosts = frozenset(_normal_pattern(host) for host in getattr(self, name))
            object.__setattr__(self, name, hosts)

    @classmethod
    def from_settings(
        cls,
        *,
        allowed_hosts: Iterable[str] = (),
        allowed_networks: Iterable[str] = (),
        own_hosts: Iterable[str] = (),
        own_paths_allowed: Iterable[str] = (),
    ) -> "NetworkPolicy":
        """Build a policy from lists of text. ValueError names the entry that cannot be read."""
        networks = []
        for entry in allowed_networks:
            try:
                networks.append(ip_network(entry.strip()))
            except ValueError as error:
                raise ValueError(
                    f"`{entry}` in `OUTBOUND_ALLOWED_NETWORKS` is not a network: {error}."
                    " Write it like `10.0.0.0/8` or `fd00::/8`."
                ) from None
        return cls(
            allowed_hosts=frozenset(allowed_hosts),
            allowed_networks=tuple(networks),
            own_hosts=frozenset(own_hosts),
            own_paths_allowed=tuple(own_paths_allowed),
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a URL is not called. `kind` is "invalid" (not a usable URL) or "blocked" (not allowed).

    The words quote the origin at most: a path or a query may hold a secret.
    """

    kind: Literal["invalid", "blocked"]
    reason: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL, judged. `host` is plain ASCII without brackets."""

    scheme: str
    host: str
    port: int
    address: Address | None  # when the host is written as an address
    trusted: bool  # the administrator allowed this host: its addresses are not judged
    own: bool  # Signalbox itself
    refusal: Refusal | None  # of the address, where the host says it

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be called, if the addresses of its host are allowed too."""

    origin: Origin
    path: str  # path and query, percent-encoded, as sent in the request line
    trusted: bool  # the addresses of the host are not judged

    @property
    def url(self) -> str:
        return self.origin.url + self.path


KnownOrigins = MutableMapping[tuple[str, str], Origin | Refusal]


def judge_url(
    url: str, policy: NetworkPolicy, known: KnownOrigins | None = None
) -> Target | Refusal:
    """Judge a URL as it is written; names are not resolved.

    `known` keeps origins judged before under the same policy (never paths, they may hold secrets).
    """
    if len(url) > MAX_URL_LENGTH:
        return Refusal("invalid", f"The URL is longer than {MAX_URL_LENGTH} characters.")
    unsafe = _UNSAFE.search(url)
    if unsafe:
        return _refuse_character(unsafe.group(), unsafe.start())
    match = _URL.fullmatch(url)
    if match is None or match[1].lower() not in DEFAULT_PORTS:
        return _refuse_scheme(url)
    scheme, authority, rest = match.groups()
    if "@" in authority:
        return Refusal(
            "invalid",
            "The URL has a user name or password before the host (`user:password@…`)."
            " Use the authentication setting instead.",
        )
    origin = known.get((scheme, authority)) if known is not None else None
    if origin is None:
        origin = _judge_origin(scheme.lower(), authority, policy)
        if known is not None:
            known[scheme, authority] = origin
    if isinstance(origin, Refusal):
        return origin
    return _judge_path(origin, rest.partition("#")[0], policy)


def judge_address(address: Address | str, policy: NetworkPolicy) -> str | None:
    """Why this address is refused ("a loopback address (RFC 1122)"), or None if it may be used.

    An address that carries another one inside (NAT64, 6to4, Teredo, …) is refused itself, and when
    the policy allows it, the one inside is judged as well.
    """
    if isinstance(address, str):
        try:
            address = ip_address(address)
        except ValueError:
            return "not an IP address"
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "an address with a zone"
    if not any(address in network for network in policy.allowed_networks):
        reason = _special_purpose(address)
        if reason is not None:
            return reason
    if isinstance(address, IPv4Address):
        return None
    for embedded in _embedded(address):
        reason = judge_address(embedded, policy)
        if reason is not None:
            return f"an address that carries {embedded}, {reason}"
    return None


def refuse_address(origin: Origin, address: Address | str, reason: str) -> Refusal:
    """The refusal in words, for an address the host is or has among its answers."""
    allow = "allow it in `OUTBOUND_ALLOWED_NETWORKS`"
    if origin.address is None:
        allow = (
            "allow the host in `OUTBOUND_ALLOWED_HOSTS` or its network in"
            " `OUTBOUND_ALLOWED_NETWORKS`"
        )
    return Refusal(
        "blocked",
        f"`{origin.url}/` points to {address}, {reason}."
        f" Signalbox only sends to public addresses; an administrator can {allow}.",
    )


def _special_purpose(address: Address) -> str | None:
    if isinstance(address, IPv4Address):
        return next((words for network, words in _IPV4_TABLE if address in network), None)
    for network, words in _IPV6_TABLE:
        if address in network:
            return words
    if (int(address) >> 32) & _LOW_32 in _ISATAP_MARKS:
        return "an IPv4 address inside IPv6 (ISATAP, RFC 5214)"
    if address not in _IPV6_GLOBAL_UNICAST:
        return "an address outside of the public Internet (RFC 4291)"
    return None


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 address may lead to."""
    value = int(address)
    found = []
    if any(address in network for network in _EMBEDDED_LOW_32) and value > 1:
        found.append(IPv4Address(value & _LOW_32))
    if (value >> 32) & _LOW_32 in _ISATAP_MARKS:
        found.append(IPv4Address(value & _LOW_32))
    if address in _EMBEDDED_6TO4:
        found.append(IPv4Address((value >> 80) & _LOW_32))
    if address in _EMBEDDED_TEREDO:
        found.append(IPv4Address((value >> 64) & _LOW_32))
        found.append(IPv4Address(~value & _LOW_32))
    return found


def _refuse_character(character: str, position: int) -> Refusal:
    name = {" ": "a space (write `%20`)", "\\": "a backslash (write `/` or `%5C`)"}.get(
        character, "a control character"
    )
    return Refusal("invalid", f"The URL has {name} at position {position + 1}.")


def _refuse_scheme(url: str) -> Refusal:
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() not in DEFAULT_PORTS and "." not in scheme[1]:
        return Refusal(
            "invalid",
            f"The URL begins with `{scheme[1][:20]}:`."
            " Only `http://` and `https://` can be called.",
        )
    return Refusal(
        "invalid", "The URL is not complete. Write it in full, like `https://example.com/hook`."
    )


def _judge_origin(scheme: str, authority: str, policy: NetworkPolicy) -> Origin | Refusal:
    split = _split_authority(scheme, authority)
    if isinstance(split, Refusal):
        return split
    written, port = split
    named = _judge_ipv6(written) if written.startswith("[") else _judge_name(written)
    if isinstance(named, Refusal):
        return named
    host, address = named
    names = _patterns_of(host, port)
    origin = Origin(
        scheme=scheme,
        host=host,
        port=port,
        address=address,
        trusted=not names.isdisjoint(policy.allowed_hosts),
        own=not names.isdisjoint(policy.own_hosts),
        refusal=None,
    )
    # RFC 6761: these names are loopback, whatever a name server says.
    says = IPv4Address("127.0.0.1") if _is_localhost(host) else address
    reason = judge_address(says, policy) if says is not None else None
    if reason is None or says is None:
        return origin
    return Origin(
        scheme,
        host,
        port,
        address,
        origin.trusted,
        origin.own,
        refuse_address(origin, says, reason),
    )


def _judge_path(origin: Origin, path: str, policy: NetworkPolicy) -> Target | Refusal:
    trusted = origin.trusted
    if not path.startswith("/"):
        path = "/" + path
    if origin.own:
        if not _is_under(path.partition("?")[0], policy.own_paths_allowed):
            return Refusal(
                "blocked",
                f"`{origin.url}/` is Signalbox itself. A request to itself could go round in"
                " circles; use an automation, or send to another system.",
            )
        trusted = True
    if origin.refusal is not None and not trusted:
        return origin.refusal
    if not _PLAIN_PATH.fullmatch(path):
        try:
            path = quote(_BARE_PERCENT.sub("%25", path), safe="%/?:@!$&'()*+,;=~[]-._")
        except UnicodeEncodeError:
            return Refusal(
                "invalid", "The URL has half a character (a lone surrogate) in its path."
            )
    return Target(origin, path, trusted)


def _split_authority(scheme: str, authority: str) -> tuple[str, int] | Refusal:
    """Host as written (IPv6 in its brackets) and port."""
    bracket = authority.rfind("]")
    host, colon, port = authority[bracket + 1 :].partition(":")
    host = authority[: bracket + 1] + host
    if not host:
        return Refusal("invalid", "The URL has no host. Write it like `https://example.com/hook`.")
    if not colon:
        return host, DEFAULT_PORTS[scheme]
    if ":" in port:
        return Refusal("invalid", "The host has several colons. Write IPv6 as `[2001:db8::1]`.")
    if not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        return Refusal("invalid", "The port of the URL is not a number from 1 to 65535.")
    return host, int(port)


def _judge_ipv6(written: str) -> tuple[str, Address] | Refusal:
    inside = written[1:-1]
    if "%" in inside:
        return Refusal("invalid", "The IPv6 address of the URL has a zone (`%…`). Leave it away.")
    try:
        if not written.endswith("]") or not inside.isascii():
            raise ValueError
        address = IPv6Address(inside)
    except ValueError:
        return Refusal("invalid", "The host in brackets is not an IPv6 address.")
    return str(address), address


def _judge_name(written: str) -> tuple[str, Address | None] | Refusal:
    try:
        host = _ascii_host(written)
    except (UnicodeError, idna.IDNAError):
        return Refusal("invalid", "The host name of the URL has letters no host name can have.")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _judge_ipv4(host)
    if len(host) > MAX_HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        return Refusal(
            "invalid",
            "The host name of the URL is not a valid name: letters, digits and hyphens, parts of"
            f" 1 to 63 characters between dots, {MAX_HOST_LENGTH} in all.",
        )
    return host, None


def _judge_ipv4(host: str) -> tuple[str, Address] | Refusal:
    # `127.1`, `0x7f000001`, `017700000001`, `2130706433`: resolvers take them for addresses.
    try:
        address = IPv4Address(host)
    except ValueError:
        return Refusal(
            "invalid",
            f"The host `{host[:60]}` is a number in an unusual form. Write an address as four plain"
            " decimal numbers, like `192.0.2.10`.",
        )
    return host, address


def _ascii_host(written: str) -> str:
    """Lower case ASCII, without the dot at the end. Fullwidth digits and dots become plain ones."""
    host = written
    if not host.isascii():
        host = idna.encode(host, uts46=True, transitional=False).decode("ascii")
    return host.lower().removesuffix(".")


def _is_localhost(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def _patterns_of(host: str, port: int) -> set[str]:
    """Every entry of a list of hosts that would cover this host and port."""
    labels = host.split(".") if ":" not in host else [host]
    names = {host} | {"*." + ".".join(labels[i:]) for i in range(1, len(labels))}
    return names | {f"{_bracketed(name)}:{port}" for name in names}


def _normal_pattern(entry: str) -> str:
    entry = entry.strip().lower()
    host, colon, port = entry, "", ""
    bare_ipv6 = entry.count(":") > 1 and not entry.startswith("[")
    if ":" in entry and not bare_ipv6 and not entry.endswith("]"):
        host, colon, port = entry.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        host = str(ip_address(host))
    except ValueError:
        wildcard = "*." if host.startswith("*.") else ""
        try:
            host = wildcard + _ascii_host(host.removeprefix("*."))
        except (UnicodeError, idna.IDNAError):
            raise ValueError(f"`{entry}` is not a host name.") from None
    return f"{_bracketed(host)}:{port}" if colon else host


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_under(path: str, prefixes: Iterable[str]) -> bool:
    if not _PLAIN_SEGMENTS.fullmatch(path):
        return False
    return any(
        path == prefix.rstrip("/") or path.startswith(prefix.rstrip("/") + "/")
        for prefix in prefixes
        if prefix.rstrip("/")
    )
