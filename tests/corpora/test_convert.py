"""Corpora become folders of DocBins, and no document crosses from one split to another."""

import pytest
import spacy
from spacy.training.corpus import Corpus

from ossamma_spacy.corpora import catalogue, convert
from ossamma_spacy.corpora.convert import separate
from ossamma_spacy.corpora.fetch import fetch
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.files import replace_folder
from ossamma_spacy.knowledge import read_knowledge

TEMPLATE = "Ada O\nsaw O\n{} B-location\nin O\nthe O\nyear O\n{} O\n. O\n\n"


@pytest.fixture(autouse=True)
def entries(tmp_path, monkeypatch):
    """An empty catalogue."""
    folder = tmp_path / "entries"
    folder.mkdir()
    monkeypatch.setattr(catalogue, "ENTRIES", folder)
    return folder


@pytest.fixture
def corpus(tmp_path, entries):
    """Makes a corpus of the catalogue with these words in these splits."""
    entry = (convert.Path(catalogue.__file__).with_name("entries") / "wnut17.yaml").read_text(encoding="utf-8")

    def make(name, **splits):
        (entries / f"{name}.yaml").write_text(entry, encoding="utf-8")
        (entries / f"{name}.tsv").write_text("".join(f"{s}\t{s}.txt\t1\t{'0' * 64}\n" for s in splits))
        (tmp_path / "sources" / name).mkdir(parents=True, exist_ok=True)
        for split, words in splits.items():
            text = "".join(TEMPLATE.format(word, sum(map(ord, word))) for word in words)
            (tmp_path / "sources" / name / f"{split}.txt").write_text(text)

    return make


def converted(tmp_path, name):
    return convert.convert(name, tmp_path / "sources", tmp_path / "out")


def places(tmp_path, name, split):
    folder = tmp_path / "out" / name / split
    return (
        [doc.reference.ents[0].text for doc in Corpus(folder)(spacy.blank("en"))] if any(folder.glob("*.spacy")) else []
    )


def test_splits_are_written_and_know_their_labels(corpus, tmp_path):
    corpus("a", train=["Rome", "Oslo", "Rome"], dev=["Bern"], test=["Kyiv"])
    assert converted(tmp_path, "a")
    assert separate(tmp_path / "out") == {"a dev": {}, "a train": {}}
    assert places(tmp_path, "a", "train") == ["Rome", "Oslo"]  # a repetition is left out
    assert [counts["repeated"] for counts in convert.summaries(tmp_path / "out")["a"].values()] == [1, 0, 0]
    assert places(tmp_path, "a", "dev") == ["Bern"]
    assert places(tmp_path, "a", "test") == ["Kyiv"]
    (example,) = Corpus(tmp_path / "out" / "a" / "test")(spacy.blank("en"))
    assert example.reference.text == f"Ada saw Kyiv in the year {sum(map(ord, 'Kyiv'))}."
    assert read_knowledge(example.reference).annotated == {"PERSON"}


def test_a_conversion_is_made_again_only_where_something_changed(corpus, tmp_path):
    corpus("a", train=["Rome"])
    assert converted(tmp_path, "a")
    assert not converted(tmp_path, "a")
    separate(tmp_path / "out")
    before = (tmp_path / "out" / "a" / "train" / "0000.spacy").stat().st_mtime_ns
    separate(tmp_path / "out")
    assert (tmp_path / "out" / "a" / "train" / "0000.spacy").stat().st_mtime_ns == before
    entry = catalogue.ENTRIES / "a.yaml"
    entry.write_text(entry.read_text(encoding="utf-8").replace("location: PLACE", "location: AGENCY"), encoding="utf-8")
    assert converted(tmp_path, "a")
    separate(tmp_path / "out")
    (example,) = Corpus(tmp_path / "out" / "a" / "train")(spacy.blank("en"))
    assert [span.label_ for span in example.reference.ents] == ["AGENCY"]


CONVERTED = [".converted/train/0000.spacy", ".converted/train/fingerprints.npz", ".converted/summary.json"]


@pytest.mark.parametrize("lost", ["train/0000.spacy", *CONVERTED])
def test_what_was_deleted_is_made_again(corpus, tmp_path, lost):
    corpus("a", train=["Rome"])
    converted(tmp_path, "a")
    separate(tmp_path / "out")
    (tmp_path / "out" / "a" / lost).unlink()
    assert converted(tmp_path, "a") == lost.startswith(".converted")
    separate(tmp_path / "out")
    assert places(tmp_path, "a", "train") == ["Rome"]
    assert (tmp_path / "out" / "a" / lost).is_file()


