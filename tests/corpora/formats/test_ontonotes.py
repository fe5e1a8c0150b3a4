"""OntoNotes 5.0 in its two layouts."""

import pytest

from ossamma_spacy.corpora.formats.ontonotes import read_ontonotes
from ossamma_spacy.corpora.lines import CorpusError


def row(token, name="*", part_of_speech="NN"):
    return f"nw/x/00/x_0001 0 0 {token} {part_of_speech} * - - - - {name} -"


def conll(folder, *lines, name="nw/x/00/x_0001"):
    path = folder / "x.v4_gold_conll"
    path.write_text("\n".join([f"#begin document ({name}); part 000", *lines, "", "#end document", ""]))
    return list(read_ontonotes(path))


def names(folder, *lines, first='<DOC DOCNO="nw/x/00/x_0001@all@x@nw@en@on">', last="</DOC>"):
    path = folder / "x.name"
    path.write_text("\n".join([first, *lines, last, ""]))
    (document,) = read_ontonotes(path)
    return document


def spans(document):
    return [(document.text[start:end], label) for start, end, label in document.spans]


def test_gold_conll_has_brackets_around_names(tmp_path):
    (document,) = conll(
        tmp_path,
        row("``"),
        row("New", "(GPE*"),
        row("York", "*)"),
        row("-", "*", "HYPH"),
        row("based"),
        row("Acme", "(ORG)"),
        row("''"),
        row("-LRB-"),
        row("short"),
        row("-", "*", "HYPH"),
        row("and"),
        row("long"),
        row("-", "*", ":"),
        row("term"),
        row("-RRB-"),
        "",
        row("left"),
        row("/."),
    )
    assert document.text == '"New York-based Acme" (short- and long - term) left.'
    assert spans(document) == [("New York", "GPE"), ("Acme", "ORG")]
    assert (document.sentence_starts, document.where) == ((0, 47), "x.v4_gold_conll:1")


def test_parts_are_documents_and_those_without_marked_names_are_left_out(tmp_path):
    part = ["", "#end document", "#begin document (nw/x/00/x_0001); part 001"]
    assert [document.text for document in conll(tmp_path, row("a"), *part, row("b"))] == ["a", "b"]
    assert conll(tmp_path, row("Abraham"), name="pt/nt/40/nt_4001") == []


def test_name_files_have_a_sentence_a_line(tmp_path):
    document = names(
        tmp_path,
        '<ENAMEX TYPE="ORG">AT&amp;T</ENAMEX> , <ENAMEX TYPE="GPE">New York</ENAMEX> - based , '
        '<ENAMEX TYPE="ORG" S_OFF="5">anti-IBM</ENAMEX> .',
        "",
        '<ENAMEX TYPE="CARDINAL">30 <ENAMEX TYPE="X">units</ENAMEX></ENAMEX>-'
        """<ENAMEX TYPE="ORG" E_OFF="2">IBMs'</ENAMEX> -LRB- ok /.""",
    )
    assert document.text == "AT&T, New York-based, anti-IBM. 30 units-IBMs' (ok."
    assert spans(document) == [
        ("AT&T", "ORG"),
        ("New York", "GPE"),
        ("IBM", "ORG"),
        ("30 units", "CARDINAL"),
        ("IBM", "ORG"),
    ]
    assert document.sentence_starts == (0, 32)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a b"], r"x\.v4_gold_conll:2: 2 column\(s\), expected at least 12"),
        ([row("[WORD]")], r"x\.v4_gold_conll:2: \[WORD\] for a word; fill them in"),
        ([row("a", "PER)")], r"x\.v4_gold_conll:2: 'PER\)' in the column of names"),
        ([row("a", "*)")], r"x\.v4_gold_conll:2: '\*\)' in the column of names"),
        ([row("a", "(X*"), row("b", "(Y)")], r"x\.v4_gold_conll:3: '\(Y\)' in the column"),
        ([row("a", "(X*")], r"x\.v4_gold_conll:3: the sentence ends within a name \(X\)"),
        (["", "#end document", row("a")], r"x\.v4_gold_conll:4: .* outside documents"),
    ],
)
def test_lines_of_gold_conll_that_do_not_fit_are_named(tmp_path, lines, message):
    with pytest.raises(CorpusError, match=message):
        conll(tmp_path, *lines)


def test_a_truncated_file_is_named(tmp_path):
    (tmp_path / "y.gold_conll").write_text("#begin document (nw/y); part 000\n" + row("a"))
    with pytest.raises(CorpusError, match=r"y\.gold_conll:2: the file ends within a document"):
        list(read_ontonotes(tmp_path / "y.gold_conll"))


@pytest.mark.parametrize(
    ("line", "given", "message"),
    [
        ("a", {"first": "<TEXT>"}, r"x\.name:1: expected <DOC"),
        ("a", {"last": "b"}, r"x\.name:3: expected </DOC> on the last line"),
        ("<ENAMEX>a</ENAMEX>", {}, r"x\.name:2: a tag with no attributes, expected TYPE"),
        ("a</ENAMEX>", {}, r"x\.name:2: </ENAMEX> closes nothing"),
        ('<ENAMEX TYPE="X" E_OFF="2">ab</ENAMEX>', {}, r"x\.name:2: S_OFF '0' and E_OFF '2', expected numbers"),
    ],
)
def test_name_files_that_do_not_fit_are_named(tmp_path, line, given, message):
    with pytest.raises(CorpusError, match=message):
        names(tmp_path, line, **given)


def test_another_file_is_named(tmp_path):
    with pytest.raises(CorpusError, match="expected a file whose name ends in gold_conll"):
        list(read_ontonotes(tmp_path / "x.parse"))
