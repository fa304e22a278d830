"""Which URLs and addresses may be reached: every known way of writing a forbidden one."""

from ipaddress import IPv4Network, ip_address

import pytest

from webhooks.addresses import (
    MAX_URL_LENGTH,
    NetworkPolicy,
    Refusal,
    Target,
    judge_address,
    judge_url,
)

PUBLIC_ONLY = NetworkPolicy()

PUBLIC_ADDRESSES = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "168.63.129.15",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "2001:4860:4860::8888",
    "2400:cb00::1",
    "2003::1",
    "3ffe::1",
]

REFUSED_ADDRESSES = [
    *(("0.0.0.0", "this network"), ("0.1.2.3", "this network"), ("10.0.0.0", "RFC 1918")),
    *(("10.255.255.255", "RFC 1918"), ("100.64.0.1", "carrier"), ("100.127.255.255", "carrier")),
    *(("100.100.100.200", "carrier"), ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback")),
    *(("169.254.0.1", "link-local"), ("169.254.169.254", "metadata"), ("172.16.0.1", "1918")),
    *(("172.31.255.255", "1918"), ("192.0.0.1", "protocol"), ("192.0.0.9", "protocol")),
    *(("192.0.0.170", "protocol"), ("192.0.0.192", "protocol"), ("192.0.2.1", "documentation")),
    *(("192.31.196.1", "AS112"), ("192.52.193.1", "AMT"), ("192.88.99.1", "6to4")),
    *(("192.168.0.1", "1918"), ("192.168.255.255", "1918"), ("192.175.48.1", "AS112")),
    *(("198.18.0.1", "benchmarking"), ("198.19.255.255", "benchmarking")),
    *(("198.51.100.1", "documentation"), ("203.0.113.1", "documentation")),
    *(("224.0.0.1", "multicast"), ("239.255.255.255", "multicast"), ("240.0.0.1", "reserved")),
    *(("255.255.255.254", "reserved"), ("255.255.255.255", "broadcast")),
    *(("168.63.129.16", "Azure"), ("::", "unspecified"), ("::1", "loopback")),
    *(("::ffff:10.0.0.1", "written as IPv6"), ("::ffff:8.8.8.8", "written as IPv6")),
    *(("::127.0.0.1", "written as IPv6"), ("::8.8.8.8", "written as IPv6")),
    *(("::ffff:0:8.8.8.8", "translated"), ("64:ff9b::8.8.8.8", "NAT64")),
    *(("64:ff9b::a00:1", "NAT64"), ("64:ff9b:1::1", "NAT64"), ("64:ff9b:1:ffff::8.8.8.8", "NAT64")),
    *(("100::1", "discard"), ("100:0:0:1::1", "dummy"), ("2001::1", "Teredo")),
    *(("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"), ("2001:1::1", "port control")),
    *(("2001:1::2", "TURN"), ("2001:1::3", "registration"), ("2001:1::4", "protocol")),
    *(("2001:2::1", "benchmarking"), ("2001:3::1", "AMT"), ("2001:4:112::1", "AS112")),
    *(("2001:5::1", "protocol"), ("2001:10::1", "ORCHID"), ("2001:20::1", "ORCHID")),
    *(("2001:30::1", "drone"), ("2001:1ff:ffff::1", "protocol"), ("2001:db8::1", "documentation")),
    *(("2002:a00:1::", "6to4"), ("2002:808:808::1", "6to4"), ("2620:4f:8000::1", "AS112")),
    *(("3fff::1", "documentation"), ("3fff:fff::1", "documentation"), ("5f00::1", "segment")),
    *(("fc00::1", "private"), ("fd00:ec2::254", "private"), ("fe80::1", "link-local")),
    *(("febf::1", "link-local"), ("fec0::1", "site-local"), ("feff::1", "site-local")),
    *(("ff02::1", "multicast"), ("ff0e::1", "multicast"), ("4000::1", "outside")),
    *(("1::1", "outside"), ("200::1", "outside"), ("e000::1", "outside")),
    *(("2a00:1450::5efe:8.8.8.8", "ISATAP"), ("2a00:1450::200:5efe:10.0.0.1", "ISATAP")),
    *(("fe80::1%eth0", "zone"), ("2606:4700::1111%1", "zone"), ("nonsense", "not an IP address")),
]


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_address_is_allowed(address):
    assert judge_address(address, PUBLIC_ONLY) is None
    host = f"[{address}]" if ":" in address else address
    target = judge_url(f"https://{host}:8443/x", PUBLIC_ONLY)
    assert isinstance(target, Target)
    assert target.origin.address == ip_address(address)


@pytest.mark.parametrize(("address", "words"), REFUSED_ADDRESSES)
def test_special_purpose_address_is_refused(address, words):
    reason = judge_address(address, PUBLIC_ONLY)
    assert reason is not None
    assert words in reason
    host = f"[{address}]" if ":" in address else address
    if "nonsense" not in address:
        assert isinstance(judge_url(f"http://{host}/", PUBLIC_ONLY), Refusal)


@pytest.mark.parametrize(
    "host",
    [
        *("127.1", "127.0.1", "127.0.0.01", "0127.0.0.1", "0177.0.0.1", "0177.0.0.01"),
        *("00000177.0.0.1", "017700000001", "2130706433", "0x7f000001", "0x7F.0.0.1", "0x7f.1"),
        *("0X7F000001", "0x7f.0x0.0x0.0x1", "127.0.0.0x1", "0", "0x", "00", "1.2.3.4.5", "256.1.1.1"),
        *("10.5", "3232235521", "0xc0a80001", "0300.0250.0.1", "2852039166", "0xa9fea9fe"),
        *("169.254.43518", "0xa9.254.0251.0376", "1.1.1.1.", "127.0.0.1.", "127.0.0.1..", "8.8.2056"),
        *("１２７.0.0.1", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "①②⑦.⓪.⓪.①", "𝟏𝟐𝟕.𝟎.𝟎.𝟏"),
        *("१२७.0.0.1", "١٢٧.0.0.1", "２１３０７０６４３３", "０ｘ7f000001", "１２７。１", "0x7f.１"),
        *("localhost", "LOCALHOST", "localhost.", "a.localhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌocalhost", "loc\u00adalhost"),
        *("[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]"),
        *("[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
        *("[fe80::1%eth0]", "[fe80::1%25eth0]", "[::1%lo]", "[v1.x]", "[127.0.0.1]", "[::1", "::1]"),
        *("[]", "[::1]x", "x[::1]", "[::１]", "::1", "fe80::1", "[[::1]]", "[::1]]"),
        *("%31%32%37.0.0.1", "127%2e0.0.1", "127.0.0.1%00.example.com", "127.0.0.1%20"),
        *("127.0.0.1\\@example.com", "127.0.0.1 .example.com", "127.0.0.1\t", "exam\nple.com"),
        *("example.com\0.127.0.0.1", "example.com\x7f", "example.com\u00a0", "example.com\r\nX: y"),
        *("user@127.0.0.1", "user:pw@example.com", "@example.com", "example.com@", "a@b@c"),
        *("", ".", "..", "a..b", ".example.com", "example.com..", "a" * 64 + ".com", "a." * 127 + "com"),
        *("exa$mple.com", "exa,mple.com", "(example)", "exam_ple!.com", "*", "*.example.com"),
        *("℀.com", "a／b.com", "a＠b.com", "a：80", "a？b", "a＃b", "a％2e", "xn--a", "‍.com", "\ud800.com"),
    ],
)  # fmt: skip
def test_spelling_is_refused_or_made_plain(host):
    """Whatever is let through leads where a plain reader expects it: to a public address or name."""
    verdict = judge_url(f"http://{host}/", PUBLIC_ONLY)
    if isinstance(verdict, Target):
        assert (host, verdict.origin.host) in {("1.1.1.1.", "1.1.1.1"), ("xn--a", "xn--a")}
    else:
        assert verdict.kind in ("invalid", "blocked")
        assert verdict.reason


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/", "`ftp:`"),
        ("file:///etc/passwd", "`file:`"),
        ("gopher://example.com/", "`gopher:`"),
        ("javascript:alert(1)", "`javascript:`"),
        ("example.com/hook", "not complete"),
        ("//example.com/hook", "not complete"),
        ("/hook", "not complete"),
        ("", "not complete"),
        ("http:", "not complete"),
        ("http:/example.com", "not complete"),
        ("http:example.com", "not complete"),
        ("http:///hook", "no host"),
        ("http://:80/", "no host"),
        ("http://?x", "no host"),
        ("http://#x", "no host"),
        (" http://example.com/", "space"),
        ("http://example.com/a b", "space"),
        ("http://example.com/\n", "control character"),
        ("http:\\\\example.com\\", "backslash"),
        ("http://example.com\\.evil.com/", "backslash"),
        ("http://example.com:/", "port"),
        ("http://example.com:0/", "port"),
        ("http://example.com:65536/", "port"),
        ("http://example.com:80a/", "port"),
        ("http://example.com:-1/", "port"),
        ("http://example.com:８０/", "port"),
        ("http://example.com:1:2/", "colons"),
        ("http://me:s3cret@example.com/", "user name"),
        ("http://s3cret@example.com/", "user name"),
        ("http://10.0.0.5/", "OUTBOUND_ALLOWED_NETWORKS"),
        ("http://localhost/", "OUTBOUND_ALLOWED_HOSTS"),
        ("http://0x7f.1/", "unusual form"),
        ("http://example.com/" + "x" * MAX_URL_LENGTH, "longer"),
        ("http://example.com/\ud800", "surrogate"),
    ],
)
def test_refusal_says_what_is_wrong(url, words):
    refusal = judge_url(url, PUBLIC_ONLY)
    assert isinstance(refusal, Refusal)
    assert words in refusal.reason
    assert "s3cret" not in refusal.reason


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("http://example.com", "http://example.com", "/"),
        ("HTTPS://EXAMPLE.com:443/A?b#c", "https://example.com", "/A?b"),
        ("https://example.com.:444/", "https://example.com:444", "/"),
        ("https://example.com?x=1", "https://example.com", "/?x=1"),
        ("https://my_service.example.com/", "https://my_service.example.com", "/"),
        ("https://bücher.example/straße?ü=1", "https://xn--bcher-kva.example", "/stra%C3%9Fe?%C3%BC=1"),
        ("https://faß.example/", "https://xn--fa-hia.example", "/"),
        ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah", "/"),
        ("https://example.com/a%20b/%zz/{x}|", "https://example.com", "/a%20b/%25zz/%7Bx%7D%7C"),
        ("https://example.com/a/../b//c", "https://example.com", "/a/../b//c"),
        ("https://example.com/@user:x", "https://example.com", "/@user:x"),
        ("https://[2606:4700:4700:0::1111]:8443/", "https://[2606:4700:4700::1111]:8443", "/"),
        ("https://0x7f.example.com/", "https://0x7f.example.com", "/"),
    ],
)  # fmt: skip
def test_good_url_becomes_plain(url, origin, path):
    target = judge_url(url, PUBLIC_ONLY)
    assert isinstance(target, Target), target
    assert (target.origin.url, target.path) == (origin, path)
    assert target.url == origin + path
    assert not target.trusted


