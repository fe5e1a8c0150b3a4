"""Documents from the tokens of a corpus."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossamma_spacy.corpora.document import (
    AnnotatedText,
    Sentence,
    check_spans,
    from_token_spans,
    from_tokens,
    merge_spans,
)
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.spacing import unescape


def test_tags_become_spans_of_text_that_reads_naturally():
    document = from_tokens(
        [
            Sentence(
                ["``", "Bell", "Labs", "'", "Shannon", "''", "spoke", "."],
                ["O", "B-ORG", "I-ORG", "O", "B-PER", "O", "O", "O"],
            ),
            Sentence(["Rome", "Rome"], ["B-LOC", "B-LOC"]),
        ],
    )
    assert document.text == '"Bell Labs\' Shannon" spoke. Rome Rome'
    assert [(document.text[a:b], label) for a, b, label in document.spans] == [
        ("Bell Labs", "ORG"),
        ("Shannon", "PER"),
        ("Rome", "LOC"),
        ("Rome", "LOC"),
    ]
    assert document.sentence_starts == (0, 28)


@given(
    st.lists(
        st.lists(st.tuples(st.text("ab'-.(\"", min_size=1, max_size=3), st.sampled_from("OBI")), max_size=6), max_size=3
    )
)
def test_every_token_is_in_the_text_and_every_tag_in_a_span(sentences):
    document = from_tokens(
        [Sentence([t for t, _ in s], [g if g == "O" else g + "-X" for _, g in s]) for s in sentences]
    )
    assert document.text.replace(" ", "") == "".join(unescape(token) for s in sentences for token, _ in s)
    covered = "".join(document.text[a:b] for a, b, _ in document.spans).replace(" ", "")
    assert covered == "".join(unescape(token) for s in sentences for token, tag in s if tag != "O")


def test_spans_of_tokens_may_overlap_and_must_lie_in_the_document():
    sentences = [Sentence(["IL", "-", "2"]), Sentence(["It", "rose", "."])]
    document = from_token_spans(sentences, [(4, 5, "V"), (0, 3, "P"), (2, 3, "N")], "-")
    assert document.text == "IL-2 It rose."
    assert document.spans == ((0, 4, "P"), (3, 4, "N"), (8, 12, "V"))
    with pytest.raises(CorpusError, match=r"a:1: span \[5, 7\) of X in 6 tokens"):
        from_token_spans(sentences, [(5, 7, "X")], where="a:1")


def test_neighbours_are_merged_from_behind():
    text = "2 big red cups, 3 days 4-inch"
    marked = {"2": "N", "big": "A", "red": "A", "cups": "U", "3": "N", "days": "U", "4": "N", "inch": "U"}
    spans = tuple((text.index(part), text.index(part) + len(part), label) for part, label in marked.items())
    merge = {"N": {"U": "days|INCH", "A": ""}, "A": {"U": ".*", "A": ".*"}}
    merged = merge_spans(AnnotatedText(text, spans), merge)
    found = [(text[start:end], label) for start, end, label in merged.spans]
    assert found == [("2", "N"), ("big red cups", "A"), ("3 days", "N"), ("4-inch", "N")]


@pytest.mark.parametrize("span", [(0, 9), (2, 2), (-1, 2)])
def test_spans_outside_the_text_are_named(span):
    with pytest.raises(CorpusError, match=r"a:1: span .* of X is empty or leaves the text of 4 characters"):
        check_spans(AnnotatedText("Rome", ((*span, "X"),), where="a:1"))


@pytest.mark.parametrize(
    "text",
    [
        'He said, "It is late. We go now," and left. "No," she said. "Not now."',
        'It is "late". He agreed. "So be it."',
        '"One line of a letter. "The next line," it ends. "So it is."',  # a paragraph leaves its mark open
    ],
)
def test_quotations_run_through_sentences(text):
    sentences = [
        Sentence(words := re.findall(r"\w+|[^\w\s]", part), ["O"] * len(words))
        for part in re.split(r"(?<=[.])(?=\s)|(?<=[.][\"])(?=\s)", text)
    ]
    assert from_tokens(sentences).text == text
