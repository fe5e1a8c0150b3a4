"""Standoff annotation of the brat tool."""

import pytest

from ossamma_spacy.corpora.formats.brat import read_brat
from ossamma_spacy.corpora.lines import CorpusError


def brat(folder, text, annotations, **options):
    (folder / "a.txt").write_text(text, encoding="utf-8")
    (folder / "a.ann").write_text(annotations, encoding="utf-8")
    (document,) = read_brat(folder / "a.txt", **options)
    return document


def test_text_bound_lines_are_spans_and_parts_that_lie_apart_are_unclear(tmp_path):
    text = "Green and red algae\nof Rome."
    document = brat(
        tmp_path,
        text,
        "T2\tPlace 23 27\tRome\nN1\tReference T2 X:1\tRome\n#1\tNote T2\tx\n"
        "T1\tPhylum 10 19\tred algae\nT3\tPhylum 14 19;0 5\talgae Green\n",
    )
    assert document.text == text
    assert document.spans == ((10, 19, "Phylum"), (23, 27, "Place"))
    assert document.unclear == ((0, 19),)
    assert document.where == "a.ann"


def test_entities_of_html_are_characters(tmp_path):
    text, annotations = "P &lt; 0.05; &quot;E. coli&quot; &beta;", "T1\tX 19 26\tE. coli\nT2\tX 19 26;0 1\tE. coli P\n"
    document = brat(tmp_path, text, annotations, html=True)
    assert document.text == 'P < 0.05; "E. coli" β'
    assert [document.text[start:end] for start, end, _ in document.spans] == ["E. coli"]
    assert document.unclear == ((0, 18),)
    assert brat(tmp_path, text, annotations).text == text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T1\tX 0 4", r"a\.ann:1: 'T1.tX 0 4', expected"),
        ("T1 X 0 4 Rome", r"a\.ann:1: 'T1 X 0 4 Rome', expected"),
        ("T1\tX 1 4\tRome", r"a\.ann:1: the text has 'ome' at 1 4, not 'Rome'"),
        ("T1\tX 0 40\tRome and more", r"a\.ann:1: the text has 'Rome' at 0 40"),
    ],
)
def test_lines_that_do_not_fit_are_named(tmp_path, line, message):
    with pytest.raises(CorpusError, match=message.replace(".t", r"\\t")):
        brat(tmp_path, "Rome", line)


def test_a_document_without_annotation_file_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("Rome")
    with pytest.raises(CorpusError, match=r"a\.txt: no a\.ann beside it"):
        list(read_brat(tmp_path / "a.txt"))
