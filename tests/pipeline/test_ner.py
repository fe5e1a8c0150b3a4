"""The pipe `ossamma_ner` from initialization to disk."""

import pickle
import subprocess
import sys
from itertools import product
from unittest.mock import Mock

import numpy as np
import pytest
import spacy
import srsly
import torch
from conftest import SENTENCES, copy_of, entities, make_config, make_examples, make_nlp, train
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from thinc.api import Adam

from ossamma_spacy.knowledge import write_knowledge
from ossamma_spacy.labels import LABELS
from ossamma_spacy.models.decoding import decode
from ossamma_spacy.models.pretrained import pretrained_encoder
from ossamma_spacy.models.shim import TorchShim, clip_gradients, torch_shim
from ossamma_spacy.pipeline.scorer import make_ner_scorer

TEXTS = [text for text, _ in SENTENCES] + ["Ada saw Warsaw in May", "", " ", "x"]


def test_training_finds_what_it_was_taught(trained):
    for text, spans in SENTENCES:
        assert [(e.start_char, e.end_char, e.label_) for e in trained(text).ents] == spans
    scores = trained.evaluate(make_examples(trained))
    assert scores["ents_f"] == scores["ents_macro_f"] == 1.0
    assert set(scores["ents_per_type"]) == {"PERSON", "PLACE", "AGENCY", "MEASURE", "WORK"}


def test_there_must_be_something_to_evaluate_on(trained):
    with pytest.raises(ValueError, match="no document to evaluate on; check the development or test data"):
        trained.evaluate([])


def test_documents_without_annotation_have_no_score(trained):
    example = Example(trained.make_doc("Ada left"), trained.make_doc("Ada left"))
    with pytest.warns(UserWarning, match="no document says what its entities are, so there is no score"):
        assert trained.evaluate([example])["ents_f"] is None


def test_spacy_knows_what_the_pipe_sets_and_how_it_is_scored(trained):
    meta = trained.get_pipe_meta("ossamma_ner")
    assert meta.assigns == ["doc.ents", "token.ent_iob", "token.ent_type", "doc.spans"]
    weights = {"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_macro_f": 0.0, "ents_per_type": None}
    assert meta.default_score_weights == weights
    assert trained.analyze_pipes()["problems"] == {"ossamma_ner": []}


def test_labels_come_in_the_order_of_the_nine(trained):
    pipe = trained.get_pipe("ossamma_ner")
    assert pipe.labels == tuple(label for label in LABELS if label in set(pipe.labels))
    assert pipe.label_data == list(pipe.labels)


def assert_same(left, right):
    for text in TEXTS:
        a, b = left(text), right(text)
        assert entities(a) == entities(b)
        assert [e._.confidence for e in a.ents] == [e._.confidence for e in b.ents]


