"""Every name in setup.cfg resolves, and the factory's module is cheap."""

import ast
import configparser
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def entry_points():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    for group, lines in config["options.entry_points"].items():
        for line in lines.strip().splitlines():
            name, target = (part.strip() for part in line.split("=", 1))
            yield pytest.param(group, name, target, id=name)


@pytest.mark.parametrize(("group", "name", "target"), list(entry_points()))
def test_entry_point_resolves(group, name, target):
    module, attribute = target.split(":")
    assert callable(getattr(import_module(module), attribute))
    if group.startswith("spacy_") and group != "spacy_factories":
        from spacy import registry

        assert getattr(registry, group.removeprefix("spacy_")).get(name)


def test_importing_the_factory_loads_no_torch_of_ours():
    code = (
        "import sys, ossamma_spacy, ossamma_spacy.pipeline.factory; "
        "heavy = [m for m in sys.modules if m.startswith(('ossamma_spacy.nn', 'ossamma_spacy.models', 'tokenizers'))]; "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-W", "error::DeprecationWarning:ossamma_spacy", "-c", code], check=True)


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("nn", ("spacy", "thinc", "ossamma_spacy.models", "ossamma_spacy.pipeline", "ossamma_spacy.corpora")),
        ("models", ("ossamma_spacy.pipeline", "ossamma_spacy.corpora", "ossamma_spacy.evaluation")),
        ("pipeline", ("ossamma_spacy.evaluation", "ossamma_spacy.serving", "ossamma_spacy.corpora")),
    ],
)
def test_imports_point_one_way(package, forbidden):
    for path in (ROOT / "ossamma_spacy" / package).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                for imported in (module + alias.name for alias in node.names):
                    assert not any(f"{imported}.".startswith(f"{name}.") for name in forbidden), f"{path}: {imported}"
