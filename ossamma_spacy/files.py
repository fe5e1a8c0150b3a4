"""Writing files so that an interruption leaves what was there before."""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write `path` at once or not at all, making its folder; a full disk leaves what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
