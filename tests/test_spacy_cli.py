"""spaCy's command line with our pipe."""

import json
import signal
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import spacy
import torch
from conftest import SENTENCES, SMALL_ENCODER, entities, make_examples
from spacy import displacy
from spacy.cli import app
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_loop
from thinc.api import Config
from typer.testing import CliRunner

from ossamma_spacy.colors import COLORS
from ossamma_spacy.labels import LABELS
from ossamma_spacy.models.shim import torch_shim

CONFIGS = Path(__file__).parents[1] / "configs"
TEXTS = [text for text, _ in SENTENCES]


def run(*args):
    """What a spaCy command prints."""
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with `data.spacy` and `config.cfg`: configs/tiny.cfg with a small encoder and few steps."""
    folder = tmp_path_factory.mktemp("cli")
    docs = [example.reference for example in make_examples(spacy.blank("en"))]
    DocBin(docs=docs).to_disk(folder / "data.spacy")
    config = Config().from_disk(CONFIGS / "tiny.cfg", interpolate=False)
    config["paths"].update(train=str(folder / "data.spacy"), dev=str(folder / "data.spacy"))
    config["components"]["ossamma_ner"]["model"]["tok2vec"].update(SMALL_ENCODER)
    config["training"].update(max_steps=60, eval_frequency=20)
    config["training"]["optimizer"]["learn_rate"].update(initial_rate=5e-3, warmup_steps=5)
    config.to_disk(folder / "config.cfg")
    return folder


@pytest.fixture(scope="module")
def model(workplace):
    """The pipeline that `spacy train` makes there."""
    run("train", workplace / "config.cfg", "--output", workplace / "training")
    return workplace / "training" / "model-best"


def test_train_makes_a_pipeline_that_knows_its_data(model):
    nlp = spacy.load(model)
    assert nlp.meta["performance"]["ents_f"] == 1.0
    for text, spans in SENTENCES:
        assert [(span.start_char, span.end_char, span.label_) for span in nlp(text).ents] == spans


def test_debug_config_accepts_the_config(workplace):
    output = run("debug", "config", workplace / "config.cfg", "--show-functions")
    for name in ("ossamma.CRFTagger.v1", "ossamma.Encoder.v1", "ossamma.ner_scorer.v1"):
        assert name in output


def test_debug_config_names_a_wrong_setting(workplace):
    setting = "--components.ossamma_ner.model.tok2vec.depht=3"
    result = CliRunner().invoke(app, ["debug", "config", str(workplace / "config.cfg"), setting])
    assert result.exit_code == 1
    assert "depht" in result.output


def test_labels_on_disk_are_the_labels_of_the_pipe(workplace, tmp_path):
    run("init", "labels", workplace / "config.cfg", tmp_path)
    found = json.loads((tmp_path / "ossamma_ner.json").read_text())
    assert found == ["PERSON", "AGENCY", "PLACE", "WORK", "MEASURE"]
    (tmp_path / "labels.json").write_text(json.dumps([*found, "EVENT"]))
    config = Config().from_disk(workplace / "config.cfg", interpolate=False)
    reader = {"@readers": "spacy.read_labels.v1", "path": str(tmp_path / "labels.json")}
    config["initialize"]["components"]["ossamma_ner"]["labels"] = reader
    assert init_nlp(config).get_pipe("ossamma_ner").labels == (*found, "EVENT")


def test_without_the_augmenter_another_pipe_trains_along(workplace, tmp_path):
    docs = list(DocBin().from_disk(workplace / "data.spacy").get_docs(spacy.blank("en").vocab))
    for doc in docs:
        for token in doc:
            token.tag_ = "NAME" if token.ent_type else "WORD"
    DocBin(docs=docs).to_disk(tmp_path / "data.spacy")
    config = Config().from_disk(workplace / "config.cfg", interpolate=False)
    config["paths"].update(train=str(tmp_path / "data.spacy"), dev=str(tmp_path / "data.spacy"))
    config["nlp"]["pipeline"] = ["ossamma_ner", "tagger"]
    config["components"]["tagger"] = {"factory": "tagger"}
    del config["corpora"]["train"]["augmenter"]
    config["training"].update(max_epochs=0, max_steps=2)
    nlp = init_nlp(config)
    train_loop(nlp, tmp_path)
    assert nlp.get_pipe("tagger").labels == ("NAME", "WORD")


def test_a_trained_pipeline_is_initialized_on_examples_of_ones_own(model, monkeypatch, tmp_path):
    nlp = spacy.load(model)
    nlp.config["paths"]["train"] = "corpus/train.spacy"
    monkeypatch.chdir(tmp_path)
    doc = nlp.make_doc("a b")
    nlp.initialize(lambda: [Example.from_dict(doc, {"entities": [(0, 1, "NEW")]})])
    assert nlp.get_pipe("ossamma_ner").labels == ("NEW",)


def test_the_saved_weights_are_the_average(workplace, tmp_path):
    config = Config().from_disk(workplace / "config.cfg", interpolate=False)
    nlp = init_nlp(config)
    train_loop(nlp, tmp_path)
    trained = torch_shim(nlp.get_pipe("ossamma_ner").model)
    saved = torch_shim(spacy.load(tmp_path / "model-last").get_pipe("ossamma_ner").model)
    for name, value in saved.module.named_parameters():
        assert torch.equal(value, trained.average[name])
    assert not torch.equal(saved.module.emit.weight, trained.module.emit.weight)


def fine_tuning(workplace, tmp_path, rate, **training):
    """The evaluations, as (step, rounded score), of a training by configs/base.cfg with a small encoder."""
    config = Config().from_disk(CONFIGS / "base.cfg", interpolate=False)
    config["paths"].update(train=str(workplace / "data.spacy"), dev=str(workplace / "data.spacy"))
    config["components"]["ossamma_ner"]["model"]["tok2vec"].update(SMALL_ENCODER)
    config["training"].update(training)
    config["training"]["batcher"]["size"] = 2  # 5 documents: 3 steps an epoch
    config["training"]["optimizer"]["learn_rate"]["initial_rate"] = rate
    config["training"]["logger"].update(console_output=False, output_file=str(tmp_path / "log.jsonl"))
    config.to_disk(tmp_path / "config.cfg")
    run("train", tmp_path / "config.cfg")
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    return [(row["step"], row["score"]) for row in rows if row["score"] is not None]


def test_fine_tuning_evaluates_each_epoch_and_runs_for_twenty(workplace, tmp_path):
    found = fine_tuning(workplace, tmp_path, rate=1e-4, patience=0)
    assert [step for step, _ in found] == list(range(0, 61, 3))
    assert found[-1][1] > found[0][1]


def test_fine_tuning_stops_after_five_evaluations_without_a_gain(workplace, tmp_path):
    steps, scores = zip(*fine_tuning(workplace, tmp_path, rate=0.0), strict=True)
    assert steps == (0, 3, 6, 9, 12, 15)
    assert len(set(scores)) == 1


def test_a_corpus_that_is_not_there_is_named(workplace):
    command = ["train", str(CONFIGS / "base.cfg"), "--paths.train", "nowhere.spacy"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code != 0
    assert "nowhere.spacy" in result.output + repr(result.exception)


def test_epochs_of_an_empty_corpus_are_refused(tmp_path):
    DocBin().to_disk(tmp_path / "empty.spacy")
    command = ["train", str(CONFIGS / "base.cfg"), "--paths.train", str(tmp_path / "empty.spacy")]
    result = CliRunner().invoke(app, command)
    assert "empty.spacy: no document in .spacy format, so its epochs have no steps" in repr(result.exception)


AT_STEP_50 = """
import os, resource, signal
import spacy

