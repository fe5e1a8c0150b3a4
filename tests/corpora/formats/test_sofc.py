"""Papers with tables of sentences and tokens."""

import pytest

from ossamma_spacy.corpora.formats.sofc import read_sofc
from ossamma_spacy.corpora.lines import CorpusError

TEXT = "We made Pt cells. Fine. It gave 2 V."
SENTENCES = "1\t1\t0\t17\n2\t0\t18\t23\n3\t1\t24\t36\n"
TOKENS = (
    "1\t1\t0\t2\tO\tO\n1\t3\t8\t10\tB-MATERIAL\tO\n1\t4\t11\t16\tB-DEVICE\tO\n"
    "3\t1\t0\t2\tO\tO\n3\t3\t8\t9\tB-VALUE\tO\n3\t4\t10\t11\tI-VALUE\tO\n"
)


def sofc(folder, sentences=SENTENCES, tokens=TOKENS):
    contents = {"texts/a.txt": TEXT, "annotations/sentences/a.csv": sentences, "annotations/kinds/a.csv": tokens}
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return list(read_sofc(folder / "annotations/kinds/a.csv"))


def test_each_run_of_annotated_sentences_is_a_document(tmp_path):
    first, second = sofc(tmp_path)
    assert (first.text, first.spans) == (TEXT[:17], ((8, 10, "MATERIAL"), (11, 16, "DEVICE")))
    assert first.source == second.source == "a"  # which stay in one split
    assert (second.text, second.spans) == (TEXT[24:], ((8, 11, "VALUE"),))
    (whole,) = sofc(tmp_path, SENTENCES.replace("3\t1", "2\t1"), TOKENS.replace("3\t", "2\t"))
    assert (whole.text, whole.sentence_starts) == (TEXT, (0, 24))


def test_an_inner_tag_that_continues_nothing_begins_an_entity(tmp_path):
    tokens = TOKENS.replace("2\tO\tO", "2\tI-MATERIAL\tO", 1).replace(
        "1\t4\t11\t16\tB-DEVICE", "1\t4\t11\t16\tI-MATERIAL"
    )
    (document,) = sofc(tmp_path, tokens="".join(tokens.splitlines(keepends=True)[:3]))
    assert document.spans == ((0, 2, "MATERIAL"), (8, 16, "MATERIAL"))
    apart = "1\t1\t0\t2\tB-X\tO\n1\t3\t8\t10\tO\tO\n1\t4\t11\t16\tI-X\tO\n2\t1\t0\t4\tI-X\tO\n"
    (document,) = sofc(tmp_path, tokens=apart)
    assert document.spans == ((0, 2, "X"), (11, 16, "X"), (18, 22, "X"))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"sentences": "1\t1\t0"}, r"sentences.a\.csv:1: expected four columns"),
        ({"tokens": "1\t1\t0\t2"}, r"kinds.a\.csv:1: expected six columns"),
        ({"tokens": "4\t1\t0\t2\tO\tO"}, r"kinds.a\.csv:1: expected .*KeyError"),
        ({"tokens": "1\t1\t0\t2\tQ-X\tO"}, r"kinds.a\.csv:1: tag 'Q-X', expected O or a label after B- or I-"),
        ({"tokens": "1\t1\t0\t2\tX\tO"}, r"kinds.a\.csv:1: tag 'X', expected O"),
        ({"tokens": "1\t1\t0\t2\tB-\tO"}, r"kinds.a\.csv:1: tag 'B-', expected O"),
        ({"tokens": "3\t1\t0\t90\tB-X\tO"}, r"a\.csv:1: span \[0, 90\) of X"),
    ],
)
def test_other_tables_are_named(tmp_path, tables, message):
    with pytest.raises(CorpusError, match=message):
        sofc(tmp_path, **tables)
