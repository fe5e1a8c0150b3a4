"""Agreement of a second annotation with the sample corpus: strict F1 of the spans, all in all and by label."""

import sys
from collections import Counter
from pathlib import Path

from ossamma_spacy.corpora.formats.markup import parse_sentence
from ossamma_spacy.labels import LABELS


def sentences(path: Path) -> list[tuple[str, list[tuple[int, int, str]]]]:
    return [parse_sentence(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def main(first: Path, second: Path) -> None:
    """`first` is a marked file or a folder of them that holds the sentences of `second`."""
    files = sorted(first.glob("*.txt")) if first.is_dir() else [first]
    known = {text: spans for file in files for text, spans in sentences(file)}
    both, one, two = Counter(), Counter(), Counter()
    for text, spans in sentences(second):
        if text not in known:
            print(f"! no longer in {first}: {text}")
            continue
        a, b = set(known[text]), set(spans)
        both.update(label for _, _, label in a & b)
        one.update(label for _, _, label in a)
        two.update(label for _, _, label in b)
        for start, end, label in sorted(a ^ b):
            print("<" if (start, end, label) in a else ">", f"{text[start:end]} ({label}) in: {text}")
    print()
    for label in (*LABELS, None):
        agreed, left, right = (sum(c.values()) if label is None else c[label] for c in (both, one, two))
        print(f"{label or 'all':<11} {2 * agreed / max(left + right, 1):.3f}  ({left} and {right} spans)")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
