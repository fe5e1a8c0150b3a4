"""Configs for `spacy train`, filled; the files in configs/ are what this module writes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from typing import Any

from ossamma_spacy.nn.config import SIZES

TEMPLATE = """
[paths]
train = "corpus/train.spacy"
dev = "corpus/dev.spacy"

[system]
seed = 0
gpu_allocator = "pytorch"

[nlp]
lang = "en"
pipeline = ["ossamma_ner"]
batch_size = 128

[components]

[components.ossamma_ner]
factory = "ossamma_ner"

[components.ossamma_ner.model]
@architectures = "ossamma.CRFTagger.v1"

[corpora]

[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}

[corpora.dev]
@readers = "ossamma.DevCorpus.v1"
path = ${paths.dev}

[training]
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"
max_epochs = 0
patience = 0

[training.batcher]
@batchers = "spacy.batch_by_padded.v1"
buffer = 256
discard_oversize = false

[training.optimizer]
@optimizers = "Adam.v1"
L2 = 0.01
L2_is_weight_decay = true
grad_clip = 1.0
use_averages = true

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"

[training.logger]
@loggers = "spacy.ConsoleLogger.v3"
progress_bar = "train"

[initialize]

[initialize.components]

[initialize.components.ossamma_ner]
"""


@dataclass(frozen=True)
class Recipe:
    """How a size is trained: positions in a batch, padding included, steps, learning rates.

    With `epochs` steps follow from the corpus, batches count documents, and training stops after `PATIENCE` epochs
    without a gain of `SMALLEST_GAIN`.
    """

    batch_size: int = 1000
    max_steps: int = 6000
    warmup_steps: int = 300
    eval_frequency: int = 200
    learn_rate: float = 5e-4
    head_scale: float = 6.0  # learning rate of head and CRF, relative to the encoder's
    dropout: float = 0.1
    smoothing: float = 0.0
    augmentation: Mapping[str, float] = field(default_factory=dict)  # shares, as ossamma.Augmenter.v1 has them
    epochs: int = 0


# for fine-tuning a large pretrained encoder
MEMORY_DROPOUT = 0.15  # from scratch twice as much (docs/decisions.md)
FINE_TUNING = Recipe(batch_size=32, learn_rate=2e-5, head_scale=50.0, smoothing=0.1, epochs=20)
SUB_BATCHES = 2  # in which such a batch goes through the model
WARMUP = 0.1  # share of the steps
PATIENCE = 5  # epochs
SMALLEST_GAIN = 0.001

AUGMENTATION = {"entity_replacement": 0.3, "lower_casing": 0.05}  # from scratch

RECIPES = {
    "tiny": Recipe(dropout=0.2, augmentation=AUGMENTATION, max_steps=1500, warmup_steps=150, eval_frequency=150),
    "small": Recipe(learn_rate=3e-4, augmentation=AUGMENTATION),
    "base": FINE_TUNING,
    "large": FINE_TUNING,
}


TRANSFORMER_RECIPE = Recipe(batch_size=2000, max_steps=20000, warmup_steps=250, learn_rate=5e-5, head_scale=20.0)

TRANSFORMER = """
[transformer]
factory = "transformer"

[transformer.model]
@architectures = "spacy-transformers.TransformerModel.v3"
tokenizer_config = {"use_fast": true}

[transformer.model.get_spans]
@span_getters = "spacy-transformers.strided_spans.v1"
window = 128
stride = 96

[listener]
@architectures = "spacy-transformers.TransformerListener.v1"
grad_factor = 1.0
upstream = "transformer"

