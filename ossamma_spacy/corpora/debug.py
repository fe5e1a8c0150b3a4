"""What a training corpus holds, and what is wrong with it, as `spacy train` would read it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from spacy.training import Example, dont_augment
from spacy.util import load_config, load_model_from_config, resolve_dot_names
from tqdm import tqdm

from ossamma_spacy.corpora.duplicates import Fingerprint, Index, fingerprint
from ossamma_spacy.corpora.mixture import MixedCorpus
from ossamma_spacy.knowledge import labels_of, read_knowledge

SPLITS = ("train", "dev")
PERCENTILES = (0, 50, 90, 99, 100)


@dataclass
class SplitReport:
    """What one split holds.

    labels: entities of each label; possible: the labels that entities have, or may have, or that documents annotate.
    unannotated: documents that say nothing of entities; partly: those that annotate some labels. misaligned and
    whitespace: entities that meet no token border of the pipeline's tokenizer, and those that a space begins or ends.
    repeated: documents that another of the split says again.
    """

    documents: int = 0
    tokens: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    possible: set[str] = field(default_factory=set)
    unannotated: int = 0
    partly: int = 0
    misaligned: list[str] = field(default_factory=list)
    whitespace: list[str] = field(default_factory=list)
    repeated: int = 0
    lengths: list[int] = field(default_factory=list)
    fingerprints: list[Fingerprint] = field(default_factory=list)

    def add(self, example: Example) -> None:
        reference, knowledge = example.reference, read_knowledge(example.reference)
        self.documents += 1
        self.tokens += len(reference)
        self.lengths.append(len(reference))
        self.fingerprints.append(fingerprint(reference.text))
        self.labels.update(span.label_ for span in reference.ents)
        self.partly += knowledge is not None
        self.unannotated += knowledge is None and not reference.has_annotation("ENT_IOB")
        for span in reference.ents:
            if not example.get_aligned_spans_y2x([span], allow_overlap=True):
                self.misaligned.append(f"{span.text!r} ({span.label_}) in {reference.text[:60]!r}")
            if span[0].is_space or span[-1].is_space:
                self.whitespace.append(f"{span.text!r} ({span.label_}) in {reference.text[:60]!r}")
        self.possible |= labels_of(reference)
        for start, end, labels, placed in knowledge.candidates if knowledge else ():
            if labels and not placed:
                self.misaligned.append(f"in {reference[start:end].text!r} ({labels[0]})")

    def percentiles(self) -> list[int]:
        """Tokens of the documents at `PERCENTILES`."""
        return [int(value) for value in np.percentile(self.lengths, PERCENTILES)] if self.lengths else []


def examine(config_path: Path, overrides: Mapping[str, Any] | None = None) -> tuple[dict[str, SplitReport], int]:
    """Read the corpora of a training config; the report of each split, and how many train documents repeat a dev one.

    Raises ValueError and OSError as `spacy train` does for what it cannot read, and ValueError for a split without
    documents.
    """
    nlp = load_model_from_config(load_config(config_path, dict(overrides or {})))
    config = nlp.config.interpolate()
    names = [config["training"]["train_corpus"], config["training"]["dev_corpus"]]
    reports = {}
    for split, reader in zip(SPLITS, resolve_dot_names(config, names), strict=True):
        if hasattr(reader, "augmenter"):
            reader.augmenter = dont_augment
        examples = reader.once(nlp) if isinstance(reader, MixedCorpus) else reader(nlp)
        reports[split] = _report(tqdm(examples, desc=split, unit=" documents"))
        if not reports[split].documents:
            raise ValueError(f"{split}: no documents; check {config['training'][f'{split}_corpus']} in {config_path}")
    index = Index(reports["dev"].fingerprints)
    crossing = sum(index.nearest(marks) is not None for marks in reports["train"].fingerprints)
    return reports, crossing


def _report(examples: Iterable[Example]) -> SplitReport:
    report = SplitReport()
    for example in examples:
        report.add(example)
    counts = Counter(marks.tobytes() for marks in report.fingerprints if len(marks))
    report.repeated = sum(count - 1 for count in counts.values())
    return report
