"""What every scheme of verification has in common. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from webhooks.verification.arrivals import Arrival
from webhooks.verification.fields import Field, Mistake, Values, read_settings
from webhooks.verification.verdicts import Refused, Verdict, refuse


class Scheme(ABC):
    """One way to know who sent a request. `help` says what to enter at the sender's."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()
    www_authenticate: ClassVar[str] = ""

    def verify(
        self, arrival: Arrival, settings: Mapping[str, Any], secrets: Mapping[str, Sequence[str]]
    ) -> Verdict:
        """Whether to accept it. Never raises: whatever is malformed or missing is refused.

        `secrets["key"]` has the opened values, several while one takes over from another.
        """
        try:
            return self.judge(arrival, self._values(settings), self._keys(secrets))
        except Refused as refused:
            return refuse(str(refused), www_authenticate=self.www_authenticate)

    def check(self, settings: Mapping[str, Any]) -> list[Mistake]:
        """What is wrong with the settings, each by itself; and when nothing is, with them together."""
        values, mistakes = read_settings(self.fields, settings)
        return mistakes or self.check_together(values)

    def check_together(self, values: Values) -> list[Mistake]:
        """What is wrong with settings that are each right; most schemes have nothing to say."""
        return []

    @abstractmethod
    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        """The verdict, from checked settings and keys that aren't empty. Raises Refused."""

    def _values(self, settings: Mapping[str, Any]) -> Values:
        mistakes = self.check(settings)
        if mistakes:
            first = mistakes[0]
            raise Refused(f"The setting `{first.field}` of the verification: {first.message}")
        return read_settings(self.fields, settings)[0]

    def _keys(self, secrets: Mapping[str, Sequence[str]]) -> list[str]:
        """The keys to try: at least one, unless the scheme has no secret."""
        if not any(field.kind == "secret" for field in self.fields):
            return []
        given = secrets.get("key") or ()
        # One text is a sequence of texts as well: each of its letters would be a key.
        keys = [key for key in ([given] if isinstance(given, str) else given) if key.strip()]
        if not keys:
            raise Refused("No secret is set, so nothing is accepted. Choose one for this endpoint.")
        return keys