# What the administrator allows


def policy(**settings) -> NetworkPolicy:
    return NetworkPolicy.from_settings(**settings)


def test_allowed_network_lifts_the_refusal_of_its_addresses_only():
    allowing = policy(allowed_networks=["10.0.0.0/8", "fd00::/8"])
    assert judge_address("10.1.2.3", allowing) is None
    assert judge_address("fd12::1", allowing) is None
    assert judge_address("192.168.0.1", allowing) is not None
    assert judge_address("fc00::1", allowing) is not None
    assert judge_address("::ffff:10.1.2.3", allowing) is not None
    assert isinstance(judge_url("http://10.1.2.3/", allowing), Target)
    assert isinstance(judge_url("http://10.513/", allowing), Refusal)
    assert isinstance(judge_url("http://a:b@10.1.2.3/", allowing), Refusal)
    assert isinstance(judge_url("ftp://10.1.2.3/", allowing), Refusal)


@pytest.mark.parametrize(
    ("network", "public", "private"),
    [
        ("64:ff9b::/96", "64:ff9b::8.8.8.8", "64:ff9b::10.0.0.5"),
        ("64:ff9b:1::/48", "64:ff9b:1::8.8.8.8", "64:ff9b:1::10.0.0.5"),
        ("::ffff:0:0/96", "::ffff:8.8.8.8", "::ffff:10.0.0.5"),
        ("::ffff:0:0:0/96", "::ffff:0:8.8.8.8", "::ffff:0:10.0.0.5"),
        ("::/96", "::8.8.8.8", "::10.0.0.5"),
        ("2002::/16", "2002:808:808::", "2002:a00:5::"),
        ("2001::/32", "2001:0:808:808::f7f7:f7f7", "2001:0:808:808::f5ff:fffa"),
        ("2001::/32", "2001:0:808:808::f7f7:f7f7", "2001:0:a00:5::f7f7:f7f7"),
        ("2a00::/16", "2a00::5efe:8.8.8.8", "2a00::5efe:10.0.0.5"),
    ],
)
def test_address_inside_an_allowed_one_is_judged_too(network, public, private):
    assert judge_address(public, PUBLIC_ONLY) is not None
    allowing = policy(allowed_networks=[network])
    assert judge_address(public, allowing) is None
    reason = judge_address(private, allowing)
    assert reason is not None
    assert "carries 10.0.0.5, a private network address" in reason
    both = policy(allowed_networks=[network, "10.0.0.0/8"])
    assert judge_address(private, both) is None


