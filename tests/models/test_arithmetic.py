"""The arithmetic of prediction: chosen by a measurement or a setting, the same entities either way."""

import numpy as np
import pytest
import spacy
from conftest import SENTENCES, make_config, make_examples, train

from ossamma_spacy.models.decoding import decode
from ossamma_spacy.nn.linear import ARITHMETICS, Linear, _fastest_arithmetic, fastest_arithmetic

TEXTS = [text for text, _ in SENTENCES] + ["Ada saw Rome in May", "IBM saw Warsaw in May", "nobody in 1997"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    nlp = spacy.blank("en")
    nlp.add_pipe("ossamma_ner", config=make_config())
    spacy.util.fix_random_seed(0)
    train(nlp, make_examples(nlp))
    path = tmp_path_factory.mktemp("arithmetic") / "model"
    nlp.to_disk(path)
    return path


def load(path, arithmetic):
    settings = {"arithmetic": arithmetic, "tok2vec": {"arithmetic": arithmetic}}
    return spacy.load(path, config={"components": {"ossamma_ner": {"model": settings}}})


def tags(path, arithmetic):
    nlp = load(path, arithmetic)
    pipe = nlp.get_pipe("ossamma_ner")
    docs = [nlp.make_doc(text) for text in TEXTS]
    scores = pipe.model.predict(docs)
    chosen = fastest_arithmetic() if arithmetic == "auto" else arithmetic
    layers = [part for node in pipe.model.walk() for shim in node.shims for part in shim.module.modules()]
    assert {layer.arithmetic for layer in layers if isinstance(layer, Linear)} == {chosen}
    return np.concatenate([found.tags for found in decode(pipe.model, scores, confidences=False)])


def test_every_choice_gives_the_same_tags_on_99_of_100_tokens(saved):
    exact = tags(saved, "float32")
    for arithmetic in ("auto", *ARITHMETICS):
        assert (tags(saved, arithmetic) == exact).mean() >= 0.99


def test_in_bfloat16_a_document_is_nearly_the_same_alone_and_in_a_batch(saved):
    nlp = load(saved, "bfloat16")
    model = nlp.get_pipe("ossamma_ner").model
    docs = [nlp.make_doc(text) for text in (*TEXTS, " ".join(TEXTS * 9))]
    together = model.predict(docs)
    for doc, scores in zip(docs, together, strict=True):
        assert np.abs(model.predict([doc])[0] - scores).max() < 0.02 * np.abs(scores).max()


def test_the_measurement_is_made_once_and_answers_a_choice():
    assert fastest_arithmetic() in ARITHMETICS
    assert fastest_arithmetic() is fastest_arithmetic()


def test_a_processor_without_bfloat16_never_rounds(monkeypatch):
    monkeypatch.setattr("ossamma_spacy.nn.linear.ONEDNN_BFLOAT16", False)
    assert _fastest_arithmetic.__wrapped__() == "float32"


def test_an_unknown_arithmetic_is_refused():
    config = make_config()
    config["model"]["arithmetic"] = "float8"
    with pytest.raises(ValueError, match=r"CRFTagger.v1: arithmetic = 'float8', expected auto, float32, bfloat16"):
        spacy.blank("en").add_pipe("ossamma_ner", config=config)
