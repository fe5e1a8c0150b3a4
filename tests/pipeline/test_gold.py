"""From annotation to the tags that each token may bear."""

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ossamma_spacy.pipeline.gold import gold_lattice, label_index, preset_lattice

INDEX = label_index(["X", "Y"])  # tags: O, B-X, I-X, B-Y, I-Y
OUT, BX, IX, BY, IY = ([i == k for i in range(5)] for k in range(5))
ANY = [True] * 5
NO_INSIDE = [True, True, False, True, False]


def lattice(words, ents, predicted=None):
    vocab = spacy.blank("en").vocab
    reference = Doc(vocab, words=words, ents=ents)
    example = Example(Doc(vocab, words=predicted or words), reference)
    return gold_lattice(example, INDEX).tolist()


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


def test_set_entities_are_kept_and_others_go_around_them():
    doc = Doc(spacy.blank("en").vocab, words=["a", "b", "c", "d"])
    assert preset_lattice(doc, INDEX) is None
    doc.ents = [Span(doc, 1, 3, label="Y")]
    assert preset_lattice(doc, INDEX).tolist() == [ANY, BY, IY, NO_INSIDE]
    doc.ents = [Span(doc, 1, 2, label="somebody else's")]
    assert preset_lattice(doc, INDEX).tolist() == [ANY, OUT, NO_INSIDE, ANY]
