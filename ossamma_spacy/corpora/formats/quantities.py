"""TEI files of grobid-quantities: `<measure type="value"><num>5</num> <measure type="LENGTH">m</measure></measure>`."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.xmlfile import Part, flatten, read_xml

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
BLOCKS = ("p", "head")
HEADERS = ("teiHeader", "front")
VALUES = ("num", "date", "time")
MEASURE, UNIT = "measure", "unit"

# between parts that make up one span; a character of the Symbol font is a minus
JOINT = re.compile(r"\s*[-–−‒/×x\uf02d]?\s*|\s*-?\s*(?:to|until)\s+|\s*of\s+(?:an?\s+)?")
APART = re.compile(r"[,;=]|\b(?:and|or|in)\b")  # between parts of a single value that are nevertheless two
UPPER_END = re.compile(r"\s*(?:to|until)\s+")
OPENS_RANGE = re.compile(r"\b(?:from|between)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)


def read_quantities(path: Path) -> Iterator[AnnotatedText]:
    """Yield the English text of a file, tables left out; spans are measures, or units without a value.

    A value goes with its unit, a range is one span, the values of a list and the ends of from … to … and
    between … and … are spans each. Raises CorpusError, naming file and line, for what is not well-formed or not UTF-8,
    without text, or a measure without content.
    """
    file = read_xml(path)
    text = ""
    spans: list[tuple[int, int, str]] = []
    for block in _blocks(file.root):
        piece, parts = flatten(block, leave_out=("figure", "table"))
        text += "\n" * bool(text)
        for measure in _outermost(parts):
            leaves = [
                leaf for leaf in parts if measure.start <= leaf.start < leaf.end <= measure.end and _is_leaf(leaf)
            ]
            if not leaves:
                raise CorpusError(f"{file.where(measure.element)}: <measure> without a value or a unit in it")
            spans += [
                (len(text) + start, len(text) + end, label) for start, end, label in _spans(piece, measure, leaves)
            ]
        text += piece
    if not text:
        raise CorpusError(f"{path}:1: no English <p> with text, expected at least one")
    yield AnnotatedText(text, tuple(spans), where=f"{path.name}:1")


def _blocks(element: Element, english: bool = True) -> Iterator[Element]:
    english = element.get(LANGUAGE, "en" if english else "").endswith("en")  # "lexicon/en" stands there too
    if element.tag in BLOCKS:
        if english:
            yield element
    elif element.tag not in HEADERS:
        for child in element:
            yield from _blocks(child, english)


def _outermost(parts: list[Part]) -> Iterator[Part]:
    end = 0
    for part in parts:
        if part.element.tag == MEASURE and part.start >= end:
            yield part
            end = part.end


def _is_leaf(part: Part) -> bool:
    return part.element.tag in VALUES or (part.element.tag == MEASURE and len(part.element) == 0)


def _spans(text: str, measure: Part, leaves: list[Part]) -> list[tuple[int, int, str]]:
    single = measure.element.get("type") == "value" or "±" in text[measure.start : measure.end]
    two_ends = OPENS_RANGE.search(text, max(0, measure.start - 30), measure.start)
    spans: list[tuple[int, int, str]] = []
    for leaf in leaves:
        label = UNIT if leaf.element.tag == MEASURE else MEASURE
        start = leaf.start
        if spans:
            begun, last, before = spans[-1]
            between = text[last:start]
            joint = JOINT.fullmatch(between) and not (two_ends and UPPER_END.fullmatch(between))
            if joint or (single and not APART.search(between)):
                spans.pop()
                start, label = begun, MEASURE if MEASURE in (before, label) else UNIT
        spans.append((start, leaf.end, label))
    return spans
