"""Reading token-per-line files."""

import lzma

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import DocBin

from ossamma_spacy.corpora.docbin import Written, docs_from_sentences, write_docbin
from ossamma_spacy.corpora.formats.columns import ColumnsReport, Layout, read_columns, read_documents
from ossamma_spacy.corpora.lines import CorpusError


def read(tmp_path, text, n_sents=0, report=None, **layout):
    path = tmp_path / "corpus.conll"
    path.write_bytes(text.encode("utf-8"))
    return list(read_documents(path, Layout(**layout), n_sents=n_sents, report=report))


def tags(documents):
    return [tag for sentences in documents for sentence in sentences for tag in sentence.tags]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("I-X I-X O I-X", "B-X I-X O B-X"),  # IOB1
        ("I-X B-X I-X", "B-X B-X I-X"),
        ("B-X I-X B-X O", "B-X I-X B-X O"),  # IOB2
        ("B-X I-X E-X S-X", "B-X I-X I-X B-X"),  # BIOES
        ("B-X L-X U-Y I-Y", "B-X I-X B-Y B-Y"),  # BILUO, with a stray I-
        ("I-X I-Y", "B-X B-Y"),
    ],
)
def test_every_scheme_becomes_iob2(tmp_path, given, expected):
    lines = "\n".join(f"w\t{tag}" for tag in given.split())
    assert tags(read(tmp_path, lines)) == expected.split()


def test_documents_follow_docstart_lines(tmp_path):
    text = "-DOCSTART- O\n\na O\n\nb O\n\n-DOCSTART- O\n\nc O\n"
    documents = read(tmp_path, text)
    assert [[sentence.tokens for sentence in d] for d in documents] == [[["a"], ["b"]], [["c"]]]


def test_without_docstart_each_sentence_is_a_document(tmp_path):
    assert [len(document) for document in read(tmp_path, "a O\n\n\nb O\n\nc O")] == [1, 1, 1]


def test_documents_are_cut_and_joined_to_a_number_of_sentences(tmp_path):
    def sizes(text):
        return [len(document) for document in read(tmp_path, text, n_sents=2)]

    assert sizes("a O\n\nb O\n\nc O\n") == [2, 1]
    # what -DOCSTART- parts is never joined
    assert sizes("-DOCSTART- O\n\na O\n\n-DOCSTART- O\n\nb O\n\n-DOCSTART- O\n\nc O\n\nd O\n\ne O\n") == [1, 1, 2, 1]


@pytest.mark.parametrize("text", ["\ufeffa\tO\r\nb\tB-X\r\n", "a O\nb B-X"])
def test_byte_order_marks_and_line_ends_do_not_matter(tmp_path, text):
    assert tags(read(tmp_path, text)) == ["O", "B-X"]


def test_columns_may_be_chosen(tmp_path):
    (document,) = read(tmp_path, "1\ta\tB-X\tnoun\n", token=1, tag=2)
    assert (document[0].tokens, document[0].tags) == (["a"], ["B-X"])


def test_compressed_files_are_read(tmp_path):
    path = tmp_path / "a.conll.xz"
    path.write_bytes(lzma.compress(b"a O\n"))
    assert tags(read_documents(path)) == ["O"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a O\nb\n", r"corpus\.conll:2: 1 column"),
        ("a O\rb B-X\n", r"corpus\.conll:1: a carriage return within 'a O\\rb B-X'"),
        ("a O\nb Q-X\n", r"corpus\.conll:2: tag 'Q-X'"),
        ("a B-\n", r"corpus\.conll:1: tag 'B-'"),
        ("a X\n", r"corpus\.conll:1: tag 'X'"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, message):
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, text)


def test_an_empty_token_ends_a_sentence_unless_it_has_an_entitys_tag(tmp_path):
    text = "a\tB-X\n \tO\nb\tO\n\t\nc\tO\n"
    assert [tags([document]) for document in read(tmp_path, text, separator="\t")] == [["B-X"], ["O"], ["O"]]
    with pytest.raises(CorpusError, match=r"corpus\.conll:2: tag 'I-X' without a token"):
        read(tmp_path, "a\tB-X\n\tI-X\n", separator="\t")


