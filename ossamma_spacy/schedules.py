"""Epochs in steps, for configs that count in epochs what spaCy counts in steps."""

from pathlib import Path

from ossamma_spacy.stored import stores


def steps_of_epochs(path: Path, batch_size: int, epochs: float = 1.0) -> int:
    """`ossamma.steps_of_epochs.v1`: how many steps go through the documents at `path` so many times, at least 1.

    For `[training] eval_frequency` and `patience`, and for the steps of a learning rate schedule. `batch_size` counts
    documents, as `spacy.batch_by_sequence.v1` does. Raises ValueError where there is no document.
    """
    documents = sum(map(len, stores(path)))
    if not documents:
        raise ValueError(f"{path}: no document in .spacy format, so its epochs have no steps; set paths.train")
    return max(round(epochs * -(-documents // batch_size)), 1)
