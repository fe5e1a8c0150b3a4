"""Corpora for geoparsing: XML with articles, each a text and the offsets of its place names."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.xmlfile import XmlFile, read_xml

TOPONYM = "TOPONYM"
PART = "/part"

# what makes a longer name of a place's: University of …, … River
BEFORE = re.compile(
    r"\b(?!(?:In|From|At|The|On|To|Near|By|For|With|And|But|As|While|When|After|Before|Since|Inside|Outside|Across|Like|"
    r"Both|If|That|Of)\b)[A-Z][\w'’.-]*(?: (?:of|for)(?: the)?)? $"
)
AFTER = re.compile(r"(?:[ -]| & )(?!\w+day\b)[A-Z]")


def read_toponyms(
    path: Path,
    *,
    toponym: str,
    name: str,
    kind: Sequence[str] = (),
    first: int = 0,
    parts: bool = False,
    lenient: bool = False,
    skipped: list[str] | None = None,
) -> Iterator[AnnotatedText]:
    """Yield the text of each <article>.

    `toponym` names the elements of place names, `name` the element in them that repeats the text, `kind` those whose
    contents make the label, joined by "/"; without any it is TOPONYM. `first` is the offset of the first character.
    With `parts`, "/part" is added where words around it may make a longer name that is not marked. Raises CorpusError,
    naming file and line, for what is not well-formed or not UTF-8, a missing element, an offset that is no number, and
    a span that leaves the text or whose text differs; with `lenient` these leave the article out, and `skipped` is
    filled with where it is.
    """
    file = read_xml(path)
    for article in file.all("article"):
        try:
            text = _content(file, article, "text")
            spans = [_span(file, element, text, name, kind, first) for element in article.iter(toponym)]
        except CorpusError:
            if not lenient:
                raise
            if skipped is not None:
                skipped.append(f"{path.name}:{file.lines[article]}")
            continue
        if parts:
            spans = [(start, end, label + PART * _is_part(text, start, end)) for start, end, label in spans]
        yield AnnotatedText(text, tuple(sorted(spans)), where=f"{path.name}:{file.lines[article]}")


def _is_part(text: str, start: int, end: int) -> bool:
    return bool(AFTER.match(text, end) or BEFORE.search(text, max(0, start - 40), start))


def _span(
    file: XmlFile, element: Element, text: str, name: str, kind: Sequence[str], first: int
) -> tuple[int, int, str]:
    start, end = _content(file, element, "start"), _content(file, element, "end")
    if not (start.isdecimal() and end.isdecimal() and first <= int(start) < int(end) <= len(text) + first):
        raise CorpusError(
            f"{file.where(element)}: offsets {start!r} and {end!r}, expected numbers from {first} to "
            f"{len(text) + first}"
        )
    span = slice(int(start) - first, int(end) - first)
    if text[span] != (quoted := _content(file, element, name)):
        raise CorpusError(f"{file.where(element)}: the text has {text[span]!r} at {start} to {end}, not {quoted!r}")
    label = "/".join(content for part in kind if (content := element.findtext(part)))
    return span.start, span.stop, label or TOPONYM


def _content(file: XmlFile, element: Element, name: str) -> str:
    if (content := element.findtext(name)) is None:
        raise CorpusError(f"{file.where(element)}: <{element.tag}> without <{name}>, expected one")
    return content
