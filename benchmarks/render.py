"""The tables and plots of `benchmarks/README.md`, from the results."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

try:
    import matplotlib
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    raise SystemExit("the benchmarks need matplotlib: pip install -e '.[benchmarks]'") from error

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent / "README.md"
MARK = "<!-- what follows is rendered by `python -m benchmarks render` -->"


def render() -> None:
    """Write the tables and plots of all results under the mark in benchmarks/README.md."""
    head = PAGE.read_text(encoding="utf-8").split(MARK)[0].rstrip()
    parts = [section(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(RESULTS.glob("*.json"))]
    PAGE.write_text("\n\n".join([head, MARK, *parts]) + "\n", encoding="utf-8")


def section(result: Mapping[str, Any]) -> str:
    """A heading, how the figures came about, tables of them and, where there is a curve, its plot."""
    name, metrics = result["name"], result["metrics"]
    seeds = result["seed"] if isinstance(result["seed"], list) else [result["seed"]]
    # a call that resumes writes what runs of earlier commits have found
    commits = sorted(set(_commits_of_runs(result)) or {result["commit"]})
    about = (
        f"`{result['command']}`, commit {', '.join(commits)}, {result['date']}, "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}. {result['machine']}."
    )
    parts = [f"## {name}", about, *tables({key: value for key, value in metrics.items() if key != "runs"})]
    if "runs" in metrics:
        parts.append(plot_runs(name, metrics["runs"]))
    if "microseconds_per_token" in metrics:
        parts.append(plot_lengths(name, metrics))
    return "\n\n".join(parts)


def _commits_of_runs(found: Any) -> Iterator[str]:
    """The commits of all runs in a result, at any depth."""
    if isinstance(found, list):
        for each in found:
            yield from _commits_of_runs(each)
    elif isinstance(found, dict):
        if "curve" in found:
            yield found["commit"]
        for value in found.values():
            yield from _commits_of_runs(value)


def tables(metrics: Mapping[str, Any]) -> list[str]:
    """Plain values in one table; groups whose members have the same keys in a table each, one row a member."""
    plain = {key: value for key, value in metrics.items() if not isinstance(value, dict)}
    groups = {key: value for key, value in metrics.items() if isinstance(value, dict)}
    parts = [_table(["metric", "value"], plain.items())] if plain else []
    if groups and all(not isinstance(cell, dict) for group in groups.values() for cell in group.values()):
        columns = list(dict.fromkeys(key for group in groups.values() for key in group))
        rows = [[name, *(group.get(column) for column in columns)] for name, group in groups.items()]
        parts.append(_table(["", *columns], rows))
    else:
        for name, group in groups.items():
            parts += [f"{name.replace('_', ' ')}:", *tables(group)]
    return parts


def _table(header: Sequence[str], rows: Any) -> str:
    lines = [list(header), ["---", *["---:"] * (len(header) - 1)], *([row[0], *map(_cell, row[1:])] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " – ".join(map(_cell, value))
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def plot_runs(name: str, runs: Sequence[Mapping[str, Any]]) -> str:
    """The score on dev by step, a line for each seed."""
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    for run in runs:
        axes.plot(*zip(*run["curve"], strict=True), label=f"seed {run['seed']}")
    axes.set(xlabel="step", ylabel="F1 on dev", title=name)
    axes.grid(alpha=0.3)
    axes.legend()
    return _save(figure, name)


def plot_lengths(name: str, metrics: Mapping[str, Any]) -> str:
    """Time and memory per token by the document's length."""
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    for axes, key, label in zip(
        figure.subplots(1, 2),
        ("microseconds_per_token", "kib_per_token"),
        ("time per token, µs", "memory per token above 512, KiB"),
        strict=True,
    ):
        axes.plot([int(length) for length in metrics[key]], list(metrics[key].values()), marker="o")
        axes.set(xlabel="tokens in the document", ylabel=label, ylim=(0, None))
        axes.set_xscale("log", base=2)
        axes.grid(alpha=0.3)
    return _save(figure, name)


def _save(figure: Figure, name: str) -> str:
    with matplotlib.rc_context({"svg.hashsalt": name}):  # the same picture from the same figures
        figure.savefig(RESULTS / f"{name}.svg", metadata={"Date": None})
    return f"![{name}](results/{name}.svg)"
