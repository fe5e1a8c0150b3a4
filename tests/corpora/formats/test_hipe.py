"""The HIPE format."""

import pytest

from ossamma_spacy.corpora.formats.hipe import read_hipe
from ossamma_spacy.corpora.lines import CorpusError

HEADER = "TOKEN\tNE-COARSE-LIT\tNE-COARSE-METO\tNE-FINE-LIT\tMISC\n"


def read(tmp_path, rows, header=HEADER, **options):
    path = tmp_path / "news.tsv"
    lines = [row if row.startswith("# ") else "\t".join(row.split(" ")) for row in rows]
    path.write_text(header + "\n".join(lines), encoding="utf-8")
    return list(read_hipe(path, **options))


def marked(document):
    return [(document.text[start:end], label) for start, end, label in document.spans]


def test_flags_say_where_spaces_stand_and_sentences_end(tmp_path):
    (document,) = read(
        tmp_path,
        [
            "# hipe2022:document_id = a",
            "# hipe2022:date = 1790-01-01",
            "In O O O _",
            "Rome B-loc O B-loc.adm NoSpaceAfter",
            ". O O O EndOfLine|EndOfSentence",
            "",
            "I _ _ _ _",
        ],
    )
    assert (document.text, document.sentence_starts, document.where) == ("In Rome. I", (0, 9), "news.tsv:4")
    assert marked(document) == [("Rome", "loc")]


def test_each_document_id_opens_a_document(tmp_path):
    rows = ["# x:document_id = a", "a O O O _", "# x:document_id = b", "b O O O _", "c O O O _"]
    assert [document.text for document in read(tmp_path, rows)] == ["a", "b c"]


def test_a_mention_goes_on_over_a_sentence_end_and_a_words_break(tmp_path):
    rows = ["Mr B-pers O O NoSpaceAfter", ". I-pers O O EndOfSentence", "Lin I-pers O O NoSpaceAfter"]
    rows += ["¬ I-pers O O EndOfLine", "coln I-pers O O _", "¬ O O O _"]
    (document,) = read(tmp_path, rows)
    assert (document.text, marked(document)) == ("Mr. Lincoln ¬", [("Mr. Lincoln", "pers")])


def test_a_mention_may_have_a_part_of_a_token(tmp_path):
    rows = [
        "the B-loc O O _",
        "Indies—and I-loc O O Partial--4:6",
        "toRome B-loc O O NoSpaceAfter|Partial-2:6",
        ". O O O _",
    ]
    (document,) = read(tmp_path, rows)
    assert document.text == "the Indies—and toRome."
    assert marked(document) == [("the Indies", "loc"), ("Rome", "loc")]


def test_columns_may_be_chosen(tmp_path):
    rows = ["Paris B-loc B-org B-loc.adm _", "Rome B-loc O B-loc.adm _"]
    assert marked(read(tmp_path, rows, column="NE-FINE-LIT")[0]) == [("Paris", "loc.adm"), ("Rome", "loc.adm")]
    assert marked(read(tmp_path, rows, metonymy="NE-COARSE-METO")[0]) == [("Paris", "loc/org"), ("Rome", "loc")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a O", r"news\.tsv:2: 2 column\(s\), expected 5 as in the header"),
        ("a X O O _", r"news\.tsv:2: tag 'X', expected O, _ or a label after B- or I-"),
        (" O O O _", r"news\.tsv:2: no token"),
    ],
)
def test_a_bad_line_is_named(tmp_path, row, message):
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, [row])


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"news\.tsv:1: no column MISC, NE-FINE-LIT in 'TOKEN"):
        read(tmp_path, [], header="TOKEN\tNE-COARSE-LIT\n", column="NE-FINE-LIT")


def test_what_is_not_utf8_is_named(tmp_path):
    (tmp_path / "a.tsv").write_bytes(HEADER.encode() + b"caf\xe9\tO\tO\tO\t_\n")
    with pytest.raises(CorpusError, match=r"a\.tsv:2: not UTF-8"):
        list(read_hipe(tmp_path / "a.tsv"))
