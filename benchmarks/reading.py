"""Printing what becomes of a corpus, to be read: our entities in colour beside the source's own labels."""

import random
from collections import Counter
from pathlib import Path

import spacy
from spacy.tokens import Doc
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


def show(name: str, folder: Path, mirror: Path | None, split: str, number: int, seed: int) -> None:
    """Print `number` documents of a corpus, then its counts and spans that meet no token border."""
    corpus = catalogue.load(name)
    fetch(name, folder, mirror)
    nlp, written = spacy.blank("en"), Written()
    documents = list(read_corpus(corpus, folder, split))
    docs = [mapped_doc(nlp, document, corpus, written) for document in documents]
    for i in sorted(random.Random(seed).sample(range(len(docs)), min(number, len(docs)))):
        print(f"[{i}] {_ours(docs[i])}\n{_theirs(documents[i])}\n")
    source = Counter(label for document in documents for _, _, label in document.spans)
    ours = Counter(span.label_ for doc in docs for span in doc.ents)
    print(f"{name} {split}: {len(docs)} documents; annotated: {', '.join(sorted(corpus.annotated))}")
    print("source:", dict(source.most_common()), "\nours:", dict(ours.most_common()))
    print(f"{len(written.misaligned)} spans meet no token border:", *written.misaligned[:20], sep="\n  ")


def inventory(folder: Path, mirror: Path | None) -> dict[str, list[str]]:
    """The labels that each corpus of the catalogue has in its files, save those that only their owners have."""
    found = {}
    for name in tqdm(catalogue.names(), desc="corpora"):
        corpus = catalogue.load(name)
        if not corpus.found:
            fetch(name, folder, mirror)
            splits = dict.fromkeys(split for split, _ in catalogue.split_files(corpus, folder / name))
            spans = (span for split in splits for text in read_corpus(corpus, folder, split) for span in text.spans)
            found[name] = sorted({label for _, _, label in spans})
    return found


def _ours(doc: Doc) -> str:
    knowledge = read_knowledge(doc)
    spans = [(span.start, span.end, span.label_) for span in doc.ents]
    for start, end, labels, placed in knowledge.candidates if knowledge else ():
        spans.append((start, end, "|".join(labels) + "?" * (not placed)))
    out, last = "", 0
    for start, end, label in sorted(spans):
        out += doc[last:start].text_with_ws + color(
            f"[{doc[start:end].text}]{label}", fg=16, bg=BACKGROUNDS.get(label, 250)
        )
        out += doc[end - 1].whitespace_
        last = end
    return out + doc[last:].text_with_ws


def _theirs(document: AnnotatedText) -> str:
    return "    " + "; ".join(f"{document.text[start:end]} {label}" for start, end, label in document.spans)


BACKGROUNDS = dict(zip(LABELS, (141, 123, 215, 114, 228, 251, 211, 111, 183), strict=True))  # of 256 terminal colours