@pytest.mark.parametrize("lost", CONVERTED)
def test_what_was_truncated_is_made_again(corpus, tmp_path, lost):
    corpus("a", train=["Rome"])
    converted(tmp_path, "a")
    path = tmp_path / "out" / "a" / lost
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert converted(tmp_path, "a")
    assert path.read_bytes() == whole or path.suffix == ".npz"
    assert separate(tmp_path / "out")


@pytest.mark.parametrize("lost", ["stamp", "train/fingerprints.npz", "train/0000.spacy"])
@pytest.mark.parametrize("kept", [0, 40])
def test_a_conversion_that_is_not_whole_is_named(corpus, tmp_path, lost, kept):
    corpus("a", train=["Rome"])
    converted(tmp_path, "a")
    path = tmp_path / "out" / "a" / ".converted" / lost
    whole = path.read_bytes()
    path.unlink()
    if lost != "stamp":
        path.write_bytes(whole[:kept])
    with pytest.raises(CorpusError, match=r"a.\.converted: not whole .*; convert a again, or delete"):
        separate(tmp_path / "out")


@pytest.mark.parametrize("content", [None, "", "{"])
def test_a_damaged_summary_is_named(corpus, tmp_path, content):
    corpus("a", train=["Rome"])
    converted(tmp_path, "a")
    path = tmp_path / "out" / "a" / ".converted" / "summary.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(CorpusError, match=r"a.\.converted: not whole .*; convert a again, or delete"):
        convert.summaries(tmp_path / "out")


@pytest.mark.parametrize("split", ["train", "test", "all"])
@pytest.mark.parametrize("content", ["", " \n\n\n"])
def test_a_split_without_documents_is_named(corpus, tmp_path, split, content):
    corpus("a", **{split: ["Rome"], "dev": ["Bern"]} if split != "all" else {"all": ["Rome"]})
    (tmp_path / "sources" / "a" / f"{split}.txt").write_text(content)
    with pytest.raises(CorpusError, match=rf"a: no document for {split}, from .*{split}\.txt for instance"):
        converted(tmp_path, "a")
    assert not (tmp_path / "out" / "a" / ".converted").exists()


def test_a_text_that_is_longer_than_spacy_takes_is_named(corpus, tmp_path):
    corpus("a", train=["Rome", "x" * 10**6])
    with pytest.raises(
        CorpusError, match=r"train\.txt:10: a text of 10000\d\d characters, spaCy takes 1000000 at most"
    ):
        converted(tmp_path, "a")


def test_a_file_that_was_edited_is_converted_anew(corpus, tmp_path):
    corpus("a", train=["Rome"])
    converted(tmp_path, "a")
    path = tmp_path / "sources" / "a" / "train.txt"
    path.write_text(path.read_text().replace("Rome", "Oslo"))
    assert converted(tmp_path, "a")


def test_what_cannot_be_read_is_listed(corpus, tmp_path, entries):
    corpus("a", train=["Rome"])
    (entries / "b.yaml").write_text("like: a\noptions: {lenient: true}\n")
    (entries / "b.tsv").write_text((entries / "a.tsv").read_text())
    (tmp_path / "sources" / "b").mkdir()
    (tmp_path / "sources" / "b" / "train.txt").write_text("a O\nb\n\n" + TEMPLATE.format("Rome", 1))
    converted(tmp_path, "b")
    assert convert.summaries(tmp_path / "out")["b"]["train"]["skipped"] == ["train.txt:2"]


def test_no_document_crosses_from_a_split_to_another(corpus, tmp_path):
    corpus("a", train=["Rome", "Oslo", "Lima", "Kyiv"], dev=["Rome", "Bern"], test=["Bern"])
    corpus("b", train=["Bern", "Bonn"], dev=["Riga"], test=["Oslo"])
    for name in "ab":
        converted(tmp_path, name)
    report = separate(tmp_path / "out")
    assert report == {
        "a dev": {"a test": 1},
        "b dev": {},
        "a train": {"a dev": 1, "b test": 1},
        "b train": {"a dev": 1},  # and a test: the first of the most alike is named
    }
    assert places(tmp_path, "a", "train") == ["Lima", "Kyiv"]
    assert places(tmp_path, "a", "dev") == ["Rome"]
    assert places(tmp_path, "b", "train") == ["Bonn"]
    assert places(tmp_path, "b", "test") == ["Oslo"]