@pytest.mark.parametrize(
    ("text", "layout", "expected"),
    [
        ("# id 1\na _ _ B-X\n\n# id 2\nb _ _ O\n", {"comment": "#"}, [["a/B-X"], ["b/O"]]),
        ("word tag\na O\n", {"header": 1}, [["a/O"]]),
        ("a X\nb X\nc Y\nd O\n", {"bare": True}, [["a/B-X", "b/I-X", "c/B-Y", "d/O"]]),
        ("a B\nb I\nc B\n", {"label": "X"}, [["a/B-X", "b/I-X", "c/B-X"]]),
        ("en:a O\nen:b O\n", {"strip": "en:"}, [["a/O", "b/O"]]),
        ("@ B-X\na B-X\n@ B-X\nb I-X\n@ O\nc B-Y\n", {"glue": "@"}, [["@a/B-X", "@b/B-X", "@c/B-Y"]]),
        ("@ B-X\na I-X\n_ O\nb B-X\n_ O\n: O\n", {"glue": "@"}, [["@a_b_/B-X", ":/O"]]),
        ("@ O\n_ O\na B-X\n_ O\nb B-X\n", {"glue": "@"}, [["@_a_b/O"]]),
        ("@ O\na O\nc B-X\n_ I-X\n", {"glue": "@"}, [["@a/O", "c/B-X", "_/I-X"]]),
        (
            "A B-X\n& I-X\namp I-X\n; O\nB B-X\n&lt; O\n; O\n",
            {"html": True},
            [["A/B-X", "&/I-X", "B/I-X", "</O", ";/O"]],
        ),
        ("A B-X\n& B-X\namp I-X\n; I-X\nB B-X\n", {"html": True}, [["A/B-X", "&/B-X", "B/B-X"]]),
        ("& B-X\namp I-X\n; O\n\nB B-X\n", {"html": True}, [["&/B-X"], ["B/B-X"]]),
        ("& B-X\namp I-X\n; O\na O\nB B-X\n", {"html": True}, [["&/B-X", "a/O", "B/B-X"]]),
        ("KÃ¶ln O\nKÃƒÂ¶ln O\nKöln O\nâ€“ O\n", {"mojibake": True}, [["Köln/O", "Köln/O", "Köln/O", "–/O"]]),
        ("New B-X\nYorker I-X\ns O\n' O\ns O\n", {"plural": True}, [["New/B-X", "Yorkers/I-X", "'/O", "s/O"]]),
        ("1980 B-X\ns I-X\n5 B-X\ns I-X\n", {"plural": True}, [["1980s/B-X", "5/B-X", "s/I-X"]]),
        ("1980 B-X\ns I-X\nAda B-X\ns O\n", {"decades": True}, [["1980s/B-X", "Ada/B-X", "s/O"]]),
        ('"a ""b"" ,",O\n,O\nc,I-X\n', {"separator": ","}, [['a "b" ,/O'], ["c/B-X"]]),
        ("New York\tB-X\n \nc\tO\n", {"separator": "\t"}, [["New York/B-X"], ["c/O"]]),
        (
            "no,word,tag\n1,a,O\n1,b,O\n2,c,O\n,d,O\n",
            {"separator": ",", "sentence": 0, "token": 1, "header": 1},
            [["a/O", "b/O"], ["c/O", "d/O"]],
        ),
        ("a O\n. O\nb B-X\n. O\n", {"stop": "."}, [["a/O", "./O"], ["b/B-X", "./O"]]),
        ("a O\nb B-X B-Y\n", {"tag": 1, "ragged": True}, [["a/O", "b/B-X"]]),
        ("a O\nb\nc O\n\nd O\n", {"lenient": True}, [["d/O"]]),
    ],
)
def test_layouts(tmp_path, text, layout, expected):
    documents = read(tmp_path, text, **layout)
    found = [
        [f"{token}/{tag}" for token, tag in zip(sentence.tokens, sentence.tags, strict=True)]
        for document in documents
        for sentence in document
    ]
    assert found == expected


