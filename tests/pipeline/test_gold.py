"""From annotation to the tags that each token may bear."""

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ossamma_spacy.knowledge import Candidates, labels_of, write_knowledge
from ossamma_spacy.pipeline.gold import gold_lattice, label_index, preset_lattice

INDEX = label_index(["X", "Y"])  # tags: O, B-X, I-X, B-Y, I-Y
OUT, BX, IX, BY, IY = ([i == k for i in range(5)] for k in range(5))
ANY = [True] * 5
NO_INSIDE = [True, True, False, True, False]


VOCAB = spacy.blank("en").vocab


def lattice(words, ents, predicted=None):
    reference = Doc(VOCAB, words=words, ents=ents)
    example = Example(Doc(VOCAB, words=predicted or words), reference)
    return gold_lattice(example, INDEX).tolist()


def partly(words, entities, annotated, candidates=(), predicted=None):
    reference = Doc(VOCAB, words=words)
    write_knowledge(reference, [Span(reference, *span) for span in entities], annotated, candidates)
    return gold_lattice(Example(Doc(VOCAB, words=predicted or words), reference), INDEX).tolist()


@pytest.mark.parametrize(
    ("ents", "expected"),
    [
        (["B-X", "I-X", "O", "B-Y"], [BX, IX, OUT, BY]),
        (["B-X", "B-X", "I-X", "O"], [BX, BX, IX, OUT]),
        (["", "B-X", "", "O"], [ANY, BX, NO_INSIDE, OUT]),  # a known entity ends where its annotation ends
        (["O", "", "", "O"], [OUT, ANY, ANY, OUT]),
    ],
)
def test_known_tokens_have_one_tag_and_missing_ones_any(ents, expected):
    assert lattice(["a", "b", "c", "d"], ents) == expected


def test_tokens_that_split_gold_continue_its_entity_and_those_that_join_it_are_unknown():
    assert lattice(["ab", "c"], ["B-X", "O"], ["a", "b", "c"]) == [BX, IX, OUT]
    assert lattice(["a", "b", "c"], ["B-X", "I-X", "O"], ["ab", "c"]) == [BX, OUT]
    assert lattice(["a", "b", "c"], ["B-X", "O", "O"], ["ab", "c"])[0] == ANY


NO_X, ENDED = [True, False, False, True, True], [True, False, False, True, False]


def test_labels_that_are_annotated_are_ruled_out_where_nothing_is_marked():
    assert partly(list("abcd"), [(1, 2, "X")], {"X"}) == [NO_X, BX, ENDED, NO_X]
    assert partly(list("abcd"), [(1, 2, "Y")], {"X", "Z"}) == [NO_X, BY, ENDED, NO_X]
    assert partly(list("ab"), [], {"X", "Y", "Z"}) == [OUT, OUT]
    assert partly(list("ab"), [], set()) == [ANY, ANY]


def test_a_span_with_candidates_has_their_tags_alone():
    assert partly(list("abcd"), [], {"X"}, [Candidates(0, 2, ("X", "Y"))]) == [
        [False, True, False, True, False],
        [False, False, True, False, True],
        ENDED,
        NO_X,
    ]
    assert partly(list("abcd"), [], {"X"}, [Candidates(0, 2, ("Y", "O"))])[:2] == [
        [True, False, False, True, False],
        [True, False, False, False, True],
    ]


def test_what_may_be_no_candidate_may_be_of_any_label_that_is_not_annotated():
    assert partly(list("abc"), [], {"Y"}, [Candidates(0, 2, ("X", "O"))])[:2] == [
        [True, True, False, False, False],
        [True, False, True, False, False],
    ]
    assert partly(list("abc"), [], {"X"}, [Candidates(0, 2, ("X", "O"))]) == [
        [True, True, False, True, True],
        [True, False, True, True, True],
        [True, False, False, True, True],
    ]


def test_where_tokens_differ_only_what_a_span_cuts_is_unknown():
    assert partly(list("abcd"), [(0, 1, "X")], {"X"}, predicted=["ab", "c", "d"]) == [ANY, NO_X, NO_X]
    candidates = [Candidates(0, 1, ("X", "Y"))]
    assert partly(list("abcd"), [], {"X"}, candidates, predicted=["ab", "c", "d"]) == [ANY, NO_X, NO_X]
    candidates = [Candidates(1, 3, ("X",), placed=False)]
    assert partly(list("abcd"), [], {"X"}, candidates) == [NO_X, ANY, ANY, NO_X]
    assert partly(["ab", "c"], [], {"X"}, [Candidates(0, 1, ("X", "Y"))], predicted=list("abc"))[:2] == [
        [False, True, False, True, False],
        [False, False, True, False, True],
    ]


def test_the_labels_of_a_document_are_those_that_it_may_have():
    doc = Doc(VOCAB, words=["a", "b"])
    write_knowledge(doc, [Span(doc, 0, 1, "X")], {"Y"}, [Candidates(1, 2, ("Z", "O"))])
    assert labels_of(doc) == {"X", "Y", "Z"}


def test_a_candidate_that_the_pipe_does_not_have_is_named():
    with pytest.raises(ValueError, match="the training data has 'Z', the pipe has X, Y"):
        partly(list("ab"), [], {"X"}, [Candidates(0, 1, ("X", "Z"))])


def test_set_entities_are_kept_and_others_go_around_them():
    doc = Doc(spacy.blank("en").vocab, words=["a", "b", "c", "d"])
    assert preset_lattice(doc, INDEX) is None
    doc.ents = [Span(doc, 1, 3, label="Y")]
    assert preset_lattice(doc, INDEX).tolist() == [ANY, BY, IY, NO_INSIDE]
    doc.ents = [Span(doc, 1, 2, label="somebody else's")]
    assert preset_lattice(doc, INDEX).tolist() == [ANY, OUT, NO_INSIDE, ANY]
