"""Pretrained encoders: written, read at initialization, refused where they do not fit."""

import hashlib
import json
import shutil

import pytest
import spacy
import torch
from conftest import SMALL_ENCODER, entities, make_config, make_examples, make_nlp, train

from ossamma_spacy.models.pretrained import pretrained_encoder, read_encoder, save_encoder
from ossamma_spacy.models.shim import torch_shim


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("pretrained") / "encoder"
    save_encoder(trained.get_pipe("ossamma_ner").model, path, licence="CC0", config="what it was trained by")
    return path


@pytest.fixture
def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def initialize(nlp, path):
    pipe = nlp.get_pipe("ossamma_ner")
    pipe.initialize(lambda: make_examples(nlp), nlp=nlp, encoder=pretrained_encoder(path))
    return pipe


def test_initialize_takes_weights_and_subwords(folder, trained):
    nlp = spacy.blank("en")
    config = make_config()
    config["model"]["tok2vec"] |= {"memory_dropout": 0.15}  # of the training at hand
    nlp.add_pipe("ossamma_ner", config=config)
    pipe = initialize(nlp, folder)
    theirs = torch_shim(trained.get_pipe("ossamma_ner").model.get_ref("tok2vec"))
    mine = torch_shim(pipe.model.get_ref("tok2vec"))
    assert mine.settings["vocabulary"] == theirs.settings["vocabulary"]
    assert (mine.module.config.memory_dropout, theirs.module.config.memory_dropout) == (0.15, 0.0)
    assert all(torch.equal(a, b) for a, b in zip(mine.state().values(), theirs.state().values(), strict=True))


def test_a_config_names_the_folder_and_the_trained_pipeline_no_longer_needs_it(copied, tmp_path):
    nlp = make_nlp()
    nlp.config["initialize"]["components"] = {
        "ossamma_ner": {"encoder": {"@misc": "ossamma.pretrained_encoder.v1", "path": str(copied)}}
    }
    train(nlp, make_examples(nlp), steps=3)
    shutil.rmtree(copied)
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert entities(loaded("Ada saw Warsaw")) == entities(nlp("Ada saw Warsaw"))


def test_metadata_says_what_the_files_are(folder):
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["licence"] == "CC0"
    assert set(metadata["sha256"]) == {"encoder.safetensors", "vocabulary.json"}
    assert read_encoder(folder)[0]["config"] == metadata["config"]


@pytest.mark.parametrize("name", ["encoder.safetensors", "vocabulary.json"])
def test_missing_truncated_and_tampered_files_are_named(copied, name):
    whole = (copied / name).read_bytes()
    for damage in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        (copied / name).write_bytes(damage)
        with pytest.raises(ValueError, match=f"{name}: does not match its checksum"):
            initialize(make_nlp(), copied)
    (copied / name).unlink()
    with pytest.raises(ValueError, match=f"{name}: missing"):
        initialize(make_nlp(), copied)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not the metadata"),
        ("{}", "not the metadata"),
        ('{"format": 1, "config": {"width": "x"}, "sha256": {}}', "not the metadata"),
        ('{"format": 1, "config": {}, "sha256": 5}', "not the metadata"),
        ('{"format": 1, "config": {}, "sha256": []}', "does not match its checksum"),
        ('{"format": 9, "config": {}, "sha256": {}}', "format 9"),
    ],
)
def test_bad_metadata_is_named(copied, text, message):
    (copied / "metadata.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        initialize(make_nlp(), copied)


def test_weights_of_another_vocabulary_are_refused(copied):
    metadata = json.loads((copied / "metadata.json").read_text())
    metadata["config"]["vocabulary_rows"] += 7
    (copied / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="metadata, subwords and weights do not fit each other"):
        initialize(make_nlp(), copied)


def test_what_is_no_weights_is_refused(copied):
    (copied / "encoder.safetensors").write_bytes(b"junk")
    metadata = json.loads((copied / "metadata.json").read_text())
    metadata["sha256"]["encoder.safetensors"] = hashlib.sha256(b"junk").hexdigest()
    (copied / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match=r"encoder\.safetensors: no weights in safetensors format"):
        initialize(make_nlp(), copied)


def test_a_folder_without_an_encoder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(ValueError, match=r"no metadata\.json"):
            initialize(make_nlp(), path)


def test_a_config_of_another_width_is_refused(folder):
    nlp = spacy.blank("en")
    config = make_config()
    config["model"]["tok2vec"] = {**SMALL_ENCODER, "width": 64}
    nlp.add_pipe("ossamma_ner", config=config)
    with pytest.raises(ValueError, match="width = 32, the config 64; set width = 32"):
        initialize(nlp, folder)


def test_a_model_without_our_encoder_is_refused(folder):
    nlp = spacy.blank("en")
    cnn = {
        "@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 32, "depth": 1,
        "embed_size": 100, "window_size": 1, "maxout_pieces": 3, "subword_features": True,
    }  # fmt: skip
    nlp.add_pipe("ossamma_ner", config={"model": {"@architectures": "ossamma.CRFTagger.v1", "tok2vec": cnn}})
    with pytest.raises(ValueError, match=r"no ossamma\.Encoder\.v1"):
        initialize(nlp, folder)
