"""Entities marked by elements within running text."""

import pytest

from ossamma_spacy.corpora.formats.inline import read_inline
from ossamma_spacy.corpora.lines import CorpusError


def inline(folder, text, **options):
    (folder / "a.xml").write_text(text, encoding="utf-8")
    return list(read_inline(folder / "a.xml", **options))


def test_elements_are_spans_labelled_by_an_attribute(tmp_path):
    (document,) = inline(
        tmp_path,
        '<D><H><T kind="X">Monday</T></H>\n<TEXT>\nIt <E>rained</E> on <T kind="DATE">May 1</T>.\n\n'
        '<T kind="TIME">Noon</T> was dry. <T kind="DATE"/>\n</TEXT></D>',
        document="TEXT",
        entities={"T": "kind"},
    )
    assert document.text == "It rained on May 1.\nNoon was dry."
    assert [(document.text[start:end], label) for start, end, label in document.spans] == [
        ("May 1", "DATE"),
        ("Noon", "TIME"),
    ]
    assert (document.sentence_starts, document.where) == ((0,), "a.xml:2")


def test_sentences_and_lines_are_known(tmp_path):
    documents = inline(
        tmp_path,
        "<c><d>\n<p><s>A b.</s>\n<s>C d.</s></p>\n<p><s>E</s><s></s></p></d><d><s>F</s></d></c>",
        document="d",
        entities={},
        sentence="s",
        lines=["p"],
    )
    assert [(document.text, document.sentence_starts) for document in documents] == [
        ("A b. C d.\nE", (0, 5, 10)),
        ("F", (0,)),
    ]


def test_what_tokenizers_parted_is_closed_up(tmp_path):
    (document,) = inline(
        tmp_path,
        '<d>The world \' s <n t="X">Austro - Hungarian</n> war ( <n t="Y">WWI</n> ) - and more.</d>',
        document="d",
        entities={"n": "t"},
        tidy=True,
    )
    assert document.text == "The world's Austro-Hungarian war (WWI) - and more."
    assert [document.text[start:end] for start, end, _ in document.spans] == ["Austro-Hungarian", "WWI"]


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"a\.xml:1: no <d>"):
        inline(tmp_path, "<c/>", document="d", entities={})
    with pytest.raises(CorpusError, match=r"a\.xml:2: <n> without t"):
        inline(tmp_path, "<d>\n<n>x</n></d>", document="d", entities={"n": "t"})
