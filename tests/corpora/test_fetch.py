"""Fetching corpora from their publishers and from a mirror."""

import hashlib
import json
import lzma
import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.fetch import fetch
from ossamma_spacy.corpora.lines import CorpusError

FILES = {"a b/train.txt": b"x O\n" * 1000, "a b/train.ann": b"", "dev.txt": b"", "dev.ann": b"y"}


class Quiet(SimpleHTTPRequestHandler):
    failures: ClassVar[list[str]] = []  # addresses that are not served, once for each time that they are in it
    cut: ClassVar[list[str]] = []  # addresses of which the first half is served, likewise
    ranges: ClassVar[list[str]] = []  # what was asked for, where it was a part
    knows_ranges = True

    def do_GET(self):
        if self.path in self.failures:
            self.failures.remove(self.path)
            self.send_error(503)
        elif self.path in self.cut:
            self.cut.remove(self.path)
            self.answer(200, 0, len(self.data()) // 2)
        elif self.headers["Range"]:
            self.ranges.append(self.headers["Range"])
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if not self.knows_ranges:
                self.answer(200, 0)
            elif start < len(self.data()):
                self.answer(206, start)
            else:
                self.send_error(416)
        else:
            super().do_GET()

    def data(self):
        return Path(self.translate_path(self.path)).read_bytes()

    def answer(self, status, start, stop=None):
        data = self.data()[start:]
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:stop])

    def log_message(self, *_):
        pass


