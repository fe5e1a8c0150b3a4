"""The catalogue of corpora."""

import json
from pathlib import Path

import pytest

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.lines import CorpusError

ENTRY = """
title: A
about: b
homepage: https://example.org
licence: CC0
use: ships
domain: news
url: https://example.org/
format: columns
labels: {X: PERSON, Y: [PLACE, AGENCY, O], Z: O, "?": unknown}
annotated: [PERSON]
drop: [they]
"""


@pytest.mark.parametrize("name", catalogue.names())
def test_every_entry_says_what_it_is_and_where_its_files_are(name):
    corpus = catalogue.load(name)
    assert corpus.name == name
    assert corpus.title and corpus.about and corpus.licence and corpus.domain
    files = catalogue.files(corpus)
    assert ({file.split for file in files} - {"-"}) or corpus.found
    for layout in corpus.found:
        assert layout.keys() <= {*catalogue.SPLITS, "all"}
    assert len({file.path for file in files}) == len(files)
    for file in files:
        assert file.split in (*catalogue.SPLITS, "all", "-")
        assert len(file.sha256) == 64
        assert file.size >= 0
        assert not file.path.startswith("/")
        assert ".." not in file.path
    assert (corpus.url + corpus.homepage).startswith("https://") or name == "ossamma9"  # published nowhere yet


def test_every_label_of_every_corpus_has_a_mapping():
    """labels.json: what `python -m benchmarks labels` found in the files; what is published of those owners bring."""
    found = json.loads(Path(__file__).with_name("labels.json").read_text(encoding="utf-8"))
    assert found.keys() == set(catalogue.names())
    for name, labels in found.items():
        corpus = catalogue.load(name)
        for label in labels:
            assert isinstance(corpus.candidates(label), tuple)


def entry(folder, text):
    (folder / "a.yaml").write_text(text)
    return catalogue.read_entry(folder / "a.yaml")


def test_labels_are_mapped_to_candidates(tmp_path):
    corpus = entry(tmp_path, ENTRY)
    assert corpus.labels == {"X": ("PERSON",), "Y": ("PLACE", "AGENCY", "O"), "Z": ("O",), "?": ()}
    assert corpus.candidates("Y") == ("PLACE", "AGENCY", "O")
    with pytest.raises(CorpusError, match="a: the corpus has the label 'W', its entry maps X, Y, Z"):
        corpus.candidates("W")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format: columns", "", r"a\.yaml: format missing; known are name, title"),
        ("title: A", "title: A\nhost: b", r"a\.yaml: host unknown; known are name, title"),
        ("use: ships", "use: maybe", "use is 'maybe', expected 'ships' or 'research'"),
        ("annotated: [PERSON]", "annotated: [PER]", "annotated has PER, which are none of PERSON, AGENCY"),
        (
            "X: PERSON",
            "X: PER",
            "label 'X' is mapped to 'PER', expected unknown, names unknown, O, or one or more of PERSON",
        ),
        ("X: PERSON", "X: []", r"label 'X' is mapped to \[\]"),
        (
            "X: PERSON",
            "X: PERSON, X:peple: DOMAIN",
            "label 'X:peple' has the form 'peple', which is none of people, party",
        ),
        ("annotated: [PERSON]", "annotated:", "annotated is None, expected a valid list"),
        ("annotated: [PERSON]", "annotated: PERSON", "annotated is 'PERSON', expected a valid list"),
        ("labels: {", "labels: [a]\nodd: {", "labels is .*, expected a valid dictionary"),
        (
            "drop: [they]",
            "found: [{train: a, validation: b}]",
            "found.0.validation is .*, expected .train., .dev.",
        ),
        ("title: A", "title: 3", "title is 3, expected a valid string"),
        ("X: PERSON", "X: 3", "label 'X' is mapped to 3, expected unknown, names unknown, O, or one or more of PERSON"),
        ("X: PERSON", "X: [[PERSON]]", r"label 'X' is mapped to \[\['PERSON'\]\]"),
        ("annotated: [PERSON]", "annotated: [[PERSON]]", r"annotated\.0 is \['PERSON'\], expected a valid string"),
        ("drop: [they]", "drop: [[they]]", r"drop\.0\.str is \['they'\], expected a valid string"),
        ("drop: [they]", "found: [{all: 3}]", r"found\.0\.all is 3, expected a valid string"),
        ("drop: [they]", "found: [{}]", r"found\.0 is \{\}"),
        ("drop: [they]", 'found: [{all: "/abs/*"}]', "found has '/abs/\\*', expected a pattern of paths below the"),
        ("title: A", "dataset: {path: 3, splits: {train: a}}", r"dataset: path is 3, expected a valid string"),
        (
            "title: A",
            "dataset: {path: a, splits: {train: [a]}}",
            r"splits\.train is \['a'\], expected a valid",
        ),
        ("title: A", "dataset: {path: a}", "dataset: splits missing; known are path, splits, name"),
        ("title: A", "name: ../evil", "name is '../evil', expected what a folder can be called"),
        ("title: A", "name: ..", "name is '..', expected what a folder can be called"),
        ("title: A", "like: a", r"a\.yaml: is like a, which is like this one"),
        ("format: columns", "format: csv", "no format 'csv'; there are brat, columns"),
        ("format: columns", "format: inline", "options: document missing; known are document, entities"),
        (
            "format: columns",
            "format: columns\noptions: {parted: 1}",
            "options: parted unknown; known are joined",
        ),
        (
            "format: columns",
            'format: columns\noptions: {token: "0"}',
            "options: token is '0', expected a valid integer",
        ),
        (
            "format: columns",
            "format: columns\noptions: {header: a}",
            "options: header is 'a', expected a valid integer",
        ),
        (
            "format: columns",
            "format: columns\noptions: {sentence: a}",
            "options: sentence is 'a', expected a valid int",
        ),
        (
            "format: columns",
            "format: columns\noptions: {separator: 3}",
            "options: separator is 3, expected a valid str",
        ),
        (
            "format: columns",
            "format: nested\noptions: {layers: 1}",
            "options: layers is 1, expected an instance of Seq",
        ),
        (
            "title: A",
            "like: nothing",
            r"nothing\.yaml: no such file; .*a\.yaml is like it, so it has to lie in the same",
        ),
        ("title: A", "title: {A", "cannot be read as YAML"),
    ],
)
def test_what_is_no_entry_is_named(tmp_path, old, new, message):
    with pytest.raises(CorpusError, match=message):
        entry(tmp_path, ENTRY.replace(old, new))
    with pytest.raises(CorpusError, match="expected keys and values, got str"):
        entry(tmp_path, "a")


