"""Fetching the files of corpora: from their publishers, or from a mirror folder."""

import hashlib
import json
import lzma
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tqdm import tqdm

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.catalogue import Corpus, SourceFile
from ossamma_spacy.corpora.hub import export_dataset
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.files import check_folder, write_whole

CONNECTIONS = 8
TRIES = 3
TIMEOUT = 30  # seconds without a byte
CHUNK = 2**16  # bytes


def fetch(name: str, folder: Path, mirror: Path | None = None) -> Path:
    """Bring the files of a corpus below `folder`/NAME, their checksums compared; what is there already stays.

    `mirror` is a folder with a MANIFEST.json, a list of corpora whose `files` have `sha256` and `local_path`: FILE,
    FILE.xz or ARCHIVE.tar.xz::MEMBER; Hugging Face datasets do not come from it. Raises CorpusError, naming the file,
    where one cannot be had or is not the catalogue's, NotADirectoryError where a folder is a file.
    """
    corpus = catalogue.load(name)
    target = folder / corpus.name
    check_folder(target)
    if corpus.dataset:
        export_dataset(corpus.name, corpus.dataset, target)
        return target
    files = catalogue.files(corpus)
    if not files:
        catalogue.split_files(corpus, target)  # raises where it is not there
        return target
    own = {path for _, path in catalogue.own_files(corpus, target)}
    if own - {target / file.path for file in files}:  # a copy of the user's own
        return target
    missing = [file for file in files if not _is_there(target / file.path, file)]
    if missing:
        with tqdm(total=sum(file.size for file in missing), unit="B", unit_scale=True, desc=name) as bar:
            if mirror:
                for file in _mirrored(missing, mirror, target):
                    bar.update(file.size)
            else:
                _download(corpus, missing, target, bar)
    return target


def _is_there(path: Path, file: SourceFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size and _sha256(path.read_bytes()) == file.sha256


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _download(corpus: Corpus, files: Sequence[SourceFile], target: Path, bar: "tqdm[Any]") -> None:
    if not corpus.url:
        raise CorpusError(f"{corpus.name}: published nowhere yet; name a folder that has it by --mirror")
    import pooch

    pooch.get_logger().setLevel("ERROR")  # the bar says enough
    registry = {file.path: f"sha256:{file.sha256}" for file in files}
    urls = {file.path: corpus.url + quote(file.path) for file in files}
    store = pooch.create(path=target, base_url=corpus.url, registry=registry, urls=urls, retry_if_failed=TRIES)

    for file in files:  # pooch makes them too, but trips over another thread that does
        (target / file.path).parent.mkdir(parents=True, exist_ok=True)

    def download(file: SourceFile) -> None:
        part = target / f"{file.path}.part"
        bar.update(_size(part))
        try:
            store.fetch(file.path, downloader=partial(_resume, part=part, bar=bar))
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            other = f"put a copy into {target}" if corpus.found else "name a folder that has it by --mirror"
            raise CorpusError(
                f"{corpus.name}: {urls[file.path]} cannot be fetched ({error}); try again later, or {other}"
            ) from error

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(download, files))


def _resume(url: str, output_file: str, store: object, *, part: Path, bar: "tqdm[Any]") -> None:
    """A downloader for pooch that goes on after what an interrupted one left in `part`."""
    import requests

    there = _size(part)
    headers = {"Accept-Encoding": "identity"}  # ranges are of the bytes that are sent
    if there:
        headers["Range"] = f"bytes={there}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # else the whole file is there
            answer.raise_for_status()
            goes_on = answer.status_code == HTTPStatus.PARTIAL_CONTENT
            if not goes_on:
                bar.update(-there)
            with part.open("ab" if goes_on else "wb") as file:
                for chunk in answer.iter_content(CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
    part.replace(output_file)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _mirrored(files: Sequence[SourceFile], mirror: Path, target: Path) -> Iterator[SourceFile]:
    places = _read_manifest(mirror)
    wanted: dict[str, dict[str, list[SourceFile]]] = {}  # by archive or file, then by member: files may be the same
    for file in files:
        if file.sha256 not in places:
            raise CorpusError(f"{target.name}: the mirror {mirror} does not have {file.path} ({file.sha256[:12]}…)")
        place, _, member = places[file.sha256].partition("::")
        wanted.setdefault(place, {}).setdefault(member, []).append(file)
    for place, members in wanted.items():
        for member, data in _read_members(mirror / place, members.keys()):
            for file in members[member]:
                if _sha256(data) != file.sha256:
                    raise CorpusError(f"{target.name}: {mirror / place} does not hold {file.path} as it was published")
                write_whole(target / file.path, data)
                yield file


def _read_manifest(mirror: Path) -> Mapping[str, str]:
    try:
        records = json.loads((mirror / "MANIFEST.json").read_text(encoding="utf-8"))
        return {file["sha256"]: file["local_path"] for record in records for file in record["files"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            f"{mirror}: no mirror, its MANIFEST.json cannot be read ({error!r}); name the folder that "
            "holds MANIFEST.json"
        ) from error


def _read_members(path: Path, members: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """The bytes of these members of an archive; of a file, plain or compressed, whose only member is ""."""
    try:
        if "" in members:
            data = path.read_bytes()
            yield "", lzma.decompress(data) if path.suffix == ".xz" else data
            return
        found = 0
        with tarfile.open(path, "r:xz") as archive:
            for member in archive:
                if member.name in members and (stream := archive.extractfile(member)):
                    yield member.name, stream.read()
                    found += 1
    except (OSError, EOFError, lzma.LZMAError, tarfile.TarError) as error:
        raise CorpusError(f"{path} cannot be read ({error}); copy the mirror anew") from error
    if found < len(members):
        raise CorpusError(f"{path} has {found} of the {len(members)} files that its mirror names; copy the mirror anew")
