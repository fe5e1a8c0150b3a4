"""`python -m benchmarks NAME`: run a benchmark and write its result."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import harness
from benchmarks.render import render as render_tables

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

DATA = Path("corpus/original")
Data = Annotated[Path, typer.Option(help="Folder of the corpora in their original files.")]
Steps = Annotated[int, typer.Option(help="Steps of training.")]
Rounded = Annotated[bool, typer.Option("--bfloat16", help="Train with matrix products in bfloat16.")]
Seeds = Annotated[str, typer.Option(help="Seeds, parted by commas.")]
CONLL2003 = {"train": "train.txt.xz", "dev": "valid.txt.xz", "test": "test.txt.xz"}
CONLL2003_LABELS = ("PER", "ORG", "LOC", "MISC")
WNUT17 = {"train": "wnut17train.conll.xz", "dev": "emerging.dev.conll.xz", "test": "emerging.test.annotated.xz"}
TINY = harness.ROOT / "configs" / "tiny.cfg"


def command() -> str:
    return shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])


def iob(name: str, data: Path, files: dict[str, str], *options: str) -> tuple[dict[str, Path], list[Path]]:
    """Convert a corpus; its .spacy files by split, and the original files."""
    sources = {split: data / file for split, file in files.items()}
    corpora = {
        split: harness.convert("iob", source, harness.ROOT / "corpus" / name / f"{split}.spacy", *options)
        for split, source in sources.items()
    }
    return corpora, list(sources.values())


def from_scratch(
    name: str, corpora: dict[str, Path], sources: list[Path], seeds: str, steps: int, bfloat16: bool
) -> None:
    """Train config tiny on a corpus for each seed, evaluate it on the other splits and write the result."""
    overrides = {
        "training.max_steps": steps,
        "training.optimizer.learn_rate.total_steps": steps,
        "training.eval_frequency": steps // 20,
        "components.ossamma_ner.model.tok2vec.mixed_precision": bfloat16,
    }
    chosen = list(map(int, seeds.split(",")))
    splits = [split for split in corpora if split != "train"]
    metrics = harness.over_seeds(TINY, name, chosen, corpora, overrides, splits)
    harness.write_result(name, command=command(), data=sources, seed=chosen, metrics=metrics)


@app.command("conll2003_tiny_scratch")
def conll2003(data: Data = DATA, seeds: Seeds = "0,1,2", steps: Steps = 6000, bfloat16: Rounded = False) -> None:
    """CoNLL-2003 with config tiny, from scratch."""
    corpora, sources = iob("conll2003", data / "conll2003_en", CONLL2003)
    from_scratch("conll2003_tiny_scratch", corpora, sources, seeds, steps, bfloat16)


@app.command("wnut17_tiny_scratch")
def wnut17(data: Data = DATA, seeds: Seeds = "0,1,2", steps: Steps = 500, bfloat16: Rounded = False) -> None:
    """WNUT-17 with config tiny, from scratch."""
    corpora, sources = iob("wnut17", data / "wnut17", WNUT17)
    from_scratch("wnut17_tiny_scratch", corpora, sources, seeds, steps, bfloat16)


@app.command("ossamma9_tiny_scratch")
def ossamma9(data: Data = DATA, seeds: Seeds = "0,1,2", steps: Steps = 3000, bfloat16: Rounded = False) -> None:
    """The nine labels on real text with config tiny, from scratch; dev only."""
    sources = {split: data / "ossamma9" / f"{split}.jsonl" for split in ("train", "dev")}
    corpora = {
        split: harness.convert("jsonl", source, harness.ROOT / "corpus" / "ossamma9" / f"{split}.spacy")
        for split, source in sources.items()
    }
    from_scratch("ossamma9_tiny_scratch", corpora, list(sources.values()), seeds, steps, bfloat16)


@app.command("partial_labels")
def partial_labels(data: Data = DATA, seeds: Seeds = "0,1,2", steps: Steps = 3000, bfloat16: Rounded = False) -> None:
    """A mix of corpora that annotate some of the nine labels: what is missing as O, as unknown, with a prior."""
    from benchmarks import partial_labels

    chosen = list(map(int, seeds.split(",")))
    metrics, runs = partial_labels.measure(data, chosen, steps, bfloat16)
    files = sorted(partial_labels.FOLDER.glob("*/*.spacy"))
    harness.write_result("partial_labels", command=command(), data=files, seed=chosen, metrics=metrics, runs=runs)


@app.command("augmentation")
def augmentation(data: Data = DATA, seeds: Seeds = "0,1,2", steps: Steps = 500, bfloat16: Rounded = False) -> None:
    """Each change of the augmenter alone, on a tenth of CoNLL-2003 and on the sample corpus."""
    from benchmarks import augmentation as module
    from ossamma_spacy.labels import LABELS

    conll, sources = iob("conll2003", data / "conll2003_en", CONLL2003)
    folder = module.FOLDER
    tenth = {"train": module.tenth(conll["train"], folder / "conll2003" / "train.spacy"), "dev": conll["dev"]}
    sample = {
        split: harness.convert(
            "markup", harness.ROOT / "assets" / "sample" / split, folder / "sample" / f"{split}.spacy"
        )
        for split in ("train", "dev")
    }
    chosen = list(map(int, seeds.split(",")))
    corpora = {"conll2003": (tenth, CONLL2003_LABELS), "sample": (sample, LABELS)}
    found = {
        name: module.measure(name, splits, labels, chosen, steps, bfloat16)
        for name, (splits, labels) in corpora.items()
    }
    metrics, runs = ({name: pair[i] for name, pair in found.items()} for i in (0, 1))
    files = [*sources[:2], *sample.values()]
    harness.write_result("augmentation", command=command(), data=files, seed=chosen, metrics=metrics, runs=runs)


@app.command("speed_cpu")
def speed_cpu(
    data: Data = DATA,
    rounds: Annotated[int, typer.Option(help="How often each pipeline takes its turn.")] = 5,
) -> None:
    """Words per second of tiny and small beside spaCy's ner, trained on CoNLL-2003, on its development texts."""
    from benchmarks import speed

    corpora, sources = iob("conll2003", data / "conll2003_en", CONLL2003)
    metrics = speed.measure(speed.train_models(corpora), corpora["dev"], rounds)
    harness.write_result("speed_cpu", command=command(), data=sources, seed=0, metrics=metrics)