def sizes(documents):
    return [len(document) for document in documents]


def test_a_line_may_open_documents_or_none(tmp_path):
    text = "# new 1\na O\n\n# b\nb O\n\n# new 2\nc O\n"
    assert sizes(read(tmp_path, text, comment="#", document="# new")) == [2, 1]
    assert sizes(read(tmp_path, text, comment="#", document="")) == [1, 1, 1]
    assert sizes(read(tmp_path, text, comment="#", document="", whole=True)) == [3]


def test_a_comment_may_have_the_sentence_as_it_was_written(tmp_path):
    text = '# text = " I do n\'t"\n" O\nI O\ndo O\nn\'t O\n" O\n\n# text = another\na O\n'
    (tmp_path / "a").write_text(text)
    first, second = read_documents(tmp_path / "a", Layout(comment="#", text="# text = "))
    assert first[0].spaces == [True, True, False, False, False]
    assert second[0].spaces == []
    (document, _) = read_columns(tmp_path / "a", comment="#", text="# text = ")
    assert document.text == '" I don\'t"'


def test_sentences_left_out_are_reported_and_lines_are_known(tmp_path):
    report = ColumnsReport()
    documents = read(tmp_path, "a O\nb\n\n\nc O\nd O\n", report=report, lenient=True)
    assert report.broken == [2]
    assert [document[0].line for document in documents] == [5]


def test_documents_are_read_as_text(tmp_path):
    (tmp_path / "a").write_text("IL O\n- O\n2 B-X\n. O\n")
    (document,) = read_columns(tmp_path / "a", joined="-")
    assert (document.text, document.spans, document.where) == ("IL-2.", ((3, 4, "X"),), "a:1")


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "latin.conll"
    path.write_bytes(b"caf\xe9 O\n")
    with pytest.raises(CorpusError, match=r"latin\.conll:1: not UTF-8"):
        list(read_documents(path))


def test_repairs_are_reported_with_their_lines(tmp_path):
    report = ColumnsReport()
    read(tmp_path, "a O\nb I-X\nc I-X\n", report=report)
    assert report.repaired == [2]


@given(st.lists(st.sampled_from(["O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y"]), min_size=1, max_size=12))
def test_any_sequence_of_tags_becomes_legal(tmp_path_factory, sequence):
    lines = "\n".join(f"w {tag}" for tag in sequence)
    previous = "O"
    for tag in tags(read(tmp_path_factory.mktemp("iob"), lines)):
        assert tag[0] != "I" or previous[2:] == tag[2:]
        previous = tag


def test_docbins_are_written_whole_and_alike(tmp_path):
    nlp = spacy.blank("en")
    documents = read(tmp_path, "Rome B-X\nis O\n\nAda B-Y\nLovelace I-Y\n", n_sents=10)
    paths = [tmp_path / "a.spacy", tmp_path / "sub" / "b.spacy"]
    for path in paths:
        written = write_docbin(docs_from_sentences(nlp, documents), path, Written())
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert (written.documents, written.tokens, dict(written.labels)) == (1, 4, {"X": 1, "Y": 1})
    (doc,) = DocBin().from_disk(paths[0]).get_docs(nlp.vocab)
    assert [(e.text, e.label_) for e in doc.ents] == [("Rome", "X"), ("Ada Lovelace", "Y")]
    assert [s.text for s in doc.sents] == ["Rome is", "Ada Lovelace"]


def test_a_failed_conversion_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.spacy"
    path.write_bytes(b"old")

    def broken():
        raise CorpusError("no")
        yield

    with pytest.raises(CorpusError):
        write_docbin(broken(), path, Written())
    assert path.read_bytes() == b"old"


def test_a_column_of_sentences_that_is_not_there_is_named(tmp_path):
    (tmp_path / "a.tsv").write_text("Rome B-LOC\n")
    with pytest.raises(CorpusError, match=r"a\.tsv:1: 2 column\(s\) in 'Rome B-LOC', expected at least 8"):
        list(read_documents(tmp_path / "a.tsv", Layout(sentence=7)))
