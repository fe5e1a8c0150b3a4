"""The trainable pipe `ossamma_ner`."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import srsly
import torch
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Optimizer

from ossamma_spacy.files import write_together
from ossamma_spacy.knowledge import KEY
from ossamma_spacy.labels import LABELS
from ossamma_spacy.models.decoding import Decoded, decode
from ossamma_spacy.models.encoder import SPACY_SAMPLE, Tok2Vec
from ossamma_spacy.models.loss import tagger_loss
from ossamma_spacy.models.pretrained import check_shape
from ossamma_spacy.models.shim import TorchShim, clip_gradients, torch_shim
from ossamma_spacy.models.snapshot import restored_after_errors
from ossamma_spacy.models.tagger import Tagger, TagGradients
from ossamma_spacy.pipeline.confidence import span_confidence
from ossamma_spacy.pipeline.gold import blocked_tokens, expected_rates, gold_lattice, label_index, preset_lattice
from ossamma_spacy.pipeline.scorer import ner_score
from ossamma_spacy.pipeline.training_data import docs_and_labels, words_and_labels
from ossamma_spacy.settings import check_number

SPACY_EXAMPLE = ["x", "y", "z"]  # what spaCy shows a pipe where there is no data
STREAM_SAMPLE = 100  # examples that spaCy shows a pipe before it trains on a streamed corpus


class OssammaNER(TrainablePipe):  # type: ignore[misc]
    """Tags named entities by a CRF over contextual vectors and writes them to `doc.ents`.

    model (Model): `ossamma.CRFTagger.v1`.
    threshold (float): entities whose confidence is below it are left out; 0 keeps all.
    confidence (bool): compute the confidence of each entity, for `span._.confidence` and
        `doc.spans[spans_key].attrs["scores"]`. Costs time.
    keep_existing (bool): entities that are already in `doc.ents` stay as they are, links, confidences and all, and ours
        are found around them; their confidences are those that they would have without. Blocked tokens stay free.
    spans_key (str): where in `doc.spans` entities and their confidences go.
    boundary_weight (float): weight of the boundary loss.
    smoothing (float): weight of the label smoothing.
    entity_ratio (Dict[str, float]): entities per token, by label, that documents are expected to hold of the labels
        that they do not annotate; None expects nothing.
    scorer (Callable): from examples to scores, `ossamma.ner_scorer.v1`; None scores nothing.

    Raises ValueError for a setting that is out of its range.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Tagger,
        name: str = "ossamma_ner",
        *,
        threshold: float = 0.0,
        confidence: bool = True,
        keep_existing: bool = False,
        spans_key: str = "ossamma_ner",
        boundary_weight: float = 0.2,
        smoothing: float = 0.0,
        entity_ratio: dict[str, float] | None = None,
        scorer: Callable[..., dict[str, Any]] | None = ner_score,
    ) -> None:
        check_number(f"{name}: threshold", threshold, lambda p: 0 <= p <= 1, "a probability from 0 to 1")
        check_number(
            f"{name}: boundary_weight", boundary_weight, lambda w: 0 <= w < math.inf, "0 (no boundary loss) or more"
        )
        check_number(f"{name}: smoothing", smoothing, lambda s: 0 <= s < 1, "a share from 0 to below 1")
        if not spans_key:
            raise ValueError(f"{name}: spans_key is empty; name a group of doc.spans")
        if spans_key == KEY:
            raise ValueError(f"{name}: spans_key = {KEY}, which holds what documents know; name another group")
        for label, ratio in (entity_ratio or {}).items():
            check_number(f"{name}: entity_ratio.{label}", ratio, lambda r: 0 <= r < 1, "a share from 0 to below 1")
        self.entity_ratio = entity_ratio or {}
        self.vocab, self.model, self.name, self.scorer = vocab, model, name, scorer
        self.threshold, self.confidence, self.keep_existing = threshold, confidence, keep_existing
        self.spans_key, self.boundary_weight, self.smoothing = spans_key, boundary_weight, smoothing
        self.cfg: dict[str, Any] = {"labels": [], "temperature": 1.0}

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        return list(self.cfg["labels"])

    @property
    def is_initialized(self) -> bool:
        shim = torch_shim(self.model)
        return shim.is_initialized

    def add_label(self, label: str) -> int:
        """Add a label before initialization; 1 if it is new. Raises ValueError once the weights are made."""
        _check_label(self.name, label)
        if label in self.labels:
            return 0
        if self.is_initialized:
            raise ValueError(
                f"{self.name}: cannot add '{label}', the weights are made for {', '.join(self.labels)}; "
                "initialize the pipe anew with all labels"
            )
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Sequence[str] | None = None,
        encoder: Callable[[Tagger], None] | None = None,
        corpora: Mapping[str, Path] | None = None,
    ) -> None:
        """Take the labels from `labels` or from the data; make fresh weights, or let `encoder` load pretrained ones.

        Labels that `add_label` has added before join those of the data. Without any data, as in `nlp.initialize()`,
        they are the labels, and the nine if there is none.

        `encoder` is what `ossamma.pretrained_encoder.v1` returns; without it subwords are learned from the data. The
        data are the examples and, where all of them are at hand, `corpora`, name → .spacy file or folder of them.
        Raises ValueError for `labels` that leave out some of the data's, for `corpora` of which some are not there,
        and where spaCy shows the beginning of a streamed corpus alone.
        """
        validate_get_examples(get_examples, "OssammaNER.initialize")
        examples = list(get_examples())
        docs, found = docs_and_labels(examples)
        if not self.is_initialized:
            found |= set(self.labels)
        if not found and [[token.text for token in doc] for doc in docs] == [SPACY_EXAMPLE]:
            found = set(LABELS)  # of which spaCy has none itself
        lacking = [str(path) for path in (corpora or {}).values() if not Path(path).exists()]
        if lacking and len(lacking) < len(corpora or {}):
            raise ValueError(
                f"{self.name}: {', '.join(lacking)} is not there; check corpora in [initialize.components.{self.name}]"
            )
        if corpora and not lacking:
            words, more = words_and_labels(self.vocab, corpora)
            docs, found = [*docs, words], found | more
        elif nlp is not None and _is_streamed(nlp) and len(docs) == STREAM_SAMPLE:
            if labels is None:
                self._refuse_sample("labels", lacking)
            if encoder is None and self._encoders():
                self._refuse_sample("subwords", lacking)
        ranked = self._ranked(labels, found)
        with self._restored_after_errors():
            self.cfg.update(labels=[], temperature=1.0)
            for shim in self._shims():
                shim.forget()
            for label in ranked:
                self.add_label(label)
            self.model.set_dim("nO", len(self.labels), force=True)
            if encoder is not None:
                encoder(self.model)
            # other layers, which learn no subwords, would run over all of the documents at once
            self.model.initialize(X=docs if self._encoders() else docs[:SPACY_SAMPLE])
            torch_shim(self.model).settings["names"] = self.label_data

    def _ranked(self, labels: Sequence[str] | None, found: set[str]) -> list[str]:
        """The labels in their order: those given, or those of the data."""
        where = f"labels in [initialize.components.{self.name}]"
        if labels is None:
            if not found:
                raise ValueError(
                    f"{self.name}: the training data has no entity, so there are no labels to learn; "
                    f"check the corpus, or name {where}"
                )
            labels = sorted(found, key=_label_rank)
        if not labels:
            raise ValueError(f"{self.name}: {where} is empty; name them, or leave it out to take them from the data")
        for label in labels:
            _check_label(self.name, label)
        if left_out := sorted(found.difference(labels)):
            raise ValueError(f"{self.name}: {where} leaves out {', '.join(left_out)}, which the training data has")
        if unknown := sorted(set(self.entity_ratio).difference(labels)):
            raise ValueError(f"{self.name}: entity_ratio has {', '.join(unknown)}, the labels are {', '.join(labels)}")
        return list(labels)

    def _refuse_sample(self, learned: str, lacking: Sequence[str]) -> NoReturn:
        raise ValueError(
            f"{self.name}: of a streamed corpus (max_epochs = -1) spaCy shows {STREAM_SAMPLE} examples, too few to "
            f"learn {learned} from; put corpora = ${{corpora.train.paths}}, or where they are, into "
            f"[initialize.components.{self.name}]" + "".join(f" ({path} is not there)" for path in lacking)
        )

    def predict(self, docs: Iterable[Doc]) -> list[Decoded]:
        """Best entities of each document, with log posteriors if confidences or a threshold are wanted."""
        docs = list(docs)
        if not self.is_initialized:
            raise ValueError(f"{self.name}: not initialized; call nlp.initialize(), or load a trained pipeline")
        if not docs:
            return []
        index = label_index(self.cfg["labels"])
        return decode(
            self.model,
            self.model.predict(docs),
            confidences=self.confidence or self.threshold > 0,
            temperature=self.cfg["temperature"],
            lattices=[preset_lattice(doc, index) for doc in docs] if self.keep_existing else None,
        )

    def set_annotations(self, docs: Iterable[Doc], scores: list[Decoded]) -> None:
        """Write the entities to `doc.ents`, and their confidences beside them."""
        for doc, decoded in zip(docs, scores, strict=True):
            existing = list(doc.ents) if self.keep_existing else []
            known = [(span, score) for span in existing if (score := span_confidence(span)) is not None]
            taken = {i for span in existing for i in range(span.start, span.end)}
            spans, confidences = self._spans(doc, decoded, taken)
            blocked = [doc[i : i + 1] for i in blocked_tokens(doc)] if self.keep_existing else []
            for token in () if self.keep_existing else (token for span in doc.ents for token in span):
                token.ent_id = 0  # the id of a rule; set_ents would leave it
            doc.set_ents([*existing, *spans], blocked=blocked)
            if confidences is not None:
                pairs = [*zip(spans, confidences, strict=True), *known]
                pairs.sort(key=lambda pair: pair[0].start)
                attrs = {"scores": [confidence for _, confidence in pairs], "source": self.name}
                group = SpanGroup(doc, name=self.spans_key, attrs=attrs, spans=[span for span, _ in pairs])
                doc.spans[self.spans_key] = group
            elif not self.keep_existing and self.spans_key in doc.spans and "source" in doc.spans[self.spans_key].attrs:
                del doc.spans[self.spans_key]  # confidences of entities that an earlier pass found

    def _spans(self, doc: Doc, decoded: Decoded, taken: set[int]) -> tuple[list[Span], list[float] | None]:
        """Entities that touch no taken token, and their confidences if there are any."""
        wanted, confidences = [], []
        posteriors = decoded.log_posteriors
        for i, (start, end, k) in enumerate(decoded.spans):
            probability = 1.0 if posteriors is None else float(np.exp(min(posteriors[i], 0.0)))
            start, end = without_space(doc, start, end)
            if start < end and probability >= self.threshold and taken.isdisjoint(range(start, end)):
                wanted.append(Span(doc, start, end, label=self.cfg["labels"][k]))
                confidences.append(probability)
        return wanted, confidences if self.confidence else None

    def to(self, device: str) -> "OssammaNER":
        """Move the weights to a torch device ("cuda", "cuda:1", "cpu") and return the pipe.

        For a GPU without CuPy, which `spacy.prefer_gpu` needs. Raises ValueError for a device that is not there, or
        that has no float64, as Apple's have none.
        """
        try:
            torch.zeros(1, dtype=torch.float64, device=device)
        except (RuntimeError, AssertionError, TypeError) as error:  # torch without CUDA raises AssertionError
            raise ValueError(f"{self.name}: no device '{device}' ({str(error).splitlines()[0]})") from error
        for shim in self._shims():
            shim.move(torch.device(device))
        return self

    def _encoders(self) -> list[Tok2Vec]:
        return [node for node in self.model.walk() if node.name == "ossamma_encoder"]

    def _shims(self) -> list[TorchShim]:
        return [shim for node in self.model.walk() for shim in node.shims if isinstance(shim, TorchShim)]

    def get_loss(self, examples: Iterable[Example], scores: list[Any]) -> tuple[float, TagGradients]:
        """The loss, a mean over tokens, and the gradients of its sum over tokens."""
        examples = list(examples)
        validate_examples(examples, "OssammaNER.get_loss")
        index = label_index(self.cfg["labels"])
        lattices = [gold_lattice(example, index) for example in examples]
        rates = [expected_rates(example.reference, self.entity_ratio, self.cfg["labels"]) for example in examples]
        loss, gradients = tagger_loss(
            self.model,
            scores,
            lattices,
            boundary_weight=self.boundary_weight,
            smoothing=self.smoothing,
            rates=rates if any(map(any, rates)) else None,
        )
        return loss / max(sum(map(len, lattices)), 1), gradients

    def finish_update(self, sgd: Optimizer) -> None:
        """Step on the mean over all tokens since the last step, clipped over all weights together."""
        shims, head = self._shims(), torch_shim(self.model)
        for shim in shims:
            for gradient in shim.gradients():
                gradient.div_(max(head.tokens, 1))
        head.tokens = 0
        clip_gradients(shims, sgd.grad_clip or math.inf)
        self.model.finish_update(sgd)
        self.cfg["temperature"] = 1.0  # that of a sourced pipe was fitted to other weights

    def to_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> None:
        """Save the pipe; where the disk is full, the labels and weights that were in the folder stay."""
        exclude = set(exclude)
        super().to_disk(path, exclude=exclude | {"cfg", "model"})
        contents = {"cfg": lambda: srsly.json_dumps(self.cfg).encode("utf-8"), "model": self.model.to_bytes}
        write_together({Path(path) / name: make() for name, make in contents.items() if name not in exclude})

    def from_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> "OssammaNER":
        """Load the pipe; raises ValueError, naming the folder, for files that are damaged or do not fit the config."""
        with self._loading(str(path)):
            super().from_disk(path, exclude=exclude)
        return self

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "OssammaNER":
        """Load the pipe; raises ValueError for bytes that are damaged or do not fit the config."""
        with self._loading("the bytes"):
            super().from_bytes(data, exclude=exclude)
        return self

    @contextmanager
    def _loading(self, source: str) -> Iterator[None]:
        """Check what is loaded against the config; after an error the pipe is as it was."""
        wanted = [(torch_shim(node), node.attrs["config"]) for node in self._encoders()]
        try:
            with self._restored_after_errors():
                yield
                _check_cfg(self.name, self.cfg)
                for shim, config in wanted:
                    if shim.is_initialized:
                        check_shape(config, shim.settings["config"])
                names = torch_shim(self.model).settings.get("names") or []
                if self.is_initialized and names != self.label_data:  # names are under the weights' checksum
                    raise ValueError(
                        f"the weights are for {', '.join(names)}, the file cfg has {', '.join(self.labels) or 'none'}"
                    )
        except (MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # thinc and msgpack raise errors of many kinds
            raise ValueError(
                f"{self.name}: {source}: damaged, or not made by this config ({error}); install the pipeline again, "
                "or train it with this config"
            ) from error

    @contextmanager
    def _restored_after_errors(self) -> Iterator[None]:
        """Leave labels and model as they were where something fails; new strings stay."""
        cfg = dict(self.cfg)
        try:
            with restored_after_errors(self.model):
                yield
        except BaseException:
            self.cfg = cfg
            raise

    def rehearse(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, float]:
        raise ValueError(f"{self.name}: rehearse is not supported; mix old examples into the training data instead")

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """What the scorer says; raises ValueError where there is nothing to score."""
        examples = list(examples)
        if not examples:
            raise ValueError(f"{self.name}: no document to evaluate on; check the development or test data")
        return self.scorer(examples, **kwargs) if self.scorer is not None else {}


def _check_cfg(pipe: str, cfg: Mapping[str, Any]) -> None:
    """Raise ValueError for labels and temperatures that no pipe saves."""
    labels, temperature = cfg["labels"], cfg["temperature"]
    if not isinstance(labels, list) or len(set(map(str, labels))) < len(labels):
        raise ValueError(f"labels = {labels!r}, expected a list of distinct texts")
    for label in labels:
        _check_label(pipe, label)
    check_number("temperature", temperature, lambda t: 0 < t < math.inf, "a number above 0")


def _check_label(pipe: str, label: object) -> None:
    if not isinstance(label, str) or not label:
        raise ValueError(f"{pipe}: a label is a text that is not empty, got {label!r}")


def _is_streamed(nlp: Language) -> bool:
    settings = nlp.config.interpolate()["training"]  # max_epochs may be a variable
    return bool(settings.get("max_epochs", 0) < 0)


def without_space(doc: Doc, start: int, end: int) -> tuple[int, int]:
    """The tokens from start to end (exclusive) without white space at their ends; nothing remains of white space."""
    while start < end and doc[start].is_space:
        start += 1
    while start < end and doc[end - 1].is_space:
        end -= 1
    return start, end


def _label_rank(label: str) -> tuple[int, str]:
    return (LABELS.index(label) if label in LABELS else len(LABELS), label)
