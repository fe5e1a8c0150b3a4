"""Calibration of confidences."""

import numpy as np
import pytest
import spacy
from conftest import make_examples
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from ossamma_spacy.knowledge import write_knowledge
from ossamma_spacy.pipeline.calibration import _judged, calibrate_pipeline, expected_calibration_error, fit_temperature


def test_error_is_the_weighted_distance_of_confidence_and_accuracy():
    probability = np.array([0.95, 0.95, 0.55, 0.55])
    right = np.array([True, True, True, False])
    assert expected_calibration_error(probability, right) == pytest.approx(0.5 * 0.05 + 0.5 * 0.05)
    assert expected_calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0.0


@pytest.fixture
def model(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    return tmp_path / "model"


def wrong_examples(nlp):
    """Gold data that contradicts half of what the pipe is sure of."""
    texts = [("IBM hired Ada Lovelace in 1997", [(0, 3, "PLACE"), (10, 22, "PERSON")]), ("i like london", [])]
    return make_examples(nlp, texts * 4)


def test_a_pipe_that_is_too_sure_gets_a_temperature_above_one_and_keeps_its_entities(model):
    nlp = spacy.load(model)
    pipe = nlp.get_pipe("ossamma_ner")
    before = nlp("IBM hired Ada Lovelace in 1997")
    result = fit_temperature(pipe, wrong_examples(nlp))
    after = nlp("IBM hired Ada Lovelace in 1997")
    assert result.temperature == pipe.cfg["temperature"] > 1.0
    assert result.after < result.before
    assert [(s.text, s.label_) for s in after.ents] == [(s.text, s.label_) for s in before.ents]
    assert all(a._.confidence < b._.confidence for a, b in zip(after.ents, before.ents, strict=True))


def test_a_few_entities_that_are_right_do_not_make_the_pipe_surer(model):
    nlp = spacy.load(model)
    pipe = nlp.get_pipe("ossamma_ner")
    examples = [e for e in make_examples(nlp) if len(e.reference.ents)][:2]
    assert all(len(nlp(example.text).ents) == len(example.reference.ents) for example in examples)
    assert fit_temperature(pipe, examples).temperature >= 1.0


def test_training_on_starts_from_no_temperature(model):
    nlp = spacy.load(model)
    nlp.get_pipe("ossamma_ner").cfg["temperature"] = 3.0
    nlp.update(make_examples(nlp), sgd=nlp.resume_training())
    assert nlp.get_pipe("ossamma_ner").cfg["temperature"] == 1.0


def test_entities_of_unknown_truth_do_not_count(model):
    nlp = spacy.load(model)
    pipe = nlp.get_pipe("ossamma_ner")
    text = "IBM hired Ada Lovelace in 1997"
    assert {"AGENCY", "PERSON"} <= {span.label_ for span in nlp(text).ents}
    (example,) = make_examples(nlp, [(text, [(10, 22, "PERSON")])])
    write_knowledge(example.reference, list(example.reference.ents), ["PERSON"])
    assert fit_temperature(pipe, [example]).spans == 1
    write_knowledge(example.reference, [], [])
    with pytest.raises(ValueError, match="nothing to calibrate"):
        fit_temperature(pipe, [example])


def test_the_temperature_is_saved_in_the_pipeline(model, tmp_path):
    nlp = spacy.load(model)
    DocBin(docs=[example.reference for example in wrong_examples(nlp)]).to_disk(tmp_path / "dev.spacy")
    nlp.add_pipe("ossamma_ner", source=spacy.load(model), name="second")
    nlp.to_disk(tmp_path / "two")
    results = calibrate_pipeline(tmp_path / "two", tmp_path / "dev.spacy")
    saved = spacy.load(tmp_path / "two")
    assert list(results) == ["ossamma_ner", "second"]
    for name, result in results.items():
        assert saved.get_pipe(name).cfg["temperature"] == pytest.approx(result.temperature) != 1.0


def test_a_pipeline_without_the_pipe_is_named(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "empty")
    DocBin().to_disk(tmp_path / "dev.spacy")
    with pytest.raises(ValueError, match="no ossamma_ner"):
        calibrate_pipeline(tmp_path / "empty", tmp_path / "dev.spacy")


def test_without_entities_there_is_nothing_to_calibrate(model):
    nlp = spacy.load(model)
    with pytest.raises(ValueError, match="nothing to calibrate"):
        fit_temperature(nlp.get_pipe("ossamma_ner"), make_examples(nlp, [("Nothing is named here.", [])]))


def test_entities_are_judged_as_the_pipe_writes_them(trained):
    pipe = trained.get_pipe("ossamma_ner")
    doc = Doc(trained.vocab, words=["\n", "Marie", "Curie"])
    gold = Doc(trained.vocab, words=["\n", "Marie", "Curie"])
    gold.set_ents([Span(gold, 1, 3, label="PERSON")])
    person = pipe.labels.index("PERSON")
    assert _judged(pipe, Example(doc, gold), [(0, 3, person), (0, 1, person)]) == [True, None]


def test_fitting_again_says_what_the_last_fit_was_worth(model):
    pipe = spacy.load(model).get_pipe("ossamma_ner")
    examples = wrong_examples(spacy.load(model))
    first, second = (fit_temperature(pipe, examples) for _ in range(2))
    assert second.before == second.after == first.after < first.before