def test_disk_and_bytes_keep_entities_and_scores(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    assert_same(trained, spacy.load(tmp_path / "model"))
    assert_same(trained, spacy.blank("en").from_config(trained.config).from_bytes(trained.to_bytes()))
    assert trained.to_bytes() == trained.to_bytes()


def test_pickle_keeps_entities_and_scores(trained):
    copy = pickle.loads(pickle.dumps(trained.get_pipe("ossamma_ner").model))
    docs = [trained.make_doc(text) for text in TEXTS if text]
    for left, right in zip(copy.predict(docs), trained.get_pipe("ossamma_ner").model.predict(docs), strict=True):
        assert (left == right).all()


def test_the_same_seed_gives_the_same_weights():
    one, two = (make_nlp() for _ in range(2))
    for nlp in (one, two):
        spacy.util.fix_random_seed(3)
        train(nlp, make_examples(nlp), steps=5)
    assert one.get_pipe("ossamma_ner").model.to_bytes() == two.get_pipe("ossamma_ner").model.to_bytes()


def test_confidences_stand_beside_the_entities_and_survive_docbin(trained):
    doc = trained(SENTENCES[2][0])
    assert [0 < span._.confidence <= 1 for span in doc.ents] == [True] * 3
    assert doc[0:2]._.confidence is None
    store = DocBin(docs=[doc])
    (again,) = DocBin().from_bytes(store.to_bytes()).get_docs(trained.vocab)
    assert [e._.confidence for e in again.ents] == [e._.confidence for e in doc.ents]


def test_a_threshold_drops_unsure_entities(trained, tmp_path):
    trained.to_disk(tmp_path)
    doc = trained(SENTENCES[2][0])
    confidences = [span._.confidence for span in doc.ents]
    settings = {"threshold": sum(sorted(confidences)[:2]) / 2, "confidence": False}
    strict = spacy.load(tmp_path, config={"components": {"ossamma_ner": settings}})(doc.text)
    least = min(confidences)
    assert entities(strict) == [(s.start, s.end, s.label_) for s in doc.ents if s._.confidence > least]
    assert len(strict.ents) == 2
    assert not strict.spans  # computed for the threshold, not asked for


def test_without_confidence_nothing_is_stored(trained, tmp_path):
    trained.to_disk(tmp_path)
    fast = spacy.load(tmp_path, config={"components": {"ossamma_ner": {"confidence": False}}})
    doc = fast(SENTENCES[2][0])
    assert entities(doc) == entities(trained(SENTENCES[2][0]))
    assert not doc.spans
    assert doc.ents[0]._.confidence is None


def test_existing_entities_are_kept_on_request(trained, tmp_path):
    trained.to_disk(tmp_path)
    keep = spacy.load(tmp_path, config={"components": {"ossamma_ner": {"keep_existing": True}}})
    doc = keep.make_doc("IBM hired Ada Lovelace in 1997")
    doc.set_ents([doc.char_span(10, 13, label="PLACE"), doc.char_span(26, 30, label="YEAR")], default="outside")
    for name, pipe in keep.pipeline:
        assert name == "ossamma_ner"
        doc = pipe(doc)
    found = {(span.text, span.label_) for span in doc.ents}
    assert {("Ada", "PLACE"), ("1997", "YEAR"), ("IBM", "AGENCY")} <= found


def test_blocked_tokens_are_kept_free_of_entities(trained, tmp_path):
    trained.to_disk(tmp_path)
    keep = spacy.load(tmp_path, config={"components": {"ossamma_ner": {"keep_existing": True}}})
    doc = keep.make_doc("IBM hired Ada Lovelace in 1997")
    doc.set_ents([], blocked=[doc[2:4]], default="missing")
    (doc,) = keep.pipe([doc])
    assert [span.text for span in doc.ents] == ["IBM", "1997"]
    assert [(token.ent_iob, token.ent_type) for token in doc[2:4]] == [(3, 0)] * 2


def test_no_entity_is_found_across_one_that_is_kept(trained, tmp_path):
    trained.to_disk(tmp_path)
    keep = spacy.load(tmp_path, config={"components": {"ossamma_ner": {"keep_existing": True}}})
    doc = keep.make_doc("IBM hired Ada Lovelace in 1997")
    doc.set_ents([Span(doc, 3, 4, label="PLACE")], default="missing")
    (decoded,) = keep.get_pipe("ossamma_ner").predict([doc])
    assert (2, 4) in {span[:2] for span in trained.get_pipe("ossamma_ner").predict([doc])[0].spans}
    assert [span for span in decoded.spans if span[0] < 4 and span[1] > 3] == [
        (3, 4, trained.get_pipe("ossamma_ner").labels.index("PLACE"))
    ]


def test_labels_are_refused_once_the_weights_are_made(trained):
    with pytest.raises(ValueError, match="cannot add 'NEW'"):
        trained.get_pipe("ossamma_ner").add_label("NEW")
    assert trained.get_pipe("ossamma_ner").add_label("PERSON") == 0


def test_labels_may_be_given(tmp_path):
    nlp = make_nlp()
    pipe, examples = nlp.get_pipe("ossamma_ner"), make_examples(nlp, SENTENCES[1:2])
    pipe.initialize(lambda: examples, nlp=nlp, labels=["PLACE", "B", "A"])
    assert pipe.labels == ("PLACE", "B", "A")
    with pytest.raises(ValueError, match=r"labels in \[.*ossamma_ner\] leaves out PLACE, which the training data has"):
        pipe.initialize(lambda: examples, nlp=nlp, labels=["A"])
    assert pipe.labels == ("PLACE", "B", "A")


def test_labels_added_before_join_those_of_the_data():
    nlp = make_nlp()
    pipe = nlp.get_pipe("ossamma_ner")
    assert pipe.add_label("FOO") == 1
    nlp.initialize(lambda: make_examples(nlp, SENTENCES[1:2]))
    assert pipe.labels == ("PLACE", "FOO")
    nlp.initialize(lambda: make_examples(nlp, SENTENCES[:1]))
    assert pipe.labels == ("PERSON", "PLACE")


@pytest.mark.parametrize(("added", "labels"), [((), LABELS), (("PLACE", "FOO"), ("PLACE", "FOO"))])
def test_without_data_labels_are_those_added_or_the_nine(added, labels):
    nlp = make_nlp()
    for label in added:
        nlp.get_pipe("ossamma_ner").add_label(label)
    nlp.initialize()
    assert nlp.get_pipe("ossamma_ner").labels == tuple(labels)


def test_data_without_entities_has_nothing_to_learn():
    nlp = make_nlp()
    with pytest.raises(ValueError, match="no entity"):
        nlp.initialize(lambda: make_examples(nlp, [("Nothing here.", [])]))


def test_an_unknown_label_is_named():
    nlp = make_nlp()
    sgd = nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match="has 'ODD'"):
        nlp.update(make_examples(nlp, [("Odd text", [(0, 3, "ODD")])]), sgd=sgd)


