"""The command line: `ossamma …`, also `python -m ossamma_spacy`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from ossamma_spacy.corpora.cli import app as corpora_app

if TYPE_CHECKING:
    from ossamma_spacy.corpora.docbin import Written
    from ossamma_spacy.corpora.document import AnnotatedText

MISALIGNED_SHOWN = 5  # spans that a conversion names


def _spacy_file(target: Path) -> Path:
    if target.suffix != ".spacy":
        msg.fail(f"{target} must end in .spacy, or spaCy's readers will not find it", exits=1)
    return target


SpacyFile = Annotated[Path, typer.Argument(help="The .spacy file to write.", callback=_spacy_file)]

app = typer.Typer(
    name="ossamma",
    help="Named entity recognition for retrieval, in spaCy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
convert_app = typer.Typer(help="Turn annotated text into spaCy's DocBin.", no_args_is_help=True)
init_app = typer.Typer(help="Write a config for `spacy train`.", no_args_is_help=True)
app.add_typer(convert_app, name="convert")
app.add_typer(init_app, name="init")
app.add_typer(corpora_app, name="corpora")
benchmark_app = typer.Typer(help="Measure pipelines.", no_args_is_help=True)
app.add_typer(benchmark_app, name="benchmark")


@app.command()
def info() -> None:
    """Print the sizes of the encoder with their parameter counts.

    The lexicon holds the subwords of a full vocabulary and the lexical memory, of which a text reads a few rows a word;
    head and CRF come on top, 0.15 million weights for nine labels at tiny's width.

    Example: ossamma info
    """
    from ossamma_spacy.nn.config import SIZES
    from ossamma_spacy.nn.summary import size_table

    header = ("size", "layers", "width", "heads", "window", "blocks", "lexicon", "all parameters")
    msg.table(size_table(SIZES), header=header, divider=True, aligns=("l", *"rrrrrrr"))


@init_app.command("config")
def init_config(
    output: Annotated[Path | None, typer.Argument(help="Where to write the config; printed if left out.")] = None,
    size: Annotated[str | None, typer.Option(help="tiny (if left out), small, base or large.")] = None,
    transformer: Annotated[
        str | None, typer.Option(help="Name or folder of a Hugging Face model in place of our encoder.")
    ] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Train with matrix products in bfloat16.")] = False,
    labels: Annotated[str | None, typer.Option(help="A label file, as `spacy init labels` writes it.")] = None,
    pretrained: Annotated[str | None, typer.Option(help="The folder of a pretrained encoder.")] = None,
) -> None:
    """Print a filled config for `spacy train`.

    Example: ossamma init config --size tiny > config.cfg
    """
    from ossamma_spacy.files import write_whole
    from ossamma_spacy.init_config import make_config

    try:
        config = make_config(size, transformer=transformer, gpu=gpu, labels=labels, pretrained=pretrained)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    if output is None:
        print(config.to_str())
    else:
        try:
            write_whole(output, config.to_bytes())
        except OSError as error:
            msg.fail(str(error), exits=1)
        msg.good(f"{output}: train with `python -m spacy train {output} --output training`")


@app.command()
def calibrate(
    model: Annotated[Path, typer.Argument(help="A trained pipeline on disk; its calibration is overwritten.")],
    dev: Annotated[Path, typer.Argument(help="Development data, a .spacy file or a folder of them.")],
    gpu_id: Annotated[int, typer.Option(help="Number of the GPU, -1 for the CPU.")] = -1,
) -> None:
    """Fit the temperature of the confidences on development data and store it in the pipeline.

    Example: ossamma calibrate training/model-best corpus/dev.spacy
    """
    from spacy.cli._util import setup_gpu

    from ossamma_spacy.pipeline.calibration import calibrate_pipeline

    try:
        setup_gpu(gpu_id)
        results = calibrate_pipeline(model, dev)
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)
    for pipe, result in results.items():
        tell = msg.good if result.after <= result.before else msg.warn
        tell(
            f"{pipe}: temperature {result.temperature:.3f}; calibration error {result.before:.4f} before, "
            f"{result.after:.4f} after, over {result.spans} entities"
            + ("" if result.after <= result.before else "; too few to fit it well?")
        )


@app.command("debug-data", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def debug_data(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="A config for `spacy train`; --section.key overrides as there.")],
) -> None:
    """Examine the corpora of a config: entities, spans off token borders, what is not annotated, repetitions, lengths.

    Example: ossamma debug-data configs/tiny.cfg --paths.train corpus/train.spacy --paths.dev corpus/dev.spacy
    """
    from spacy.cli._util import parse_config_overrides, show_validation_error

    from ossamma_spacy.corpora.debug import PERCENTILES, examine

    try:
        with show_validation_error(config):
            reports, crossing = examine(config, parse_config_overrides(context.args))
    except UnicodeDecodeError as error:
        msg.fail(f"{config}: not UTF-8 text ({error}); give a config for `spacy train`", exits=1)
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)
    labels = sorted({label for report in reports.values() for label in report.possible})
    columns = {split: [report.labels[label] for label in labels] for split, report in reports.items()}
    msg.table(list(zip(labels, *columns.values(), strict=True)), header=("label", *reports), divider=True)
    for label, *counts in zip(labels, *columns.values(), strict=True):
        for split, count in zip(reports, counts, strict=True):
            if not count and label not in reports[split].possible:
                msg.warn(f"{label}: not in {split}")
            elif not count:
                msg.info(f"{label}: no entity in {split} is certainly one, but some may be")
    for split, report in reports.items():
        msg.divider(split)
        msg.info(f"{report.documents} documents, {report.tokens} tokens")
        lengths = zip(PERCENTILES, report.percentiles(), strict=False)
        msg.info("tokens in a document: " + ", ".join(f"{length} at {share} %" for share, length in lengths))
        if report.partly:
            msg.info(f"{report.partly} documents annotate some labels only")
        for count, what in ((report.unannotated, "say nothing of entities"), (report.repeated, "repeat another")):
            if count:
                msg.warn(f"{count} documents {what}")
        for spans, what in ((report.misaligned, "meet no token border"), (report.whitespace, "border on white space")):
            if spans:
                msg.warn(f"{len(spans)} entities {what}: {'; '.join(spans[:MISALIGNED_SHOWN])}")
    if crossing:
        msg.warn(f"{crossing} documents of train repeat one of dev, or nearly so")


@benchmark_app.command("speed")
def benchmark_speed(
    texts: Annotated[Path, typer.Argument(help="A .spacy file, or a text file with a text on each line.")],
    models: Annotated[list[str], typer.Argument(help="Pipelines, as spacy.load takes them; the first is the base.")],
    threads: Annotated[int, typer.Option(min=1, help="Threads of each pipeline.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="How often each pipeline takes its turn.")] = 5,
) -> None:
    """Compare words per second and peak memory of pipelines; each takes turns in a process of its own.

    Of a pipeline only what finds entities is run. An ossamma_ner runs with and without confidences.

    Example: ossamma benchmark speed corpus/dev.spacy en_core_web_sm training/model-best
    """
    from ossamma_spacy.evaluation.speed import compare_speed, speed_table, with_and_without_confidences

    try:
        candidates = [candidate for model in models for candidate in with_and_without_confidences(model)]
        speeds = compare_speed(candidates, texts, threads=threads, rounds=rounds)
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)
    header = ("pipeline", "words/s", "ratio", "least", "most", "peak MiB")
    msg.table(speed_table(speeds), header=header, divider=True, aligns=("l", *"rrrrr"))


@convert_app.command("iob")
def convert_iob(
    source: Annotated[Path, typer.Argument(help="A file with a token and a tag on each line (also .xz).")],
    target: SpacyFile,
    lang: Annotated[str, typer.Option(help="Language of the text.")] = "en",
    token_column: Annotated[int, typer.Option(help="Column of the token, from 0.")] = 0,
    tag_column: Annotated[int, typer.Option(help="Column of the tag, from 0; -1 is the last.")] = -1,
    n_sents: Annotated[
        int,
        typer.Option(
            min=0,
            help="Sentences in a document; 0 keeps the file's documents, or its sentences where it has no -DOCSTART-.",
        ),
    ] = 0,
) -> None:
    """Convert an IOB1, IOB2, BIOES or BILUO file: columns separated by spaces or tabs, sentences by blank lines.

    An I-, E- or L- tag that continues no entity of its label begins one, and is reported. A line with another number of
    columns than the lines before, an unknown prefix or a tag without a label is refused.

    Example: ossamma convert iob train.conll corpus/train.spacy
    """
    import spacy

    from ossamma_spacy.corpora.docbin import Written, docs_from_sentences, write_docbin
    from ossamma_spacy.corpora.formats.columns import ColumnsReport, Layout, read_documents

    report = ColumnsReport()
    try:
        documents = read_documents(source, Layout(token_column, tag_column), n_sents=n_sents, report=report)
        written = write_docbin(docs_from_sentences(spacy.blank(lang), documents), target, Written())
    except (ValueError, OSError, ImportError) as error:
        msg.fail(str(error), exits=1)
    if report.repaired:
        msg.info(
            f"{len(report.repaired)} tags continued nothing and begin an entity, the first in line {report.repaired[0]}"
        )
    _report(target, written)


@convert_app.command("markup")
def convert_markup(
    source: Annotated[Path, typer.Argument(help="A marked .txt file, or a folder of them.")],
    target: SpacyFile,
    lang: Annotated[str, typer.Option(help="Language of the text.")] = "en",
) -> None:
    """Convert text with inline markup, [Marie Curie](PERSON).

    Example: ossamma convert markup assets/sample/train corpus/train.spacy
    """
    from ossamma_spacy.corpora.formats.markup import read_markup

    _convert_offsets(source, target, lang, "*.txt", read_markup)


@convert_app.command("jsonl")
def convert_jsonl(
    source: Annotated[Path, typer.Argument(help="A .jsonl file (also .xz), or a folder of them.")],
    target: SpacyFile,
    lang: Annotated[str, typer.Option(help="Language of the text.")] = "en",
) -> None:
    """Convert JSON lines with character offsets, {"text": "…", "entities": [[0, 5, "PERSON"]]}.

    Example: ossamma convert jsonl train.jsonl corpus/train.spacy
    """
    from ossamma_spacy.corpora.formats.jsonl import read_jsonl

    _convert_offsets(source, target, lang, "*.jsonl*", read_jsonl)


def _convert_offsets(
    source: Path, target: Path, lang: str, pattern: str, read: Callable[[Path], Iterator["AnnotatedText"]]
) -> None:
    import spacy

    from ossamma_spacy.corpora.docbin import Written, docs_from_offsets, write_docbin

    files = sorted(source.glob(pattern)) if source.is_dir() else [source]
    if not files:
        msg.fail(f"{source}: no {pattern} file in this folder", exits=1)
    written = Written()
    try:
        documents = (document for file in files for document in read(file))
        write_docbin(docs_from_offsets(spacy.blank(lang), documents, written), target, written)
    except (ValueError, OSError, ImportError) as error:
        msg.fail(str(error), exits=1)
    for span in written.misaligned[:MISALIGNED_SHOWN]:
        msg.warn(f"no token border: {span}")
    if (rest := len(written.misaligned) - MISALIGNED_SHOWN) > 0:
        msg.warn(f"no token border: {rest} more")
    _report(target, written)


def _report(target: Path, written: "Written") -> None:
    labels = ", ".join(f"{label} {count}" for label, count in sorted(written.labels.items()))
    msg.good(f"{target}: {written.documents} documents, {written.tokens} tokens; {labels or 'no entities'}")
