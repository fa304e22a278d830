"""Allow-lists: what is read, who is let in, and that nothing unreadable opens the door."""

from ipaddress import ip_network

import pytest

from webhooks.verification.addresses import is_allowed, judge_sender, parse_networks


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("", []),
        (" \n,\n ", []),
        ("192.0.2.7", ["192.0.2.7/32"]),
        ("2001:DB8::7", ["2001:db8::7/128"]),
        ("192.0.2.0/24\r\n2001:db8::/32", ["192.0.2.0/24", "2001:db8::/32"]),
        (
            "192.0.2.0/24, 198.51.100.7,,10.0.0.0/8",
            ["192.0.2.0/24", "198.51.100.7/32", "10.0.0.0/8"],
        ),
        ("0.0.0.0/0 ::/0", ["0.0.0.0/0", "::/0"]),
        ("::ffff:192.0.2.7", ["192.0.2.7/32"]),
        ("::ffff:10.0.0.0/104", ["10.0.0.0/8"]),
    ],
)
def test_addresses_and_networks_are_read(text, networks):
    assert parse_networks(text) == (tuple(ip_network(network) for network in networks), ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("example.com", "`example.com` is no address"),
        ("192.0.2", "`192.0.2` is no address"),
        ("192.0.2.256", "is no address"),
        ("192.0.2.07", "is no address"),
        ("192.0.2.0/33", "is no address"),
        ("192.0.2.0/", "is no address"),
        ("192.0.2.0/255.255.255.0", "is no address"),
        ("192.0.2.0/0.0.0.255", "is no address"),
        ("192.0.2.0/24/24", "is no address"),
        ("١٩٢.0.2.7", "is no address"),
        ("192.0.2.7/24", "Write `192.0.2.0/24`"),
        ("2001:db8::1/32", "Write `2001:db8::/32`"),
        ("x" * 1000, "`" + "x" * 60 + "`"),
    ],
)
def test_what_cannot_be_read_is_told(text, words):
    networks, (error,) = parse_networks(f"198.51.100.7\n{text}")
    assert networks == (ip_network("198.51.100.7"),)
    assert words in error


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.0.2.7", True),
        ("192.0.3.7", False),
        ("::ffff:192.0.2.7", True),
        ("::ffff:c000:207", True),
        ("::192.0.2.7", False),
        ("2001:db8::1", True),
        ("2001:DB8:0:0::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("unknown", False),
        ("192.0.2.7:8000", False),
        (" 192.0.2.7", False),
        ("192.0.2.7\x00", False),
        ("192.0.2.7, 198.51.100.7", False),
        ("\ud800", False),
    ],
)
def test_who_is_let_in(address, allowed):
    networks, _ = parse_networks("192.0.2.0/24, 2001:db8::/32")
    assert is_allowed(address, networks) is allowed
    verdict = judge_sender(address, "192.0.2.0/24, 2001:db8::/32")
    assert (verdict is None) is allowed


def test_a_network_of_one_kind_has_no_address_of_the_other():
    assert not is_allowed("2001:db8::1", [ip_network("0.0.0.0/0")])
    assert not is_allowed("192.0.2.7", [ip_network("::/0")])


def test_nobody_is_in_no_network():
    assert not is_allowed("192.0.2.7", [])


def test_the_refusal_is_forbidden_and_names_the_address():
    verdict = judge_sender("198.51.100.7", "192.0.2.0/24")
    assert (verdict.accepted, verdict.status) == (False, 403)
    assert "198.51.100.7" in verdict.reason


@pytest.mark.parametrize("text", ["", "  \n"])
def test_without_a_list_everybody_may_send(text):
    assert judge_sender("198.51.100.7", text) is None


@pytest.mark.parametrize("text", ["nonsense", "198.51.100.7\nnonsense", ","])
def test_a_list_that_cannot_be_read_lets_nobody_in(text):
    verdict = judge_sender("198.51.100.7", text)
    assert (verdict.accepted, verdict.status) == (False, 403)
