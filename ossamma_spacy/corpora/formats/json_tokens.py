"""JSON and JSON lines of tokens with entities, as SpERT, SciERC, DocRED, SLURP and the DEAL task write them."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

from ossamma_spacy.corpora.document import AnnotatedText, Sentence, from_token_spans, from_tokens
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.records import expected, read_records
from ossamma_spacy.corpora.spacing import spaces_in


def read_spert(path: Path, *, joined: str = "") -> Iterator[AnnotatedText]:
    """Yield a document for each `{"tokens": […], "entities": [{"type": …, "start": 0, "end": 2}, …]}`, end exclusive.

    `joined` as in `spaces_after`. Quotes that were cut in two are made whole, a news wire's `_` is a dash. Raises
    CorpusError, naming file and record, for records of another form.
    """
    for where, record in read_records(path):
        with expected('{"tokens": […], "entities": [{"type": …, "start": …, "end": …}, …]}', where):
            tokens = ["—" if token == "_" else token for token in _tokens(record["tokens"])]
            for i, pair in enumerate(pairwise(record["tokens"])):
                if pair in (("`", "`"), ("'", "'")) and tokens[i]:
                    tokens[i : i + 2] = ["".join(pair), ""]
            sentence, before = _without_blanks(tokens)
            spans = [(before[entity["start"]], before[entity["end"]], entity["type"]) for entity in record["entities"]]
            yield from_token_spans([sentence], spans, joined, where)


def read_scierc(path: Path, *, joined: str = "") -> Iterator[AnnotatedText]:
    """Yield a document for each `{"sentences": [[token, …], …], "ner": [[[0, 1, label], …], …]}`.

    Spans count tokens through the document, end inclusive. `joined` as in `spaces_after`. Raises CorpusError, naming
    file and record, for records of another form.
    """
    for where, record in read_records(path):
        with expected('{"sentences": [[token, …], …], "ner": [[[start, end, label], …], …]}', where):
            spans = [(start, end + 1, label) for start, end, label in chain(*record["ner"])]
            yield from_token_spans([Sentence(_tokens(tokens)) for tokens in record["sentences"]], spans, joined, where)


def read_docred(path: Path, *, joined: str = "") -> Iterator[AnnotatedText]:
    """Yield a document for each `{"sents": [[token, …], …], "vertexSet": [[mention, …], …]}`.

    A mention is `{"sent_id": 0, "pos": [0, 1], "type": …}`. Spans count tokens through their sentence, end exclusive;
    `joined` as in `spaces_after`. Tokens of spaces alone are left out. Raises CorpusError, naming file and record, for
    records of another form.
    """
    for where, record in read_records(path):
        with expected(
            '{"sents": [[token, …], …], "vertexSet": [[{"sent_id": …, "pos": […], "type": …}, …], …]}', where
        ):
            sentences, before = zip(*map(_without_blanks, record["sents"]), strict=True)
            first = dict(enumerate(accumulate((len(sentence.tokens) for sentence in sentences), initial=0)))
            spans = {
                (*(first[m["sent_id"]] + before[m["sent_id"]][position] for position in m["pos"]), m["type"])
                for m in chain(*record["vertexSet"])
            }
            yield from_token_spans(sentences, sorted(spans), joined, where)


def read_slurp(path: Path) -> Iterator[AnnotatedText]:
    """Yield a document for each `{"sentence": text, "tokens": [{"surface": …}, …], "entities": [entity, …]}`.

    An entity is `{"span": [0, 1], "type": …}`, the span a list of the places of its tokens. Raises CorpusError, naming
    file and record, for records of another form.
    """
    for where, record in read_records(path):
        with expected(
            '{"sentence": …, "tokens": [{"surface": …}, …], "entities": [{"span": […], "type": …}, …]}', where
        ):
            tokens = [token["surface"] for token in record["tokens"]]
            spans = [(min(entity["span"]), max(entity["span"]) + 1, entity["type"]) for entity in record["entities"]]
            sentence = Sentence(tokens, spaces=spaces_in(record["sentence"], tokens))
            yield from_token_spans([sentence], spans, where=where)


def read_tagged_json(
    path: Path, *, tokens: str = "tokens", tags: str = "tags", joined: str = ""
) -> Iterator[AnnotatedText]:
    """Yield a document for each object with lists of tokens and of their IOB2 tags, under the keys `tokens` and `tags`.

    `joined` as in `spaces_after`. Raises CorpusError, naming file and record, for records of another form.
    """
    for where, record in read_records(path):
        with expected(f'{{"{tokens}": [token, …], "{tags}": ["O", "B-X", …]}}, equally long', where):
            if wrong := [tag for tag in record[tags] if tag != "O" and not re.fullmatch("[BI]-.+", tag)]:
                raise CorpusError(f"{where}: tag {wrong[0]!r}, expected O or a label after B- or I-")
            yield from_tokens([Sentence(_tokens(record[tokens]), record[tags])], joined, where)


def _tokens(found: Any) -> list[str]:
    """Raises TypeError for anything but a list of texts; a text by itself would be read letter by letter."""
    if not isinstance(found, list) or not all(isinstance(token, str) for token in found):
        raise TypeError(f"{str(found)[:60]!r} is no list of tokens")
    return found


def _without_blanks(tokens: Sequence[str]) -> tuple[Sentence, dict[int, int]]:
    """The tokens that are not blank; and how many of them stand before each token, and before the end."""
    kept = [token for token in _tokens(tokens) if token.strip()]
    return Sentence(kept), dict(enumerate(accumulate((bool(token.strip()) for token in tokens), initial=0)))
