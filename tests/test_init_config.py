"""The committed configs are filled and are what the command prints."""

from pathlib import Path

import pytest
from spacy.cli.init_config import fill_config
from typer.testing import CliRunner

from ossamma_spacy.cli import app
from ossamma_spacy.init_config import make_config
from ossamma_spacy.nn.config import SIZES

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.mark.parametrize("size", SIZES)
def test_committed_configs_are_what_the_command_prints(size):
    result = CliRunner().invoke(app, ["init", "config", "--size", size])
    assert result.exit_code == 0
    assert result.stdout.strip() == (CONFIGS / f"{size}.cfg").read_text(encoding="utf-8").strip()


def test_the_committed_transformer_config_is_what_the_command_prints():
    result = CliRunner().invoke(app, ["init", "config", "--transformer", "roberta-base"])
    assert result.exit_code == 0
    assert result.stdout.strip() == (CONFIGS / "transformer.cfg").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("options", [{"size": "tiny"}, {"pretrained": "folder"}])
def test_a_transformer_stands_in_the_place_of_our_encoder(options):
    (option,) = options
    with pytest.raises(ValueError, match=f"{option} '{options[option]}' is of our encoder"):
        make_config(transformer="roberta-base", **options)


def test_a_transformer_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setattr("ossamma_spacy.init_config.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'spacy-transformers>=1.4'"):
        make_config(transformer="roberta-base")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.cfg")), ids=lambda path: path.name)
def test_filling_a_config_changes_nothing(tmp_path, path):
    before, after = fill_config(tmp_path / "filled.cfg", path, silent=True)
    assert before.to_str() == after.to_str()
    assert (tmp_path / "filled.cfg").read_text(encoding="utf-8").strip() == path.read_text(encoding="utf-8").strip()


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="sizes are tiny, small, base, large"):
        make_config("huge")