@pytest.fixture
def publisher(tmp_path):
    """A web server with the files; its folder and its address."""
    folder = tmp_path / "web"
    for path, data in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def entry(publisher, tmp_path, monkeypatch):
    """A catalogue that has the corpus `mine`."""
    folder = tmp_path / "entries"
    folder.mkdir()
    entry = (catalogue.ENTRIES / "wnut17.yaml").read_text(encoding="utf-8")
    old = catalogue.load("wnut17").url
    (folder / "mine.yaml").write_text(entry.replace(old, publisher[1]), encoding="utf-8")
    rows = [("train", path, str(len(data)), hashlib.sha256(data).hexdigest()) for path, data in FILES.items()]
    (folder / "mine.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    monkeypatch.setattr(catalogue, "ENTRIES", folder)
    monkeypatch.setattr("ossamma_spacy.corpora.fetch.TRIES", 0)


def fetched(tmp_path, mirror=None):
    target = fetch("mine", tmp_path / "corpora", mirror)
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def test_files_come_from_their_publisher_and_stay(publisher, tmp_path):
    assert fetched(tmp_path) == FILES
    for path in FILES:
        (publisher[0] / path).unlink()
    assert fetched(tmp_path) == FILES
    (tmp_path / "corpora" / "mine" / "dev.txt").write_text("changed")
    with pytest.raises(CorpusError, match=r"mine: http://127.0.0.1:\d+/dev.txt cannot be fetched"):
        fetched(tmp_path)


def test_a_file_that_fails_is_tried_again_and_what_is_whole_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(Quiet, "failures", ["/dev.ann"])
    with pytest.raises(CorpusError, match=r"dev\.ann cannot be fetched \(503"):
        fetched(tmp_path)
    kept = tmp_path / "corpora" / "mine" / "dev.txt"
    before = kept.stat().st_mtime_ns
    monkeypatch.setattr(Quiet, "failures", ["/dev.ann"])
    monkeypatch.setattr("ossamma_spacy.corpora.fetch.TRIES", 1)
    assert fetched(tmp_path) == FILES
    assert Quiet.failures == []
    assert kept.stat().st_mtime_ns == before


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_an_interrupted_download_goes_on_where_it_stopped(knows_ranges, tmp_path, monkeypatch):
    name, half = "a b/train.txt", len(FILES["a b/train.txt"]) // 2
    monkeypatch.setattr(Quiet, "knows_ranges", knows_ranges)
    monkeypatch.setattr(Quiet, "ranges", [])
    monkeypatch.setattr("ossamma_spacy.corpora.fetch.CHUNK", 100)
    monkeypatch.setattr(Quiet, "cut", ["/a%20b/train.txt"])
    with pytest.raises(CorpusError, match=r"train\.txt cannot be fetched"):
        fetched(tmp_path)
    assert (tmp_path / "corpora" / "mine" / f"{name}.part").read_bytes() == FILES[name][:half]
    assert fetched(tmp_path) == FILES
    assert Quiet.ranges == [f"bytes={half}-"]


@pytest.mark.parametrize("part", [FILES["a b/train.txt"], b"z" * 9, b"z" * 9999])
def test_what_was_left_of_a_download_is_checked_like_the_rest(part, tmp_path, monkeypatch):
    left = tmp_path / "corpora" / "mine" / "a b" / "train.txt.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(part)
    monkeypatch.setattr("ossamma_spacy.corpora.fetch.TRIES", 1)
    assert fetched(tmp_path) == FILES


def test_a_corpus_whose_files_are_not_listed_is_named(tmp_path):
    (catalogue.ENTRIES / "mine.tsv").unlink()
    with pytest.raises(CorpusError, match=r"mine\.yaml: does not say where its files are; give found or dataset"):
        fetched(tmp_path)


def test_a_copy_of_ones_own_is_taken_in_the_place_of_a_download(publisher, tmp_path):
    entry = catalogue.ENTRIES / "mine.yaml"
    entry.write_text(entry.read_text(encoding="utf-8") + 'found: [{all: "**/own.txt"}]\n', encoding="utf-8")
    assert fetched(tmp_path) == FILES
    (tmp_path / "corpora" / "mine" / "own.txt").write_text("a O\n")
    for path in FILES:
        (tmp_path / "corpora" / "mine" / path).unlink()
        (publisher[0] / path).unlink()
    assert fetched(tmp_path) == {"own.txt": b"a O\n"}
    (tmp_path / "corpora" / "mine" / "own.txt").unlink()
    with pytest.raises(CorpusError, match=r"cannot be fetched .* or put a copy into .*corpora/mine"):
        fetched(tmp_path)


def test_another_file_than_the_catalogues_is_refused(publisher, tmp_path):
    (publisher[0] / "dev.txt").write_text("tampered")
    with pytest.raises(CorpusError, match=r"dev.txt cannot be fetched .*hash"):
        fetched(tmp_path)
    assert not (tmp_path / "corpora" / "mine" / "dev.txt").exists()


def make_mirror(folder, archived):
    folder.mkdir()
    files = []
    if archived:
        with tarfile.open(folder / "files.tar.xz", "w:xz") as archive:
            for path in FILES:
                archive.add(folder.parent / "web" / path, f"data/{path}")
                files.append((path, f"files.tar.xz::data/{path}"))
    else:
        for i, (path, data) in enumerate(FILES.items()):
            compressed = i % 2
            name = f"{i}.xz" if compressed else str(i)
            (folder / name).write_bytes(lzma.compress(data) if compressed else data)
            files.append((path, name))
    records = [{"sha256": hashlib.sha256(FILES[path]).hexdigest(), "local_path": place} for path, place in files]
    (folder / "MANIFEST.json").write_text(json.dumps([{"name": "mine", "files": records}]))
    return folder


@pytest.mark.parametrize("archived", [False, True])
def test_a_mirror_has_them_plain_compressed_or_archived(archived, tmp_path):
    assert fetched(tmp_path, make_mirror(tmp_path / "mirror", archived)) == FILES


def test_a_mirror_that_is_none_or_lacks_files_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"no mirror, its MANIFEST.json cannot be read .* that holds MANIFEST.json"):
        fetched(tmp_path, tmp_path / "nowhere")
    mirror = make_mirror(tmp_path / "mirror", archived=True)
    manifest = mirror / "MANIFEST.json"
    whole = manifest.read_text()
    manifest.write_text("[]")
    with pytest.raises(CorpusError, match=r"the mirror .*mirror does not have a b/train.txt"):
        fetched(tmp_path, mirror)
    manifest.write_text(whole.replace("data/dev.ann", "data/else"))
    with pytest.raises(CorpusError, match="has 2 of the 3 files that its mirror names"):
        fetched(tmp_path, mirror)
    manifest.write_text(whole)
    (mirror / "files.tar.xz").write_bytes((mirror / "files.tar.xz").read_bytes()[:100])
    with pytest.raises(CorpusError, match=r"files.tar.xz cannot be read .*copy the mirror anew"):
        fetched(tmp_path, mirror)


def test_a_mirror_with_another_file_is_refused(tmp_path):
    mirror = make_mirror(tmp_path / "mirror", archived=False)
    (mirror / "0").write_bytes(b"tampered")
    with pytest.raises(CorpusError, match=r"0 does not hold a b/train.txt as it was published"):
        fetched(tmp_path, mirror)
