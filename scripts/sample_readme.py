"""Write the table of counts into assets/sample/README.md."""

import re
from collections import Counter
from pathlib import Path

from ossamma_spacy.corpora.formats.markup import read_markup
from ossamma_spacy.labels import LABELS

SAMPLE = Path(__file__).parents[1] / "assets" / "sample"
HEADER = ("split", "documents", "sentences", *LABELS)


def row(split: str) -> list[str]:
    documents = [document for path in sorted((SAMPLE / split).glob("*.txt")) for document in read_markup(path)]
    counts = Counter(label for document in documents for _, _, label in document.spans)
    sentences = sum(len(document.sentence_starts) for document in documents)
    return [split, *map(str, (len(documents), sentences, *(counts[label] for label in LABELS)))]


def main() -> None:
    lines = [HEADER, ["---"] * len(HEADER), *(row(split) for split in ("train", "dev", "test"))]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    readme = SAMPLE / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(re.sub(r"(?ms)^\| split \|.*?(?=\n\n|\Z)", table, text), encoding="utf-8")


if __name__ == "__main__":
    main()
