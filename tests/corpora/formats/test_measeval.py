"""Paragraphs with tables of quantities."""

import pytest

from ossamma_spacy.corpora.formats.measeval import HEADER, read_measeval
from ossamma_spacy.corpora.lines import CorpusError


def measeval(folder, *rows):
    for name in ("text", "tsv"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "text" / "a.txt").write_text("It weighs 5 kg.", encoding="utf-8")
    if rows:
        (folder / "tsv" / "a.tsv").write_text("\n".join(rows), encoding="utf-8")
    (document,) = read_measeval(folder / "text" / "a.txt")
    return document


def test_tables_hold_offsets(tmp_path):
    document = measeval(
        tmp_path, HEADER, "a\t1\tQuantity\t10\t14\tT1\t5 kg\t{}", "a\t1\tQuantity\t10\t14\tT9\t5 kg\t{}"
    )
    assert document.spans == ((10, 14, "Quantity"),)


def test_a_paragraph_may_have_no_table(tmp_path):
    assert measeval(tmp_path).spans == ()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a\tb"], r"a\.tsv:1: 'a\\tb', expected the columns"),
        ([HEADER, "a\t1\tQuantity"], r"a\.tsv:2: expected the columns"),
        ([HEADER, "a\t1\tQuantity\t9\t14\tT1\t5 kg\t{}"], r"a\.tsv:2: the text has ' 5 kg' there, not '5 kg'"),
    ],
)
def test_other_tables_are_named(tmp_path, rows, message):
    with pytest.raises(CorpusError, match=message):
        measeval(tmp_path, *rows)
