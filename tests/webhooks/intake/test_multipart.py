"""Multipart bodies: fields, files, and what is wrong with them in words."""

import time

import pytest

from webhooks.intake.multipart import clean_filename, parse_multipart
from webhooks.intake.parsed import IncomingFile, Limits
from webhooks.intake.refusals import Malformed, TooLarge

LIMITS = Limits()


def part(headers, content=b"", boundary=b"B"):
    return b"--" + boundary + b"\r\n" + headers + b"\r\n\r\n" + content + b"\r\n"


def field(name, content=b"", more=b""):
    return part(b'Content-Disposition: form-data; name="' + name + b'"' + more, content)


def parse(*parts, limits=LIMITS):
    return parse_multipart(b"".join(parts) + b"--B--\r\n", "B", limits)


def test_fields_and_files_are_told_apart():
    value, files = parse(
        field(b"title", "Grüße".encode()),
        field(b"photo", b"\xff\x00", b'; filename="C:\\pics\\a.png"\r\nContent-Type: Image/PNG'),
    )
    assert value == {
        "title": "Grüße",
        "photo": {"filename": "a.png", "content_type": "image/png", "size": 2},
    }
    assert files == (IncomingFile("photo", "a.png", "image/png", b"\xff\x00"),)


def test_names_that_come_again_have_lists():
    value, files = parse(
        field(b"x", b"1"), field(b"x", b"2"), field(b"f", b"a", b'; filename="a"'),
        field(b"f", b"bc", b'; filename="b"'),
    )  # fmt: skip
    assert value["x"] == ["1", "2"]
    assert [each["size"] for each in value["f"]] == [1, 2]
    assert [file.filename for file in files] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        (b"two\r\nlines", "two\r\nlines"),
        (b"x--B", "x--B"),
        (b"\r\n--Bother", "\r\n--Bother"),
        (b"\xff", "�"),
        (b"a\0b", "a�b"),
    ],
)
def test_content_is_kept_to_the_byte_or_marked(content, text):
    assert parse(field(b"x", content))[0] == {"x": text}


def test_a_field_may_say_its_charset():
    value, _ = parse(field(b"x", b"\xe4", b"\r\nContent-Type: text/plain; charset=iso-8859-1"))
    assert value == {"x": "ä"}


def test_a_file_that_was_not_chosen_is_left_out():
    assert parse(field(b"f", b"", b'; filename=""')) == ({}, ())


def test_text_around_the_parts_and_blanks_behind_boundaries_are_passed_over():
    body = (
        b"preamble\r\n--B \t\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--B-- epilogue"
    )
    assert parse_multipart(body, "B", LIMITS) == ({"x": "1"}, ())


def test_a_name_may_have_an_encoding():
    _, files = parse(field(b"f", b"1", b"; filename=\"x\"; filename*=UTF-8''na%C3%AFve.txt"))
    assert files[0].filename == "naïve.txt"


@pytest.mark.parametrize(
    ("body", "boundary", "words"),
    [
        (b"", "B", "before its closing boundary"),
        (b"--B\r\n", "B", "before its closing boundary"),
        (field(b"x", b"1"), "B", "before its closing boundary"),
        (field(b"x", b"1") + b"--B--", "C", "before its closing boundary"),
        (b"--B\r\n--B--", "B", "no end of its headers"),
        (b"--B\r\nX: " + b"y" * 10_000 + b"\r\n\r\n\r\n--B--", "B", "no end of its headers"),
        (part(b"X: y") + b"--B--", "B", "Part 1 .* has no name"),
        (part(b"Content-Disposition: form-data") + b"--B--", "B", "has no name"),
        (part(b"Content-Disposition: attachment; name=x") + b"--B--", "B", "has no name"),
        (b"", "", "no usable boundary"),
        (b"", "ä", "no usable boundary"),
        (b"", "x" * 201, "no usable boundary"),
        (
            field(b"x", b"", b"\r\nContent-Transfer-Encoding: base64") + b"--B--",
            "B",
            "Content-Transfer-Encoding",
        ),
    ],
)
def test_broken_multipart_is_refused_in_words(body, boundary, words):
    with pytest.raises(Malformed, match=words):
        parse_multipart(body, boundary, LIMITS)


def test_parts_end_at_their_limit():
    parse(*[field(b"x", b"1")] * 3, limits=Limits(parts=3))
    with pytest.raises(TooLarge, match="more than 3 parts"):
        parse(*[field(b"x", b"1")] * 4, limits=Limits(parts=3))


@pytest.mark.parametrize(
    "body",
    [
        b"\r\n--B\r\n" * 100_000,
        b"--B" + b" \t" * 500_000,
        b"\r\n--B" * 200_000,
        b"--B\r\n" + b'Content-Disposition: form-data; name="' * 25_000,
        part(b'Content-Disposition: form-data; name="' + b"\\" * 8_000) + b"--B--",
    ],
    ids=range(5),
)
def test_a_megabyte_made_to_hurt_is_refused_soon(body):
    began = time.process_time()
    with pytest.raises((Malformed, TooLarge)):
        parse_multipart(body, "B", LIMITS)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.doc", "y.doc"),
        ("..", "file"),
        ("", "file"),
        ("a/", "file"),
        ("a\0\r\nb\u202e.txt", "ab.txt"),
        (" .hidden. ", "hidden"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
        ("x." + "y" * 300, "x." + "y" * 148),
        ("\ud800", "file"),
    ],
)
def test_a_file_name_has_no_path_and_nothing_invisible(name, clean):
    assert clean_filename(name) == clean
