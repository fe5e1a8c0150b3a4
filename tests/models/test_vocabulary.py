"""Features of words, and batches of them."""

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from ossamma_spacy.models.batch import batch_words, in_batches, token_batches
from ossamma_spacy.models.vocabulary import CACHE_SIZE, Vocabulary, case_class, shape
from ossamma_spacy.nn.config import EncoderConfig
from ossamma_spacy.nn.lexical import MAX_PIECES

VOCABULARY = Vocabulary.train(["Marie", "Curie", "curious", "in", "Warsaw"], 300)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("rome", 0), ("Rome", 1), ("NATO", 2), ("iPhone", 3), ("McCoy", 3), ("I", 4), ("1,998", 5), ("B2", 6), ("--", 7)],
)
def test_cases(word, kind):
    assert case_class(word) == kind


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Rome", "Xxxx"), ("Washington", "Xxxxx"), ("F-16s", "X-ddx"), ("1998", "dddd"), ("a" * 99, "xxxx")],
)
def test_shapes(word, expected):
    assert shape(word) == expected


@given(st.text(max_size=40))
def test_every_word_has_pieces_of_its_own(word):
    pieces = VOCABULARY.pieces(word)
    assert len(pieces) <= MAX_PIECES
    assert bool(pieces) == bool(word)
    assert all(1 <= piece < VOCABULARY.rows for piece in pieces)
    if len(pieces) < MAX_PIECES:
        assert VOCABULARY.tokenizer.decode([piece - 1 for piece in pieces]) == word


def test_of_a_long_word_both_ends_are_read():
    left, right = (VOCABULARY.pieces("qz" * 5000 + end) for end in ("ab", "cd"))
    assert len(left) == MAX_PIECES
    assert left[: MAX_PIECES // 2] == right[: MAX_PIECES // 2]
    assert left != right


def test_the_same_words_give_the_same_vocabulary_and_it_is_bounded():
    words = [f"word{i}" for i in range(1, 500)]
    first, second = Vocabulary.train(words, 260), Vocabulary.train(words[::-1], 260)
    assert first.json == second.json
    assert first.rows == 260


def test_pieces_occur_often():
    stems = [f"{a}{b}" for a in "bdfghjklmn" for b in "aeiou"]
    vocabulary = Vocabulary.train([stem + "ski" for stem in stems] + ["Xyzzy"] * 49 + ["the"] * 50, 8192)
    assert len(vocabulary.pieces("qski")) == 2
    assert len(vocabulary.pieces("Xyzzy")) == 5
    assert len(vocabulary.pieces("the")) == 1


def test_no_word_counts_more_than_often():
    words = ["a" * n for n in range(2, 40)]
    assert Vocabulary.train([*words, *["bcd"] * 50], 300).json == Vocabulary.train([*words, *["bcd"] * 5000], 300).json


def test_the_cache_is_bounded():
    assert VOCABULARY.features.cache_info().maxsize == CACHE_SIZE
    held = VOCABULARY.features.cache_info().currsize
    VOCABULARY.table(["a" * 1000, "b" * 1000])
    assert VOCABULARY.features.cache_info().currsize == held


def test_a_batch_holds_each_word_once_and_points_at_it():
    nlp = spacy.blank("en")
    config = EncoderConfig(vocabulary_rows=VOCABULARY.rows, word_rows=97, pair_rows=101)
    docs = [Doc(nlp.vocab, words=words) for words in (["Marie", "in", "Warsaw"], [], ["in", "in"])]
    words = batch_words(docs, VOCABULARY, config)
    assert words.lengths.tolist() == [3, 0, 2]
    assert len(words.pieces) == 3
    assert words.index.shape == (3, 3)
    assert words.index[0, 1] == words.index[2, 0] == words.index[2, 1]
    row = words.index[0, 0]
    assert words.pieces[row].tolist() == [
        *VOCABULARY.pieces("Marie"),
        *[0] * (MAX_PIECES - len(VOCABULARY.pieces("Marie"))),
    ]
    # "in in": what stands before the second is what stands after the first
    assert words.pairs[2, 0, 1] == words.pairs[2, 1, 0]
    assert int(words.words.max()) < 97
    assert int(words.pairs.max()) < 101


def test_pairs_know_their_order_and_case_does_not_matter():
    nlp = spacy.blank("en")
    config = EncoderConfig(vocabulary_rows=VOCABULARY.rows)
    pairs = [
        batch_words([Doc(nlp.vocab, words=words)], VOCABULARY, config).pairs[0, 0, 1].item()
        for words in (["New", "York"], ["new", "york"], ["York", "New"])
    ]
    assert pairs[0] == pairs[1] != pairs[2]


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 60))
def test_batches_hold_every_document_once_within_the_budget(lengths, budget):
    batches = list(token_batches(lengths, budget))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget


def test_results_come_in_the_order_of_the_documents():
    batches = []
    assert in_batches(lambda batch: batches.append(batch) or batch, [3, 0, 5, 1], 4) == [0, 1, 2, 3]
    assert len(batches) > 1
