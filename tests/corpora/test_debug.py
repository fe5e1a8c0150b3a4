"""`ossamma debug-data`"""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.util import load_config
from typer.testing import CliRunner

from ossamma_spacy.cli import app
from ossamma_spacy.knowledge import Candidates, write_knowledge

NLP = spacy.blank("en")
CONFIG = Path(__file__).parents[2] / "configs" / "tiny.cfg"


def run(*arguments, code=0):
    result = CliRunner().invoke(app, ["debug-data", *map(str, arguments)], env={"COLUMNS": "300"})
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def doc(text, *spans):
    found = NLP.make_doc(text)
    found.set_ents([Span(found, *span) for span in spans])
    return found


@pytest.fixture
def paths(tmp_path):
    """A train and a dev split with what goes wrong."""
    sentence = "The quick brown fox jumps over the lazy dog near the old river"
    partly = NLP.make_doc("Ada saw U.S.-based firms")
    write_knowledge(partly, [Span(partly, 0, 1, "PERSON")], ["PERSON"], [Candidates(2, 3, ("PLACE",), placed=False)])
    cut = Doc(NLP.vocab, words=["Rome", "ish"], spaces=[False] * 2, ents=["B-PLACE", "O"])
    silent = NLP.make_doc("Nothing is known of this")
    train = [doc(sentence, (3, 4, "ORGANISM")), doc(sentence), doc("Ada  went", (0, 2, "PERSON")), partly, cut, silent]
    dev = [doc(sentence + " bank"), doc("IBM", (0, 1, "AGENCY"))]
    DocBin(docs=train).to_disk(tmp_path / "train.spacy")
    DocBin(docs=dev).to_disk(tmp_path / "dev.spacy")
    return ["--paths.train", tmp_path / "train.spacy", "--paths.dev", tmp_path / "dev.spacy"]


def test_what_is_wrong_with_a_corpus_is_said(paths):
    output = run(CONFIG, *paths)
    for expected in [
        "AGENCY 0 1",
        "ORGANISM 1 0",
        "AGENCY: not in train",
        "ORGANISM: not in dev",
        "6 documents, 40 tokens",
        "tokens in a document: 2 at 0 %, 4 at 50 %, 13 at 90 %",
        "1 documents annotate some labels only",
        "1 documents say nothing of entities",
        "1 documents repeat another",
        "2 entities meet no token border: in 'U.S.-based' (PLACE); 'Rome' (PLACE) in 'Romeish'",
        "1 entities border on white space: 'Ada ' (PERSON) in 'Ada went'",
        "2 documents of train repeat one of dev, or nearly so",
    ]:
        assert expected in output


def test_a_corpus_is_read_as_it_is_whatever_training_changes(paths, tmp_path):
    config = load_config(CONFIG)
    lower = {"@augmenters": "spacy.lower_case.v1", "level": 1.0}
    config["corpora"]["train"] = {
        "@readers": "spacy.Corpus.v1",
        "path": "${paths.train}",
        "gold_preproc": False,
        "augmenter": lower,
    }
    del config["initialize"]["components"]["ossamma_ner"]["corpora"]
    config.to_disk(tmp_path / "lower.cfg")
    assert "'Rome' (PLACE) in 'Romeish'" in run(tmp_path / "lower.cfg", *paths)


def test_a_corpus_or_config_that_is_not_there_is_named(paths, tmp_path):
    assert "nowhere.spacy" in run(CONFIG, *paths[2:], "--paths.train", tmp_path / "nowhere.spacy", code=1)
    assert "no.cfg" in run(tmp_path / "no.cfg", code=1)


@pytest.mark.filterwarnings("ignore:.W090")
def test_a_split_without_documents_is_named(paths, tmp_path):
    (tmp_path / "empty").mkdir()
    options = [CONFIG, *paths[:2], "--paths.dev", tmp_path / "empty"]
    assert "empty: no document in .spacy format to evaluate on; check paths.dev" in run(*options, code=1)
    config = load_config(CONFIG)
    config["corpora"]["dev"] = {**spacy.blank("en").config["corpora"]["dev"], "path": "${paths.dev}"}
    config.to_disk(tmp_path / "config.cfg")
    output = run(tmp_path / "config.cfg", *options[1:], code=1)
    assert "dev: no documents; check corpora.dev in" in output
