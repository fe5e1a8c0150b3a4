"""JSON objects of a file, one a line or in a list, and what readers say of those that are not as they should be."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ossamma_spacy.corpora.lines import CorpusError, read_lines


def read_records(path: Path) -> Iterator[tuple[str, Any]]:
    """Place and content of each element of a JSON list, or of each line of JSON lines.

    The place is FILE:LINE, in a list FILE:ELEMENT, from 1, without the folder. Raises CorpusError, naming file and
    line, for what is no JSON or not UTF-8.
    """
    lines = list(read_lines(path))
    if lines and lines[0][1].lstrip().startswith("["):
        for number, record in enumerate(_parse("\n".join(line for _, line in lines), path, 1), start=1):
            yield f"{path.name}:{number}", record
        return
    for number, line in lines:
        if line.strip():
            yield f"{path.name}:{number}", _parse(line, path, number)


@contextmanager
def expected(form: str, where: str) -> Iterator[None]:
    """Turns what goes wrong when a record has another form, a key missing for instance, into a CorpusError."""
    try:
        yield
    except CorpusError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError, csv.Error) as error:
        raise CorpusError(f"{where}: expected {form} ({error!r})") from error


def _parse(text: str, path: Path, number: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CorpusError(f"{path}:{number + error.lineno - 1}: no JSON ({error}); fetch the file again") from error
    except RecursionError as error:
        raise CorpusError(f"{path}:{number}: JSON that is nested too deep ({error}); fetch the file again") from error
