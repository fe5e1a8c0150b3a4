"""Training on a mix of corpora."""

from collections import Counter
from itertools import islice

import pytest
import spacy
from conftest import make_config
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin, Span
from spacy.training.initialize import init_nlp
from spacy.vocab import Vocab
from thinc.api import Config

from ossamma_spacy.corpora.mixture import OPEN, MixedCorpus
from ossamma_spacy.knowledge import read_knowledge, write_knowledge
from ossamma_spacy.models.pretrained import find_encoder

NLP = spacy.blank("en")


@pytest.fixture
def paths(tmp_path):
    """Three corpora of 60, 30 and 10 documents, the first in several files."""
    sizes = {"big": 60, "middle": 30, "small": 10}
    for name, size in sizes.items():
        (tmp_path / name).mkdir()
        docs = [NLP.make_doc(f"{name} document {i} of Rome") for i in range(size)]
        for doc in docs:
            write_knowledge(doc, [Span(doc, len(doc) - 1, len(doc), "PLACE")], ["PLACE"])
        for i in range(0, size, 25):
            DocBin(docs=docs[i : i + 25]).to_disk(tmp_path / name / f"{i}.spacy")
    return {name: tmp_path / name for name in sizes}


def texts(corpus):
    return [example.reference.text for example in corpus(NLP)]


def shares(drawn):
    return Counter(text.split()[0] for text in drawn)


def test_an_epoch_draws_as_many_documents_as_there_are_and_differs_from_the_next(paths):
    corpus = MixedCorpus(paths)
    first, second = texts(corpus), texts(corpus)
    assert len(first) == len(second) == 100
    assert first != second
    assert [first, second] == [texts(again) for again in [MixedCorpus(paths)] * 2]
    assert texts(MixedCorpus(paths, seed=1)) != first


def test_a_corpus_is_read_through_before_it_is_read_again(paths):
    drawn = texts(MixedCorpus(paths, weights={"big": 1e-9, "middle": 1, "small": 1e-9}))
    assert set(Counter(drawn[:30]).values()) == set(Counter(drawn[30:60]).values()) == {1}
    assert drawn[:30] != drawn[30:60]


@pytest.mark.parametrize(
    ("settings", "small"),
    [({}, 10), ({"temperature": 1e9}, 33), ({"weights": {"big": 1, "middle": 1, "small": 8}}, 80)],
)
def test_weights_and_temperature_say_how_often_a_corpus_is_drawn(paths, settings, small):
    corpus = MixedCorpus(paths, **settings)
    drawn = sum((shares(texts(corpus)) for _ in range(5)), Counter())
    assert abs(drawn["small"] / 5 - small) < 8


def test_examples_keep_what_their_documents_know_and_are_augmented(paths):
    corpus = MixedCorpus(paths, augmenter=lambda nlp, example: iter([example, example]))
    examples = list(islice(corpus(NLP), 4))
    assert examples[0] is examples[1]
    for example in examples:
        assert read_knowledge(example.reference).annotated == {"PLACE"}
        assert not example.predicted.ents
        assert example.predicted.text == example.reference.text