def test_allowed_ipv6_loopback_is_usable():
    assert judge_address("::1", policy(allowed_networks=["::1"])) is None


@pytest.mark.parametrize(
    ("entry", "trusted", "untrusted"),
    [
        ("inside.corp", "inside.corp inside.corp:8080 INSIDE.corp.", "x.inside.corp inside.corp.x"),
        ("inside.corp:8080", "inside.corp:8080", "inside.corp inside.corp:8081"),
        ("*.corp", "a.corp b.a.corp:99", "corp xcorp a.corp.x"),
        ("*.corp:80", "a.corp a.corp:80", "a.corp:81"),
        (" Bücher.Example ", "xn--bcher-kva.example bücher.example", "bucher.example"),
    ],
)
def test_allowed_hosts(entry, trusted, untrusted):
    allowing = policy(allowed_hosts=[entry])
    for hosts, expected in ((trusted, True), (untrusted, False)):
        for host in hosts.split():
            target = judge_url(f"http://{host}/", allowing)
            assert isinstance(target, Target)
            assert target.trusted is expected, host


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("127.0.0.1", "127.0.0.1:9000"),
        ("[::1]:9000", "[::1]:9000"),
        ("[::1]", "[0::1]:1"),
        ("::1", "[::1]"),
        ("localhost:9000", "localhost:9000"),
    ],
)
def test_allowed_host_may_be_an_address(entry, host):
    allowing = policy(allowed_hosts=[entry])
    assert isinstance(judge_url(f"http://{host}/", allowing), Target)
    assert isinstance(judge_url("http://127.0.0.2:9000/", allowing), Refusal)


