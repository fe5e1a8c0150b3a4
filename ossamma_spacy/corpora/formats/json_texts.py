"""Texts with entities as JSON: specifications of Recognizers-Text, chunks of Snips, and a CSV table of both."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText, Merge, check_spans, merge_spans
from ossamma_spacy.corpora.lines import CorpusError, read_lines
from ossamma_spacy.corpora.records import expected, read_records


def read_recognizers(path: Path) -> Iterator[AnnotatedText]:
    """Yield a document for each `{"Input": text, "Results": [{"Start": 0, "End": 3, "TypeName": …}, …]}`.

    Ends are inclusive. Raises CorpusError, naming file and record, for records of another form or spans outside the
    text.
    """
    for where, record in read_records(path):
        with expected('{"Input": text, "Results": [{"Start": …, "End": …, "TypeName": …}, …]}', where):
            spans = [
                (result["Start"], result["End"] + 1, result.get("TypeName") or result["Typename"])
                for result in record["Results"]
            ]
            yield check_spans(AnnotatedText(record["Input"], tuple(sorted(spans)), where=where))


def read_snips(path: Path) -> Iterator[AnnotatedText]:
    """Yield a document for each utterance of `{intent: [{"data": [{"text": …, "entity": …}, {"text": …}]}, …]}`.

    Characters that were written as surrogates are put together. Raises CorpusError, naming file and utterance, for
    another form.
    """
    form = '{intent: [{"data": [{"text": …, "entity": …}, {"text": …}, …]}, …]}'
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{path}:{line}: not UTF-8 (byte {error.start + 1} of the file); fetch it again") from error
    with expected(form, str(path)):
        utterances = [utterance for group in json.loads(text).values() for utterance in group]
    for number, utterance in enumerate(utterances, start=1):
        with expected(form, f"{path}:{number}"):
            text, spans = "", []
            for chunk in utterance["data"]:
                start = len(text)
                text += chunk["text"].encode("utf-16", "surrogatepass").decode("utf-16")
                if "entity" in chunk:
                    spans.append((start, len(text), chunk["entity"]))
            yield AnnotatedText(text, tuple(spans), where=f"{path.name}:{number}")


def read_json_table(
    path: Path,
    *,
    text: str,
    entities: str,
    merge: Merge | None = None,
) -> Iterator[AnnotatedText]:
    """Yield a document for each row of a CSV table, from its columns `text` and `entities`.

    The latter holds `[{"start": 0, "end": 3, "type": …}, …]`; `merge` as in `merge_spans`. Each line of
    the text is a sentence. Raises CorpusError, naming file and line, for another form or spans outside the text.
    """
    rows = csv.DictReader((line + "\n" for _, line in read_lines(path)), strict=True)
    form = f'CSV with columns "{text}" and "{entities}", the latter [{{"start": …, "end": …, "type": …}}, …]'
    with expected(form, f"{path.name}:1"):
        _ = rows.fieldnames  # reads the header, so that lines are counted right
    while True:
        where = f"{path.name}:{rows.line_num + 1}"
        with expected(form, where):
            row = next(rows, None)
            if row is None:
                return
            spans = [(entity["start"], entity["end"], entity["type"]) for entity in json.loads(row[entities])]
            whole = row[text].rstrip()
            starts = (0, *(i + 1 for i, character in enumerate(whole) if character == "\n"))
            document = check_spans(AnnotatedText(whole, tuple(sorted(spans)), starts, where))
            yield merge_spans(document, merge or {})
