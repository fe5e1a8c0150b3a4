"""Documents from the tokens of a corpus."""

from hypothesis import given
from hypothesis import strategies as st

from ossamma_spacy.corpora.document import Sentence, from_tokens
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
