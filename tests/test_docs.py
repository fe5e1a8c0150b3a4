"""What the documentation shows works as it stands there."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.util import registry
from thinc.api import Config

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.init_config import make_config
from ossamma_spacy.pipeline.ner import OssammaNER

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "corpora.md"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text):
    """Kind and text of each fenced block."""
    return re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)


BLOCKS = blocks(DOCS.read_text(encoding="utf-8"))
IOB = "Marie B-PER\nCurie I-PER\nsaw O\n{town} B-LOC\n. O\n\n"


@pytest.mark.parametrize("block", [text for kind, text in BLOCKS if kind == "ini"])
def test_settings_are_those_of_what_they_configure(block):
    sections = re.findall(r"^\[([\w.]+)\]$", block, re.MULTILINE)
    parents = {name[: dot.start()] for name in sections for dot in re.finditer(r"\.", name)} - set(sections)
    given = Config().from_str("".join(f"[{name}]\n" for name in sorted(parents)) + block, interpolate=False)
    filled = make_config("tiny")
    for section in given.get("corpora", {}).values():
        for settings in (section, section.get("augmenter", {})):
            for kind in ("readers", "augmenters"):
                if name := settings.get(f"@{kind}"):
                    names = {key for key in settings if not key.startswith("@") and key != "augmenter"}
                    assert names <= set(inspect.signature(registry.get(kind, name)).parameters)
    assert given.get("training", {}).keys() <= filled["training"].keys()
    assert given.get("components", {}).get("ossamma_ner", {}).keys() <= filled["components"]["ossamma_ner"].keys()
    start = given.get("initialize", {}).get("components", {}).get("ossamma_ner", {})
    assert start.keys() <= inspect.signature(OssammaNER.initialize).parameters.keys()


@pytest.mark.parametrize("block", [text for kind, text in BLOCKS if kind == "yaml"])
def test_entries_are_entries(tmp_path, block):
    rest = "" if "labels:" in block else "labels: {PER: PERSON}\nannotated: []\n"
    (tmp_path / "mine.yaml").write_text(block + rest)
    corpus = catalogue.load(str(tmp_path / "mine.yaml"))
    assert corpus.found or corpus.dataset


def test_the_project_is_documented_as_it_is():
    page = (ROOT / "PROJECT.md").read_text(encoding="utf-8")
    project = srsly.read_yaml(ROOT / "project.yml")
    for command in project["commands"]:
        assert f"| `{command['name']}` | {command['help']} |" in page
    for name, steps in project["workflows"].items():
        assert f"| `{name}` | {' &rarr; '.join(f'`{step}`' for step in steps)} |" in page
    assert project["description"] in page


@pytest.mark.slow
def test_the_readmes_commands_make_a_package_of_a_corpus_of_ones_own(tmp_path):
    (commands,) = [text for kind, text in blocks(README) if kind == "bash" and "convert iob" in text]
    short = "--output training --training.max_steps 20 --training.eval_frequency 10"
    commands = f"set -e\n{commands}".replace("--output training", short)
    for split, towns in {"train": ("Paris", "Rome"), "dev": ("Oslo",), "test": ("Bern",)}.items():
        text = "".join(IOB.format(town=town) for town in towns)
        (tmp_path / f"{split}.conll").write_text(text * 5, encoding="utf-8")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert spacy.load(tmp_path / "training" / "model-best").get_pipe("ossamma_ner").labels == ("LOC", "PER")
    assert list(tmp_path.glob("packages/en_my_ner-*/dist/*.whl"))
