"""From a corpus's labels to the nine: what each span is for us, and what its document then knows."""

import re
from collections.abc import Container
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from ossamma_spacy.corpora.borders import BORDER, DETERMINER, Mapped, is_measure, joined, parts, trimmed
from ossamma_spacy.corpora.catalogue import NAMES_UNKNOWN, Corpus
from ossamma_spacy.corpora.docbin import Written, make_doc, mark_sentences
from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.knowledge import OUTSIDE, Candidates, write_knowledge
from ossamma_spacy.labels import LABELS

# behind a stop that ends a sentence
SENTENCE_END = re.compile(r"""["'”’]|\s*\Z|\s+(?:[A-Z"'“‘#@]|https?:)""")
INITIALS = re.compile(r"(?:\w\.){2,}")
CAPITALISED = re.compile(
    r"\b(?!(?:I|The|An?|This|That|These|Those|My|Your|His|Her|Its|Our|Their|Every|Each|Any|Some|No|One)\b)[A-Z][\w’'-]*"
)
SIGN = re.compile(r"[~∼<>≤≥⩽⩾≦≧≲≳≈]+=?")  # before a measure, in one token with it


def map_spans(document: AnnotatedText, corpus: Corpus) -> list[Mapped]:
    """The spans of a document as the nine labels have them, none overlapping another.

    Of overlapping spans the longest stays; where several have the same borders, what is certain does. Their borders
    are moved as `borders.trimmed` says, save where all nine labels are annotated: such a corpus follows the guideline.
    Nothing is known of the corpus's unsure words outside the spans. Raises CorpusError for a label without a mapping.
    """
    own = corpus.annotated.issuperset(LABELS)  # by this very guideline
    found = [Mapped(start, end, ()) for start, end in document.unclear]
    unsure = [Mapped(*match.span(), ()) for match in corpus.unsure_words.finditer(document.text)]
    for start, end, label in document.spans:
        marked = document.text[start:end].strip(BORDER)
        match = DETERMINER.match(marked)
        name = marked[match.end() :] if match else marked
        candidates = corpus.candidates(label, name, document.where)
        if candidates == (NAMES_UNKNOWN,):
            unsure += [Mapped(*match.span(), ()) for match in CAPITALISED.finditer(document.text, start, end)]
            continue
        if candidates == (OUTSIDE,) or {marked.lower(), name.lower()} & corpus.drop:
            continue
        span = Mapped(start, end, candidates)
        if own:
            found.append(span)
            continue
        for part in parts(document.text, span):
            found += trimmed(document.text, part, possessives=corpus.possessives)
    taken: list[Mapped] = []
    for span in [*sorted(_united(found), key=lambda span: (span.start - span.end, span.start)), *unsure]:
        if all(span.end <= other.start or other.end <= span.start for other in taken):
            taken.append(span)
    return sorted(taken) if own else joined(document.text, sorted(taken))


def _united(spans: list[Mapped]) -> list[Mapped]:
    """One span for all that have the same borders: an entity if one is, with the labels that they share, else all."""
    groups: dict[tuple[int, int], list[tuple[str, ...]]] = {}
    for start, end, labels in spans:
        groups.setdefault((start, end), []).append(labels)
    united = []
    for (start, end), group in groups.items():
        known = [labels for labels in group if labels]
        sets = [labels for labels in known if OUTSIDE not in labels] or known
        each = list(dict.fromkeys(label for labels in sets for label in labels))
        shared = [label for label in each if all(label in labels for labels in sets)]
        united.append(Mapped(start, end, tuple(shared or each)))
    return united


def mapped_doc(nlp: Language, document: AnnotatedText, corpus: Corpus, written: Written) -> Doc:
    """The document in spaCy's tokens with what it knows of the nine labels; what meets no token border is noted."""
    doc = make_doc(nlp, document)
    entities: list[Span] = []
    candidates: list[Candidates] = []
    tokenizer: Any = nlp.tokenizer
    own_stops = corpus.stops == "keep" or corpus.annotated.issuperset(LABELS)
    for mapped in map_spans(document, corpus):
        start, end, labels = mapped
        span = doc.char_span(start, end)
        if not own_stops:
            span = _stopped(doc, span, mapped, document.text, tokenizer.rules or ())
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
    mark_sentences(doc, document.sentence_starts)
    return doc


def _stopped(doc: Doc, span: Span | None, mapped: Mapped, text: str, listed: Container[str]) -> Span | None:
    """The span without the stop that ends a sentence, with that of an abbreviation; `listed` are the tokenizer's.

    A measure keeps the sign that is one token with it ("~20").
    """
    if span is None and is_measure(mapped.labels):
        longer = doc.char_span(mapped.start, mapped.end, alignment_mode="expand")
        if longer is None or longer.end_char != mapped.end:
            return None
        return longer if SIGN.fullmatch(text, longer.start_char, mapped.start) else None
    if span is None and text.startswith(".", mapped.end):
        longer = doc.char_span(mapped.start, mapped.end + 1)
        # "Inc..": both stops are one token
        known = longer is not None and _is_abbreviation(longer.text.split()[-1].replace("..", "."), listed)
        return longer if known else None
    if span is not None and len(span) > 1 and span[-1].text == "." and SENTENCE_END.match(text, mapped.end):
        return span if _is_abbreviation(f"{span[-2].text}.", listed) else span[:-1]
    return span


def _is_abbreviation(token: str, listed: Container[str]) -> bool:
    """Also in capitals ("INC."); a letter alone is none ("37 C.", "World War I.")."""
    known = token in listed or (token.isupper() and token.title() in listed)
    return INITIALS.fullmatch(token) is not None or (known and len(token) > len("C."))
