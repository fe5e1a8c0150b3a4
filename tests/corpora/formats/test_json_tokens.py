"""JSON of tokens with entities."""

import json

import pytest

from ossamma_spacy.corpora.formats.json_tokens import (
    read_docred,
    read_scierc,
    read_slurp,
    read_spert,
    read_tagged_json,
)
from ossamma_spacy.corpora.lines import CorpusError


def read(reader, folder, *records, lines=False, **options):
    text = "\n".join(map(json.dumps, records)) if lines else json.dumps(records)
    (folder / "a.json").write_text(text, encoding="utf-8")
    return list(reader(folder / "a.json", **options))


def marked(document):
    return [(document.text[start:end], label) for start, end, label in document.spans]


def test_spert_counts_tokens_of_a_sentence(tmp_path):
    tokens = ["`", "`", "Ada", "left", "Rome", "'", "'", ",", "1", "-", "2", "men", "_", "said"]
    entities = [{"type": "Peop", "start": 2, "end": 3}, {"type": "Loc", "start": 4, "end": 5}]
    entities.append({"type": "Num", "start": 8, "end": 11})
    (document,) = read(read_spert, tmp_path, {"tokens": tokens, "entities": entities}, joined="-")
    assert document.text == '"Ada left Rome", 1-2 men — said'
    assert marked(document) == [("Ada", "Peop"), ("Rome", "Loc"), ("1-2", "Num")]
    assert document.where.endswith("a.json:1")


def test_scierc_counts_tokens_of_the_document_and_may_overlap(tmp_path):
    record = {
        "sentences": [["We", "parse", "."], ["Chart", "parsing", "works", "."]],
        "ner": [[[1, 1, "Task"]], [[3, 4, "Method"], [4, 4, "Task"]]],
    }
    (document,) = read(read_scierc, tmp_path, record, lines=True)
    assert document.text == "We parse. Chart parsing works."
    assert marked(document) == [("parse", "Task"), ("Chart parsing", "Method"), ("parsing", "Task")]
    assert document.sentence_starts == (0, 10)


def test_docred_counts_tokens_of_each_sentence_and_leaves_blanks_out(tmp_path):
    record = {
        "sents": [["Ada", "  ", "was", "born", "."], ["It", "has", "9", "\xa0", "km", "."]],
        "vertexSet": [
            [{"sent_id": 0, "pos": [0, 1], "type": "PER"}, {"sent_id": 0, "pos": [0, 1], "type": "PER"}],
            [{"sent_id": 1, "pos": [2, 5], "type": "NUM"}],
        ],
    }
    (document,) = read(read_docred, tmp_path, record)
    assert document.text == "Ada was born. It has 9 km."
    assert marked(document) == [("Ada", "PER"), ("9 km", "NUM")]


def test_slurp_keeps_the_spaces_of_its_sentence(tmp_path):
    record = {
        "sentence": "play ada's new song",
        "tokens": [{"surface": surface} for surface in ("play", "ada", "'s", "new", "song")],
        "entities": [{"span": [1, 2], "type": "artist"}],
    }
    (document,) = read(read_slurp, tmp_path, record, lines=True)
    assert document.text == "play ada's new song"
    assert marked(document) == [("ada's", "artist")]


def test_tags_may_be_under_any_key(tmp_path):
    record = {"words": ["In", "New", "York", "."], "ner": ["O", "B-Loc", "I-Loc", "O"]}
    (document,) = read(read_tagged_json, tmp_path, record, lines=True, tokens="words", tags="ner")
    assert marked(document) == [("New York", "Loc")]


@pytest.mark.parametrize(
    ("reader", "record", "message"),
    [
        (read_spert, {"tokens": ["a"]}, r"a\.json:1: expected .*entities.* \(KeyError"),
        (read_spert, {"tokens": ["a"], "entities": [{"type": "X", "start": 0, "end": 2}]}, r"a\.json:1: .*KeyError"),
        (read_spert, {"tokens": ["a"], "entities": [{"type": "X", "start": -2, "end": -1}]}, r"a\.json:1: .*KeyError"),
        (read_scierc, {"sentences": [["a"]], "ner": [[[0, "X"]]]}, r"a\.json:1: expected .*ValueError"),
        (read_scierc, {"sentences": [["a"]], "ner": [[[0, 1, "X"]]]}, r"a\.json:1: span \[0, 2\) of X in 1 tokens"),
        (read_scierc, {"sentences": ["Ada"], "ner": []}, r"a\.json:1: expected .*'Ada' is no list of tokens"),
        (read_scierc, {"sentences": [[1]], "ner": []}, r"a\.json:1: expected .* is no list of tokens"),
        (read_spert, {"tokens": "Ada", "entities": []}, "'Ada' is no list of tokens"),
        (read_docred, {"sents": ["Ada"], "vertexSet": []}, "'Ada' is no list of tokens"),
        (read_tagged_json, {"tokens": "Ada", "tags": ["O"] * 3}, "'Ada' is no list of tokens"),
        (read_docred, {"sents": [["a"]], "vertexSet": [[{"sent_id": 1, "pos": [0, 1], "type": "X"}]]}, "IndexError"),
        (read_docred, {"sents": [["a"]], "vertexSet": [[{"sent_id": -1, "pos": [0, 1], "type": "X"}]]}, "KeyError"),
        (read_slurp, {"sentence": "a", "tokens": ["a"], "entities": []}, r"a\.json:1: expected .*TypeError"),
        (read_tagged_json, {"tokens": ["a", "b"], "tags": ["O"]}, r"a\.json:1: expected .*equally long"),
    ],
)
def test_records_of_another_form_are_named(tmp_path, reader, record, message):
    with pytest.raises(CorpusError, match=message):
        read(reader, tmp_path, record)


@pytest.mark.parametrize(("text", "line"), [('{"tokens": [], "tags": []}\n{"tok', 2), ('[\n{"tokens"\n]', 3)])
def test_what_is_no_json_is_named(tmp_path, text, line):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CorpusError, match=rf"a\.json:{line}: no JSON"):
        list(read_tagged_json(tmp_path / "a.json"))
