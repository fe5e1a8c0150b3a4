"""The kinds of values that a user's own entry may have."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ConfigDict, ValidationError, create_model

from ossamma_spacy.corpora.lines import CorpusError

PROBLEMS = {"missing": "missing", "extra_forbidden": "unknown"}


def check_kinds(given: Mapping[str, Any], kinds: Mapping[str, Any], required: Collection[str], where: str) -> None:
    """Raises CorpusError, naming place and key, for a key that is missing, unknown or has a value of another kind.

    `kinds` says for each key what a type annotation would; nothing is turned into another kind.
    """
    wanted: Any = {key: (kind, ... if key in required else None) for key, kind in kinds.items()}
    model = create_model("Entry", __config__=ConfigDict(strict=True, extra="forbid"), **wanted)
    try:
        model.model_validate({str(key): value for key, value in given.items()})
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"] if part != "[key]")
        if problem["type"] in PROBLEMS:
            known = ", ".join(kinds) or "none"
            raise CorpusError(f"{where}: {key} {PROBLEMS[problem['type']]}; known are {known}") from error
        expected = problem["msg"].replace("Input should be", "expected")
        raise CorpusError(f"{where}: {key} is {problem['input']!r}, {expected}") from error
