"""Entities marked by elements within the running text of an XML file, as in TimeML: `on <TIMEX3 …>Friday</TIMEX3>`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText, substitute
from ossamma_spacy.corpora.xmlfile import flatten, read_xml

LEFT_BY_TOKENIZERS = re.compile(
    r"(?<=\w) (?=['’] s\b)|(?<=\w ['’]) (?=s\b)|(?<=\w) (?=- \w)|(?<=\w -) (?=\w)|(?<=\() (?=\S)|(?<=\S) (?=\))"
)


def read_inline(
    path: Path,
    *,
    document: str,
    entities: Mapping[str, str],
    sentence: str = "",
    lines: Sequence[str] = (),
    tidy: bool = False,
) -> Iterator[AnnotatedText]:
    """Yield the text of each element named `document`.

    `entities` says which elements mark entities, and which of their attributes is the label; `sentence`, which are
    sentences; `lines`, which stand on lines of their own. `tidy` closes up what was parted at hyphens, apostrophes and
    brackets. Raises CorpusError, naming file and line, for what is not well-formed or not UTF-8, a file without such
    elements, an entity without its label.
    """
    file = read_xml(path)
    for element in file.all(document):
        text, parts = flatten(element, lines=lines)
        spans = [
            (part.start, part.end, file.attribute(part.element, entities[part.element.tag]))
            for part in parts
            if part.element.tag in entities and part.start < part.end
        ]
        starts = [part.start for part in parts if part.element.tag == sentence and part.start < part.end]
        where = f"{path.name}:{file.lines[element]}"
        found = AnnotatedText(text, tuple(spans), tuple(starts) or (0,), where)
        yield substitute(found, LEFT_BY_TOKENIZERS, lambda space: "") if tidy else found
