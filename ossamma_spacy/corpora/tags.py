"""Text with tags in it that need not be XML."""

import re
from typing import NamedTuple

from ossamma_spacy.corpora.lines import CorpusError

ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*"([^"]*)\"""")


class Tagged(NamedTuple):
    """Where a pair of tags stood in the text without them, and the attributes of the first."""

    start: int
    end: int
    attributes: dict[str, str]

    def attribute(self, name: str, where: str) -> str:
        """An attribute; raises CorpusError where there is none of that name."""
        if name not in self.attributes:
            raise CorpusError(f'{where}: a tag with {self.attributes or "no attributes"}, expected {name}="…" in it')
        return self.attributes[name]


def untagged(marked: str, opening: str, closing: str, where: str) -> tuple[str, list[Tagged]]:
    """A text without its tags, and what they enclosed; `opening` and `closing` are patterns, pairs may be nested.

    Raises CorpusError for a tag that opens or closes nothing.
    """
    text, last = "", 0
    found: list[Tagged] = []
    waiting: list[tuple[int, str]] = []
    for match in re.finditer(f"({opening})|{closing}", marked):
        text += marked[last : match.start()]
        last = match.end()
        if match[1]:
            waiting.append((len(text), match[1]))
            continue
        if not waiting:
            raise CorpusError(f"{where}: {match[0]} closes nothing, after {text[-30:]!r}")
        start, tag = waiting.pop()
        found.append(Tagged(start, len(text), dict(ATTRIBUTE.findall(tag))))
    if waiting:
        raise CorpusError(f"{where}: {waiting[-1][1]} is not closed, before {marked[last:][:30]!r}")
    return text + marked[last:], sorted(found, key=lambda tagged: (tagged.start, -tagged.end))
