"""XML trees that know their lines, and the text below an element."""

import pytest

from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.xmlfile import flatten, read_xml


def xml(folder, text):
    path = folder / "a.xml"
    path.write_bytes(text.encode("utf-8"))
    return read_xml(path)


def test_elements_know_their_lines_and_lose_their_namespaces(tmp_path):
    file = xml(tmp_path, '<a xmlns="x:y">\n<b/>\n\n<c><b k="1"/></c></a>')
    assert [(element.tag, file.lines[element]) for element in file.root.iter()] == [
        ("a", 1),
        ("b", 2),
        ("c", 4),
        ("b", 4),
    ]
    assert [element.get("k") for element in file.all("b")] == [None, "1"]


def test_text_has_single_spaces_and_parts_their_places(tmp_path):
    file = xml(tmp_path, "<a> <p>One\n  <b> two </b>three<x>cut</x>.</p>\n\n<p>Four</p> five</a>")
    text, parts = flatten(file.root, leave_out=("x",))
    assert text == "One two three.\nFour five"
    assert [(part.element.tag, text[part.start : part.end]) for part in parts] == [
        ("a", text),
        ("p", "One two three."),
        ("b", "two"),
        ("p", "Four"),
    ]


def test_elements_may_stand_on_lines_of_their_own(tmp_path):
    file = xml(tmp_path, "<a>One <p>two</p> <p>three</p>four</a>")
    assert flatten(file.root, lines=("p",))[0] == "One\ntwo\nthree\nfour"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<a>\n<b></a>", r"a\.xml:2: not well-formed XML \(mismatched tag"),
        ("<a>\n<b>", r"a\.xml:2: not well-formed XML \(no element found"),
        ("", r"a\.xml:1: not well-formed XML"),
    ],
)
def test_what_is_no_xml_is_named(tmp_path, text, message):
    with pytest.raises(CorpusError, match=message):
        xml(tmp_path, text)


def test_what_is_not_there_is_named(tmp_path):
    file = xml(tmp_path, "<a>\n<b/></a>")
    with pytest.raises(CorpusError, match=r"a\.xml:1: no <c> in <a>"):
        file.all("c")
    with pytest.raises(CorpusError, match=r"a\.xml:2: <b> without type"):
        file.attribute(file.all("b")[0], "type")
