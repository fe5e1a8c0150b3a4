"""configs/transformer.cfg on a small BERT with random weights: our head over somebody else's encoder."""

import string
from pathlib import Path

import pytest
import spacy
import torch
from conftest import SENTENCES, entities, make_examples
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_loop
from thinc.api import Config
from transformers import BertConfig, BertModel, BertTokenizerFast

CONFIG = Path(__file__).parents[1] / "configs" / "transformer.cfg"
TEXTS = [text for text, _ in SENTENCES]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """The folder of a BERT over single characters and a few words."""
    folder = tmp_path_factory.mktemp("bert")
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    characters = [*string.ascii_lowercase, *string.digits, *string.punctuation]
    words = {word.strip(".").lower() for text in TEXTS for word in text.split()} - set(characters)
    pieces = [*marks, *characters, *(f"##{character}" for character in characters), *sorted(words)]
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(pieces), **shape)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained_folder(bert, tmp_path_factory):
    """A pipeline that a few steps with the committed config have taught SENTENCES."""
    folder = tmp_path_factory.mktemp("transformer")
    examples = make_examples(spacy.blank("en"))
    DocBin(docs=[example.reference for example in examples]).to_disk(folder / "data.spacy")
    data = str(folder / "data.spacy")
    changes = {
        "paths.transformer": str(bert), "paths.train": data, "paths.dev": data, "training.max_steps": 60,
        "training.eval_frequency": 30, "training.dropout": 0.0, "components.ossamma_ner.model.dropout": 0.0,
        "training.optimizer.learn_rate.warmup_steps": 5, "training.optimizer.learn_rate.initial_rate": 1e-3,
    }  # fmt: skip
    config = Config().from_disk(CONFIG, interpolate=False, overrides=changes)
    train_loop(init_nlp(config), folder)
    return folder / "model-best"


def test_the_head_learns_over_a_transformer(trained_folder):
    nlp = spacy.load(trained_folder)
    assert nlp.pipe_names == ["transformer", "ossamma_ner"]
    for text, spans in SENTENCES:
        assert [(span.start_char, span.end_char, span.label_) for span in nlp(text).ents] == spans


def test_the_transformer_learns_with_the_head(trained_folder, bert):
    learned = spacy.load(trained_folder).get_pipe("transformer").model.transformer.state_dict()
    fresh = BertModel.from_pretrained(bert).state_dict()
    name = "encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(learned[name], fresh[name])


def test_disk_keeps_entities_and_confidences(trained_folder, tmp_path):
    nlp = spacy.load(trained_folder)
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    for left, right in zip(nlp.pipe(TEXTS), again.pipe(TEXTS), strict=True):
        assert entities(left) == entities(right)
        assert [span._.confidence for span in left.ents] == [span._.confidence for span in right.ents]


@pytest.mark.parametrize("texts", [["", TEXTS[0]], [TEXTS[0], ""], ["", ""], ["\n", TEXTS[0]]])
def test_documents_without_pieces_pass(trained_folder, texts):
    nlp = spacy.load(trained_folder)
    assert [entities(doc) for doc in nlp.pipe(texts)] == [entities(nlp(text)) for text in texts]


def test_a_document_without_tokens_trains_beside_others(trained_folder):
    nlp = spacy.load(trained_folder)
    examples, sgd = make_examples(nlp, [("", []), *SENTENCES]), nlp.resume_training()
    losses = nlp.update(examples, sgd=sgd)
    assert losses["ossamma_ner"] == pytest.approx(losses["ossamma_ner"])  # no nan
