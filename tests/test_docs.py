"""What the documentation shows works as it stands there."""

import inspect
import re
from pathlib import Path

import pytest
import srsly
from spacy.util import registry
from thinc.api import Config

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.init_config import make_config
from ossamma_spacy.pipeline.ner import OssammaNER

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "corpora.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


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
