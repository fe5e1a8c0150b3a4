"""What each change of the augmenter is worth: config tiny from scratch on a tenth of CoNLL-2003, and on the sample."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import spacy
from spacy.tokens import Doc, DocBin

from benchmarks import harness
from ossamma_spacy.init_config import AUGMENTATION

CHANGES: dict[str, Mapping[str, float]] = {  # alone, each, and those of the configs
    "none": {},
    "entity_replacement": {"entity_replacement": 0.3},
    "mention_dropout": {"mention_dropout": 0.1},
    "synonyms": {"synonyms": 0.1},
    "shuffling": {"shuffling": 0.3},
    "lower_casing": {"lower_casing": 0.1},
    "typos": {"typos": 0.05},
    "default": AUGMENTATION,
}
FOLDER = harness.ROOT / "corpus" / "augmentation"


def train_config(change: str, train: Path, labels: Sequence[str], steps: int, bfloat16: bool) -> Path:
    """Config tiny with this change alone."""
    config = harness.streamed_config({"train": train}, labels, steps, bfloat16, evaluations=5)
    augmenter: dict[str, Any] = {"@augmenters": "ossamma.Augmenter.v1", "seed": "${system.seed}", **CHANGES[change]}
    if "entity_replacement" in CHANGES[change]:
        augmenter["bank"] = "${corpora.train.paths}"
    config["corpora"]["train"]["augmenter"] = augmenter
    path = train.with_name(f"{change}.cfg")
    config.to_disk(path)
    return path


def measure(
    name: str, corpora: Mapping[str, Path], labels: Sequence[str], seeds: Sequence[int], steps: int, bfloat16: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Dev scores of each change, on text as it is and in lower case: means over seeds, and what they are means of."""
    lower = FOLDER / name / "dev_lower.spacy"
    DocBin(docs=map(_lower_cased, harness.documents(corpora["dev"]))).to_disk(lower)
    splits = {**corpora, "dev_lower": lower}
    runs = {}
    for change in CHANGES:
        config = train_config(change, corpora["train"], labels, steps, bfloat16)
        runs[change] = harness.over_seeds(
            config, f"augmentation/{name}/{change}", seeds, splits, {}, ["dev", "dev_lower"]
        )
    metrics = {
        change: {
            "dev": found["dev"]["ents_f"],
            "dev, spread": found["spread"]["dev"],
            "lower-cased": found["dev_lower"]["ents_f"],
            "lower-cased, spread": found["spread"]["dev_lower"],
        }
        for change, found in runs.items()
    }
    return metrics, runs


def tenth(source: Path, target: Path) -> Path:
    """Every tenth document of a .spacy file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    DocBin(docs=islice(harness.documents(source), 0, None, 10)).to_disk(target)
    return target


def _lower_cased(doc: Doc) -> Doc:
    spaces = None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in doc]
    lower = Doc(doc.vocab, words=[token.lower_ for token in doc], spaces=spaces)
    lower.set_ents([spacy.tokens.Span(lower, span.start, span.end, label=span.label_) for span in doc.ents])
    return lower