def test_prediction_before_initialization_says_what_to_do():
    with pytest.raises(ValueError, match="not initialized"):
        make_nlp()("text")


def test_rehearsal_is_refused(trained):
    with pytest.raises(ValueError, match="rehearse is not supported"):
        trained.get_pipe("ossamma_ner").rehearse([])


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("threshold", 2.0, "threshold = 2.0, expected a probability from 0 to 1"),
        ("boundary_weight", -1.0, "boundary_weight = -1.0, expected 0"),
        ("smoothing", 1.0, "smoothing = 1.0, expected a share from 0 to below 1"),
        ("spans_key", "", "spans_key is empty"),
        ("spans_key", "ossamma_knowledge", "holds what documents know"),
    ],
)
def test_settings_of_the_pipe_are_checked(setting, value, message):
    with pytest.raises(ValueError, match=message):
        make_nlp(**{setting: value})


def test_settings_of_the_model_are_checked():
    model = make_config()["model"]
    for changed, message in (
        ({"dropout": 1.5}, "dropout = 1.5, expected a share from 0 to below 1"),
        ({"dropout": "0.5"}, "CRFTagger.v1: dropout = '0.5', expected a share"),
        ({"learn_rate_scale": True}, "CRFTagger.v1: learn_rate_scale = True, expected 0|True is not"),
        ({"learn_rate_scale": -1.0}, "CRFTagger.v1: learn_rate_scale = -1.0, expected 0"),
        (
            {"tok2vec": {**model["tok2vec"], "learn_rate_scale": -1.0}},
            "Encoder.v1: learn_rate_scale = -1.0, expected 0",
        ),
        ({"tok2vec": {**model["tok2vec"], "width": "192"}}, "encoder: width = '192', expected something like 192"),
        ({"tok2vec": {**model["tok2vec"], "memory_width": 0}}, "memory_width = 0, expected at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            make_nlp(model={**model, **changed})
    nlp = make_nlp(model={**model, "tok2vec": {**model["tok2vec"], "vocabulary_rows": 10}})
    with pytest.raises(ValueError, match="vocabulary_rows = 10, expected at least 257"):
        nlp.initialize(lambda: make_examples(nlp))


def test_missing_annotation_teaches_nothing():
    nlp = make_nlp()
    nlp.initialize(lambda: make_examples(nlp))
    blank = nlp.make_doc("IBM hired Ada Lovelace")
    losses = nlp.update([Example(blank, Doc(nlp.vocab, words=[t.text for t in blank]))], sgd=False)
    assert abs(losses["ossamma_ner"]) < 1e-5
    pipe = nlp.get_pipe("ossamma_ner")
    for model in (pipe.model, pipe.model.get_ref("tok2vec")):
        gradients = [gradient for gradient in torch_shim(model).gradients() if gradient.numel()]
        assert gradients
        assert all(gradient.abs().max() < 1e-6 for gradient in gradients)


def test_gradients_reach_every_parameter_of_head_and_crf():
    nlp = make_nlp()
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=False)
    for name, parameter in torch_shim(nlp.get_pipe("ossamma_ner").model).module.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_prediction_follows_the_weights_between_steps(tmp_path):
    """What prediction remembers of the weights is dropped by a step, with averages and without."""
    nlp = make_nlp()
    examples = make_examples(nlp)
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate, sgd.averages = 3e-3, None
    pipe = nlp.get_pipe("ossamma_ner")
    docs = [nlp.make_doc(text) for text in TEXTS if text]
    pipe.model.predict(docs)
    for _ in range(20):
        nlp.update(examples, sgd=sgd)
    again = copy_of(nlp, tmp_path).get_pipe("ossamma_ner")
    for here, there in zip(pipe.model.predict(docs), again.model.predict(docs), strict=True):
        assert np.array_equal(here, there)


def test_emissions_do_not_depend_on_the_batch(folder):
    settings = {"arithmetic": "float32", "tok2vec": {"arithmetic": "float32"}}
    nlp = spacy.load(folder, config={"components": {"ossamma_ner": {"model": settings}}})
    docs = [nlp.make_doc(" ".join(TEXTS * n) + f" {n}") for n in (1, 3, 1, 2, 8, 1)] + [nlp.make_doc("")]
    model = nlp.get_pipe("ossamma_ner").model
    together, backwards = model.predict(docs), model.predict(docs[::-1])[::-1]
    for doc, here, there in zip(docs, together, backwards, strict=True):
        (alone,) = model.predict([doc])
        for other in (here, there):
            assert alone.shape == other.shape
            assert np.abs(alone - other).max(initial=0.0) <= 1e-4


def test_partly_missing_and_misaligned_gold_trains():
    nlp = make_nlp()
    examples = make_examples(nlp)
    partly = nlp.make_doc("IBM hired Ada Lovelace in 1997")
    reference = Doc(nlp.vocab, words=[t.text for t in partly], ents=["B-AGENCY", "O", "", "", "", "B-MEASURE"])
    words = ["IBM", "hired", "Ada Love", "lace", "in", "1997"]
    misaligned = Doc(nlp.vocab, words=words, ents=["B-AGENCY", "O", "B-PERSON", "O", "O", "O"])
    examples += [Example(partly, reference), Example(partly.copy(), misaligned)]
    train(nlp, examples)
    found = [(span.text, span.label_) for span in nlp("IBM hired Ada Lovelace in 1997").ents]
    assert {("IBM", "AGENCY"), ("1997", "MEASURE")} <= set(found)


def test_labels_are_learned_from_documents_that_annotate_one_each():
    nlp = make_nlp()
    people, places = ["Ada", "Marie", "Alan", "Grace"], ["Rome", "Warsaw", "London", "Berlin"]
    examples = []
    for person, place in product(people, places):
        for label, position in (("PERSON", 0), ("PLACE", 2)):
            doc = nlp.make_doc(f"{person} saw {place} again")
            write_knowledge(doc, [Span(doc, position, position + 1, label)], [label])
            examples.append(Example(nlp.make_doc(doc.text), doc))
    train(nlp, examples)
    found = {tuple((span.text, span.label_) for span in nlp(example.text).ents) for example in examples}
    assert found == {((person, "PERSON"), (place, "PLACE")) for person, place in product(people, places)}
    assert nlp.evaluate(examples)["ents_f"] == 1.0


@pytest.mark.parametrize("ratio", [0.02, 0.3])
def test_labels_that_no_document_annotates_are_found_as_often_as_expected(ratio):
    nlp = make_nlp(entity_ratio={"PLACE": ratio})
    examples = []
    for words in product("ab", "cd", "efg"):
        doc = nlp.make_doc(f"Ada {' '.join(words)} {words[0]}x {words[1]}y")
        write_knowledge(doc, [Span(doc, 0, 1, "PERSON")], ["PERSON"])
        examples.append(Example(nlp.make_doc(doc.text), doc))
    nlp.get_pipe("ossamma_ner").initialize(lambda: examples, nlp=nlp, labels=["PERSON", "PLACE"])
    sgd = nlp.create_optimizer()
    sgd.learn_rate = 3e-3
    for _ in range(40):
        nlp.update(examples, sgd=sgd)
    docs = [nlp(example.text) for example in examples]
    places = sum(span.label_ == "PLACE" for doc in docs for span in doc.ents)
    tokens = sum(map(len, docs))
    assert (places < 0.05 * tokens) if ratio == 0.02 else (0.1 * tokens < places < 0.5 * tokens)


def test_a_ratio_of_entities_is_a_share():
    with pytest.raises(ValueError, match=r"entity_ratio.PLACE = 1.5, expected a share from 0 to below 1"):
        make_nlp(entity_ratio={"PLACE": 1.5})
    nlp = make_nlp(entity_ratio={"PLACES": 0.01})
    with pytest.raises(ValueError, match="entity_ratio has PLACES, the labels are PERSON, AGENCY"):
        nlp.initialize(lambda: make_examples(nlp))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\n \t",
        "a",
        "a" * 10_000,
        "👩‍👩‍👧 👍🏽",
        "é́́́́" * 20,
        "\x00\x01\ufffe",
        "\u202eabc",
        " IBM \n",
        "Ada\n\nLovelace",
    ],
)
def test_odd_texts_pass(trained, text):
    doc = trained(text)
    assert doc.text == text
    for span in doc.ents:
        assert not span[0].is_space
        assert not span[-1].is_space


