"""From a corpus's labels to the nine: what each span is for us, and what its document then knows."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span

from ossamma_spacy.corpora.catalogue import Corpus
from ossamma_spacy.corpora.docbin import Written
from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.forms import COUNT, NUMERAL
from ossamma_spacy.knowledge import OUTSIDE, Candidates, write_knowledge
from ossamma_spacy.labels import LABELS

HONORIFIC = re.compile(r"\b(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Dame|Lord|Lady|Rev|Fr|St)\.?\s+)+$")
OFFICE = re.compile(
    r"(?:(?:(?:Vice|Deputy|Lieutenant|Major|Brigadier|Rear|Attorney|Chief|Prime|Foreign|Defen[cs]e|First)[ -])?"
    r"(?:President|Minister|Chancellor|Senator|Sen|Governor|Gov|Congress(?:wo)?man|Representative|Rep|Secretary|"
    r"Ambassador|Mayor|Judge|Justice|General|Gen|Colonel|Col|Captain|Capt|Major|Maj|Lieutenant|Lt|Sergeant|Sgt|"
    r"Admiral|Adm|Commander|Marshal|Director|Chair(?:wo)?man|Speaker|Sheriff|Officer|Detective|Inspector|Bishop|"
    r"Archbishop)\.?(?:\s+|$))+"
)
# a year before an event belongs to its name, but not in "in 1939 World War II"
YEAR = re.compile(
    r"(?<!\b[Ii]n )(?<!\b[Bb]y )(?<!\b[Ff]rom )(?<!\b[Ss]ince )(?<!\b[Uu]ntil )(?<!\b[Dd]uring )"
    r"(?<![\w/–-])(?:1[5-9]|20)\d\d(?:[/–-]\d\d(?:\d\d)?)?\s+$"
)
DETERMINER = re.compile(r"(?:the|an?)\s+")
BORDER = ' \t\n\r"“”,;:_'
# before a measure, none of it; a range from … to … is two
MODIFIER = re.compile(
    r"(?:(?:about|around|approximately|roughly|nearly|almost|over|under|above|below|up to|at (?:least|most)|only|some|"
    r"(?:more|less|fewer|greater|larger|higher|lower|later|earlier) than|in|on|at|by|from|since|until|till|for|after|"
    r"before|within|during|between|just|that|these|those|my|your|his|her|its|our|their|on the order of|"
    r"(?:early|late|later|earlier) in|the|(?:the )?(?:(?:early|late|latter) part|"
    r"end|start|beginning|middle|course|turn|rest|duration) of)\s|"
    r"(?:approx|c|ca)\.|[~∼<>≤≥≈]=?)\s*",
    re.IGNORECASE,
)
# a duration and what follows it: two days later, ten weeks of talks
HEAD = re.compile(
    r"(.+?)\s+(?:later|earlier|before|after|previously|prior|since)\b.*|"
    r"(.*?\b(?:hour|day|night|week|month|year|decade)s?)\s+of\b(?! age).*",
    re.IGNORECASE | re.DOTALL,
)
COUNTED = re.compile(rf"(?:^|\W)(?:[\d.,]+|{COUNT}|day|week|month|year)$", re.IGNORECASE)
CURRENCY = re.compile(r"(?:[A-Z]{1,3})?[$£€¥]$")  # before it
DASHES = ("-", "–", "—")
COMPOUND = re.compile(r"(?:-[a-z]+)+|\s(?:o['’ ]*clock|[ap]\.?m\b\.?)")  # behind it: 28-gun, two-year-old, six o'clock
APPOSITION = re.compile(r"(?!Washington)(\D[^,\d]*?)\s?,\s?([^,\d]+)")  # Boston, Massachusetts
RANGE = re.compile(r"(?:from\s+(.+?)\s+(?:to|until|till|through)|between\s+(.+?)\s+and)\s+(.+)", re.IGNORECASE)


class Mapped(NamedTuple):
    """A span in characters and its candidates; none where nothing is known of it."""

    start: int
    end: int
    labels: tuple[str, ...]


def map_spans(document: AnnotatedText, corpus: Corpus) -> list[Mapped]:
    """The spans of a document as the nine labels have them, none overlapping another.

    Of overlapping spans the longest stays. Spaces, quotes, lower-case determiners and a hashtag's mark at a span's
    borders are cut off, possessive endings of a PERSON or MEASURE too, what modifies a MEASURE, and offices before a
    PERSON; an office alone is none. A PERSON takes in the honorifics before it, an EVENT its year, a MEASURE the
    compound that its number begins. Where all nine labels are annotated, spans stay as they are. Nothing is known of
    the corpus's unsure words outside the spans. Raises CorpusError for a label without a mapping.
    """
    found = [Mapped(start, end, ()) for start, end in document.unclear]
    for start, end, label in document.spans:
        marked = document.text[start:end].strip(BORDER)
        match = DETERMINER.match(marked)
        name = marked[match.end() :] if match else marked
        candidates = corpus.candidates(label, name)
        if candidates == (OUTSIDE,) or {marked.lower(), name.lower()} & corpus.drop:
            continue
        span = Mapped(start, end, candidates)
        if corpus.annotated.issuperset(LABELS):  # by this very guideline
            found.append(span)
            continue
        for part in _parts(document.text, span):
            found += _trim(document.text, part)
    taken: list[Mapped] = []
    unsure = [Mapped(*match.span(), ()) for match in corpus.unsure_words.finditer(document.text)]
    for span in [*sorted(found, key=lambda span: (span.start - span.end, span.start)), *unsure]:
        if all(span.end <= other.start or other.end <= span.start for other in taken):
            taken.append(span)
    return _joined(document.text, sorted(taken))


def _joined(text: str, spans: list[Mapped]) -> list[Mapped]:
    """Measures that a dash alone parts are one range: 2009-2010."""
    joined: list[Mapped] = []
    for span in spans:
        if joined and joined[-1].labels == span.labels == ("MEASURE",) and text[joined[-1].end : span.start] in DASHES:
            span = Mapped(joined.pop().start, span.end, span.labels)
        joined.append(span)
    return joined


def _parts(text: str, span: Mapped) -> Iterator[Mapped]:
    """The two ends of a range of measures, a place and the one where it lies, or the span itself."""
    match = None
    if "MEASURE" in span.labels:
        match = RANGE.fullmatch(text, span.start, span.end)
    elif span.labels == ("PLACE",):
        match = APPOSITION.fullmatch(text, span.start, span.end)
    if match is None:
        yield span
    else:
        for group, part in enumerate(match.groups(), start=1):
            if part:
                yield Mapped(*match.span(group), span.labels)


def _trim(text: str, span: Mapped) -> Iterator[Mapped]:
    start, end, labels = span
    while start < end and text[start] in BORDER + "#":
        start += 1
    while start < end and text[end - 1] in BORDER:
        end -= 1
    if re.fullmatch(r"\([^()]*\)", text[start:end]):
        start, end = start + 1, end - 1
    if text[start:end].count("(") != text[start:end].count(")"):  # cut off with its partner
        start += text.startswith("(", start)
        end -= text.endswith(")", start, end)
        start, end = len(text) - len(text[start:].lstrip()), len(text[:end].rstrip())
    title = "WORK" in labels and text[start:end].islower()  # where all is in lower case, its determiner is its own
    if not title and (match := DETERMINER.match(text, start, end)):
        start = match.end()
    while "MEASURE" in labels and (match := MODIFIER.match(text, start, end)):
        start = match.end()
    if {"PERSON", "MEASURE"}.intersection(labels) and text[start:end].endswith(("'s", "’s")):
        end = len(text[: end - 2].rstrip())
    if "MEASURE" in labels and (match := CURRENCY.search(text, max(0, start - 4), start)):
        start = match.start()
    if "MEASURE" in labels and (match := HEAD.fullmatch(text, start, end)):
        head = match.end(match.lastindex or 0)
        if NUMERAL.search(text, start, head) and not NUMERAL.search(text, head, end):
            end = head
    if "MEASURE" in labels and (match := COMPOUND.match(text, end)) and COUNTED.search(text[start:end]):
        end = match.end()
    if labels == ("EVENT",) and (match := YEAR.search(text, max(0, start - 20), start)):
        start = match.start()
    if labels == ("PERSON",) and (match := OFFICE.match(text, start, end)):
        start = end if text.startswith(("of ", "for "), match.end()) else match.end()
    if start < end and labels == ("PERSON",) and (match := HONORIFIC.search(text, max(0, start - 40), start)):
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
        if span is not None and len(span) > 1 and span[-1].text == ".":
            span = span[:-1]  # the end of the sentence
        elif span is None and document.text.startswith(".", end):
            span = doc.char_span(start, end + 1)  # of an abbreviation
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
        begins: Any = np.array([1 if token.idx in starts else -1 for token in doc]).astype(np.uint64)
        doc.from_array(["SENT_START"], begins)  # token by token it takes quadratic time
    return doc
