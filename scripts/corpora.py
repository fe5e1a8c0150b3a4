"""Fetch and convert the corpora of the project, and gather their splits in corpus/train, dev and test."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from shutil import copy2, copytree
from typing import Annotated

import typer
from wasabi import msg

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.catalogue import SPLITS
from ossamma_spacy.corpora.cli import convert_corpora
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.files import replace_folder

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "corpus"
SAMPLE = ROOT / "assets" / "sample"


def gather(names: Sequence[str], split: str) -> None:
    """A folder with the files of a split of all corpora; refuses a split without documents."""
    files = [(name, path) for name in names for path in sorted((OUTPUT / name / split).glob("*.spacy"))]
    if not files:
        msg.fail(f"{', '.join(names)}: no documents for {split}; add a corpus that has some", exits=1)
    with replace_folder(OUTPUT / split) as folder:
        for name, path in files:
            copy2(path, folder / f"{name}-{path.name}")


def main(
    corpora: Annotated[str, typer.Argument(help="Parted by commas: sample, those of `ossamma corpora list`, X.yaml.")],
    mirror: Annotated[str, typer.Option(help="A folder that has their files; without it they are downloaded.")] = "",
) -> None:
    """Fetch and convert corpora, and gather their splits in corpus/train, corpus/dev and corpus/test.

    Example: python scripts/corpora.py sample,wnut17
    """
    given = [name.strip() for name in corpora.split(",") if name.strip()]
    if not given:
        raise typer.BadParameter("no corpora; name some, sample for instance")
    entries = [f"{SAMPLE}.yaml" if name == "sample" else name for name in given]
    try:
        names = [catalogue.load(entry).name for entry in entries]
    except CorpusError as error:
        raise typer.BadParameter(str(error)) from error
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise typer.BadParameter(f"{', '.join(twice)} more than once; name each corpus once")
    if taken := {"sources", *SPLITS}.intersection(names):
        raise typer.BadParameter(f"corpus/{min(taken)} is taken; give the corpus of that name another")
    with replace_folder(OUTPUT / "sources" / "sample") as folder:
        copytree(SAMPLE, folder, dirs_exist_ok=True)
    convert_corpora(entries, OUTPUT / "sources", OUTPUT, Path(mirror) if mirror else None)
    for split in SPLITS:
        gather(names, split)


if __name__ == "__main__":
    typer.run(main)