@pytest.mark.parametrize(
    "line",
    ["train\ta.txt", "validation\ta.txt\t1\t{}", "all\t../a.txt\t1\t{}", "all\t/a.txt\t1\t{}", "all\ta.txt\tx\t{}"],
)
def test_a_list_of_files_that_is_none_is_named(tmp_path, line):
    corpus = entry(tmp_path, ENTRY)
    good = "train\ta.txt\t1\t" + "0" * 64
    (tmp_path / "a.tsv").write_text(f"{good}\n{line.format('0' * 64)}\n")
    with pytest.raises(
        CorpusError, match=r"a\.tsv:2: .*, expected split \(train, dev, test, all, or - for none\), path"
    ):
        catalogue.files(corpus)


def test_a_corpus_that_is_not_there_is_named():
    with pytest.raises(CorpusError, match="no corpus 'nowhere' in the catalogue; `ossamma corpora list` shows what"):
        catalogue.load("nowhere")
    with pytest.raises(
        CorpusError, match=r"no corpus 'Wnut-17' in the catalogue; is it wnut17\? `ossamma corpora list`"
    ):
        catalogue.load("Wnut-17")
    with pytest.raises(CorpusError, match=r"nowhere\.yaml: no such file, expected an entry"):
        catalogue.load("nowhere.yaml")


def test_an_entry_may_be_like_another(tmp_path):
    entry(tmp_path, ENTRY)
    (tmp_path / "b.yaml").write_text("like: a\ntitle: B\ndrop: [They, We]\n")
    corpus = catalogue.load(str(tmp_path / "b.yaml"))
    assert (corpus.name, corpus.title, corpus.drop) == ("b", "B", {"they", "we"})
    assert corpus.labels == catalogue.load(str(tmp_path / "a.yaml")).labels


def test_a_copy_that_lacks_a_split_is_not_taken_for_whole(tmp_path):
    corpus = entry(tmp_path, ENTRY + 'found: [{train: "train*", dev: "dev*"}]\n')
    (tmp_path / "train.txt").touch()
    with pytest.raises(CorpusError, match=r"a: put your copy .*has to hold train\*, dev\*; it lacks dev \(dev\*\)$"):
        catalogue.split_files(corpus, tmp_path)
    (tmp_path / "dev.txt").touch()
    assert [split for split, _ in catalogue.split_files(corpus, tmp_path)] == ["train", "dev"]
