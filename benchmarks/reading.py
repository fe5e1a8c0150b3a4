"""Printing what becomes of a corpus, to be read: our entities in colour beside the source's own labels."""

import random
from pathlib import Path

import spacy
from spacy.tokens import Doc, Span
from tqdm import tqdm
from wasabi import color

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.convert import read_corpus
from ossamma_spacy.corpora.docbin import Written
from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.fetch import fetch
from ossamma_spacy.corpora.mapping import mapped_doc
from ossamma_spacy.knowledge import read_knowledge
from ossamma_spacy.labels import LABELS


def show(name: str, folder: Path, mirror: Path | None, number: int, seed: int) -> None:
    """Print `number` sentences of a corpus from documents chosen at random, each around an entity if there is one."""
    corpus = catalogue.load(name)
    fetch(name, folder, mirror)
    splits = dict.fromkeys(split for split, _ in catalogue.split_files(corpus, folder / name))
    documents = [(split, text) for split in splits for text in read_corpus(corpus, folder, split)]
    nlp, chooser = spacy.blank("en"), random.Random(seed)
    print(f"{name}: {len(documents)} documents; annotated: {', '.join(sorted(corpus.annotated))}\n")
    for split, document in chooser.sample(documents, min(number, len(documents))):
        part = excerpt(mapped_doc(nlp, document, corpus, Written()), chooser)
        print(f"[{split}, {document.where}] {_ours(part)}\n{_theirs(document, part)}\n")


def excerpt(doc: Doc, chooser: random.Random) -> Span:
    """A sentence of the document with something marked, cut to so many tokens around that."""
    place = chooser.choice([start for start, _, _ in marks(doc)] or [0])
    sentence = doc[place].sent if doc.has_annotation("SENT_START") and len(doc) else doc[:]
    return doc[max(sentence.start, place - AROUND) : min(sentence.end, place + AROUND)]


def inventory(folder: Path, mirror: Path | None) -> dict[str, list[str]]:
    """The labels that each corpus of the catalogue has in its files, save those that only their owners have."""
    found = {}
    for name in tqdm(catalogue.names(), desc="corpora"):
        corpus = catalogue.load(name)
        if catalogue.files(corpus):
            fetch(name, folder, mirror)
            splits = dict.fromkeys(split for split, _ in catalogue.split_files(corpus, folder / name))
            spans = (span for split in splits for text in read_corpus(corpus, folder, split) for span in text.spans)
            found[name] = sorted({label for _, _, label in spans})
    return found


def marks(doc: Doc) -> list[tuple[int, int, str]]:
    """Entities and spans with candidates, the label of one that meets no token border with a question mark."""
    knowledge = read_knowledge(doc)
    spans = [(span.start, span.end, span.label_) for span in doc.ents]
    for start, end, labels, placed in knowledge.candidates if knowledge else ():
        spans.append((start, end, "|".join(labels) + "?" * (not placed)))
    return sorted(spans)


def _ours(part: Span) -> str:
    doc, out, last = part.doc, "", part.start
    for start, end, label in marks(doc):
        if last <= start and end <= part.end:
            name = color(f"[{doc[start:end].text}]{label}", fg=16, bg=BACKGROUNDS.get(label, 250))
            out += doc[last:start].text_with_ws + name + doc[end - 1].whitespace_
            last = end
    return out + doc[last : part.end].text_with_ws


def _theirs(document: AnnotatedText, part: Span) -> str:
    inside = [span for span in document.spans if part.start_char <= span[0] and span[1] <= part.end_char]
    return "    " + "; ".join(f"{document.text[start:end]} {label}" for start, end, label in inside)


AROUND = 40  # tokens of a sentence that are shown on each side of what is marked
BACKGROUNDS = dict(zip(LABELS, (141, 123, 215, 114, 228, 251, 211, 111, 183), strict=True))  # of 256 terminal colours
