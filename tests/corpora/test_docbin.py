"""Documents from texts with character offsets."""

from itertools import pairwise

import spacy
from hypothesis import given
from hypothesis import strategies as st

from ossamma_spacy.corpora.docbin import Written, docs_from_offsets
from ossamma_spacy.corpora.document import AnnotatedText

NLP = spacy.blank("en")
TEXT = "OR=2.63 (95%CI: 1.2,halfpennies—421) at St Paul's, Onslow Square;Colgate."


@given(st.sets(st.integers(0, len(TEXT))))
def test_every_span_is_an_entity_or_unknown_tokens(borders):
    spans = tuple((start, end, "MEASURE") for start, end in list(pairwise(sorted(borders)))[::2])
    written = Written()
    (doc,) = docs_from_offsets(NLP, [AnnotatedText(TEXT, spans)], written)
    found = {(span.start_char, span.end_char, span.label_) for span in doc.ents}
    assert found <= set(spans)
    assert len(found) + len(written.misaligned) == len(spans)
    for token in doc:
        touched = any(start < token.idx + len(token) and token.idx < end for start, end, _ in spans)
        assert (token.ent_iob_ == "O") == (not touched)
