"""Our encoder under spaCy's own pipes, and our tagger over spaCy's encoder."""

import pytest
import spacy
from conftest import (
    SENTENCES,
    SMALL_ENCODER,
    copy_of,
    entities,
    make_config,
    make_examples,
    step,
    train,
    weights,
)
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from ossamma_spacy.models.shim import CPU_BATCH, torch_shim
from ossamma_spacy.models.vocabulary import LEAST_ROWS
from ossamma_spacy.pipeline.calibration import calibrate_pipeline

WIDTH = SMALL_ENCODER["width"]
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
    return [Example.from_dict(Doc(nlp.vocab, words=example["words"]), example) for example in TAGGED]


def annotations(nlp, words):
    doc = nlp(Doc(nlp.vocab, words=words))
    return [(t.tag_, t.head.i, t.dep_, t.ent_iob_, t.ent_type_) for t in doc]


def learn(nlp, examples, steps=60, rate=3e-3):
    """Losses of the first and of the last step."""
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = rate
    history = [step(nlp, examples, sgd) for _ in range(steps)]
    return history[0], history[-1]


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
        doc = shared(Doc(shared.vocab, words=example["words"]))
        assert [token.tag_ for token in doc] == example["tags"]
        assert [token.head.i for token in doc] == example["heads"]
        assert [(doc[s:e].text, label) for s, e, label in entities(doc)] == [
            (span.text, span.label_) for span in Example.from_dict(doc, example).reference.ents
        ]


def test_what_spacys_pipes_read_goes_through_the_encoder_in_batches(shared):
    docs = [shared.make_doc(" ".join(["Marie Curie"] * (1 + i % 40))) for i in range(300)]
    sizes = []  # padding included
    module = torch_shim(shared.get_pipe("tok2vec").model).module
    with module.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].index.numel())):
        vectors = shared.get_pipe("tok2vec").predict(docs)
    assert sum(sizes) >= sum(map(len, docs)) > 2 * CPU_BATCH
    assert max(sizes) <= CPU_BATCH
    assert [len(array) for array in vectors] == [len(doc) for doc in docs]


def test_a_shared_encoder_survives_disk(shared, tmp_path):
    shared.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    for example in TAGGED:
        assert annotations(again, example["words"]) == annotations(shared, example["words"])
    assert weights(again, "tok2vec") == weights(shared, "tok2vec")


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


def test_calibration_runs_what_the_pipe_listens_to(shared, tmp_path):
    shared.to_disk(tmp_path / "model")
    DocBin(docs=[example.reference for example in tagged_examples(shared)]).to_disk(tmp_path / "dev.spacy")
    assert calibrate_pipeline(tmp_path / "model", tmp_path / "dev.spacy")["ossamma_ner"].spans == 5


def test_a_head_and_the_pipe_that_it_listens_to_must_be_of_one_width():
    nlp = make_shared()
    model = {"@architectures": "ossamma.CRFTagger.v1", "tok2vec": {**LISTENER, "width": 2 * WIDTH}}
    nlp.add_pipe("ossamma_ner", config={"model": model})
    nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match=f"vectors of width {WIDTH}, the config says {2 * WIDTH}; set width = {WIDTH}"):
        nlp("Marie Curie was born")


@pytest.mark.parametrize("where", ["tok2vec", "tagger"])
def test_encoders_in_spacys_pipes_learn_their_subwords_from_the_corpora(where, tmp_path):
    nlp = spacy.blank("en")
    docs = [nlp.make_doc("the heart") for _ in range(60)]
    for doc in docs:
        for token in doc:
            token.tag_ = "NN"
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")

    def rows(**initialize):
        nlp = spacy.blank("en")
        model = dict(SMALL_ENCODER) if where == "tok2vec" else listening_model("tagger", dict(SMALL_ENCODER))
        pipe = nlp.add_pipe(where, config={"model": model})
        nlp.config["initialize"].update(initialize)
        nlp.initialize(lambda: [Example(doc, doc) for doc in docs])
        (encoder,) = (node for node in pipe.model.walk() if node.name == "ossamma_encoder")
        return torch_shim(encoder).module.vocabulary.rows

    with pytest.warns(UserWarning, match="too few to learn subwords .* name the corpora by ossamma.learn_subwords.v1"):
        assert rows() == LEAST_ROWS
    corpora = {"train": str(tmp_path / "train.spacy")}
    assert rows(before_init={"@callbacks": "ossamma.learn_subwords.v1", "corpora": corpora}) > LEAST_ROWS
