"""Converting the corpora of the catalogue to folders of DocBins: NAME/train, NAME/dev, NAME/test.

In two stages. Each corpus is converted by itself into NAME/.converted, again only where its entry, its files or a
version have changed. Then, over all corpora in the folder, what repeats or nearly repeats a document of a dev or test
split is kept out of training, and the splits are written.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from hashlib import blake2b
from importlib.metadata import version
from inspect import signature
from itertools import compress, islice
from pathlib import Path
from shutil import copyfile
from typing import Any
from zipfile import BadZipFile

import numpy as np
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from tqdm import tqdm

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.catalogue import SPLITS, Corpus
from ossamma_spacy.corpora.docbin import Written
from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.duplicates import Fingerprint, Index, fingerprint
from ossamma_spacy.corpora.formats import READERS
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.mapping import mapped_doc
from ossamma_spacy.files import check_folder, replace_folder, state, write_whole

SHARD = 1000  # documents in a DocBin, so that a reader need not hold a corpus


def read_corpus(corpus: Corpus, folder: Path, split: str, skipped: list[str] | None = None) -> Iterator[AnnotatedText]:
    """The documents of a split, from files that lie below `folder`/NAME; `skipped` is filled with what is left out.

    Raises CorpusError, naming file and line, for what cannot be read.
    """
    reader = READERS[corpus.format]
    report = {"skipped": skipped} if "skipped" in signature(reader).parameters else {}
    for given, path in catalogue.split_files(corpus, folder / corpus.name):
        if given == split:
            yield from reader(path, **corpus.options, **report)


def convert(name: str, sources: Path, output: Path) -> bool:
    """First stage: fill `output`/NAME/.converted; False where it is there already, made from the same.

    Splits are the corpus's own. Files of split "all" are parted by the order of a hash of each document's text, eight
    tenths to train; where there is no dev split, it is a tenth of train, chosen likewise. Repetitions within train are
    left out. Raises CorpusError for what cannot be read, and for a split without documents.
    """
    corpus = catalogue.load(name)
    target = output / corpus.name / ".converted"
    check_folder(target)
    stamp = _stamp(corpus, sources)
    if _is_whole(target, stamp):
        return False
    nlp = spacy.blank("en")
    seen: set[bytes] = set()
    with replace_folder(target) as folder:
        shards = {split: Shards(folder / split) for split in SPLITS}
        written = {split: Written() for split in SPLITS}
        for split, document in tqdm(_documents(corpus, sources, written), desc=corpus.name, unit=" documents"):
            marks = fingerprint(document.text)
            if split == "train" and len(marks):
                if marks.tobytes() in seen:
                    written[split].repeated += 1
                    continue
                seen.add(marks.tobytes())
            doc = mapped_doc(nlp, document, corpus, written[split])
            written[split].count(doc)
            shards[split].add(doc, marks)
        _check_splits(corpus, sources, written)
        for split in SPLITS:
            shards[split].close()
        summary = {split: vars(written[split]) for split in SPLITS}
        write_whole(folder / "summary.json", json.dumps(summary, indent=1, ensure_ascii=False).encode())
        _seal(folder, stamp)
    return True


def _check_splits(corpus: Corpus, sources: Path, written: Mapping[str, Written]) -> None:
    for split, path in catalogue.split_files(corpus, sources / corpus.name):
        if not any(written[own].documents for own in (SPLITS if split == "all" else (split,))):
            raise CorpusError(
                f"{corpus.name}: no document for {split}, from {path} for instance; fetch it again, or see whether it "
                f"has the format {corpus.format} of the entry"
            )


def _stamp(corpus: Corpus, sources: Path) -> str:
    """What a conversion depends on: the entry, the corpus's files, spaCy's tokenizer, our code and word lists."""
    folder, code = sources / corpus.name, Path(__file__).parent
    splits = [(split, path.relative_to(folder).as_posix()) for split, path in catalogue.split_files(corpus, folder)]
    entry = json.dumps(asdict(replace(corpus, entry=Path())), default=lambda x: str(x) if x == Path() else sorted(x))
    digest = blake2b(f"{version('spacy')} {entry} {splits} {state(folder)}".encode())
    ours = [path for pattern in ("*.py", "words/*") for path in sorted(code.rglob(pattern))]
    for path in (*ours, code.parent / "knowledge.py", code.parent / "labels.py"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _documents(corpus: Corpus, sources: Path, written: Mapping[str, Written]) -> Iterator[tuple[str, AnnotatedText]]:
    given = {split for split, _ in catalogue.split_files(corpus, sources / corpus.name)}
    parted = {"all": ("test", "dev"), "train": () if "dev" in given else ("dev",)}  # what is taken of what
    for split in (*SPLITS, "all"):
        tenths = parted.get(split, ()) if split in given else ()
        owners = _held_out(map(_hash, read_corpus(corpus, sources, split)), tenths) if tenths else {}
        rest = "train" if split == "all" else split
        for document in read_corpus(corpus, sources, split, written[rest].skipped):
            yield owners.get(_hash(document), rest), document


def _hash(document: AnnotatedText) -> int:
    """The same for all parts of a document."""
    whole = document.source or document.text
    return int.from_bytes(blake2b(whole.encode(), digest_size=8).digest(), "big")


def _held_out(hashes: Iterable[int], splits: Sequence[str]) -> dict[int, str]:
    """A tenth of the hashes for each split, the lowest ones; of three or more at least one."""
    ranked = sorted(set(hashes))
    tenth = max(round(len(ranked) / 10), 1) if len(ranked) > 2 else 0
    return {ranked[i]: splits[i // tenth] for i in range(tenth * len(splits))}


class Shards:
    """Writes documents to a folder of DocBins, and their fingerprints beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store, self.number = DocBin(), 0
        self.fingerprints: list[Fingerprint] = []
        folder.mkdir(parents=True)

    def add(self, doc: Doc, marks: Fingerprint) -> None:
        self.store.add(doc)
        self.fingerprints.append(marks)
        if len(self.store) == SHARD:
            self._flush()

    def close(self) -> None:
        if len(self.store):
            self._flush()
        sizes = np.array([len(marks) for marks in self.fingerprints], dtype=np.int64)
        hashes = np.concatenate([*self.fingerprints, np.empty(0, dtype=np.uint64)])
        np.savez(self.folder / "fingerprints.npz", sizes=sizes, hashes=hashes)

    def _flush(self) -> None:
        self.store.to_disk(self.folder / f"{self.number:04}.spacy")
        self.store, self.number = DocBin(), self.number + 1


