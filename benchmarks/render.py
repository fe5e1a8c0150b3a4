"""The tables of `benchmarks/README.md`, from the results."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent / "README.md"
MARK = "<!-- what follows is rendered by `python -m benchmarks render` -->"


def render() -> None:
    """Write the tables of all results under the mark in benchmarks/README.md."""
    head = PAGE.read_text(encoding="utf-8").split(MARK)[0].rstrip()
    parts = [section(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(RESULTS.glob("*.json"))]
    PAGE.write_text("\n\n".join([head, MARK, *parts]) + "\n", encoding="utf-8")


def section(result: dict[str, Any]) -> str:
    """A heading, how the figures came about, and a table of them."""
    seeds = result["seed"] if isinstance(result["seed"], list) else [result["seed"]]
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}. {result['machine']}."
    )
    rows = [(name, value) for name, value in flatten(result["metrics"]) if not name.startswith(("runs", "curve"))]
    return "\n".join([f"## {result['name']}", "", about, "", *table(rows)])


def flatten(metrics: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Nested metrics as rows of dotted names and values."""
    if not isinstance(metrics, dict):
        return [(prefix, metrics)]
    return [
        row
        for key, value in metrics.items()
        if key not in ("runs", "curve")
        for row in flatten(value, f"{prefix}.{key}" if prefix else key)
    ]


def table(rows: list[tuple[str, Any]]) -> list[str]:
    return ["| metric | value |", "|---|---:|", *(f"| {name} | {_cell(value)} |" for name, value in rows)]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
    if isinstance(value, list):
        return " – ".join(map(_cell, value))
    return str(value)