@app.command("length_scaling")
def length_scaling(
    data: Data = DATA,
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 2,
) -> None:
    """Time and memory per token of one document of 1,024 to 65,536 tokens, with tiny trained on CoNLL-2003."""
    from benchmarks import length, speed

    corpora, sources = iob("conll2003", data / "conll2003_en", CONLL2003)
    metrics = length.metrics(Path(speed.train_models(corpora)["tiny"]), threads)
    harness.write_result("length_scaling", command=command(), data=sources, seed=0, metrics=metrics)


@app.command("parts")
def time_parts(
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 1,
    rounds: Annotated[int, typer.Option(help="How often each way takes its turn.")] = 15,
) -> None:
    """Milliseconds of the encoder's parts, computed one way and another."""
    from benchmarks import parts

    harness.write_result("parts", command=command(), data=[], seed=0, metrics=parts.measure(threads, rounds))


@app.command("encoder_choice")
def choose_encoder(
    candidates: Annotated[list[str], typer.Argument(help="Some of benchmarks/encoder_choice.py, one after another.")],
    data: Data = DATA,
    seed: Annotated[int, typer.Option(help="The seed.")] = 0,
    parts: Annotated[str, typer.Option(help="What to measure: conll, scratch, schooled.")] = "schooled,scratch,conll",
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 2,
) -> None:
    """Measure candidates for the encoder; the corpora must be converted already. What is there is not done again."""
    from benchmarks import encoder_choice

    for candidate in candidates:
        encoder_choice.run(candidate, data, seed, parts.split(","), threads)


@app.command("encoder_choice_table")
def encoder_choice_table(
    data: Data = DATA,
    rounds: Annotated[int, typer.Option(help="How often each candidate takes its turn.")] = 7,
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 2,
) -> None:
    """Join what was measured of the candidates for the encoder, and time them beside each other."""
    from benchmarks import encoder_choice

    metrics = encoder_choice.table(rounds, threads)
    files = [data / "conll2003_en" / CONLL2003[split] for split in ("train", "dev")]
    files += [data / "ossamma9" / f"{split}.jsonl" for split in ("train", "dev")]
    files += [data / "silver9" / file for file in encoder_choice.SILVER]
    seeds = sorted({int(path.stem.rsplit("-", 1)[1]) for path in encoder_choice.FOLDER.glob("*.json")})
    harness.write_result("encoder_choice", command=command(), data=files, seed=seeds, metrics=metrics)


@app.command("read")
def read_corpus(
    names: Annotated[list[str] | None, typer.Argument(help="Corpora; all that the mirror has if left out.")] = None,
    number: Annotated[int, typer.Option(help="Sentences of each to print.")] = 10,
    seed: Annotated[int, typer.Option(help="Chooses the sentences.")] = 0,
    mirror: Annotated[Path, typer.Option(help="A mirror of the corpora, as `ossamma corpora fetch` takes it.")] = DATA,
) -> None:
    """Print sentences of corpora as they are converted, entities in colour, the source's labels below."""
    from benchmarks import reading
    from ossamma_spacy.corpora import catalogue

    for name in names or catalogue.names():
        try:
            reading.show(name, harness.ROOT / "corpus" / "sources", mirror, number, seed)
        except ValueError as error:
            print(error, file=sys.stderr)


@app.command("labels")
def list_labels(mirror: Annotated[Path, typer.Option(help="As `ossamma corpora fetch` takes it.")] = DATA) -> None:
    """Write down the labels of all corpora, for the test that each has a mapping: tests/corpora/labels.json.

    Those of corpora that only their owners have stay as they are there, by hand.
    """
    from benchmarks import reading

    path = harness.ROOT / "tests" / "corpora" / "labels.json"
    found = json.loads(path.read_text()) | reading.inventory(harness.ROOT / "corpus" / "sources", mirror)
    path.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n")


@app.command()
def render() -> None:
    """Render the tables of all results."""
    render_tables()


if __name__ == "__main__":
    app()
