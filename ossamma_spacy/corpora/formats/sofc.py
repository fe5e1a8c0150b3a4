"""SOFC-Exp: raw papers, a table of their sentences, and a table of the tokens of those that are annotated."""

from collections.abc import Iterator
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText, check_spans
from ossamma_spacy.corpora.lines import CorpusError, read_lines
from ossamma_spacy.corpora.records import expected


def read_sofc(path: Path) -> Iterator[AnnotatedText]:
    """Yield a document for each run of annotated sentences of a paper, from CORPUS/annotations/KIND/NAME.csv.

    The text is in CORPUS/texts/NAME.txt, the sentences in CORPUS/annotations/sentences/NAME.csv. Raises CorpusError,
    naming file and line, for another table or an unknown tag. An `I-X` that continues no entity of X begins one.
    """
    text = "\n".join(line for _, line in read_lines(path.parents[2] / "texts" / f"{path.stem}.txt"))
    sentences: dict[int, tuple[int, int]] = {}
    table = path.parent.with_name("sentences") / path.name
    for number, line in read_lines(table):
        with expected("four columns: number, mark, start and end of a sentence", f"{table}:{number}"):
            identity, _, start, end = map(int, line.split("\t"))
            sentences[identity] = (start, end)

    run: list[int] = []
    spans: list[tuple[int, int, str]] = []
    first = 0
    before = (0, "")  # sentence and label of the token
    for number, line in read_lines(path):
        with expected("six columns: sentence, token, start, end, entity tag and slot tag", f"{path}:{number}"):
            identity, _, start, end = map(int, line.split("\t")[:4])
            tag = line.split("\t")[4]
            if run and identity not in (run[-1], run[-1] + 1):
                yield _document(text, [sentences[i] for i in run], spans, f"{path.name}:{first}", path.stem)
                run, spans = [], []
            if not run:
                first = number
            if not run or run[-1] != identity:
                run.append(identity)
            begin = sentences[identity][0]
        prefix, _, label = tag.partition("-")
        if tag != "O" and (prefix not in ("B", "I") or not label):
            raise CorpusError(f"{path}:{number}: tag {tag!r}, expected O or a label after B- or I-")
        if prefix == "I" and before == (identity, label):
            spans[-1] = (spans[-1][0], begin + end, label)
        elif label:
            spans.append((begin + start, begin + end, label))
        before = (identity, label)
    if run:
        yield _document(text, [sentences[i] for i in run], spans, f"{path.name}:{first}", path.stem)


def _document(
    text: str, sentences: list[tuple[int, int]], spans: list[tuple[int, int, str]], where: str, source: str
) -> AnnotatedText:
    first, last = sentences[0][0], sentences[-1][1]
    moved = tuple((start - first, end - first, label) for start, end, label in spans)
    starts = tuple(start - first for start, _ in sentences)
    return check_spans(AnnotatedText(text[first:last], moved, starts, where, source=source))
