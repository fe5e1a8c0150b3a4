"""Hugging Face datasets, by an entry of the user's own."""

import re
import sys

import pytest
import spacy
from spacy.tokens import DocBin
from typer.testing import CliRunner

from ossamma_spacy.cli import app
from ossamma_spacy.corpora.fetch import fetch
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.knowledge import read_knowledge

ENTRY = """
format: columns
options: {{separator: "\t"}}
dataset: {{path: "{path}", splits: {{train: train, dev: validation}}}}
labels: {{PER: PERSON, LOC: [PLACE, AGENCY]}}
annotated: [PERSON]
"""
TAGS = ["O", "B-PER", "I-PER", "B-LOC"]
ROWS = {
    "train": [(["Ada", "Lovelace", "", "saw", "New\tRome", "."], [1, 2, 0, 0, 3, 0]), (["Yes", "!"], [0, 0])],
    "validation": [(["Rome", "fell", "."], [3, 0, 0])],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset as a folder of Parquet files."""
    datasets = pytest.importorskip("datasets")
    folder = tmp_path_factory.mktemp("names")
    features = datasets.Features(
        {
            "tokens": datasets.Sequence(datasets.Value("string")),
            "ner_tags": datasets.Sequence(datasets.ClassLabel(names=TAGS)),
        }
    )
    for split, rows in ROWS.items():
        tokens, tags = zip(*rows, strict=True)
        table = datasets.Dataset.from_dict({"tokens": list(tokens), "ner_tags": list(tags)}, features=features)
        table.to_parquet(folder / f"{split}.parquet")
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


def entry(tmp_path, folder, text=ENTRY):
    path = tmp_path / "mine.yaml"
    path.write_text(text.format(path=folder.as_posix()))
    return str(path)


def convert(tmp_path, name):
    places = ["--sources", str(tmp_path / "sources"), "--output", str(tmp_path / "out")]
    return CliRunner().invoke(app, ["corpora", "convert", name, *places])


def test_a_dataset_becomes_documents_that_know_what_the_entry_says(tmp_path, folder):
    result = convert(tmp_path, entry(tmp_path, folder))
    assert result.exit_code == 0, result.output
    store = DocBin().from_disk(tmp_path / "out" / "mine" / "train" / "0000.spacy")
    first, second = store.get_docs(spacy.blank("en").vocab)
    assert (first.text, second.text) == ("Ada Lovelace saw New Rome.", "Yes!")
    assert [(span.text, span.label_) for span in first.ents] == [("Ada Lovelace", "PERSON")]
    assert read_knowledge(first).candidates[0].labels == ("PLACE", "AGENCY")
    assert read_knowledge(first).annotated == {"PERSON"}
    assert "has not changed" in " ".join(convert(tmp_path, entry(tmp_path, folder)).output.split())


def test_numbers_can_be_given_names(tmp_path, folder):
    text = ENTRY.replace("path:", "tag_names: [O, B-LOC, I-LOC, O], path:")
    fetch(entry(tmp_path, folder, text), tmp_path)
    lines = (tmp_path / "mine" / "train.tsv").read_text().splitlines()
    assert lines[:4] == ["Ada\tB-LOC", "Lovelace\tI-LOC", "saw\tO", "New Rome\tO"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("path:", "tags: tags, path:", "mine: .* has no column 'tags', it has tokens, ner_tags"),
        ("path:", "tag_names: [O, B-PER], path:", "row 1 of .* has the tag 2, a number without a name; give tag_names"),
        ("dev: validation", "dev: test", "has no split 'test', it has train, validation"),
        ("{path}", "{path}/nowhere/at/all", "mine: the dataset .*/nowhere/at/all cannot be loaded"),
        ("path:", "host: a, path:", r"mine\.yaml: dataset: host unknown; known are path, splits, name"),
        ("dev: validation", "devel: test", r"mine\.yaml: dataset: splits\.devel is 'devel', expected 'train', 'dev'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, folder, old, new, message):
    with pytest.raises(CorpusError, match=message):
        fetch(entry(tmp_path, folder, ENTRY.replace(old, new)), tmp_path)


def test_files_of_other_columns_are_named(tmp_path):
    datasets = pytest.importorskip("datasets")
    names = tmp_path / "names"
    names.mkdir()
    for i, column in enumerate(("tokens", "words")):
        datasets.Dataset.from_dict({column: [["Ada"]], "ner_tags": [["B-PER"]]}).to_parquet(
            names / f"train-{i}.parquet"
        )
    with pytest.raises(CorpusError, match=r"mine: the dataset .* cannot be loaded"):
        fetch(entry(tmp_path, names), tmp_path)


def test_without_the_package_the_extra_is_named(tmp_path, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(CorpusError, match=r"pip install 'datasets>=3'"):
        fetch(entry(tmp_path, folder), tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format: columns", "format: csv", r"✘ \S+mine\.yaml: no format 'csv'; there are brat, columns"),
        ("separator:", "parted: 1, separator:", r"✘ \S+mine\.yaml: options: parted unknown; known are .*bare"),
    ],
)
def test_a_format_or_option_that_is_none_is_named(tmp_path, folder, old, new, message):
    result = convert(tmp_path, entry(tmp_path, folder, ENTRY.replace(old, new)))
    assert result.exit_code == 1
    assert re.search(message, " ".join(result.output.split()))


def test_a_token_that_is_no_text_is_named(tmp_path):
    pytest.importorskip("datasets")
    rows = tmp_path / "rows"
    rows.mkdir()
    for split in ("train", "validation"):
        (rows / f"{split}.jsonl").write_text('{"tokens": ["Ada", null], "ner_tags": ["B-PER", "O"]}\n')
    with pytest.raises(CorpusError, match=r"mine: row 1 of .* has the token None, expected a text"):
        fetch(entry(tmp_path, rows), tmp_path)
