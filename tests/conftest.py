"""Small pipelines and data that many tests share."""

import pytest
import spacy
import torch
from hypothesis import settings
from spacy.training import Example

settings.register_profile("untimed", deadline=None)  # speed is no subject of the tests
settings.load_profile("untimed")


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if "gpu" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="not run: there is no CUDA device"))


SMALL_ENCODER = {
    "@architectures": "ossamma.Encoder.v1",
    "width": 32, "depth": 1, "heads": 2, "window": 4, "feed_forward_width": 32, "dropout": 0.0, "word_dropout": 0.0,
    "memory_dropout": 0.0, "vocabulary_rows": 300,
    "affix_rows": 64, "affix_width": 4, "word_rows": 256, "pair_rows": 256, "memory_width": 8, "time_width": 8,
}  # fmt: skip

SENTENCES = [
    ("Marie Curie was born in Warsaw.", [(0, 11, "PERSON"), (24, 30, "PLACE")]),
    ("i like london and berlin", [(7, 13, "PLACE"), (18, 24, "PLACE")]),
    ("IBM hired Ada Lovelace in 1997", [(0, 3, "AGENCY"), (10, 22, "PERSON"), (26, 30, "MEASURE")]),
    ("Nothing is named here.", []),
    ("Nature printed it in May", [(0, 6, "WORK"), (21, 24, "MEASURE")]),
]


def make_config(**pipe):
    model = {"@architectures": "ossamma.CRFTagger.v1", "dropout": 0.0, "tok2vec": dict(SMALL_ENCODER)}
    return {"model": model, **pipe}


def make_examples(nlp, sentences=SENTENCES):
    return [Example.from_dict(nlp.make_doc(text), {"entities": spans}) for text, spans in sentences]


def train(nlp, examples, steps=60, rate=3e-3):
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = rate
    losses = {}
    for _ in range(steps):
        losses = {}
        nlp.update(examples, sgd=sgd, losses=losses)
    return losses


def entities(doc):
    return [(span.start, span.end, span.label_) for span in doc.ents]


def weights(nlp, name):
    return nlp.get_pipe(name).model.to_bytes()


def step(nlp, examples, sgd):
    """A step as in `spacy train`, where a shared encoder takes it after all heads have given their gradients."""
    losses = {}
    nlp.update(examples, sgd=False, losses=losses)
    for _, pipe in nlp.pipeline:
        pipe.finish_update(sgd)
    return losses


def copy_of(nlp, folder):
    nlp.to_disk(folder)
    return spacy.load(folder)


def make_nlp(**pipe):
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("ossamma_ner", config=make_config(**pipe))
    return nlp


@pytest.fixture(scope="session")
def trained():
    """A pipeline that has learned SENTENCES by heart; tests do not change it."""
    nlp = make_nlp()
    losses = train(nlp, make_examples(nlp))
    assert losses["ossamma_ner"] < 0.1
    return nlp


@pytest.fixture(scope="session")
def folder(trained, tmp_path_factory):
    """The trained pipeline on disk."""
    path = tmp_path_factory.mktemp("trained")
    trained.to_disk(path)
    return path
