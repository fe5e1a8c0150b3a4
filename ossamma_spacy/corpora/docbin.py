"""Writing documents to spaCy's DocBin."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from ossamma_spacy.corpora.document import AnnotatedText, Sentence
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.files import write_whole
from ossamma_spacy.knowledge import Candidates, read_knowledge, write_knowledge


@dataclass
class Written:
    """What was written: documents, tokens, entities by label, with several candidates, and off token borders.

    skipped: where the source has sentences or documents that could not be read and were left out. repeated: documents
    that repeat another of the split and were left out.
    """

    documents: int = 0
    tokens: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    candidates: int = 0
    misaligned: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    repeated: int = 0

    def count(self, doc: Doc) -> None:
        self.documents += 1
        self.tokens += len(doc)
        self.labels.update(span.label_ for span in doc.ents)
        knowledge = read_knowledge(doc)
        self.candidates += sum(found.placed for found in knowledge.candidates) if knowledge else 0


def docs_from_sentences(nlp: Language, documents: Iterable[list[Sentence]]) -> Iterator[Doc]:
    """A Doc for each document, with the corpus's own tokens."""
    for sentences in documents:
        words = [word for sentence in sentences for word in sentence.tokens]
        starts: list[bool | int | None] = [i == 0 for sentence in sentences for i in range(len(sentence.tokens))]
        tags = [tag for sentence in sentences for tag in sentence.tags]
        yield Doc(nlp.vocab, words=words, sent_starts=starts, ents=tags)


def docs_from_offsets(nlp: Language, documents: Iterable[AnnotatedText], written: Written) -> Iterator[Doc]:
    """A Doc for each document in spaCy's tokens; of a span that meets no token border it knows where it lies."""
    for marked in documents:
        doc = make_doc(nlp, marked)
        spans, unplaced = [], []
        for start, end, label in marked.spans:
            span = doc.char_span(start, end, label=label)
            if span is None:
                around: Any = doc.char_span(start, end, alignment_mode="expand")
                unplaced.append(Candidates(around.start, around.end, (label,), placed=False))
                written.misaligned.append(f"{marked.where}: {marked.text[start:end]!r} ({label})")
            else:
                spans.append(span)
        write_knowledge(doc, spans, None, unplaced)
        mark_sentences(doc, marked.sentence_starts)
        yield doc


def make_doc(nlp: Language, document: AnnotatedText) -> Doc:
    """The text in spaCy's tokens; raises CorpusError, naming the place, where it is longer than spaCy trains on."""
    if len(document.text) > nlp.max_length:
        raise CorpusError(
            f"{document.where}: a text of {len(document.text)} characters, spaCy takes {nlp.max_length} at most; "
            "part it into several documents"
        )
    return nlp.make_doc(document.text)


def mark_sentences(doc: Doc, starts: Sequence[int]) -> None:
    """Set where sentences start, in characters; a single one says nothing."""
    if len(starts) > 1:
        # token by token it takes quadratic time
        begins: Any = np.where(np.isin([token.idx for token in doc], starts), 1, -1).astype(np.uint64)
        doc.from_array(["SENT_START"], begins)


def write_docbin(docs: Iterable[Doc], path: Path, written: Written) -> Written:
    """Write `path` at once or not at all; the same documents give the same bytes.

    Raises ValueError, and writes nothing, where there is no document.
    """
    store = DocBin()
    for doc in docs:
        written.count(doc)
        store.add(doc)
    if not written.documents:
        raise ValueError(f"{path}: the source holds no document, nothing is written")
    write_whole(path, store.to_bytes())
    return written
