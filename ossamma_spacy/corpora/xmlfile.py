"""XML files as trees whose elements know their lines, and the text below an element."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from ossamma_spacy.corpora.lines import CorpusError, read_lines

DEEPEST = 200  # levels of elements


class XmlFile(NamedTuple):
    """The root of a file, and on which line each element begins. Names stand without their namespaces."""

    path: Path
    root: Element
    lines: Mapping[Element, int]

    def where(self, element: Element) -> str:
        """File and line of an element."""
        return f"{self.path}:{self.lines[element]}"

    def all(self, name: str) -> list[Element]:
        """The elements of that name; raises CorpusError where there is none."""
        if not (found := list(self.root.iter(name))):
            raise CorpusError(f"{self.path}:1: no <{name}> in <{self.root.tag}>, expected at least one")
        return found

    def attribute(self, element: Element, name: str) -> str:
        """An attribute; raises CorpusError where the element has none of that name."""
        if name not in element.attrib:
            raise CorpusError(f'{self.where(element)}: <{element.tag}> without {name}, expected {name}="…"')
        return element.attrib[name]


def read_xml(path: Path) -> XmlFile:
    """Raises CorpusError, naming file and line, for what is not well-formed, nested too deep or not UTF-8."""
    parser: Any = XMLPullParser(("start", "end"))
    root: Element | None = None
    lines: dict[Element, int] = {}
    number, depth = 1, 0
    try:
        for number, line in read_lines(path):
            parser.feed(line + "\n")
            for event, element in parser.read_events():
                depth += 1 if event == "start" else -1
                if depth > DEEPEST:
                    raise CorpusError(f"{path}:{number}: elements more than {DEEPEST} deep; fetch the file again")
                if event == "end":
                    continue
                element.tag = element.tag.rpartition("}")[2]
                root = element if root is None else root
                lines[element] = number
        parser.close()
    except ParseError as error:
        raise CorpusError(f"{path}:{number}: not well-formed XML ({error}); fetch the file again") from error
    assert root is not None  # a file without root is not well-formed
    return XmlFile(path, root, lines)


class Part(NamedTuple):
    """Where in a text an element lies."""

    start: int
    end: int
    element: Element


def flatten(root: Element, *, lines: Collection[str] = (), leave_out: Collection[str] = ()) -> tuple[str, list[Part]]:
    """The text below an element and its parts there, outer ones first.

    Any whitespace is one space, with an empty line in it one line break; none stands at the ends of the text. Elements
    with names in `lines` stand on lines of their own, those in `leave_out` are left out.
    """
    pieces: list[str] = []  # none empty; one character of space at most where they meet
    length = 0
    places: list[tuple[int, int, Element]] = []

    def add(piece: str | None) -> None:
        nonlocal length
        piece = re.sub(r"\s+", lambda space: "\n" if space[0].count("\n") > 1 else " ", piece or "")
        if not pieces or pieces[-1][-1].isspace():
            piece = piece.lstrip()
        if piece:
            pieces.append(piece)
            length += len(piece)

    def end_line() -> None:
        nonlocal length
        if pieces:
            line = pieces[-1].rstrip() + "\n"
            length += len(line) - len(pieces[-1])
            pieces[-1] = line

    def walk(element: Element) -> None:
        if element.tag in lines:
            end_line()
        place, start = len(places), length
        add(element.text)
        for child in element:
            if child.tag not in leave_out:
                walk(child)
            add(child.tail)
        places.insert(place, (start, length, element))
        if element.tag in lines:
            end_line()

    walk(root)
    text = "".join(pieces)
    parts = []
    for start, end, element in places:
        start += text[start : start + 1].isspace()
        end -= text[max(end - 1, 0) : end].isspace()
        parts.append(Part(start, max(start, end), element))
    return text.rstrip(), parts
