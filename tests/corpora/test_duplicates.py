"""Documents that say the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ossamma_spacy.corpora.duplicates import Index, fingerprint

TEXT = "The quick brown fox jumps over the lazy dog near the old river bank at dawn."


def alike(left, right):
    return Index([fingerprint(left)]).nearest(fingerprint(right)) == 0


def test_case_punctuation_and_a_word_do_not_matter():
    assert alike(TEXT, TEXT.upper().replace(".", " !"))
    assert alike(TEXT, TEXT.replace("old", "new"))
    assert alike(TEXT, "As they say: " + TEXT + " And then nothing happened for a very long time indeed.")
    assert not alike(TEXT, "The quick brown cat sleeps under a table while it rains on the roof of the barn.")


def test_texts_of_a_few_words_are_compared_whole():
    assert alike("Thank you", "thank you!")
    assert not alike("Thank you", "Thank you very much")
    assert not alike("?", "?")


def test_a_line_may_stand_in_a_longer_document():
    line = "Rain in the north."
    assert alike(line, line.lower())
    assert not alike(line, TEXT + " " + line)
    assert not alike(TEXT + " " + line, line)


def test_the_most_alike_document_is_named():
    others = ["Nothing of the kind is said in this sentence here.", TEXT[:50], TEXT, ""]
    index = Index([fingerprint(other) for other in others])
    assert index.nearest(fingerprint(TEXT)) == 2
    assert index.nearest(fingerprint(TEXT + " " + TEXT[::-1])) == 2
    assert Index([]).nearest(fingerprint(TEXT)) is None


WORDS = st.lists(st.sampled_from("abcdefg"), min_size=4, max_size=30).map(" ".join)


@given(st.lists(WORDS, max_size=6), WORDS)
def test_nearest_is_what_a_comparison_with_each_finds(others, text):
    prints = [set(fingerprint(other).tolist()) for other in others]
    own = set(fingerprint(text).tolist())
    shares = [
        len(own & other) / min(len(own), len(other))
        if len(own & other) >= min(10, max(len(own), len(other)) / 2)
        else 0
        for other in prints
    ]
    found = Index([fingerprint(other) for other in others]).nearest(fingerprint(text))
    if found is None:
        assert max(shares, default=0) < 0.5
    else:
        assert shares[found] == max(shares) >= 0.5


def test_fingerprints_are_the_same_everywhere():
    assert (
        fingerprint("one two three four five six").tolist()
        == np.sort(fingerprint("One, two three four five six")).tolist()
    )
    assert fingerprint("one two three four five")[0] == 16668804351399435582
