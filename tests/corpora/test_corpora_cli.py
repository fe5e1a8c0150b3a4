"""`ossamma corpora …`"""

import builtins
import hashlib
import json
import runpy
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ossamma_spacy.cli import app
from ossamma_spacy.corpora import catalogue
from ossamma_spacy.stored import documents

TRAIN, TEST = (
    "Ada B-person\nsaw O\nRome B-location\nagain O\n\nIn O\nOslo B-location\nit O\nrains O\n",
    "They O\nleft O\n",
)


@pytest.fixture(autouse=True)
def mirror(tmp_path, monkeypatch):
    """A catalogue of two corpora; the mirror has the files of `mine`, not those of `lost`."""
    entry = (catalogue.ENTRIES / "wnut17.yaml").read_text(encoding="utf-8")
    folder, mirror = tmp_path / "entries", tmp_path / "mirror"
    folder.mkdir()
    mirror.mkdir()
    records = []
    for name in ("mine", "lost"):
        (folder / f"{name}.yaml").write_text(entry, encoding="utf-8")
        rows = []
        for split, text in {"train": TRAIN, "dev": TEST + " O\n" * (name == "lost"), "test": TEST + "\n"}.items():
            (mirror / f"{split}.txt").write_text(text)
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            rows.append(f"{split}\t{split}.txt\t{len(text)}\t{sha256}\n")
            if name == "mine":
                records.append({"sha256": sha256, "local_path": f"{split}.txt"})
        (folder / f"{name}.tsv").write_text("".join(rows))
    (mirror / "dev.txt").write_text(TEST)
    (mirror / "MANIFEST.json").write_text(json.dumps([{"files": records}]))
    monkeypatch.setattr(catalogue, "ENTRIES", folder)
    monkeypatch.chdir(tmp_path)
    return mirror


def run(*arguments, code=0):
    result = CliRunner().invoke(app, ["corpora", *map(str, arguments)], env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def test_corpora_are_listed_and_shown():
    assert "mine social media research PERSON" in run("list")
    output = run("show", "mine")
    assert "WNUT-17" in output
    assert "CC BY 4.0" in output
    assert "files dev 1, test 1, train 1" in output
    assert "product INSTRUMENT or WORK" in output
    assert "no corpus 'min' in the catalogue; is it mine?" in run("show", "min", code=1)


def test_corpora_are_fetched_and_converted(mirror):
    assert "mine: corpus/sources/mine" in run("fetch", "mine", "--mirror", mirror)
    output = run("convert", "mine", "--mirror", mirror)
    assert "mine: converted" in output
    assert "mine train 2 8 1 0 2 0 0 0 0 0 0 0 0 0 0 mine" in output
    assert "mine dev 1 mine test (1)" in output
    assert "mine: has not changed" in run("convert", "mine", "--mirror", mirror)
    assert "mine train 2 8 1 0 2" in run("stats")


def test_what_fails_does_not_keep_others_from_being_converted(mirror):
    output = run("convert", "lost", "nowhere", "mine", "--mirror", mirror, code=1)
    assert "lost: lost: the mirror" not in output
    assert "lost: the mirror mirror does not have dev.txt" in output.replace(str(mirror), "mirror")
    assert "nowhere: no corpus 'nowhere'" in output
    assert "mine: converted" in output
    assert "mine train 2 8" in output
    assert output.index("not converted: lost, nowhere") > output.index("mine test")


def test_a_mistake_in_an_entry_is_named_once_and_other_corpora_are_converted(mirror, tmp_path):
    (tmp_path / "own.yaml").write_text("format: inline\nlabels: {}\nannotated: []\n")
    output = run("convert", "own.yaml", "mine", "--mirror", mirror, code=1)
    assert "✘ own.yaml: options: document missing" in output
    assert "mine train 2 8" in output


def test_a_corpus_that_is_not_whole_is_named(mirror, tmp_path):
    run("convert", "mine", "--mirror", mirror)
    (tmp_path / "corpus" / "other" / ".converted").mkdir(parents=True)
    assert "corpus/other/.converted: not whole" in run("convert", "mine", "--mirror", mirror, code=1)
    assert "convert other again, or delete corpus/other" in run("stats", code=1)


def test_a_file_in_the_place_of_a_folder_is_named(mirror, tmp_path):
    (tmp_path / "file").touch()
    for option in ("--sources", "--output"):
        output = run("convert", "mine", "--mirror", mirror, option, "file", code=1)
        assert "mine: file is a file; name a folder" in output


def test_where_nothing_is_converted_stats_say_so():
    assert "✘ nowhere: no corpus is converted there" in run("stats", "--output", "nowhere", code=1)


def test_a_wide_cell_leaves_a_table_its_columns():
    entry = catalogue.ENTRIES / "mine.yaml"
    text = entry.read_text(encoding="utf-8").replace("social media", "posts of several platforms and years")
    text = text.replace("group: AGENCY", f"group: [PERSON, AGENCY, PLACE, ORGANISM]\n  {'long' * 10}: O")
    entry.write_text(text, encoding="utf-8")
    lines = CliRunner().invoke(app, ["corpora", "list"], env={"COLUMNS": "200"}).output.splitlines()
    assert len({line.index("research") for line in lines if "research" in line}) == 1
    lines = CliRunner().invoke(app, ["corpora", "show", "mine"], env={"COLUMNS": "200"}).output.splitlines()
    (wide,) = (line for line in lines if line.startswith("longlong"))
    (header,) = (line for line in lines if line.startswith("its label"))
    assert header.index("ours") == len("long" * 10) + 3 == wide.rindex("O")


def test_the_extra_that_fetching_needs_is_named(monkeypatch):
    real = builtins.__import__

    def without_pooch(name, *arguments, **options):
        if name == "pooch":
            raise ImportError("No module named 'pooch'")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_pooch)
    assert "pip install 'pooch>=1.8' 'requests>=2'" in run("fetch", "mine", code=1)


@pytest.fixture
def gather_corpora(tmp_path):
    """scripts/corpora.py, writing below tmp_path."""
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "corpora.py"))
    script["main"].__globals__["OUTPUT"] = tmp_path / "corpus"
    return script["main"]


def test_the_project_gathers_the_splits_of_its_corpora(mirror, tmp_path, gather_corpora):
    gather_corpora("sample, mine", str(mirror))
    for split, mine in (("train", "Ada saw Rome again"), ("dev", ""), ("test", "They left")):
        texts = [doc.text for doc in documents(tmp_path / "corpus" / split)]
        assert len(texts) > 10  # the sample's
        assert not mine or mine in texts


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("sample,sample", "sample more than once"),
        ("sample,one.yaml,two.yaml", "own more than once"),
        (" , ", "no corpora"),
        ("dev.yaml", "corpus/dev is taken"),
        ("nowhere", "no corpus 'nowhere'"),
    ],
)
def test_the_project_refuses_corpora_that_it_cannot_tell_apart(names, message, gather_corpora, tmp_path):
    for path, name in (("one", "own"), ("two", "own"), ("dev", "dev")):
        (tmp_path / f"{path}.yaml").write_text(f"name: {name}\nformat: columns\nlabels: {{}}\nannotated: []\n")
    with pytest.raises(typer.BadParameter, match=message):
        gather_corpora(names)