NAMES = [f"Town{i:03}" for i in range(200)]


def test_files_without_a_split_are_parted_by_document_the_same_each_time(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(convert, "SHARD", 7)
    monkeypatch.setattr(convert, "Index", lambda fingerprints: NothingAlike())
    corpus("a", all=NAMES)
    corpus("b", all=NAMES[::-1])
    for name in "ab":
        converted(tmp_path, name)
    separate(tmp_path / "out")
    splits = [{split: set(places(tmp_path, name, split)) for split in catalogue.SPLITS} for name in "ab"]
    assert splits[0] == splits[1]
    assert set().union(*splits[0].values()) == set(NAMES)
    tenth = round(len(NAMES) / 10)
    assert len(splits[0]["dev"]) == len(splits[0]["test"]) == tenth
    assert sorted(path.name for path in (tmp_path / "out" / "a" / "train").glob("*.spacy"))[:2] == [
        "0000.spacy",
        "0001.spacy",
    ]


class NothingAlike:
    def nearest(self, fingerprint):
        return None


@pytest.mark.parametrize(("documents", "held_out"), [(len(NAMES), round(len(NAMES) / 10)), (3, 1), (2, 0)])
def test_without_a_dev_split_a_tenth_of_train_is_taken(corpus, tmp_path, monkeypatch, documents, held_out):
    monkeypatch.setattr(convert, "Index", lambda fingerprints: NothingAlike())
    corpus("a", train=NAMES[:documents], test=["Rome"])
    converted(tmp_path, "a")
    separate(tmp_path / "out")
    assert len(places(tmp_path, "a", "dev")) == held_out
    assert places(tmp_path, "a", "test") == ["Rome"]
    assert len(places(tmp_path, "a", "train")) == documents - held_out


def test_a_corpus_that_its_owner_brings_is_found_in_either_layout(corpus, tmp_path):
    corpus("a", train=["Rome"])
    (catalogue.ENTRIES / "a.tsv").unlink()
    entry = catalogue.ENTRIES / "a.yaml"
    found = 'found: [{train: "**/t.txt", test: "x.txt"}, {all: "*.all"}]\n'
    entry.write_text(entry.read_text(encoding="utf-8") + found, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"put your copy .* into .*a, which has to hold \*\*/t.txt, x.txt; or \*.all"):
        converted(tmp_path, "a")
    with pytest.raises(CorpusError, match="put your copy"):
        fetch("a", tmp_path / "sources")
    (tmp_path / "sources" / "a" / "b").mkdir()
    (tmp_path / "sources" / "a" / "b" / "t.txt").write_text(TEMPLATE.format("Oslo", 1))
    with pytest.raises(CorpusError, match="put your copy"):  # a split of the layout is missing
        fetch("a", tmp_path / "sources")
    (tmp_path / "sources" / "a" / "x.txt").write_text(TEMPLATE.format("Bern", 2))
    assert fetch("a", tmp_path / "sources") == tmp_path / "sources" / "a"
    converted(tmp_path, "a")
    separate(tmp_path / "out")
    assert [place for split in catalogue.SPLITS for place in places(tmp_path, "a", split)] == ["Oslo", "Bern"]


def test_after_an_error_what_was_there_is_there_still(corpus, tmp_path):
    corpus("a", train=["Rome"])
    converted(tmp_path, "a")
    stamp = (tmp_path / "out" / "a" / ".converted" / "stamp").read_text()
    corpus("a", train=["Oslo"], dev=["Bern"])
    (tmp_path / "sources" / "a" / "dev.txt").write_text("a O\nb\n")
    with pytest.raises(CorpusError, match=r"dev\.txt:2: 1 column"):
        converted(tmp_path, "a")
    assert (tmp_path / "out" / "a" / ".converted" / "stamp").read_text() == stamp
    assert [path.name for path in (tmp_path / "out" / "a").iterdir()] == [".converted"]


def test_a_folder_is_replaced_at_once_or_not_at_all(tmp_path):
    for content in ("one", "two"):
        with replace_folder(tmp_path / "a") as folder:
            (folder / "file").write_text(content)
        assert (tmp_path / "a" / "file").read_text() == content
    with pytest.raises(FileNotFoundError), replace_folder(tmp_path / "a") as folder:
        (folder / "sub" / "file").write_text("three")
    assert (tmp_path / "a" / "file").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("entries", "sources")] == ["a"]
