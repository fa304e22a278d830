"""A request as a curl command that sends the same bytes again. Pure.

Source: https://curl.se/docs/manpage.html
"""

import shlex
from collections.abc import Iterable
from typing import Final

# Linux takes no single argument longer than 128 KiB (MAX_ARG_STRLEN), a shell's own `printf` does.
_MAX_ARGUMENT_BYTES: Final = 100_000
_NEXT_LINE: Final = " \\\n  "


def curl_command(
    *,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: str = "",
    certificate: str = "",
) -> str:
    """A command for a POSIX shell, one option on each line.

    `certificate`: the name of a client certificate. The command asks for a file of that name; a value is never in it.
    """
    pairs = list(headers)
    # Brackets and braces in a URL would otherwise be read as patterns.
    lines = [f"curl --globoff --request {shlex.quote(method)} {shlex.quote(url)}"]
    if certificate:
        lines.append(f"--cert {shlex.quote(f'./{certificate}.pem')}")
    lines += [f"--header {shlex.quote(_header(name, value))}" for name, value in pairs]
    if not body:
        return _NEXT_LINE.join(lines)
    if not any(name.lower() == "content-type" for name, _ in pairs):
        lines.append("--header Content-Type:")  # curl would add that of a form
    if len(body.encode()) > _MAX_ARGUMENT_BYTES:
        return f"printf %s {shlex.quote(body)} | " + _NEXT_LINE.join([*lines, "--data-binary @-"])
    # `--data-binary @…` would send a file.
    option = "--data-raw" if body.startswith("@") else "--data-binary"
    return _NEXT_LINE.join([*lines, f"{option} {shlex.quote(body)}"])


def _header(name: str, value: str) -> str:
    """`Name:` would take the header away; `Name;` sends it without a value."""
    return f"{name}: {value}" if value.strip() else f"{name};"
