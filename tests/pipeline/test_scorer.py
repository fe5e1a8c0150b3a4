"""Scores of entities, of documents annotated in full and in part."""

from itertools import pairwise

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB2
from spacy.scorer import get_ner_prf
from spacy.tokens import Doc, Span
from spacy.training import Example

from ossamma_spacy.knowledge import Candidates, write_knowledge
from ossamma_spacy.pipeline.scorer import ner_score

VOCAB = spacy.blank("en").vocab


def legal(tags):
    """The tags with each I- that continues nothing as B-."""
    return ["B" + tag[1:] if tag[:1] == "I" and before[1:] != tag[1:] else tag for before, tag in pairwise(["", *tags])]


TAGS = st.lists(st.sampled_from(["", "O", "B-X", "I-X", "B-Y", "I-Y"]), min_size=6, max_size=6).map(legal)


@given(TAGS, TAGS, st.sampled_from([list("abcdef"), ["ab", "c", "def"], ["abcd", "e", "f"]]))
def test_documents_annotated_in_full_are_scored_as_by_spacy(gold, predicted, words):
    example = Example(
        Doc(VOCAB, words=words, ents=predicted[: len(words)]), Doc(VOCAB, words=list("abcdef"), ents=gold)
    )
    expected = get_ner_prf([example])
    scores = ner_score([example])
    assert {key: scores[key] for key in expected} == expected
    per_type = scores["ents_per_type"] or {}
    labels = {span.label_ for span in example.reference.ents}
    expected_macro = sum(per_type[label]["f"] for label in labels) / len(labels) if labels else None
    assert scores["ents_macro_f"] == expected_macro


@given(TAGS, TAGS)
def test_scores_are_those_of_seqeval(gold, predicted):
    gold, predicted = ([tag or "O" for tag in tags] for tags in (gold, predicted))
    words = list("abcdef")
    scores = ner_score([Example(Doc(VOCAB, words=words, ents=predicted), Doc(VOCAB, words=words, ents=gold))])
    for key, score in (("ents_p", precision_score), ("ents_r", recall_score), ("ents_f", f1_score)):
        theirs = score([gold], [predicted], mode="strict", scheme=IOB2, zero_division=0)
        assert (scores[key] or 0) == pytest.approx(theirs)


def counts(predicted, annotated, entities=(), candidates=()):
    """True positives, false positives and false negatives by label, over `a b c d e f`."""
    reference, answer = (Doc(VOCAB, words=list("abcdef")) for _ in range(2))
    write_knowledge(reference, [Span(reference, *span) for span in entities], annotated, candidates)
    answer.ents = [Span(answer, *span) for span in predicted]
    scores = ner_score([Example(answer, reference)])
    return {label: (score["p"], score["r"]) for label, score in (scores["ents_per_type"] or {}).items()}


def test_only_annotated_labels_count():
    entities = [(0, 2, "X"), (2, 3, "Y")]
    assert counts([(0, 2, "X"), (2, 3, "Y"), (4, 5, "Y")], {"X"}, entities) == {"X": (1, 1)}
    assert counts([(0, 2, "X"), (4, 5, "X")], {"X"}, entities) == {"X": (0.5, 1)}
    assert counts([(2, 3, "X")], {"X"}, entities) == {"X": (0, 0)}  # what is Y is no X
    assert counts([(2, 3, "X")], set(), entities) == {}
    assert ner_score([])["ents_f"] is None


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ([(1, 3, "X")], {"X": (1, 1)}),
        ([(1, 3, "Y")], {"Y": (1, 1)}),
        ([(1, 2, "Y")], {"Y": (0, 0), "X": (0, 0)}),
        ([], {"X": (0, 0)}),  # the first of its labels was missed
    ],
)
def test_a_span_with_candidates_is_found_by_any_of_them(predicted, expected):
    assert counts(predicted, {"X", "Y"}, candidates=[Candidates(1, 3, ("X", "Y"))]) == expected


@pytest.mark.parametrize("candidate", [("X", "Z"), ("X", "O"), ()])
def test_predictions_where_the_gold_is_not_known_are_neither_right_nor_wrong(candidate):
    assert counts([(1, 3, "X"), (5, 6, "X")], {"X"}, candidates=[Candidates(2, 4, candidate)]) == {"X": (0, 0)}
    assert counts([(1, 3, "X"), (0, 1, "X")], {"X"}, [(0, 1, "X")], [Candidates(2, 4, candidate)]) == {"X": (1, 1)}


@pytest.mark.parametrize("candidate", [("Y", "Z"), ("Z", "O")])
def test_a_label_that_the_gold_rules_out_is_wrong(candidate):
    for span in ((2, 4, "X"), (1, 3, "X")):
        assert counts([(0, 1, "X"), span], {"X"}, [(0, 1, "X")], [Candidates(2, 4, candidate)]) == {"X": (0.5, 1)}


def test_a_gold_span_that_meets_no_token_border_is_missed():
    assert counts([(0, 1, "X"), (3, 4, "X")], {"X"}, [(0, 1, "X")], [Candidates(3, 4, ("X",), placed=False)]) == {
        "X": (1, 0.5)
    }


@pytest.mark.parametrize("annotated", [None, {"X"}])
def test_what_may_be_nothing_is_not_missed(annotated):
    assert counts([(0, 1, "X")], annotated, [(0, 1, "X")], [Candidates(3, 4, ("X", "O"))]) == {"X": (1, 1)}
