"""What the figures in benchmarks/ are made by."""

import json

import pytest
import spacy
from spacy.tokens import DocBin, Span

from benchmarks import harness
from benchmarks.partial_labels import missing_as_o
from ossamma_spacy.knowledge import Candidates, read_knowledge, write_knowledge


def test_a_label_that_a_run_does_not_know_scores_nothing_there():
    runs = [{"ents_f": 0.5, "labels": {"PERSON": 0.6}}, {"ents_f": 0.7, "labels": {"PERSON": 0.8, "WORK": 0.2}}]
    assert harness.mean_of(runs) == {"ents_f": 0.6, "labels": {"PERSON": 0.7, "WORK": 0.1}}


def test_what_is_missing_becomes_o():
    doc = spacy.blank("en")("Ada met IBM near Turing Park")
    candidates = [Candidates(2, 3, ("AGENCY", "O"), placed=True), Candidates(4, 6, ("PLACE",), placed=False)]
    write_knowledge(doc, [Span(doc, 0, 1, "PERSON")], ["PERSON"], candidates)
    naive = missing_as_o(doc)
    assert [(span.text, span.label_) for span in naive.ents] == [("Ada", "PERSON"), ("IBM", "AGENCY")]
    assert read_knowledge(naive) is None
    assert {token.ent_iob_ for token in naive} == {"B", "O"}


@pytest.fixture
def corpora(tmp_path):
    paths = {split: tmp_path / f"{split}.spacy" for split in ("train", "dev")}
    for path in paths.values():
        DocBin().to_disk(path)
    return paths


@pytest.fixture
def trained_seeds(tmp_path, monkeypatch):
    """Runs go to a folder of their own, and a training only notes its seed and what its curve was."""
    seeds = []

    def train(config, output, seed, corpora, overrides):
        seeds.append(seed)
        output.mkdir(parents=True, exist_ok=True)
        rows = [{"step": 0, "score": 0.1}, {"step": 5, "score": None}, {"step": 10, "score": seed / 10}]
        (output / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
        return 1.0

    monkeypatch.setattr(harness, "WORK", tmp_path / "work")
    monkeypatch.setattr(harness, "train", train)
    monkeypatch.setattr(
        harness, "evaluate", lambda model, corpus: {"ents_f": int(model.parent.name[-1]) / 10, "labels": {}}
    )
    return seeds


def test_seeds_are_run_once_and_again_where_something_changed(tmp_path, corpora, trained_seeds):
    config = tmp_path / "a.cfg"
    config.write_text("a")
    found = harness.over_seeds(config, "name", [1, 2], corpora, splits=["dev"])
    assert found["dev"]["ents_f"] == 0.15
    assert found["spread"] == {"dev": [0.1, 0.2]}
    assert [run["curve"] for run in found["runs"]] == [[(0, 0.1), (10, 0.1)], [(0, 0.1), (10, 0.2)]]
    harness.over_seeds(config, "name", [1, 2, 3], corpora, splits=["dev"])
    assert trained_seeds == [1, 2, 3]
    DocBin(docs=[spacy.blank("en")("new")]).to_disk(corpora["dev"])
    harness.over_seeds(config, "name", [1], corpora, splits=["dev"])
    assert trained_seeds == [1, 2, 3, 1]
