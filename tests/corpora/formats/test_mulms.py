"""Sentences whose labels name the token where their entity begins."""

import pytest

from ossamma_spacy.corpora.formats.mulms import read_mulms
from ossamma_spacy.corpora.lines import CorpusError


def mulms(folder, text, **options):
    (folder / "a.conllu").write_text(text, encoding="utf-8")
    return list(read_mulms(folder / "a.conllu", **options))


def test_labels_reach_back_to_the_token_that_they_name(tmp_path):
    text = "# text = At 5 mm.\n1\tAt\tO\n2\t5\t2:NUM\n3\tmm\t3:UNIT|2:VALUE\n4\t.\tO\n\n# text = Yes\n1\tYes\tO\n"
    first, second = mulms(tmp_path, text)
    assert (first.text, second.text) == ("At 5 mm.", "Yes")
    assert first.spans == ((3, 4, "NUM"), (3, 7, "VALUE"), (5, 7, "UNIT"))
    assert second.where == "a.conllu:7"


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("the utiliza- tion of tin", "the utilization of tin"),
        ("well- defined, well, defined", "well-defined, well, defined"),
        ("elec- trode, elec, trode, electrode", "electrode, elec, trode, electrode"),
        ("micro- and nanotubes", "micro- and nanotubes"),
        ("5 cm(cid:0) 2", "5 cm−2"),
    ],
)
def test_words_that_a_line_has_cut_are_whole(tmp_path, broken, whole):
    tokens = broken.split()
    rows = "".join(f"{i}\t{token}\t{i}:X\n" for i, token in enumerate(tokens, start=1))
    (document,) = mulms(tmp_path, f"# text = {broken}\n{rows}")
    assert document.text == whole
    assert all(document.text[start:end] for start, end, _ in document.spans)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# text = a\n1\ta", r"a\.conllu:2: expected number, token"),
        ("# text = a\n1\ta\tMAT", r"a\.conllu:2: expected number, token"),
        ("# text = a\n1\ta\t5:MAT", r"a\.conllu:1: span \[4, 1\) of MAT"),
        ("# text = a b\n1\ta\tO", r"a\.conllu:1: the tokens are not those of the text 'a b'"),
    ],
)
def test_other_lines_are_named(tmp_path, text, message):
    with pytest.raises(CorpusError, match=message):
        mulms(tmp_path, text)


def test_sentences_with_other_tokens_may_be_left_out(tmp_path):
    documents = mulms(tmp_path, "# text = a b\n1\ta\tO\n\n# text = c\n1\tc\tO\n", lenient=True, skipped=(skipped := []))
    assert [document.text for document in documents] == ["c"]
    assert skipped == ["a.conllu:1"]
