"""From a corpus's labels to the nine: what each span is for us, and what its document then knows."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from spacy.language import Language
from spacy.tokens import Doc, Span

from ossamma_spacy.corpora.catalogue import Corpus
from ossamma_spacy.corpora.docbin import Written
from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.knowledge import OUTSIDE, Candidates, write_knowledge

HONORIFIC = re.compile(r"\b(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Dame|Lord|Lady|Rev|Fr|St)\.?\s+)+$")
DETERMINER = re.compile(r"(?:the|an?)\s+")
BORDER = ' \t\n\r"“”,;:'


class Mapped(NamedTuple):
    """A span in characters and its candidates; none where nothing is known of it."""

    start: int
    end: int
    labels: tuple[str, ...]


def map_spans(document: AnnotatedText, corpus: Corpus) -> list[Mapped]:
    """The spans of a document as the nine labels have them, none overlapping another.

    Of overlapping spans the longest stays. Spaces, quotes and lower-case determiners at a span's borders are cut off;
    a PERSON takes in the honorifics before it. Raises CorpusError for a label without a mapping.
    """
    found = [Mapped(start, end, ()) for start, end in document.unclear]
    for start, end, label in document.spans:
        candidates = corpus.candidates(label)
        if candidates == (OUTSIDE,) or document.text[start:end].lower() in corpus.drop:
            continue
        found += _trim(document.text, Mapped(start, end, candidates))
    taken: list[Mapped] = []
    for span in sorted(found, key=lambda span: (span.start - span.end, span.start)):
        if all(span.end <= other.start or other.end <= span.start for other in taken):
            taken.append(span)
    return sorted(taken)


def _trim(text: str, span: Mapped) -> Iterator[Mapped]:
    start, end, labels = span
    while start < end and text[start] in BORDER:
        start += 1
    while start < end and text[end - 1] in BORDER:
        end -= 1
    if match := DETERMINER.match(text, start, end):
        start = match.end()
    if labels == ("PERSON",) and (match := HONORIFIC.search(text, max(0, start - 40), start)):
        start = match.start()
    if start < end:
        yield Mapped(start, end, labels)


def mapped_doc(nlp: Language, document: AnnotatedText, corpus: Corpus, written: Written) -> Doc:
    """The document in spaCy's tokens with what it knows of the nine labels; what meets no token border is noted."""
    doc = nlp.make_doc(document.text)
    entities: list[Span] = []
    candidates: list[Candidates] = []
    for start, end, labels in map_spans(document, corpus):
        span = doc.char_span(start, end)
        if span is None:
            if labels:
                written.misaligned.append(f"{document.where}: {document.text[start:end]!r} ({labels[0]})")
            around: Any = doc.char_span(start, end, alignment_mode="expand")
            candidates.append(Candidates(around.start, around.end, labels, placed=False))
        elif len(labels) == 1:
            entities.append(Span(doc, span.start, span.end, label=labels[0]))
        else:
            candidates.append(Candidates(span.start, span.end, labels, placed=bool(labels)))
    write_knowledge(doc, entities, corpus.annotated, candidates)
    if len(document.sentence_starts) > 1:
        starts = set(document.sentence_starts)
        for token in doc:
            token.is_sent_start = token.idx in starts
    return doc