def test_localhost_follows_the_allowed_networks():
    assert isinstance(
        judge_url("http://localhost/", policy(allowed_networks=["127.0.0.0/8"])), Target
    )


def test_own_host_is_refused_except_for_its_inspector():
    own = policy(
        own_hosts=["box.example.com", "localhost:8000", "*.box.example.org"],
        own_paths_allowed=["/inspector", "/"],
        allowed_hosts=["box.example.com"],
    )
    refused = [
        "https://box.example.com/",
        "https://box.example.com:9000/x",
        "http://localhost:8000/admin/",
        "https://a.box.example.org/",
        "https://box.example.com/inspectors",
        "https://box.example.com/inspector/../admin",
        "https://box.example.com/inspector/..%2fadmin",
        "https://box.example.com/inspector/%2e%2e/admin",
        "https://box.example.com//inspector",
        "https://box.example.com/inspector//x",
        "https://box.example.com/inspector/.x",
        "https://box.example.com/?/inspector",
        "https://BOX.example.com./x",
    ]
    for url in refused:
        refusal = judge_url(url, own)
        assert isinstance(refusal, Refusal), url
        assert "Signalbox itself" in refusal.reason
    allowed = [
        "https://box.example.com/inspector",
        "https://box.example.com/inspector/abc?x=/../",
        "http://localhost:8000/inspector/abc/",
    ]
    for url in allowed:
        target = judge_url(url, own)
        assert isinstance(target, Target), url
        assert target.trusted
    assert isinstance(judge_url("http://localhost:8001/", own), Refusal)  # for its address
    assert isinstance(judge_url("https://example.com/", own), Target)


def test_known_origins_are_remembered_without_paths():
    known = {}
    first = judge_url("https://example.com/s3cret?key=s3cret", PUBLIC_ONLY, known)
    second = judge_url("https://example.com/other", PUBLIC_ONLY, known)
    assert isinstance(first, Target)
    assert isinstance(second, Target)
    assert first.origin is second.origin
    assert second.path == "/other"
    assert "s3cret" not in repr(known)
    judge_url("http://10.0.0.1/", PUBLIC_ONLY, known)
    assert isinstance(judge_url("http://10.0.0.1/x", PUBLIC_ONLY, known), Refusal)


def test_policy_that_cannot_be_read_is_told():
    with pytest.raises(ValueError, match=r"`10.0.0.1/8` in `OUTBOUND_ALLOWED_NETWORKS`"):
        policy(allowed_networks=["10.0.0.1/8"])
    with pytest.raises(ValueError, match="not a host name"):
        policy(allowed_hosts=["b ü"])
    assert policy(allowed_networks=[" 10.0.0.0/8 "]).allowed_networks == (
        IPv4Network("10.0.0.0/8"),
    )
