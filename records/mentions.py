"""Who is mentioned in a text: “@ada”. Pure."""

import re
from typing import Final

# More than this is a list, not a conversation.
MAX_MENTIONS: Final = 20

# At the beginning of a word, so that neither mail addresses nor links mention anybody. User names may have
# these signs; at the end they rather belong to the sentence.
MENTION: Final = re.compile(r"(?<![^\s(\[“\"'])@([\w.+-]*\w)")


def mentioned_names(text: str) -> list[str]:
    """The user names, each once, in order."""
    return list(dict.fromkeys(MENTION.findall(text)))[:MAX_MENTIONS]
