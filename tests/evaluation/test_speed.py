"""Timing pipelines: what is asked of them is done, no speed is asserted."""

import subprocess

import pytest
import spacy
import torch
from typer.testing import CliRunner

from ossamma_spacy.cli import app
from ossamma_spacy.evaluation.speed import Candidate, Speed, _worker, compare_speed, ratios, read_texts


@pytest.mark.slow
def test_candidates_take_turns_in_processes_of_their_own(trained, tmp_path):
    trained.to_disk(tmp_path / "ours")
    blank = spacy.blank("en")
    blank.add_pipe("sentencizer")
    blank.to_disk(tmp_path / "blank")
    (tmp_path / "texts.txt").write_text("IBM hired Ada Lovelace\n\nNothing here\n" * 20)
    settings = {"components": {"ossamma_ner": {"confidence": False}}}
    candidates = [Candidate("ours", str(tmp_path / "ours"), settings), Candidate("blank", str(tmp_path / "blank"))]
    ours, other = compare_speed(candidates, tmp_path / "texts.txt", threads=1, rounds=2)
    assert len(ours.rounds) == len(other.rounds) == 2
    assert min(ours.rounds + other.rounds) > 0
    assert ours.peak_mib > other.peak_mib > 50


@pytest.mark.slow
def test_the_command_prints_a_row_for_each_and_one_with_confidences(trained, tmp_path):
    trained.to_disk(tmp_path / "ours")
    spacy.blank("en").to_disk(tmp_path / "blank")
    (tmp_path / "texts.txt").write_text("IBM hired Ada Lovelace\n" * 20)
    paths = [str(tmp_path / name) for name in ("texts.txt", "blank", "ours")]
    result = CliRunner().invoke(app, ["benchmark", "speed", *paths, "--rounds", "1", "--threads", "1"])
    assert result.exit_code == 0, result.output
    assert len([line for line in result.output.splitlines() if str(tmp_path) in line]) == 3
    assert "with confidences" in result.output


def test_ratios_are_taken_round_by_round():
    assert ratios(Speed("a", [2.0, 3.0, 8.0]), Speed("b", [1.0, 1.0, 2.0])) == (3.0, 2.0, 4.0)
    assert Speed("a", [1.0, 5.0, 3.0]).words_per_second == 3.0


def test_a_failing_candidate_is_named(tmp_path):
    (tmp_path / "texts.txt").write_text("a\n")
    with pytest.raises(ValueError, match="broken: "):
        compare_speed([Candidate("broken", str(tmp_path / "nowhere"))], tmp_path / "texts.txt", rounds=1)


def test_a_candidate_that_is_killed_is_named(tmp_path, monkeypatch):
    (tmp_path / "texts.txt").write_text("a\n")
    killed = subprocess.CompletedProcess([], -9, "", "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: killed)
    with pytest.raises(ValueError, match=r"big: ended with -9; is there enough memory\?"):
        compare_speed([Candidate("big", "big")], tmp_path / "texts.txt", rounds=1)


def test_what_finds_entities_is_loaded_under_any_name(trained, tmp_path, monkeypatch):
    nlp = spacy.blank("en")
    nlp.add_pipe("ossamma_ner", "mine", source=trained)
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler")
    nlp.to_disk(tmp_path / "ours")
    (tmp_path / "texts.txt").write_text("a\n")
    load, loaded = spacy.load, []
    monkeypatch.setattr(spacy, "load", lambda *args, **more: loaded.append(load(*args, **more)) or loaded[-1])
    settings = {"components": {"mine": {"confidence": False}}}
    _worker(str(tmp_path / "ours"), settings, str(tmp_path / "texts.txt"), torch.get_num_threads(), 256)
    assert loaded[0].component_names == ["mine", "entity_ruler"]
    assert not loaded[0].get_pipe("mine").confidence


def test_texts_come_from_docbins_and_lines(trained, tmp_path):
    from spacy.tokens import DocBin

    DocBin(docs=[trained.make_doc("One two")]).to_disk(tmp_path / "a.spacy")
    (tmp_path / "a.txt").write_text("One two\n\nthree\n")
    (tmp_path / "b.txt").write_text("\n")
    assert read_texts(tmp_path / "a.spacy") == ["One two"]
    assert read_texts(tmp_path / "a.txt") == ["One two", "three"]
    with pytest.raises(ValueError, match=r"b\.txt: no text"):
        read_texts(tmp_path / "b.txt")
    (tmp_path / "c.txt").write_bytes(b"caf\xe9")
    with pytest.raises(ValueError, match=r"c\.txt: not UTF-8 text .* a text on each line"):
        read_texts(tmp_path / "c.txt")
