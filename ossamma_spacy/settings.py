"""Numbers that come from a config."""

from collections.abc import Callable


def check_number(setting: str, value: object, fits: Callable[[float], bool], expected: str) -> None:
    """Raise ValueError naming setting, value and what fits; confection lets a text like "0.5" through as a number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not fits(value):
        raise ValueError(f"{setting} = {value!r}, expected {expected}")
