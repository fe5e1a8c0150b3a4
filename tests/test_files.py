"""What was there before survives a full disk and an interruption."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from conftest import SENTENCES, entities, make_examples, make_nlp
from spacy.tokens import DocBin
from typer.testing import CliRunner

from ossamma_spacy.cli import app
from ossamma_spacy.files import replace_folder, write_whole
from ossamma_spacy.models.pretrained import read_encoder, save_encoder


def test_a_file_is_written_with_its_folder_and_replaced(tmp_path):
    path = tmp_path / "new" / "file"
    for data in (b"first", b"second"):
        write_whole(path, data)
        assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]


@pytest.fixture(params=[OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["full", "stopped"])
def failing_disk(request, monkeypatch):
    """Writing fails, half of the data written."""
    write = Path.write_bytes

    def fail(path, data):
        write(path, data[: len(data) // 2])
        raise request.param

    monkeypatch.setattr(Path, "write_bytes", fail)
    return type(request.param)


def test_a_failed_write_leaves_the_file_and_nothing_else(tmp_path, failing_disk):
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(failing_disk):
        write_whole(path, b"after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_conversion_leaves_the_corpus(tmp_path, failing_disk):
    source, target = tmp_path / "a.txt", tmp_path / "a.spacy"
    source.write_text("[Rome](PLACE) burns.")
    target.write_text("before")
    result = CliRunner().invoke(app, ["convert", "markup", str(source), str(target)])
    assert result.exit_code != 0
    if failing_disk is OSError:
        assert "No space left on device" in result.output
    assert target.read_text() == "before"
    assert not list(tmp_path.glob(".*"))


def test_a_failed_calibration_leaves_the_pipeline(trained, folder, tmp_path, failing_disk):
    model, dev = tmp_path / "model", tmp_path / "dev.spacy"
    shutil.copytree(folder, model)
    text = "IBM hired Ada Lovelace in 1997"
    with dev.open("wb") as file:
        file.write(DocBin(docs=[trained(text)]).to_bytes())
    result = CliRunner().invoke(app, ["calibrate", str(model), str(dev)])
    assert result.exit_code != 0
    assert json.loads((model / "ossamma_ner" / "cfg").read_text())["temperature"] == 1.0
    assert entities(spacy.load(model)(text)) == entities(trained(text))


@pytest.fixture
def saved_encoder(trained, tmp_path):
    save_encoder(trained.get_pipe("ossamma_ner").model, tmp_path)
    return tmp_path


def test_a_failed_save_leaves_the_encoder(trained, saved_encoder, failing_disk):
    with pytest.raises(failing_disk):
        save_encoder(trained.get_pipe("ossamma_ner").model, saved_encoder, corpus="another")
    settings, _ = read_encoder(saved_encoder)
    assert settings["config"]["width"] == 32


def test_a_failed_save_leaves_the_weights_of_the_pipe(trained, folder, tmp_path, failing_disk):
    model = tmp_path / "model"
    shutil.copytree(folder, model)
    with pytest.raises(failing_disk):
        trained.to_disk(model)
    text = "IBM hired Ada Lovelace in 1997"
    assert entities(spacy.load(model)(text)) == entities(trained(text))


def test_a_disk_that_is_full_after_the_labels_leaves_labels_and_weights(trained, folder, tmp_path, monkeypatch):
    model, other, write = tmp_path / "model", make_nlp(), Path.write_bytes
    shutil.copytree(folder, model)
    labels = [f"{label}S" for label in trained.get_pipe("ossamma_ner").labels]
    other.get_pipe("ossamma_ner").initialize(lambda: make_examples(other, SENTENCES[3:4]), nlp=other, labels=labels)

    def fail(path, data):
        if len(data) > 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        other.to_disk(model)
    text = "IBM hired Ada Lovelace in 1997"
    assert entities(spacy.load(model)(text)) == entities(trained(text))


def test_a_folder_that_cannot_be_put_in_its_place_leaves_the_old_one(tmp_path, monkeypatch):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "old").touch()
    replace = os.replace

    def fail_once(source, target):
        if str(source).endswith(".partial"):
            raise OSError(errno.EACCES, "busy")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_once)
    with pytest.raises(OSError, match="busy"), replace_folder(folder) as new:
        (new / "new").touch()
    assert [path.name for path in folder.iterdir()] == ["old"]


def test_a_trained_pipeline_takes_the_place_of_an_earlier_one(tmp_path):
    trained, place = tmp_path / "tiny.new", tmp_path / "tiny"
    for folder, text in ((place, "before"), (trained, "after")):
        for name in ("model-best", "model-last"):
            write_whole(folder / name / "meta.json", text.encode())
    command = [sys.executable, Path(__file__).parents[1] / "scripts" / "take_place.py", trained, place]
    subprocess.run(command, check=True)
    assert {path.read_text() for path in place.rglob("meta.json")} == {"after"}
    assert list(tmp_path.iterdir()) == [place]