@spacy.registry.callbacks("at_step_50")
def make_callback():
    def before_update(nlp, step):
        if step["step"] == 50:
            {event}
    return before_update
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
FULL_DISK = "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))"  # bytes to a file: too few for the weights


@pytest.mark.slow
@pytest.mark.parametrize("event", [KILL, FULL_DISK], ids=["killed", "full disk"])
def test_a_training_that_breaks_off_leaves_its_best_pipeline(workplace, tmp_path, event):
    (tmp_path / "code.py").write_text(AT_STEP_50.format(event=event))
    config = Config().from_disk(workplace / "config.cfg", interpolate=False)
    config["training"]["before_update"] = {"@callbacks": "at_step_50"}
    config.to_disk(tmp_path / "config.cfg")
    command = ["train", tmp_path / "config.cfg", "--output", tmp_path / "out", "--code", tmp_path / "code.py"]
    command = [sys.executable, "-m", "spacy", *command]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if event == KILL:
        assert result.returncode == -signal.SIGKILL, result.stderr
    else:
        assert result.returncode == 1
        assert "File too large" in result.stdout + result.stderr
    nlp = spacy.load(tmp_path / "out" / "model-best")
    assert nlp.evaluate(make_examples(nlp))["ents_f"] == nlp.meta["performance"]["ents_f"] > 0


