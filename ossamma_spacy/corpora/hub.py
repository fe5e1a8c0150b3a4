"""Hugging Face datasets, written as files of columns."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ossamma_spacy.corpora.catalogue import Dataset
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.files import state, write_whole


def export_dataset(name: str, dataset: Dataset, target: Path) -> None:
    """Write the splits of a dataset to `target`/SPLIT.tsv, token and tag in a line; what is there already stays.

    No code of the dataset is run. Raises CorpusError where the package `datasets`, the dataset, a split or a column is
    missing, or its tags have no names.
    """
    settings = json.dumps([asdict(dataset), state(Path(dataset.path))]).encode()
    stamp = target / "dataset.json"
    if stamp.is_file() and stamp.read_bytes() == settings:
        return
    splits = _load(name, dataset)
    target.mkdir(parents=True, exist_ok=True)
    for split, its_name in dataset.splits.items():
        if its_name not in splits:
            raise CorpusError(f"{name}: {dataset.path} has no split '{its_name}', it has {', '.join(splits)}")
        lines = tqdm(_lines(name, dataset, splits[its_name]), desc=f"{name} {split}", unit=" tokens")
        write_whole(target / f"{split}.tsv", "".join(lines).encode())
    write_whole(stamp, settings)


def _load(name: str, dataset: Dataset) -> Any:
    try:
        from datasets import load_dataset
        from datasets.exceptions import DatasetsError
    except ImportError as error:
        raise CorpusError(
            f"{name} is a Hugging Face dataset ({error}); what reads it comes by: pip install 'datasets>=3'"
        ) from error
    try:
        return load_dataset(dataset.path, dataset.name, revision=dataset.revision)
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:
        raise CorpusError(f"{name}: the dataset {dataset.path} cannot be loaded ({error})") from error


def _lines(name: str, dataset: Dataset, rows: Any) -> Iterator[str]:
    """A line for each token, an empty one after each sentence; empty tokens are left out."""
    for column in (dataset.tokens, dataset.tags):
        if column not in rows.features:
            raise CorpusError(f"{name}: {dataset.path} has no column '{column}', it has {', '.join(rows.features)}")
    names = dataset.tag_names or getattr(getattr(rows.features[dataset.tags], "feature", None), "names", ())
    for number, row in enumerate(rows, start=1):
        where = f"{name}: row {number} of {dataset.path}"
        tokens, tags = row[dataset.tokens] or [], row[dataset.tags] or []
        if len(tokens) != len(tags):
            raise CorpusError(f"{where} has {len(tokens)} tokens and {len(tags)} tags")
        for token, tag in zip(tokens, tags, strict=True):
            if not isinstance(token, str):
                raise CorpusError(f"{where} has the token {token!r}, expected a text")
            if isinstance(tag, int) and not 0 <= tag < len(names):
                raise CorpusError(f"{where} has the tag {tag}, a number without a name; give tag_names in the entry")
            if words := " ".join(token.split()):
                yield f"{words}\t{names[tag] if isinstance(tag, int) else tag}\n"
        yield "\n"
