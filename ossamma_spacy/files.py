"""Writing files so that an interruption leaves what was there before."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write `path` at once or not at all; as `write_together`."""
    write_together({path: data})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files, making their folders; none takes its place before all are written, so a full disk leaves what was.

    Raises IsADirectoryError where a path is a folder, and NotADirectoryError where its folder is a file.
    """
    for path in contents:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; name a file")
        check_folder(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
    partial = {path: path.with_name(f".{path.name}.partial") for path in contents}
    try:
        for path, data in contents.items():
            partial[path].write_bytes(data)
        for path in contents:
            os.replace(partial[path], path)
    except BaseException:
        for path in partial.values():
            path.unlink(missing_ok=True)
        raise


def check_folder(path: Path) -> None:
    """Raises NotADirectoryError where `path`, or what it should lie in, is a file."""
    for part in (path, *path.parents):
        if part.is_file():
            raise NotADirectoryError(f"{part} is a file; name a folder")


def state(folder: Path) -> list[tuple[str, int, int]]:
    """Path, size and time of change of each file in a folder: what differs after any of them was changed."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path.relative_to(folder).as_posix(), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `path` at the end; after an error `path` is as it was."""
    partial, old = path.with_name(f".{path.name}.partial"), path.with_name(f".{path.name}.old")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(partial, path)
    except OSError:
        if old.exists():
            os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)