def separate(output: Path) -> dict[str, Counter[str]]:
    """Second stage: write the splits of all corpora that were converted into `output`.

    A dev document that nearly repeats one of any test split is left out, and a train document that nearly repeats one
    of any dev or test split. Returns, for each corpus and split, how many of its documents repeat which other split,
    "corpus split" → count. Raises CorpusError for a corpus whose conversion is not whole.
    """
    names = sorted(path.parent.name for path in output.glob("*/.converted"))
    marks = {(name, split): _fingerprints(output / name / ".converted" / split) for name in names for split in SPLITS}
    report: dict[str, Counter[str]] = {}
    kept: dict[tuple[str, str], list[bool]] = {(name, "test"): [True] * len(marks[name, "test"]) for name in names}
    for split, others in (("dev", ["test"]), ("train", ["dev", "test"])):
        owners = [(name, other) for name in names for other in others for _ in marks[name, other]]
        index = Index([own for name in names for other in others for own in marks[name, other]])
        for name in names:
            nearest = [index.nearest(own) for own in tqdm(marks[name, split], desc=f"{name} {split}", leave=False)]
            kept[name, split] = [found is None for found in nearest]
            report[f"{name} {split}"] = Counter(" ".join(owners[i]) for i in nearest if i is not None)
    for name, split in marks:
        _write_split(output / name, split, kept[name, split])
    return report


def summaries(output: Path) -> dict[str, dict[str, Any]]:
    """What was written of each corpus and split, as `Written` counts it; raises CorpusError as `separate` does."""
    found = {}
    for folder in sorted(output.glob("*/.converted")):
        with _whole(folder):
            found[folder.parent.name] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return found


@contextmanager
def _whole(folder: Path) -> Iterator[None]:
    """Turns what goes wrong where NAME/.converted was damaged into a CorpusError."""
    try:
        yield
    except (OSError, ValueError, LookupError, EOFError, BadZipFile, zlib.error) as error:
        name = folder.parent.name
        raise CorpusError(f"{folder}: not whole ({error}); convert {name} again, or delete {folder.parent}") from error


def _fingerprints(folder: Path) -> list[Fingerprint]:
    with _whole(folder.parent), np.load(folder / "fingerprints.npz") as stored:
        return np.split(stored["hashes"], np.cumsum(stored["sizes"])[:-1]) if len(stored["sizes"]) else []


def _write_split(folder: Path, split: str, kept: Sequence[bool]) -> None:
    """NAME/.converted/SPLIT without what is not kept, to NAME/SPLIT, unless it is there already."""
    source, target = folder / ".converted", folder / split
    with _whole(source):
        stamp = (source / "stamp").read_text() + blake2b(bytes(kept)).hexdigest()
    if _is_whole(target, stamp):
        return
    keep = iter(kept)
    with replace_folder(target) as partial:
        for path in sorted((source / split).glob("*.spacy")):
            with _whole(source):
                store = DocBin().from_disk(path)
            wishes = list(islice(keep, len(store)))
            if all(wishes):
                copyfile(path, partial / path.name)
            elif any(wishes):
                wanted = compress(store.get_docs(Vocab()), wishes)
                DocBin(docs=wanted).to_disk(partial / path.name)
        _seal(partial, stamp)


def _seal(folder: Path, stamp: str) -> None:
    """Note in the folder what it was made from, and which files it has."""
    write_whole(folder / "stamp", f"{stamp}\n{_files(folder)}".encode())


def _is_whole(folder: Path, stamp: str) -> bool:
    path = folder / "stamp"
    return path.is_file() and path.read_text() == f"{stamp}\n{_files(folder)}"


def _files(folder: Path) -> str:
    return " ".join(f"{path}:{size}" for path, size, _ in state(folder) if path != "stamp")
