"""The committed configs are filled and are what the command prints."""

from pathlib import Path

import pytest
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


def test_filling_a_config_changes_nothing(tmp_path):
    from spacy.cli.init_config import fill_config

    before, after = fill_config(tmp_path / "filled.cfg", CONFIGS / "tiny.cfg", silent=True)
    assert before.to_str() == after.to_str()


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="sizes are tiny, small, base, large"):
        make_config("huge")