[listener.pooling]
@layers = "reduce_mean.v1"
"""


def make_config(
    size: str | None = None,
    *,
    transformer: str | None = None,
    gpu: bool = False,
    labels: str | None = None,
    pretrained: str | None = None,
) -> Any:
    """A config for `spacy train` of the given size, tiny if there is none, filled with all defaults.

    `transformer`, the name or folder of a Hugging Face model, takes the place of our encoder; it needs the extra
    `transformers`. `gpu` computes matrix products in bfloat16, those of a transformer in float16; `labels` is the path
    of a file made by `spacy init labels`, `pretrained` the folder of a pretrained encoder.
    """
    from spacy.util import load_model_from_config
    from thinc.api import Config

    config = Config().from_str(TEMPLATE, interpolate=False)
    if transformer is None:
        recipe = _use_encoder(config, size or "tiny", gpu)
    else:
        for option, value in (("size", size), ("pretrained", pretrained)):
            if value is not None:
                raise ValueError(f"{option} '{value}' is of our encoder, which transformer '{transformer}' replaces")
        recipe = _use_transformer(config, transformer, gpu)
    config["components"]["ossamma_ner"]["model"]["learn_rate_scale"] = recipe.head_scale
    config["components"]["ossamma_ner"]["smoothing"] = recipe.smoothing
    config["training"]["dropout"] = recipe.dropout
    config["training"]["batcher"]["size"] = recipe.batch_size
    config["training"]["optimizer"]["learn_rate"]["initial_rate"] = recipe.learn_rate
    (_train_by_epochs if recipe.epochs else _train_by_steps)(config, recipe)
    if recipe.augmentation:
        _augment(config, recipe.augmentation)
    start = config["initialize"]["components"]["ossamma_ner"]
    if labels:
        start["labels"] = {"@readers": "spacy.read_labels.v1", "path": labels, "require": True}
    if pretrained:
        start["encoder"] = {"@misc": "ossamma.pretrained_encoder.v1", "path": pretrained}
    return load_model_from_config(config, auto_fill=True, validate=False).config


def _train_by_steps(config: Any, recipe: Recipe) -> None:
    config["training"].update(max_steps=recipe.max_steps, eval_frequency=recipe.eval_frequency)
    config["training"]["optimizer"]["learn_rate"].update(warmup_steps=recipe.warmup_steps, total_steps=recipe.max_steps)


def _train_by_epochs(config: Any, recipe: Recipe) -> None:
    def steps(epochs: float) -> dict[str, Any]:
        size = "${training.batcher.size}"
        return {
            "@misc": "ossamma.steps_of_epochs.v1", "path": "${paths.train}", "batch_size": size, "epochs": epochs
        }  # fmt: skip

    training = config["training"]
    # by steps, not by max_epochs, for spaCy evaluates after the last of these
    training.update(max_steps=steps(recipe.epochs), accumulate_gradient=SUB_BATCHES)
    training.update(eval_frequency=steps(1.0), patience=steps(PATIENCE))
    training["batcher"] = {"@batchers": "spacy.batch_by_sequence.v1", "size": recipe.batch_size}
    training["optimizer"]["learn_rate"].update(
        warmup_steps=steps(WARMUP * recipe.epochs), total_steps=steps(recipe.epochs)
    )
    training["score_weights"] = {"ents_f": 0.0, "ents_f_gained": 1.0}
    scorer = {"@scorers": "ossamma.ner_scorer.v1", "smallest_gain": SMALLEST_GAIN}
    config["components"]["ossamma_ner"]["scorer"] = scorer


def _augment(config: Any, shares: Mapping[str, float]) -> None:
    """Change the examples anew in each epoch: spaCy keeps the first, changes and all, of a corpus not streamed."""
    config["corpora"]["train"] = {
        "@readers": "ossamma.MixedCorpus.v1",
        "paths": {"train": "${paths.train}"},
        "seed": "${system.seed}",
        "augmenter": {
            "@augmenters": "ossamma.Augmenter.v1",
            **shares,
            "bank": "${corpora.train.paths}",
            "seed": "${system.seed}",
        },
    }
    config["training"]["max_epochs"] = -1
    config["initialize"]["components"]["ossamma_ner"]["corpora"] = "${corpora.train.paths}"


def _use_encoder(config: Any, size: str, gpu: bool) -> Recipe:
    if size not in SIZES:
        raise ValueError(f"size '{size}' does not exist; sizes are {', '.join(SIZES)}")
    config["components"]["ossamma_ner"]["model"]["tok2vec"] = {
        "@architectures": "ossamma.Encoder.v1",
        **asdict(SIZES[size]),
        "mixed_precision": gpu,
    }
    if RECIPES[size] is FINE_TUNING:
        config["components"]["ossamma_ner"]["model"]["tok2vec"]["memory_dropout"] = MEMORY_DROPOUT
    return RECIPES[size]


def _use_transformer(config: Any, name: str, gpu: bool) -> Recipe:
    from thinc.api import Config

    if find_spec("spacy_transformers") is None:
        raise ValueError(f"transformer '{name}' needs spacy-transformers: pip install 'spacy-transformers>=1.4'")
    parts = Config().from_str(TRANSFORMER, interpolate=False)
    parts["transformer"]["model"].update(name="${paths.transformer}", mixed_precision=gpu)
    config["paths"]["transformer"] = name
    config["nlp"]["pipeline"] = ["transformer", "ossamma_ner"]
    config["components"]["transformer"] = parts["transformer"]
    config["components"]["ossamma_ner"]["model"]["tok2vec"] = parts["listener"]
    config["training"]["optimizer"]["use_averages"] = False  # thinc cannot average a transformer's weights
    return TRANSFORMER_RECIPE
