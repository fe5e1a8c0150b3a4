"""The sample corpus: markup, spans, splits, counts; the README's table is that of the files."""

import re
from collections import Counter
from pathlib import Path

import pytest
import spacy

from ossamma_spacy.corpora.docbin import Written, docs_from_offsets
from ossamma_spacy.corpora.formats.markup import parse_sentence, read_markup
from ossamma_spacy.labels import LABELS

SAMPLE = Path(__file__).parents[1] / "assets" / "sample"
SPLITS = {"train": (1200, 150), "dev": (250, 0), "test": (300, 50)}  # sentences and entities of each label, at least


def documents(split):
    return [(path.stem, document) for path in sorted((SAMPLE / split).glob("*.txt")) for document in read_markup(path)]


def sentences(split):
    lines = (path.read_text(encoding="utf-8").splitlines() for path in sorted((SAMPLE / split).glob("*.txt")))
    return [parse_sentence(line)[0] for file in lines for line in file if line.strip()]


def words(text):
    return re.findall(r"\w+", text.lower())


def four_grams(text):
    found = words(text)
    return {tuple(found[i : i + 4]) for i in range(len(found) - 3)}


@pytest.mark.parametrize("split", SPLITS)
def test_there_is_enough_of_everything(split):
    least_sentences, least_entities = SPLITS[split]
    counts = Counter(label for _, document in documents(split) for _, _, label in document.spans)
    assert len(sentences(split)) >= least_sentences
    assert set(counts) == set(LABELS)
    assert min(counts.values()) >= least_entities
    assert len({domain for domain, _ in documents(split)}) >= 12


@pytest.mark.parametrize("split", SPLITS)
def test_spans_are_flat_clean_and_meet_token_borders(split):
    written = Written()
    marked = [document for _, document in documents(split)]
    list(docs_from_offsets(spacy.blank("en"), marked, written))
    assert written.misaligned == []
    for document in marked:
        last = 0
        for start, end, label in document.spans:
            text = document.text[start:end]
            assert last <= start < end
            assert label in LABELS
            assert text == text.strip()
            assert not re.search(r"[,;:]$", text), text
            assert not re.match(r"(the|a|an) [A-Z]", text), text
            last = end


def test_no_sentence_stands_twice():
    seen = Counter(tuple(words(text)) for split in SPLITS for text in sentences(split))
    assert [key for key, count in seen.items() if count > 1] == []


def test_no_near_duplicates_across_splits():
    """No two sentences of different splits share more than half of their sequences of four words."""
    grams = {split: [(text, four_grams(text)) for text in sentences(split)] for split in SPLITS}
    where = {}
    for split in SPLITS:
        for text, found in grams[split]:
            for gram in found:
                for other, theirs in where.get(gram, []):
                    assert len(found & theirs) <= 0.5 * min(len(found), len(theirs)), (text, other)
        for text, found in grams[split]:  # only now: a split may repeat its own words
            for gram in found:
                where.setdefault(gram, []).append((text, found))


def test_the_mix_is_as_the_readme_says():
    for split in SPLITS:
        texts = sentences(split)
        share = sum(text == text.lower() for text in texts) / len(texts)
        assert share >= 0.03
        sizes = Counter(len(document.sentence_starts) for _, document in documents(split))
        assert sum(count for size, count in sizes.items() if 5 <= size <= 20) >= 10
        plain = sum(not parse_sentence(line)[1] for line in marked_lines(split))
        assert plain / len(texts) >= 0.04


def marked_lines(split):
    files = (path.read_text(encoding="utf-8").splitlines() for path in sorted((SAMPLE / split).glob("*.txt")))
    return [line for file in files for line in file if line.strip()]


def test_the_readmes_table_is_current():
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    for split in SPLITS:
        counts = Counter(label for _, document in documents(split) for _, _, label in document.spans)
        cells = [split, len(documents(split)), len(sentences(split)), *(counts[label] for label in LABELS)]
        assert "| " + " | ".join(map(str, cells)) + " |" in readme


def test_ambiguous_names_occur_in_several_senses():
    senses = {}
    for split in SPLITS:
        for _, document in documents(split):
            for start, end, label in document.spans:
                senses.setdefault(document.text[start:end].lower(), set()).add(label)
    assert sum(len(labels) > 1 for labels in senses.values()) >= 40
