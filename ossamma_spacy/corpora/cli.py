"""`ossamma corpora …`: the catalogue of corpora, fetched and converted."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

if TYPE_CHECKING:
    from ossamma_spacy.corpora.catalogue import Corpus, SourceFile

app = typer.Typer(help="Public corpora, with the nine labels.", no_args_is_help=True)

Names = Annotated[
    list[str], typer.Argument(help="Corpora, as `ossamma corpora list` names them, or entries of your own, X.yaml.")
]
Sources = Annotated[Path, typer.Option(help="Where the original files are kept.")]
Output = Annotated[Path, typer.Option(help="Where the converted corpora go, a folder for each.")]
Mirror = Annotated[Path | None, typer.Option(help="A folder that has the files; without it they are downloaded.")]

SOURCES, OUTPUT = Path("corpus/sources"), Path("corpus")
WIDEST = 120  # characters of a column; wasabi's tables lose their columns behind a wider cell


@app.command("list")
def list_corpora() -> None:
    """List the corpora of the catalogue.

    Example: ossamma corpora list
    """
    from ossamma_spacy.corpora import catalogue

    rows = []
    for name in catalogue.names():
        corpus = catalogue.load(name)
        rows.append((name, corpus.domain, corpus.use, ", ".join(sorted(corpus.annotated)) or "none in full"))
    msg.table(rows, header=("corpus", "text", "use", "annotates in full"), divider=True, max_col=WIDEST)


@app.command("show")
def show_corpus(name: Annotated[str, typer.Argument(help="A corpus of the catalogue.")]) -> None:
    """Show what the catalogue knows of a corpus: licence, files, and what its labels are among the nine.

    Example: ossamma corpora show wnut17
    """
    from ossamma_spacy.corpora import catalogue
    from ossamma_spacy.corpora.lines import CorpusError

    try:
        corpus = catalogue.load(name)
    except CorpusError as error:
        msg.fail(str(error), exits=1)
    files = catalogue.files(corpus)
    counts = Counter(file.split for file in files)
    layouts = [", ".join(f"{split} {pattern}" for split, pattern in layout.items()) for layout in corpus.found]
    msg.divider(corpus.title)
    facts = {
        "about": corpus.about,
        **({"homepage": corpus.homepage} if corpus.homepage else {}),
        "licence": corpus.licence,
        "use": f"{corpus.use}{corpus.reason and ': ' + corpus.reason}",
        "text": corpus.domain,
        "files": "; or ".join(layouts) or ", ".join(f"{split} {count}" for split, count in sorted(counts.items())),
        "from": _origin(corpus, files),
        "annotated in full": ", ".join(sorted(corpus.annotated)) or "none",
    }
    msg.table(facts, max_col=WIDEST)
    labels = [(label, " or ".join(candidates) or "unknown") for label, candidates in corpus.labels.items()]
    msg.table(labels, header=("its label", "ours"), divider=True, max_col=WIDEST)


def _origin(corpus: "Corpus", files: "Sequence[SourceFile]") -> str:
    if corpus.dataset:
        return f"the Hugging Face dataset {corpus.dataset.path}"
    size = sum(file.size for file in files) / 2**20
    return f"{corpus.url or 'a mirror'}, {size:.1f} MiB" if files else "your own copy"


@app.command("fetch")
def fetch_corpora(names: Names, sources: Sources = SOURCES, mirror: Mirror = None) -> None:
    """Fetch the files of corpora and compare their checksums; what is there already stays.

    Example: ossamma corpora fetch wnut17 s800_revised
    """
    from ossamma_spacy.corpora.fetch import fetch

    if _each(names, lambda name: msg.good(f"{name}: {fetch(name, sources, mirror)}")):
        raise typer.Exit(1)


@app.command("convert")
def convert_corpora(names: Names, sources: Sources = SOURCES, output: Output = OUTPUT, mirror: Mirror = None) -> None:
    """Fetch corpora and convert them to OUTPUT/NAME/train, dev and test, folders of .spacy files.

    What has not changed is not converted again. Documents that repeat one of a dev or test split, of any corpus in
    OUTPUT, are kept out of training.

    Example: ossamma corpora convert wnut17 s800_revised
    """
    from ossamma_spacy.corpora.convert import convert, separate
    from ossamma_spacy.corpora.fetch import fetch
    from ossamma_spacy.corpora.lines import CorpusError

    def step(name: str) -> None:
        fetch(name, sources, mirror)
        msg.good(f"{name}: {'converted' if convert(name, sources, output) else 'has not changed'}")

    failed = _each(names, step)
    try:
        _print_repetitions(separate(output))
    except CorpusError as error:
        msg.fail(str(error), exits=1)
    if len(failed) < len(names):
        corpora_stats(output)
    if failed:
        msg.fail(f"not converted: {', '.join(failed)}", exits=1)


def _print_repetitions(report: Mapping[str, Counter[str]]) -> None:
    """A row for each split from which documents were left out, with the three splits that they repeat most."""
    rows = [
        (split, counts.total(), ", ".join(f"{other} ({count})" for other, count in counts.most_common(3)))
        for split, counts in report.items()
        if counts
    ]
    if rows:
        header = ("left out of", "documents", "which repeat, above all, some of")
        msg.table(rows, header=header, divider=True, max_col=WIDEST)


def _each(names: Sequence[str], step: Callable[[str], None]) -> list[str]:
    """Do it for each corpus, whatever becomes of the others; the names of those that failed."""
    failed = []
    for name in names:
        try:
            step(name)
        except (ValueError, OSError) as error:
            text = str(error)
            msg.fail(text if text.startswith((f"{name}:", f"{Path(name).stem}:")) else f"{name}: {text}")
            failed.append(name)
        except ImportError as error:
            msg.fail(f"{error}; install what fetches corpora by: pip install 'pooch>=1.8' 'requests>=2'", exits=1)
    return failed


@app.command("stats")
def corpora_stats(output: Output = OUTPUT) -> None:
    """Count what was converted: documents, tokens, entities of each label and with several candidates.

    Also spans that meet no token border, and sentences or documents of the source that could not be read;
    NAME/.converted/summary.json lists both. Then documents of train that repeat another of it and were left out.
    Counted before repetitions between splits are left out.

    Example: ossamma corpora stats
    """
    from ossamma_spacy.corpora.convert import summaries
    from ossamma_spacy.corpora.lines import CorpusError
    from ossamma_spacy.labels import LABELS

    try:
        found = summaries(output)
    except CorpusError as error:
        msg.fail(str(error), exits=1)
    rows = []
    for name, splits in found.items():
        for split, counts in splits.items():
            labels = [counts["labels"].get(label, 0) for label in LABELS]
            lists = [len(counts[key]) for key in ("misaligned", "skipped")]
            left_out = (*lists, counts.get("repeated", 0))
            rows.append((name, split, counts["documents"], counts["tokens"], *labels, counts["candidates"], *left_out))
    if not rows:
        msg.fail(f"{output}: no corpus is converted there; `ossamma corpora convert NAME` does it", exits=1)
    header = ("corpus", "split", "documents", "tokens", *LABELS, "several", "unplaced", "skipped", "repeated")
    msg.table(rows, header=header, divider=True, aligns=("l", "l", *"r" * (len(LABELS) + 6)))
