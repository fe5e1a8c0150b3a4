"""The inline markup of hand-annotated text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossamma_spacy.corpora.formats.markup import parse_sentence, read_markup
from ossamma_spacy.corpora.lines import CorpusError


def test_spans_are_character_offsets_of_the_plain_text():
    text, spans = parse_sentence("[Marie Curie](PERSON) (1867) read \\[sic\\] [Nature](WORK).")
    assert text == "Marie Curie (1867) read [sic] Nature."
    assert [(text[start:end], label) for start, end, label in spans] == [("Marie Curie", "PERSON"), ("Nature", "WORK")]


def escaped(text):
    return re.sub(r"([\[\]\\])", r"\\\1", text)


@given(st.lists(st.tuples(st.text("ab []()\\#é", max_size=8), st.text("xy[]\\", min_size=1, max_size=4)), max_size=4))
def test_what_is_marked_is_read(parts):
    marked, text, spans = "", "", []
    for plain, entity in parts:
        marked += f"{escaped(plain)}[{escaped(entity)}](WORK)"
        text += plain
        spans.append((len(text), len(text) + len(entity), "WORK"))
        text += entity
    assert parse_sentence(marked) == (text, spans)


@pytest.mark.parametrize(
    "line", ["a [b](PERSON", "a ] b", "[](PERSON)", "[a]()", "[ a](PERSON)", "[a [b](WORK)](WORK)", "a\\"]
)
def test_broken_markup_names_its_column(line):
    with pytest.raises(CorpusError, match="column"):
        parse_sentence(line)


def test_documents_are_parted_by_blank_lines(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("# comment\n\nOne [Rome](PLACE).\nTwo.\n\n\nThree [x](PERSON)", encoding="utf-8")
    first, second = read_markup(path)
    assert first.text == "One Rome. Two."
    assert first.sentence_starts == (0, 10)
    assert first.spans == ((4, 8, "PLACE"),)
    assert (first.where, second.where) == ("a.txt:3", "a.txt:7")


def test_a_broken_line_names_file_and_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("fine\nnot [fine\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.txt:2: column 5"):
        list(read_markup(path))


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"caf\xe9\n")
    with pytest.raises(CorpusError, match=r"a\.txt:1: not UTF-8 \(byte 4"):
        list(read_markup(path))