def test_tokens_whose_spaces_are_not_known_stay(tmp_path):
    DocBin(docs=[Doc(NLP.vocab, words=["a-b", "(c)"], ents=["B-X", "O"])]).to_disk(tmp_path / "a.spacy")
    (example,) = MixedCorpus({"a": tmp_path / "a.spacy"})(NLP)
    assert [token.text for token in example.predicted] == ["a-b", "(c)"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"paths": {}}, "paths is empty"),
        ({"weights": {"big": 1, "huge": 2}}, "huge, middle, small is in paths or in weights, and has to be in both"),
        ({"temperature": 0}, "temperature = 0, expected a number above 0"),
        ({"weights": {"big": 1, "middle": 0, "small": 1}}, "weights.middle = 0, expected a number above 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(paths, settings, message):
    with pytest.raises(ValueError, match=message):
        MixedCorpus(**{"paths": paths, **settings})


def test_a_corpus_without_documents_is_named(paths, tmp_path):
    DocBin().to_disk(tmp_path / "empty.spacy")
    with pytest.raises(ValueError, match=r"the corpus 'empty' has no documents with a word in .*empty\.spacy"):
        texts(MixedCorpus({**paths, "empty": tmp_path / "empty.spacy"}))
    with pytest.raises(ValueError, match=r"nowhere: no such \.spacy file or folder; check the path"):
        texts(MixedCorpus({"none": tmp_path / "nowhere"}))


@pytest.mark.parametrize("damage", ["missing", "empty", "cut"])
def test_development_data_is_looked_at_before_an_earlier_pipeline_goes(paths, tmp_path, damage):
    dev, earlier = tmp_path / "dev.spacy", tmp_path / "model" / "model-best"
    earlier.parent.mkdir()
    spacy.blank("en").to_disk(earlier)
    if damage == "empty":
        DocBin().to_disk(dev)
    elif damage == "cut":
        file = next(paths["small"].rglob("*.spacy"))
        dev.write_bytes(file.read_bytes()[:-9])
    config = streaming_config(paths, corpora=PATHS)
    config["corpora"]["dev"] = {"@readers": "ossamma.DevCorpus.v1", "path": str(dev)}
    config.to_disk(tmp_path / "config.cfg")
    with pytest.raises(ValueError, match=r"dev\.spacy: (no such|no document|not a \.spacy file)"):
        train(tmp_path / "config.cfg", tmp_path / "model")
    assert spacy.load(earlier).pipe_names == []


def streaming_config(paths, **start):
    config = spacy.blank("en").config.copy()
    config["nlp"]["pipeline"] = ["ossamma_ner"]
    config["components"] = {"ossamma_ner": {"factory": "ossamma_ner", **make_config()}}
    config["corpora"] = {
        "train": {"@readers": "ossamma.MixedCorpus.v1", "paths": {name: str(path) for name, path in paths.items()}},
        "dev": {"@readers": "spacy.Corpus.v1", "path": str(paths["small"])},
    }
    config["training"].update(max_epochs=-1, max_steps=12, eval_frequency=6)
    config["initialize"]["components"] = {"ossamma_ner": start}
    return Config(config)


PATHS = "${corpora.train.paths}"
SMALL = "${corpora.train.paths.small}"


def test_spacy_trains_on_a_streamed_mix(paths, tmp_path):
    streaming_config(paths, corpora=PATHS).to_disk(tmp_path / "config.cfg")
    train(tmp_path / "config.cfg", tmp_path / "model")
    assert spacy.load(tmp_path / "model" / "model-last").get_pipe("ossamma_ner").labels == ("PLACE",)


def test_a_streamed_mix_learns_its_subwords_from_all_texts(paths, tmp_path):
    late = [f"{letter}zeppelin" for letter in "abcdefghijklmnop" for _ in range(4)]
    docs = [Doc(Vocab(), words=["day"]) for _ in range(150)] + [Doc(Vocab(), words=late)]
    DocBin(docs=docs).to_disk(tmp_path / "late.spacy")
    paths = {**paths, "late": tmp_path / "late.spacy"}
    streaming_config(paths, labels=["PLACE", "PERSON"], corpora=PATHS).to_disk(tmp_path / "config.cfg")
    nlp = init_nlp(spacy.util.load_config(tmp_path / "config.cfg"))
    vocabulary = find_encoder(nlp.get_pipe("ossamma_ner").model).shims[0].module.vocabulary
    assert len(vocabulary.pieces("qzeppelin")) == 2
    assert nlp.get_pipe("ossamma_ner").labels == ("PLACE", "PERSON")


def test_empty_documents_are_passed_over(tmp_path):
    DocBin(docs=[Doc(Vocab()), Doc(Vocab(), words=["Rome"]), Doc(Vocab())]).to_disk(tmp_path / "a.spacy")
    assert [text.strip() for text in texts(MixedCorpus({"a": tmp_path / "a.spacy"}))] == ["Rome"]


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"labels": ["PERSON"]}, r"of a streamed corpus .* too few to learn subwords from; put corpora = \$\{corpora"),
        ({}, r"too few to learn labels from"),
        ({"corpora": {"none": "nowhere"}}, r"learn labels from; .* \(nowhere is not there\)"),
        ({"corpora": {"small": SMALL, "none": "nowhere"}}, r"ossamma_ner: nowhere is not there; check corpora in \["),
    ],
)
def test_a_streamed_mix_asks_for_what_its_beginning_cannot_tell(paths, tmp_path, start, message):
    streaming_config(paths, **start).to_disk(tmp_path / "config.cfg")
    with pytest.raises(ValueError, match=message):
        init_nlp(spacy.util.load_config(tmp_path / "config.cfg"))


def test_a_corpus_without_words_among_those_that_are_learned_from_is_named(paths, tmp_path):
    DocBin().to_disk(tmp_path / "empty.spacy")
    learned = {"small": SMALL, "empty": str(tmp_path / "empty.spacy")}
    streaming_config(paths, corpora=learned).to_disk(tmp_path / "config.cfg")
    with pytest.raises(ValueError, match=r"corpora: 'empty' has no documents in .*empty\.spacy"):
        init_nlp(spacy.util.load_config(tmp_path / "config.cfg"))


def test_memory_holds_some_files_of_a_corpus_and_their_documents_mix(tmp_path, monkeypatch):
    read = []

    class Witness(DocBin):
        def from_disk(self, path):
            read.append(path)
            return super().from_disk(path)

    for i in range(3 * OPEN):
        DocBin(docs=[NLP.make_doc(f"file{i}")] * 50).to_disk(tmp_path / f"{i}.spacy")
    monkeypatch.setattr("ossamma_spacy.corpora.mixture.DocBin", Witness)
    texts = [example.reference.text for example in islice(MixedCorpus({"a": tmp_path})(NLP), 50)]
    assert 1 < len(set(texts)) <= OPEN
    assert len(read) == len(set(read)) <= OPEN
    whole = Counter(example.reference.text for example in MixedCorpus({"a": tmp_path})(NLP))
    assert set(whole.values()) == {50}
    assert len(whole) == 3 * OPEN
