"""What partial labels are worth: corpora that annotate some of the nine labels, read in four ways."""

from collections import Counter
from pathlib import Path
from typing import Any

import spacy
from spacy.tokens import Doc, DocBin
from tqdm import tqdm

from benchmarks import harness
from ossamma_spacy.knowledge import OUTSIDE, read_knowledge, write_knowledge
from ossamma_spacy.labels import LABELS

SAMPLE = harness.ROOT / "assets" / "sample"
CATALOGUE = ("conll2003", "wnut17", "s800_revised", "grobid_quantities", "crossner_science")
NAME = "partial_labels"
FOLDER = harness.ROOT / "corpus" / NAME
ARMS = ("missing_as_o", "marginal", "marginal_prior", "sample_only")


def prepare(data: Path) -> None:
    """Convert the corpora; one file for each split, and a copy of each training split with what is missing as O."""
    corpora = FOLDER / "corpora"
    places = ("--mirror", str(data), "--output", str(corpora))
    harness.run(["-m", "ossamma_spacy", "corpora", "convert", *CATALOGUE, "ossamma9", *places])
    for split in ("train", "dev"):
        harness.convert("markup", SAMPLE / split, FOLDER / "sample" / f"{split}.spacy")
        for name in (*CATALOGUE, "ossamma9"):
            store = DocBin(docs=harness.documents(corpora / name / split))
            (FOLDER / name).mkdir(exist_ok=True)
            store.to_disk(FOLDER / name / f"{split}.spacy")
    for name in CATALOGUE:
        store = DocBin(
            docs=map(missing_as_o, tqdm(harness.documents(FOLDER / name / "train.spacy"), desc=f"{name} as O"))
        )
        store.to_disk(FOLDER / name / "train_as_o.spacy")


def missing_as_o(doc: Doc) -> Doc:
    """The document as a naive merge of corpora has it: the likeliest label of each span, and O elsewhere."""
    knowledge = read_knowledge(doc)
    likeliest = [c for c in knowledge.candidates if c.placed and c.labels[0] != OUTSIDE] if knowledge else []
    spans = [*doc.ents, *(spacy.tokens.Span(doc, c.start, c.end, label=c.labels[0]) for c in likeliest)]
    doc.spans.clear()
    write_knowledge(doc, spans, LABELS)
    return doc


def train_files(arm: str) -> dict[str, Path]:
    """The training files of an arm by corpus."""
    file = "train_as_o.spacy" if arm == "missing_as_o" else "train.spacy"
    names = () if arm == "sample_only" else CATALOGUE
    return {"sample": FOLDER / "sample" / "train.spacy", **{name: FOLDER / name / file for name in names}}


def train_config(arm: str, steps: int, bfloat16: bool) -> Path:
    """Config tiny that reads the corpora as the arm does, an equal share of the tokens from each."""
    paths = train_files(arm)
    config = harness.streamed_config(paths, LABELS, steps, bfloat16)
    config["corpora"]["train"]["weights"] = {name: 1 / _mean_length(path) for name, path in paths.items()}
    config["components"]["ossamma_ner"]["entity_ratio"] = sample_ratios() if arm == "marginal_prior" else None
    path = FOLDER / f"{arm}.cfg"
    config.to_disk(path)
    return path


def _mean_length(path: Path) -> float:
    lengths = [len(doc) for doc in harness.documents(path)]
    return sum(lengths) / len(lengths)


def sample_ratios() -> dict[str, float]:
    """Entities of each label per token of the sample corpus."""
    docs = list(harness.documents(FOLDER / "sample" / "train.spacy"))
    counts = Counter(span.label_ for doc in docs for span in doc.ents)
    tokens = sum(map(len, docs))
    return {label: round(counts[label] / tokens, 5) for label in LABELS}


def measure(data: Path, seeds: list[int], steps: int, bfloat16: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Scores of each arm on the dev splits, means over seeds, and what they are means of.

    The sample's dev split chooses the checkpoint.
    """
    prepare(data)
    splits = {name: FOLDER / name / "dev.spacy" for name in ("sample", "ossamma9", *CATALOGUE)}
    runs = {}
    for arm in ARMS:
        config, files = train_config(arm, steps, bfloat16), train_files(arm)
        # all files, so that a run is done again where one of them has changed
        corpora = {"train": files["sample"], "dev": splits["sample"], **splits}
        corpora |= {f"train {name}": path for name, path in files.items()}
        runs[arm] = harness.over_seeds(config, f"{NAME}/{arm}", seeds, corpora, {}, list(splits))
    metrics = {
        "ossamma9_dev_macro": {arm: found["ossamma9"]["macro_f"] for arm, found in runs.items()},
        "sample_dev_macro": {arm: found["sample"]["macro_f"] for arm, found in runs.items()},
        "dev_micro": {arm: {name: found[name]["ents_f"] for name in splits} for arm, found in runs.items()},
        "dev_micro_spread": {arm: found["spread"] for arm, found in runs.items()},
        "ossamma9_dev_labels": {arm: found["ossamma9"]["labels"] for arm, found in runs.items()},
        "sample_dev_labels": {arm: found["sample"]["labels"] for arm, found in runs.items()},
    }
    return metrics, runs
