"""The catalogue of corpora."""

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
        ("format: columns", "", r"a\.yaml: format missing or unknown"),
        ("title: A", "title: A\nhost: b", r"a\.yaml: host missing or unknown"),
        ("use: ships", "use: maybe", "use is 'maybe', expected ships or research"),
        ("annotated: [PERSON]", "annotated: [PER]", "annotated has PER, which are none of PERSON, AGENCY"),
        ("X: PERSON", "X: PER", "label 'X' is mapped to 'PER', expected unknown, O, or one or more of PERSON"),
        ("X: PERSON", "X: []", r"label 'X' is mapped to \[\]"),
        ("title: A", "title: {A", "not YAML"),
    ],
)
def test_what_is_no_entry_is_named(tmp_path, old, new, message):
    with pytest.raises(CorpusError, match=message):
        entry(tmp_path, ENTRY.replace(old, new))
    with pytest.raises(CorpusError, match="expected keys and values, got str"):
        entry(tmp_path, "a")


def test_a_corpus_that_is_not_there_is_named():
    with pytest.raises(CorpusError, match=r"no corpus 'nowhere' in the catalogue; it has .*conll2003, "):
        catalogue.load("nowhere")