def test_evaluate_reports_the_mean_over_labels(model, workplace, tmp_path):
    output = run("evaluate", model, workplace / "data.spacy", "--output", tmp_path / "scores.json")
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["ents_f"] == scores["ents_macro_f"] == 1.0
    assert "NER F" in output


def test_apply_writes_the_entities(model, trained, tmp_path):
    lines = "\n".join(json.dumps({"text": text}) for text in TEXTS)
    (tmp_path / "texts.jsonl").write_text(lines)
    run("apply", model, tmp_path / "texts.jsonl", tmp_path / "out.spacy")
    docs = list(DocBin().from_disk(tmp_path / "out.spacy").get_docs(trained.vocab))
    assert [doc.text for doc in docs] == TEXTS
    assert [entities(doc) for doc in docs] == [entities(trained(text)) for text in TEXTS]
    assert all(span._.confidence > 0 for doc in docs for span in doc.ents)


def test_benchmark_speed_runs(model, workplace):
    options = ["--batches", "30", "--warmup", "1", "--batch-size", "2"]
    assert "words/s" in run("benchmark", "speed", model, workplace / "data.spacy", *options)


def test_find_threshold_tries_thresholds(model, workplace):
    output = run(
        "find-threshold", model, workplace / "data.spacy", "ossamma_ner", "threshold", "ents_f", "--n_trials", "3"
    )
    assert "Best threshold" in output


@pytest.mark.slow
def test_the_wheel_needs_us_and_loads(model, tmp_path):
    run("package", model, tmp_path, "--name", "ossamma_test", "--version", "0.0.1", "--build", "wheel")
    (wheel,) = tmp_path.glob("*/dist/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "wheel")
    (metadata,) = (tmp_path / "wheel").glob("*.dist-info/METADATA")
    requirements = Parser().parsestr(metadata.read_text(encoding="utf-8")).get_all("Requires-Dist")
    names = {requirement.split("<")[0].split(">")[0].strip() for requirement in requirements}
    assert names == {"spacy", "ossamma-spacy"}
    nlp = spacy.load(tmp_path / "wheel" / "en_ossamma_test" / "en_ossamma_test-0.0.1")
    assert [entities(doc) for doc in nlp.pipe(TEXTS)] == [entities(doc) for doc in spacy.load(model).pipe(TEXTS)]


# displaCy


def luminance(color):
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_each_label_has_a_colour_of_its_own_under_black_text():
    assert tuple(COLORS) == LABELS
    assert len(set(COLORS.values())) == 9
    for color in COLORS.values():
        assert (luminance(color) + 0.05) / 0.05 >= 7


def test_displacy_renders_each_label_in_its_colour():
    ents = [{"start": i, "end": i + 1, "label": label} for i, label in enumerate(LABELS)]
    html = displacy.render({"text": "x" * 9, "ents": ents}, style="ent", manual=True, jupyter=False)
    for label, color in COLORS.items():
        (mark,) = [part for part in html.split("<mark")[1:] if f">{label}<" in part.replace("\n", "").replace(" ", "")]
        assert f"background: {color}" in mark


def test_displacy_renders_our_entities(trained):
    html = displacy.render(trained("IBM hired Ada Lovelace in 1997"), style="ent", jupyter=False)
    for label in ("AGENCY", "PERSON", "MEASURE"):
        assert f"background: {COLORS[label]}" in html