HARD = st.text(st.sampled_from("\n\r\t \x00\x0b\x1f\x7f\x85\u2028\u200d\ufeff\u0301👩IBMada1.-'\""), max_size=200)


@given(st.one_of(st.text(max_size=60), HARD, st.lists(st.sampled_from([*TEXTS, "\n", "\x00"])).map(" ".join)))
@settings(max_examples=150)
def test_any_text_passes(trained, text):
    doc = trained(text)
    assert doc.text == text
    assert not any(span[0].is_space or span[-1].is_space for span in doc.ents)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["Ada ", "\n", "x"])
def test_texts_of_spacys_largest_length_pass(trained, unit):
    text = (unit * trained.max_length)[: trained.max_length]
    assert trained(text).text == text


@given(st.lists(st.integers(0, 12), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_any_scores_become_valid_entities(trained, picks, seed):
    """Random weights decode to legal entities."""
    pipe = trained.get_pipe("ossamma_ner")
    words = ["IBM", " ", "Ada", "\n", "x", "in", "1997", "the", "May", ".", "Rome", "a", "b"]
    doc = Doc(trained.vocab, words=[words[i] for i in picks])
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(len(doc), 2 * len(pipe.labels) + 3, generator=generator).numpy() * 10
    pipe.set_annotations([doc], decode(pipe.model, [scores], confidences=True))
    for span in doc.ents:
        assert span.label_ in pipe.labels
        assert not span[0].is_space and not span[-1].is_space


def test_accumulated_steps_equal_one_large_step():
    weights = []
    for parts in (1, 2):
        nlp = make_nlp()
        examples = make_examples(nlp)
        spacy.util.fix_random_seed(1)
        sgd = nlp.initialize(lambda examples=examples: examples)
        sgd.learn_rate = 1e-2
        cut = [examples] if parts == 1 else [examples[:3], examples[3:]]
        for part in cut:
            nlp.update(part, sgd=False)
            pipe = nlp.get_pipe("ossamma_ner")
            pipe.get_loss(part, pipe.model.predict([example.predicted for example in part]))  # only looks
        for _, pipe in nlp.pipeline:
            pipe.finish_update(sgd)
        weights.append(torch.cat([p.flatten() for p in nlp.get_pipe("ossamma_ner").model.shims[0].module.parameters()]))
    assert torch.allclose(weights[0], weights[1], atol=1e-5)


def test_a_step_is_on_the_mean_over_tokens_since_the_last(monkeypatch):
    norms = []
    monkeypatch.setattr(
        "ossamma_spacy.pipeline.ner.clip_gradients", lambda shims, most: norms.append(clip_gradients(shims, most))
    )
    nlp = make_nlp()
    examples = make_examples(nlp)
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate, sgd.grad_clip = 0.0, 1e9
    for updates in (1, 2, 1):
        for _ in range(updates):
            nlp.update(examples, sgd=False)
        nlp.get_pipe("ossamma_ner").finish_update(sgd)
    assert norms == pytest.approx(norms[:1] * 3, rel=1e-4)


def loss_of(examples, drop=0.0, **pipe):
    nlp = make_nlp(**pipe)
    nlp.initialize(lambda: examples)
    losses = {}
    nlp.update(examples, sgd=False, drop=drop, losses=losses)
    return losses["ossamma_ner"]


def test_dropout_of_training_reaches_encoder_and_head():
    examples = make_examples(make_nlp())
    nlp = make_nlp()
    nlp.initialize(lambda: examples)
    pipe = nlp.get_pipe("ossamma_ner")
    for model in (pipe.model, pipe.model.get_ref("tok2vec")):
        nlp.update(examples, sgd=False, drop=0.25)
        rates = {part.p for part in torch_shim(model).module.modules() if isinstance(part, torch.nn.Dropout)}
        assert rates == {0.25}
    assert loss_of(examples) == loss_of(examples)
    assert loss_of(examples, drop=0.5) != loss_of(examples)


@pytest.mark.parametrize("setting", ["smoothing", "boundary_weight"])
def test_what_is_added_to_the_loss_is_weighted(setting):
    examples = make_examples(make_nlp())
    none, some, twice = (loss_of(examples, **{setting: weight}) for weight in (0.0, 0.1, 0.2))
    assert some > none + 1e-3
    assert twice - none == pytest.approx(2 * (some - none), rel=1e-3)


def test_marginals_are_computed_only_where_they_are_wanted(trained, monkeypatch, tmp_path):
    nlp = copy_of(trained, tmp_path)
    pipe = nlp.get_pipe("ossamma_ner")
    pipe.confidence = False
    monkeypatch.setattr("ossamma_spacy.nn.crf.CRF.span_log_posteriors", None)
    assert nlp(SENTENCES[2][0]).ents
    pipe.threshold = 0.1
    with pytest.raises(TypeError):
        nlp(SENTENCES[2][0])


def moves_of_a_step(grad_clip, **model):
    """How far a step moves each weight of the encoder and of the head."""
    nlp = make_nlp(model={**make_config()["model"], **model})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    head = nlp.get_pipe("ossamma_ner").model
    shims = [torch_shim(head.get_ref("tok2vec")), torch_shim(head)]
    before = [[p.detach().clone() for p in shim.module.parameters()] for shim in shims]
    # with a large eps a step of Adam is proportional to the gradient
    nlp.update(examples, sgd=Adam(1e4, beta1=0.0, beta2=0.0, eps=1e4, L2=0.0, grad_clip=grad_clip))
    return [
        torch.cat([(p.detach() - old).flatten() for p, old in zip(shim.module.parameters(), olds, strict=True)])
        for shim, olds in zip(shims, before, strict=True)
    ]


def test_the_head_learns_faster_by_its_scale():
    encoder, head = moves_of_a_step(0.0, learn_rate_scale=1.0)
    same, scaled = moves_of_a_step(0.0, learn_rate_scale=7.0)
    assert torch.allclose(same, encoder)
    assert torch.allclose(scaled, head * 7, rtol=1e-2, atol=1e-5)


def test_encoder_and_head_are_clipped_by_their_common_norm():
    free = moves_of_a_step(0.0, learn_rate_scale=1.0)
    clipped = moves_of_a_step(0.5, learn_rate_scale=1.0)
    ratios = [(few.norm() / many.norm()).item() for few, many in zip(clipped, free, strict=True)]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-2)
    assert ratios[0] < 0.99


def test_mixed_precision_of_the_config_reaches_the_encoder():
    model = make_config()["model"]
    nlp = make_nlp(model={**model, "tok2vec": {**model["tok2vec"], "mixed_precision": True}})
    assert torch_shim(nlp.get_pipe("ossamma_ner").model.get_ref("tok2vec")).mixed_precision


def test_config_reaches_the_pipe():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("ossamma_ner", config=make_config(spans_key="ner", boundary_weight=0.5, smoothing=0.1))
    assert (pipe.spans_key, pipe.boundary_weight, pipe.smoothing) == ("ner", 0.5, 0.1)
    train(nlp, make_examples(nlp), steps=2)
    assert "ner" in nlp("Ada").spans


def test_the_scorer_counts_gains_in_steps(trained):
    examples = make_examples(trained)
    assert "ents_f_gained" not in make_ner_scorer()(examples)
    for example in examples[:2]:
        example.predicted.ents = list(example.reference.ents)
    scores = make_ner_scorer(smallest_gain=0.1)(examples)
    assert scores["ents_f"] == pytest.approx(8 / 13)
    assert scores["ents_f_gained"] == pytest.approx(0.6)
    with pytest.raises(ValueError, match=r"smallest_gain = 1\.5, expected a share from 0 to below 1"):
        make_ner_scorer(smallest_gain=1.5)


def test_a_pipe_moves_to_a_device_that_is_there(trained, tmp_path):
    nlp = copy_of(trained, tmp_path)
    pipe = nlp.get_pipe("ossamma_ner")
    assert pipe.to("cpu") is pipe
    assert entities(nlp(SENTENCES[2][0])) == entities(trained(SENTENCES[2][0]))
    with pytest.raises(ValueError, match="no device 'cuda:99'"):
        pipe.to("cuda:99")


def test_processes_do_not_share_a_gpu(trained, tmp_path, monkeypatch):
    nlp = copy_of(trained, tmp_path)
    model = nlp.get_pipe("ossamma_ner").model
    for node in (model, model.get_ref("tok2vec")):
        torch_shim(node).device = torch.device("cuda", 0)
    monkeypatch.setattr("os.getpid", lambda: -1)  # as in a process of nlp.pipe, forked or with a pickled pipe
    with pytest.raises(ValueError, match="use n_process=1 on the GPU"):
        nlp("Marie Curie was born in Warsaw.")
    with pytest.raises(ValueError, match="use n_process=1 on the GPU"):
        model.get_ref("tok2vec").predict([nlp.make_doc("Marie Curie")])


def test_labels_are_counted_once_and_not_empty():
    nlp = make_nlp()
    pipe, examples = nlp.get_pipe("ossamma_ner"), make_examples(nlp, SENTENCES[1:2])
    pipe.initialize(lambda: examples, nlp=nlp, labels=["PLACE", "PLACE"])
    assert pipe.labels == ("PLACE",)
    assert {span.label_ for span in nlp("Marie Curie was born").ents} <= {"PLACE"}
    with pytest.raises(ValueError, match=r"labels in \[.*ossamma_ner\] is empty"):
        pipe.initialize(lambda: examples, nlp=nlp, labels=[])


def truncate(path):
    (path / "model").write_bytes((path / "model").read_bytes()[:-100])


def tamper(path):
    data = bytearray((path / "model").read_bytes())
    data[-1000] ^= 1
    (path / "model").write_bytes(data)


def respell(path):
    data = (path / "model").read_bytes()
    assert b'"vocab":{' in data
    (path / "model").write_bytes(data.replace(b'"vocab":{"!":0', b'"vocab":{"!":1', 1))


def forget(path):
    (path / "cfg").unlink()


def freeze(path):
    cfg = srsly.read_json(path / "cfg")
    srsly.write_json(path / "cfg", {**cfg, "temperature": 0})


def outdate(path):
    data = (path / "model").read_bytes()
    assert b"\xa6format\x03" in data
    (path / "model").write_bytes(data.replace(b"\xa6format\x03", b"\xa6format\x02"))


def relabel(path):
    cfg = srsly.read_json(path / "cfg")
    srsly.write_json(path / "cfg", {**cfg, "labels": cfg["labels"][:1] * len(cfg["labels"])})


def reorder(path):
    cfg = srsly.read_json(path / "cfg")
    srsly.write_json(path / "cfg", {**cfg, "labels": cfg["labels"][::-1]})


def number(path):
    cfg = srsly.read_json(path / "cfg")
    srsly.write_json(path / "cfg", {**cfg, "labels": list(range(len(cfg["labels"])))})


@pytest.mark.parametrize("damage", [truncate, tamper, respell, outdate, forget, freeze, relabel, reorder, number])
def test_a_damaged_pipeline_is_named(trained, tmp_path, damage):
    trained.to_disk(tmp_path)
    damage(tmp_path / "ossamma_ner")
    with pytest.raises(ValueError, match=r"ossamma_ner: damaged, or not made by this config .*install the pipeline"):
        spacy.load(tmp_path)


def test_weights_without_their_labels_are_named(trained, tmp_path):
    trained.to_disk(tmp_path)
    forget(tmp_path / "ossamma_ner")
    with pytest.raises(
        ValueError, match="the weights are for PERSON, AGENCY, PLACE, WORK, MEASURE, the file cfg has none"
    ):
        spacy.load(tmp_path)


def test_a_lack_of_memory_is_not_called_damage(trained, tmp_path, monkeypatch):
    trained.to_disk(tmp_path)
    monkeypatch.setattr(TorchShim, "from_bytes", Mock(side_effect=MemoryError))
    with pytest.raises(MemoryError):
        spacy.load(tmp_path)


@pytest.mark.parametrize("damage", [truncate, tamper, forget])
def test_a_failed_load_leaves_the_pipe_as_it_was(trained, tmp_path, damage):
    nlp = copy_of(trained, tmp_path / "mine")
    other = make_nlp()
    train(other, make_examples(other, SENTENCES[1:2]), steps=2)
    other.to_disk(tmp_path / "other")
    damage(tmp_path / "other" / "ossamma_ner")
    pipe = nlp.get_pipe("ossamma_ner")
    with pytest.raises(ValueError, match="damaged"):
        pipe.from_disk(tmp_path / "other" / "ossamma_ner", exclude=["vocab"])
    assert pipe.to_bytes() == trained.get_pipe("ossamma_ner").to_bytes()
    assert entities(nlp(SENTENCES[2][0])) == entities(trained(SENTENCES[2][0]))


@pytest.mark.parametrize(("setting", "value"), [("width", 64), ("depth", 2), ("window", 8), ("word_rows", 512)])
def test_weights_of_another_shape_than_the_config_are_refused(folder, setting, value):
    changed = {"components": {"ossamma_ner": {"model": {"tok2vec": {setting: value}}}}}
    with pytest.raises(ValueError, match=f"not made by this config.*{value}"):
        spacy.load(folder, config=changed)


def test_a_refused_load_leaves_everything_as_it_was(trained, folder):
    def pipe_of(depth):
        nlp = spacy.blank("en")
        config = make_config()
        config["model"]["tok2vec"]["depth"] = depth
        nlp.add_pipe("ossamma_ner", config=config)
        nlp.initialize(lambda: make_examples(nlp))
        return nlp.get_pipe("ossamma_ner")

    pipe, other = pipe_of(1), pipe_of(2)
    for _ in range(2):
        with pytest.raises(ValueError, match="not made by this config"):
            pipe.from_bytes(other.to_bytes())
    fewer = make_nlp()
    examples = make_examples(fewer)[:1]
    fewer.initialize(lambda: examples)
    good = fewer.get_pipe("ossamma_ner").to_bytes()
    fresh = make_nlp().get_pipe("ossamma_ner")
    with pytest.raises(ValueError, match="damaged"):
        fresh.from_bytes(pipe.to_bytes().replace(b"sha256", b"sha257"))
    fresh.from_bytes(good)
    assert fresh.labels == fewer.get_pipe("ossamma_ner").labels != pipe.labels


def test_a_span_that_somebody_added_has_no_confidence(trained):
    doc = trained(SENTENCES[0][0])
    before = [span._.confidence for span in doc.ents]
    for start in (len(doc) - 1, 3, 0):  # in no order
        doc.spans["ossamma_ner"].append(Span(doc, start, start + 1, label="PERSON"))
    assert doc.spans["ossamma_ner"][len(doc.ents)]._.confidence is None
    assert [span._.confidence for span in doc.ents] == before


def test_max_epochs_may_be_a_variable():
    nlp = make_nlp()
    nlp.config["variables"] = {"epochs": 2}
    nlp.config["training"]["max_epochs"] = "${variables.epochs}"
    examples = make_examples(nlp)
    nlp.get_pipe("ossamma_ner").initialize(lambda: examples, nlp=nlp)


def test_a_failed_initialization_leaves_the_pipe_as_it_was(trained, folder, tmp_path):
    nlp = spacy.load(folder)
    with pytest.raises(ValueError, match=r"no metadata\.json"):
        nlp.get_pipe("ossamma_ner").initialize(
            lambda: make_examples(nlp)[:1], nlp=nlp, encoder=pretrained_encoder(tmp_path)
        )
    assert_same(trained, nlp)


def test_a_failed_load_leaves_the_weights_of_other_layers(tmp_path):
    def tagger_on_cnn(width):
        cnn = {
            "@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 32, "depth": 1,
            "embed_size": width, "window_size": 1, "maxout_pieces": 2, "subword_features": True,
        }  # fmt: skip
        nlp = spacy.blank("en")
        nlp.add_pipe("ossamma_ner", config={"model": {**make_config()["model"], "tok2vec": cnn}})
        nlp.initialize(lambda: make_examples(nlp))
        return nlp.get_pipe("ossamma_ner")

    pipe, other = tagger_on_cnn(100), tagger_on_cnn(200)
    before = pipe.to_bytes()
    with pytest.raises(ValueError, match="not made by this config"):
        pipe.from_bytes(other.to_bytes())
    assert pipe.to_bytes() == before


def test_other_layers_are_made_with_a_few_documents():
    nlp, seen = make_nlp(), []
    pipe = nlp.get_pipe("ossamma_ner")
    cnn = spacy.registry.architectures.get("spacy.HashEmbedCNN.v2")(
        pretrained_vectors=None, width=32, depth=1, embed_size=100, window_size=1, maxout_pieces=2,
        subword_features=True,
    )  # fmt: skip
    initialize = cnn.init
    cnn.init = lambda model, X=None, Y=None: seen.append(len(X)) or initialize(model, X=X, Y=Y)
    pipe.model.replace_node(pipe.model.get_ref("tok2vec"), cnn)
    pipe.initialize(lambda: make_examples(nlp) * 10, nlp=nlp)
    assert seen == [10]


def test_dropouts_are_those_of_the_config_at_hand(folder):
    settings = {"model": {"tok2vec": {"memory_dropout": 0.25}}}
    pipe = spacy.load(folder, config={"components": {"ossamma_ner": settings}}).get_pipe("ossamma_ner")
    assert torch_shim(pipe.model.get_ref("tok2vec")).module.config.memory_dropout == 0.25


def test_documents_of_two_vocabularies_pass_together(trained):
    foreign = spacy.blank("en").make_doc("Zygmunt saw Ada Lovelace")
    together = list(trained.pipe([trained.make_doc("Marie Curie was born in Warsaw."), foreign]))
    assert entities(together[1]) == entities(trained("Zygmunt saw Ada Lovelace"))


def test_a_wrong_label_is_refused_before_the_weights_go(folder):
    pipe = spacy.load(folder).get_pipe("ossamma_ner")
    labels = pipe.labels
    with pytest.raises(ValueError, match="a label is a text that is not empty, got ''"):
        pipe.initialize(lambda: make_examples(make_nlp()), labels=[*labels, ""])
    assert pipe.is_initialized and pipe.labels == labels


def test_confidences_of_an_earlier_pass_do_not_stay(trained, folder):
    doc = trained(SENTENCES[0][0])
    assert doc.ents[0]._.confidence is not None
    nlp = spacy.load(folder, config={"components": {"ossamma_ner": {"confidence": False}}})
    doc = nlp.get_pipe("ossamma_ner")(doc)
    assert doc.ents[0]._.confidence is None


@pytest.mark.parametrize("confidence", [True, False])
def test_kept_entities_keep_their_confidences(confidence, trained, folder):
    doc = trained(SENTENCES[2][0])
    before = [span._.confidence for span in doc.ents]
    kept, found = doc.ents[1:], doc.ents[0]
    doc.ents = kept
    settings = {"keep_existing": True, "confidence": confidence}
    nlp = spacy.load(folder, config={"components": {"ossamma_ner": settings}})
    doc = nlp.get_pipe("ossamma_ner")(doc)
    assert doc.ents == (found, *kept)
    assert [span._.confidence for span in doc.ents[1:]] == before[1:]


def test_confidences_are_read_where_no_pipe_is(trained, tmp_path):
    DocBin(docs=[trained(SENTENCES[0][0])]).to_disk(tmp_path / "a.spacy")
    script = (
        "import spacy, sys; from spacy.tokens import DocBin; nlp = spacy.blank('en'); "
        "(doc,) = DocBin().from_disk(sys.argv[1]).get_docs(nlp.vocab); print(doc.ents[0]._.confidence)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.spacy")]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert float(output) == pytest.approx(trained(SENTENCES[0][0]).ents[0]._.confidence)
