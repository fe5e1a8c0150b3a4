"""MeasEval: a paragraph in a text file, and in a table beside it quantities and what they measure."""

from collections.abc import Iterator
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText, check_spans
from ossamma_spacy.corpora.lines import CorpusError, read_lines
from ossamma_spacy.corpora.records import expected

HEADER = "docId\tannotSet\tannotType\tstartOffset\tendOffset\tannotId\ttext\tother"


def read_measeval(path: Path) -> Iterator[AnnotatedText]:
    """Yield the document of FOLDER/text/NAME.txt, annotated in FOLDER/tsv/NAME.tsv; without a table, it has no spans.

    Raises CorpusError, naming file and line, for another table and for a span whose text is not the document's.
    """
    text = "\n".join(line for _, line in read_lines(path))
    table = path.parent.with_name("tsv") / f"{path.stem}.tsv"
    spans = []
    for number, line in read_lines(table) if table.exists() else ():
        where = f"{table}:{number}"
        if number == 1:
            if line != HEADER:
                raise CorpusError(f"{where}: {line[:60]!r}, expected the columns {HEADER.split()}")
            continue
        with expected(f"the columns {HEADER.split()}", where):
            _, _, label, start, end, _, quoted, *_ = line.split("\t")
            spans.append((int(start), int(end), label))
        if text[int(start) : int(end)] != quoted:
            raise CorpusError(f"{where}: the text has {text[int(start) : int(end)][:60]!r} there, not {quoted[:60]!r}")
    yield check_spans(AnnotatedText(text, tuple(sorted(set(spans))), where=path.name))
