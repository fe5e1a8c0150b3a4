"""The command line speaks clearly, succeeds with 0 and fails with 1."""

import json
import lzma
import zlib

import pytest
import spacy
import srsly
from spacy.tokens import DocBin
from typer.testing import CliRunner

from ossamma_spacy.cli import app
from ossamma_spacy.nn.config import SIZES
from ossamma_spacy.nn.encoder import Encoder


def run(*arguments, code=0):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def read(path):
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def test_info_prints_counted_parameters():
    output = run("info")
    for size, config in SIZES.items():
        counted = (
            sum(parameter.numel() for parameter in Encoder(config).parameters()) if size in ("tiny", "small") else 0
        )
        assert f"{size} {config.depth} {config.width}" in output
        assert not counted or f"{counted:,}" in output


@pytest.mark.parametrize(
    "command", [["info"], ["init", "config"], ["calibrate"], ["convert", "iob"], ["convert", "jsonl"]]
)
def test_help_has_an_example(command):
    assert f"Example: ossamma {' '.join(command)}" in run(*command, "--help")


def test_iob_files_are_converted(tmp_path):
    source = tmp_path / "a.conll"
    source.write_text("Rome B-LOC\nis O\nold O\n\nAda I-PER\n")
    output = run("convert", "iob", source, tmp_path / "a.spacy")
    assert "2 documents, 4 tokens" in output
    assert "1 tags continued nothing" in output
    assert [doc.text for doc in read(tmp_path / "a.spacy")] == ["Rome is old ", "Ada "]
    run("convert", "iob", source, tmp_path / "b.spacy", "--n-sents", "10")
    assert len(read(tmp_path / "b.spacy")) == 1


