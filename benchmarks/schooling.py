"""A fixed short schooling: text that a teacher has labelled, then hand-annotated text.

It judges an encoder by what it makes of much text, as pretraining will give it. The teacher's tags are soft: of a token
that it is unsure of, up to three tags come with their probabilities.
"""

import json
import lzma
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
import tqdm
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, set_dropout_rate, warmup_linear
from torch import Tensor

from ossamma_spacy.labels import LABELS
from ossamma_spacy.models.batch import token_batches
from ossamma_spacy.models.loss import loss_gradients
from ossamma_spacy.nn.crf import CRF
from ossamma_spacy.nn.heads import boundary_loss
from ossamma_spacy.pipeline.ner import OssammaNER

TAGS = ["O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI")]
TAG_INDEX = {tag: i for i, tag in enumerate(TAGS)}

Passage = tuple[Doc, NDArray[np.float32]]  # a document and the teacher's distribution (n, tags)


def read_silver(path: Path, nlp: Language, limit: int | None = None) -> Iterator[Passage]:
    """The passages of a silver file with the teacher's distribution over the tags of each token."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file):
            if limit is not None and number >= limit:
                return
            record = json.loads(line)
            soft = np.zeros((len(record["tags"]), len(TAGS)), dtype=np.float32)
            soft[range(len(soft)), [TAG_INDEX[tag] for tag in record["tags"]]] = 1.0
            for position, choices in record["soft"].items():
                row = soft[int(position)]
                row[:] = 0.0
                for tag, probability in choices:
                    row[TAG_INDEX[tag]] = probability
                row /= row.sum()
            yield Doc(nlp.vocab, words=record["tokens"]), soft


def soft_loss(crf: CRF, emissions: Tensor, lengths: Tensor, soft: Tensor) -> Tensor:
    """Cross-entropy of the CRF from a teacher that is sure of each token by itself, summed over the batch.

    log Z minus the expected score of a path whose tags are drawn independently from `soft` (B, L, tags), zero at
    padding.
    """
    pairs = torch.einsum("bij,bik->jk", soft[:, :-1], soft[:, 1:])
    last = soft.gather(1, (lengths - 1).clamp_min(0)[:, None, None].expand(-1, 1, soft.shape[2]))[:, 0]
    expected = (soft * emissions).sum() + (pairs * crf.transitions).sum()
    expected = expected + (soft[:, 0] @ crf.start).sum() + (last @ crf.end).sum()
    return crf.log_partition(emissions, lengths).sum() - expected


def update(pipe: OssammaNER, batch: Sequence[Passage], sgd: Any, dropout: float) -> float:
    """One step on a batch of silver passages; the loss per token."""
    length = max(len(soft) for _, soft in batch)
    padded = torch.zeros(len(batch), length, len(TAGS))
    for row, (_, soft) in zip(padded, batch, strict=True):
        row[: len(soft)] = torch.from_numpy(soft)

    def loss(crf: CRF, emissions: Tensor, logits: Tensor, lengths: Tensor) -> Tensor:
        best = torch.nn.functional.one_hot(padded.argmax(-1), len(TAGS)).bool()
        boundary = boundary_loss(logits, best, lengths).sum()
        return soft_loss(crf, emissions, lengths, padded) + pipe.boundary_weight * boundary

    set_dropout_rate(pipe.model, dropout)
    scores, backprop = pipe.model.begin_update([doc for doc, _ in batch])
    value, gradients = loss_gradients(pipe.model, scores, loss)
    backprop(gradients)
    pipe.finish_update(sgd)
    return value / sum(len(soft) for _, soft in batch)


def make_optimizer(steps: int, rate: float) -> Any:
    schedule = warmup_linear(rate, min(300, steps // 10 + 1), steps)
    return Adam(schedule, L2=0.01, L2_is_weight_decay=True, grad_clip=1.0, use_averages=True)


def school(
    nlp: Language, passages: list[Passage], *, passes: int, batch_tokens: int, rate: float, dropout: float, seed: int
) -> None:
    """Train the `ossamma_ner` of `nlp` on the silver passages; its weights end as their average."""
    pipe: Any = nlp.get_pipe("ossamma_ner")
    lengths = [len(soft) for _, soft in passages]
    batches = list(token_batches(lengths, batch_tokens))
    sgd = make_optimizer(passes * len(batches), rate)
    generator = random.Random(seed)
    for number in range(passes):
        generator.shuffle(batches)
        with tqdm.tqdm(batches, desc=f"silver, pass {number + 1}", mininterval=10) as bar:
            for step, batch in enumerate(bar):
                value = update(pipe, [passages[i] for i in batch], sgd, dropout)
                sgd.step_schedules()
                if step % 50 == 0:
                    bar.set_postfix(loss=f"{value:.3f}")
    keep_average(nlp, sgd)


def tune(
    nlp: Language, docs: list[Doc], *, epochs: int, batch_tokens: int, rate: float, dropout: float, seed: int
) -> None:
    """Train on annotated documents; the weights end as their average."""
    batches = list(token_batches([len(doc) for doc in docs], batch_tokens))
    sgd = make_optimizer(epochs * len(batches), rate)
    generator = random.Random(seed)
    for number in range(epochs):
        generator.shuffle(batches)
        for batch in tqdm.tqdm(batches, desc=f"gold, epoch {number + 1}", mininterval=10):
            examples = [Example(Doc(nlp.vocab, words=[t.text for t in docs[i]]), docs[i]) for i in batch]
            nlp.update(examples, drop=dropout, sgd=sgd)
            sgd.step_schedules()
    keep_average(nlp, sgd)


def keep_average(nlp: Language, sgd: Any) -> None:
    """Make the averaged weights the weights."""
    with nlp.use_params(sgd.averages):
        data = nlp.get_pipe("ossamma_ner").model.to_bytes()
    nlp.get_pipe("ossamma_ner").model.from_bytes(data)


def score(nlp: Language, docs: list[Doc]) -> dict[str, float]:
    examples = [Example(Doc(nlp.vocab, words=[t.text for t in doc]), doc) for doc in docs]
    scores = nlp.evaluate(examples)
    return {"micro": scores["ents_f"], "macro": scores["ents_macro_f"]}


def blank_pipeline(config: Any, docs: list[Doc], seed: int) -> Language:
    """A fresh pipeline for the nine labels whose subwords are learned from `docs`."""
    spacy.util.fix_random_seed(seed)
    nlp = spacy.util.load_model_from_config(config)
    examples = [Example(doc, doc) for doc in docs]
    nlp.get_pipe("ossamma_ner").initialize(lambda: examples, nlp=nlp, labels=list(LABELS))
    return nlp
