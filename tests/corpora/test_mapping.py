"""From a corpus's labels to the nine."""

import dataclasses

import pytest
import spacy

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.docbin import Written
from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.mapping import map_spans, mapped_doc
from ossamma_spacy.knowledge import Candidates, Knowledge, read_knowledge

CORPUS = dataclasses.replace(
    catalogue.load("conll2003"),
    labels={"PER": ("PERSON",), "LOC": ("PLACE", "AGENCY"), "ORG": ("AGENCY",), "Generic": ("O",), "Vague": ()},
    drop=frozenset({"people"}),
)


def spans_of(text, *marked):
    """What each marked text is, and where."""
    spans = tuple((text.index(part), text.index(part) + len(part), label) for part, label in marked)
    return [(text[start:end], labels) for start, end, labels in map_spans(AnnotatedText(text, spans), CORPUS)]


@pytest.mark.parametrize(
    ("text", "marked", "expected"),
    [
        ("Dr. Ada Lovelace left", ("Ada Lovelace", "PER"), ("Dr. Ada Lovelace", ("PERSON",))),
        ("Rev Dr Smith left", ("Smith", "PER"), ("Rev Dr Smith", ("PERSON",))),
        ("president Lincoln left", ("Lincoln", "PER"), ("Lincoln", ("PERSON",))),
        ("at St. Louis", ("Louis", "LOC"), ("Louis", ("PLACE", "AGENCY"))),
        ("in the Alps", ("the Alps", "LOC"), ("Alps", ("PLACE", "AGENCY"))),
        ("in The Hague", ("The Hague", "LOC"), ("The Hague", ("PLACE", "AGENCY"))),
        ('by "IBM",', ('"IBM",', "ORG"), ("IBM", ("AGENCY",))),
        ("Some haze", ("haze", "Vague"), ("haze", ())),
    ],
)
def test_spans_follow_the_guideline(text, marked, expected):
    assert spans_of(text, marked) == [expected]


def test_what_is_no_entity_of_ours_is_left_out():
    assert spans_of("the system of People", ("system", "Generic"), ("People", "PER")) == []
    assert spans_of('of " " x', ('" "', "PER")) == []


def test_of_spans_that_overlap_the_longest_stays():
    text = "University of Chicago Press"
    assert spans_of(text, ("Chicago", "LOC"), ("University of Chicago", "ORG"), (text, "ORG")) == [(text, ("AGENCY",))]


def test_a_label_without_a_mapping_is_named():
    with pytest.raises(CorpusError, match="conll2003: the corpus has the label 'MISC'"):
        spans_of("a", ("a", "MISC"))


def test_a_document_knows_what_its_corpus_annotates():
    text = "Ada saw Rome, U.S.-based IBM and some haze."
    marked = {"Ada": "PER", "Rome": "LOC", "U.S": "LOC", "haze": "Vague"}
    spans = tuple((text.index(part), text.index(part) + len(part), label) for part, label in marked.items())
    written = Written()
    doc = mapped_doc(spacy.blank("en"), AnnotatedText(text, spans, (0, 14), "a.txt:3"), CORPUS, written)
    assert [(span.text, span.label_) for span in doc.ents] == [("Ada", "PERSON")]
    assert [token.ent_iob_ for token in doc] == ["B"] + [""] * (len(doc) - 1)
    knowledge = read_knowledge(doc)
    assert isinstance(knowledge, Knowledge)
    assert knowledge.annotated == {"PERSON", "PLACE", "AGENCY"}
    rome, us, haze = knowledge.candidates
    assert rome == Candidates(2, 3, ("PLACE", "AGENCY"))
    assert (doc[us.start : us.end].text, us.labels, us.placed) == ("U.S.-based", ("PLACE", "AGENCY"), False)
    assert (doc[haze.start : haze.end].text, haze.labels, haze.placed) == ("haze", (), False)
    assert written.misaligned == ["a.txt:3: 'U.S' (PLACE)"]
    assert [token.text for token in doc if token.is_sent_start] == ["Ada", "U.S.-based"]