def test_marked_folders_are_converted(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("[Rome](PLACE) is old.\n[Ada](PERSON) went.\n")
    run("convert", "markup", tmp_path / "in", tmp_path / "a.spacy")
    (doc,) = read(tmp_path / "a.spacy")
    assert [(e.text, e.label_) for e in doc.ents] == [("Rome", "PLACE"), ("Ada", "PERSON")]
    assert len(list(doc.sents)) == 2


def test_json_lines_are_converted_and_misaligned_spans_are_named(tmp_path):
    source = tmp_path / "a.jsonl"
    source.write_text('{"text": "Rome is old", "entities": [[0, 4, "PLACE"], [5, 6, "X"]]}\n\n')
    output = run("convert", "jsonl", source, tmp_path / "a.spacy")
    assert "no token border: a.jsonl:1: 'i' (X)" in output
    assert "PLACE 1" in output
    (doc,) = read(tmp_path / "a.spacy")
    assert [token.ent_iob_ for token in doc] == ["B", "", "O"]  # unknown, not outside


@pytest.mark.parametrize(
    ("kind", "name", "text", "message"),
    [
        ("iob", "a.conll", "a Q-X\n", "a.conll:1: tag 'Q-X'"),
        ("markup", "a.txt", "a [b\n", "a.txt:1: column 3"),
        ("iob", "a.conll", "a O\nNew York B-LOC\n", "a.conll:2: 3 column(s) in 'New York B-LOC', expected 2 as in"),
        ("iob", "a.conll", "a\n", "a.conll:1: 1 column(s) in 'a', expected at least 2"),
        ("markup", "a.txt", "a [b](X", "a.txt:1: column 3"),
        ("jsonl", "a.jsonl", '{"text": "ab", "entities": [[0, 1.9, "X"]]}\n', "offsets are whole numbers"),
        ("jsonl", "a.jsonl", '{"text": "ab", "entities": [[0, 1, null]]}\n', "a label is a text"),
        ("jsonl", "a.jsonl", '{"text": "ab", "entities": [[0, 1, ""]]}\n', "a label is empty"),
        ("jsonl", "a.jsonl", '{"text": "a \\ud83d b", "entities": []}\n', "surrogates not allowed"),
        ("jsonl", "a.jsonl", "[]\n", "a.jsonl:1: expected"),
        ("jsonl", "a.jsonl", '{"text": 9, "entities": []}\n', "text is a text"),
        ("jsonl", "a.jsonl", '{"text": "ab", "entities": [[0, 9, "X"]]}\n', "a.jsonl:1: span [0, 9, 'X']"),
        ("jsonl", "a.jsonl", '{"text": "ab", "entities": [[0, 2, "X"], [1, 2, "Y"]]}\n', "overlaps another"),
        ("jsonl", "a.jsonl", '{"text": "ab", "entities": [[1, 1, "X"]]}\n', "is empty"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path, kind, name, text, message):
    (tmp_path / name).write_text(text)
    assert message in run("convert", kind, tmp_path / name, tmp_path / "out.spacy", code=1)
    assert not (tmp_path / "out.spacy").exists()


@pytest.mark.parametrize("kind", ["iob", "markup", "jsonl"])
def test_what_is_not_utf8_is_named_with_its_line(tmp_path, kind):
    line = {"iob": b"a O", "markup": b"a", "jsonl": b'{"text": "a", "entities": []}'}[kind]
    (tmp_path / "a").write_bytes(b"\n".join([line] * 5000 + [b"caf\xe9 O"]))
    output = run("convert", kind, tmp_path / "a", tmp_path / "out.spacy", code=1)
    assert "a:5001: not UTF-8 (byte 4 of the line)" in output.replace("\n", " ")


@pytest.mark.parametrize("data", [lzma.compress(b"a O\n" * 9999)[:-20], b"junk"])
def test_broken_archives_are_named(tmp_path, data):
    (tmp_path / "a.xz").write_bytes(data)
    assert "not a whole .xz file" in run("convert", "iob", tmp_path / "a.xz", tmp_path / "out.spacy", code=1)


def test_wrong_options_are_named(tmp_path):
    (tmp_path / "a").write_text("a O\n")
    source, target = tmp_path / "a", tmp_path / "out.spacy"
    assert "zzz" in run("convert", "iob", source, target, "--lang", "zzz", code=1)
    assert "expected at least 4" in run("convert", "iob", source, target, "--tag-column", "-4", code=1)
    assert "--n-sents" in run("convert", "iob", source, target, "--n-sents", "-1", code=2)
    assert "must end in .spacy" in run("convert", "iob", source, tmp_path / "out.txt", code=1)
    assert "--rounds" in run("benchmark", "speed", source, "model", "--rounds", "0", code=2)
    assert "is a folder; name a file" in run("init", "config", tmp_path, code=1)
    (tmp_path / "file").write_text("")
    assert ". is a folder" in run("init", "config", ".", code=1)
    assert "file is a file; name a folder" in run("init", "config", tmp_path / "file" / "x.cfg", code=1)


def test_missing_files_and_empty_folders_are_named(tmp_path):
    assert "nowhere.txt" in run("convert", "markup", tmp_path / "nowhere.txt", tmp_path / "out.spacy", code=1)
    assert "no *.txt file" in run("convert", "markup", tmp_path, tmp_path / "out.spacy", code=1)


def test_an_empty_corpus_is_said_so(tmp_path):
    (tmp_path / "a.conll").write_text("\n\n")
    (tmp_path / "a.spacy").write_text("before")
    assert "holds no document" in run("convert", "iob", tmp_path / "a.conll", tmp_path / "a.spacy", code=1)
    assert (tmp_path / "a.spacy").read_text() == "before"


def test_calibration_prints_the_error_before_and_after(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    DocBin(docs=[trained("IBM hired Ada Lovelace in 1997")]).to_disk(tmp_path / "dev.spacy")
    output = run("calibrate", tmp_path / "model", tmp_path / "dev.spacy")
    assert "before" in output
    assert "over 3 entities" in output


def test_data_that_cannot_be_read_is_named(trained, tmp_path):
    model = tmp_path / "model"
    trained.to_disk(model)
    (tmp_path / "broken.spacy").write_bytes(b"junk")
    (tmp_path / "odd.spacy").write_bytes(zlib.compress(srsly.msgpack_dumps({})))
    DocBin().to_disk(tmp_path / "empty.spacy")
    for name in ("broken.spacy", "odd.spacy"):
        assert f"{name}: not a .spacy file" in run("calibrate", model, tmp_path / name, code=1)
    assert "empty.spacy: no documents in it" in run("calibrate", model, tmp_path / "empty.spacy", code=1)
    assert "GPU" in run("calibrate", model, tmp_path / "empty.spacy", "--gpu-id", 99, code=1)
    for name, message in (("broken.spacy", "not a .spacy file"), ("nowhere.txt", "No such file")):
        said = run("benchmark", "speed", tmp_path / name, model, code=1)
        assert name in said and message in said


def test_calibration_of_nothing_fails_clearly(tmp_path):
    assert "nowhere" in run("calibrate", tmp_path / "nowhere", tmp_path / "dev.spacy", code=1)


def test_config_is_written_or_printed(tmp_path):
    assert "[components.ossamma_ner.model.tok2vec]" in run("init", "config")
    output = run(
        "init", "config", tmp_path / "c.cfg", "--size", "small", "--gpu", "--labels", "l.json", "--pretrained", "enc"
    )
    assert "spacy train" in output
    text = (tmp_path / "c.cfg").read_text()
    for part in ('path = "l.json"', 'path = "enc"', "mixed_precision = true", "width = 384"):
        assert part in text
    assert "sizes are tiny" in run("init", "config", "--size", "huge", code=1)


def test_a_text_that_is_longer_than_spacy_takes_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "x" * (10**6 + 1), "entities": []}))
    output = run("convert", "jsonl", tmp_path / "a.jsonl", tmp_path / "a.spacy", code=1)
    assert "a.jsonl:1: a text of 1000001 characters, spaCy takes 1000000 at most" in output
