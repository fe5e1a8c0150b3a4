"""Fetch and convert the corpora of the project, and join their splits: corpus/train.spacy, dev.spacy, test.spacy."""

from collections import Counter
from pathlib import Path
from shutil import copytree
from typing import Annotated

import typer
from spacy.tokens import DocBin
from wasabi import msg

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.catalogue import SPLITS
from ossamma_spacy.corpora.cli import convert_corpora
from ossamma_spacy.files import write_whole

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "corpus"
SAMPLE = ROOT / "assets" / "sample"


def join(names: list[str], split: str) -> None:
    """One file of a split of all corpora; refuses a split without documents."""
    joined = DocBin()
    for name in names:
        for path in sorted((OUTPUT / name / split).glob("*.spacy")):
            joined.merge(DocBin().from_disk(path))
    if not len(joined):
        msg.fail(f"{', '.join(names)}: no documents for {split}; add a corpus that has some", exits=1)
    write_whole(OUTPUT / f"{split}.spacy", joined.to_bytes())


def main(
    corpora: Annotated[str, typer.Argument(help="Parted by commas: sample, those of `ossamma corpora list`, X.yaml.")],
    mirror: Annotated[str, typer.Option(help="A folder that has their files; without it they are downloaded.")] = "",
) -> None:
    """Fetch and convert corpora, and join their splits to corpus/train.spacy, dev.spacy and test.spacy.

    Example: python scripts/corpora.py sample,wnut17
    """
    names = [name.strip() for name in corpora.split(",") if name.strip()]
    if not names:
        raise typer.BadParameter("no corpora; name some, sample for instance")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise typer.BadParameter(f"{', '.join(twice)} more than once; name each corpus once")
    copytree(SAMPLE, OUTPUT / "sources" / "sample", dirs_exist_ok=True)
    entries = [f"{SAMPLE}.yaml" if name == "sample" else name for name in names]
    convert_corpora(entries, OUTPUT / "sources", OUTPUT, Path(mirror) if mirror else None)
    for split in SPLITS:
        join([catalogue.load(entry).name for entry in entries], split)


if __name__ == "__main__":
    typer.run(main)
