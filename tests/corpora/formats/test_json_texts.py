"""Texts with entities as JSON."""

import json

import pytest

from ossamma_spacy.corpora.formats.json_texts import read_json_table, read_recognizers, read_snips
from ossamma_spacy.corpora.lines import CorpusError


def marked(document):
    return [(document.text[start:end], label) for start, end, label in document.spans]


def test_recognizers_ends_are_inclusive(tmp_path):
    results = [{"Start": 5, "End": 9, "TypeName": "age"}, {"Start": 0, "End": 1, "Typename": "number"}]
    (tmp_path / "a.json").write_text("\ufeff" + json.dumps([{"Input": "12 / 3 yrs", "Results": results}]))
    (document,) = read_recognizers(tmp_path / "a.json")
    assert marked(document) == [("12", "number"), ("3 yrs", "age")]


@pytest.mark.parametrize(
    ("result", "message"),
    [({"Start": 0, "End": 9, "TypeName": "x"}, r"a\.json:1: span \[0, 10\) of x"), ({"Start": 0}, "expected .*End")],
)
def test_recognizers_of_another_form_are_named(tmp_path, result, message):
    (tmp_path / "a.json").write_text(json.dumps([{"Input": "12", "Results": [result]}]))
    with pytest.raises(CorpusError, match=message):
        list(read_recognizers(tmp_path / "a.json"))


def test_snips_chunks_are_joined_and_surrogates_too(tmp_path):
    chunks = [{"text": "play "}, {"text": "Ada \ud83c\udf55", "entity": "artist"}, {"text": " now"}]
    text = json.dumps({"Play": [{"data": chunks}]}, ensure_ascii=False)
    (tmp_path / "a.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    (document,) = read_snips(tmp_path / "a.json")
    assert document.text == "play Ada 🍕 now"
    assert marked(document) == [("Ada 🍕", "artist")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Play": [{"data": [{"entity": "x"}]}]}', r"a\.json:1: expected .*KeyError"),
        ('{"Play": [', r"a\.json: expected .*JSONDecodeError"),
    ],
)
def test_snips_of_another_form_is_named(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CorpusError, match=message):
        list(read_snips(tmp_path / "a.json"))


def test_snips_in_another_encoding_is_named_by_line(tmp_path):
    (tmp_path / "a.json").write_bytes('{"Play": [\n{"data": [{"text": "caf\xe9"}]}]}'.encode("latin-1"))
    with pytest.raises(CorpusError, match=r"a\.json:2: not UTF-8 \(byte 35 of the file\)"):
        list(read_snips(tmp_path / "a.json"))


TABLE = 'list,marks\n"2 cups tea\n1 egg\n","[{""start"": 0, ""end"": 1, ""type"": ""N""}, {""start"": 2, ""end"": 6, '


def test_a_table_has_lines_for_sentences_and_merges(tmp_path):
    (tmp_path / "a.csv").write_text(TABLE + '""type"": ""U""}, {""start"": 11, ""end"": 12, ""type"": ""N""}]"\n')
    (document,) = read_json_table(tmp_path / "a.csv", text="list", entities="marks", merge={"N": {"U": "cups?"}})
    assert document.sentence_starts == (0, 11)
    assert marked(document) == [("2 cups", "N"), ("1", "N")]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ('""type"": ""U""}]"', 'columns "text" and "marks"'),
        ('""typ"', r"a\.csv:2: expected"),
        ('""type"": ""U"" ', r"a\.csv:2: expected CSV"),
    ],
)
def test_tables_of_another_form_are_named(tmp_path, rest, message):
    (tmp_path / "a.csv").write_text(TABLE + rest)
    with pytest.raises(CorpusError, match=message):
        list(read_json_table(tmp_path / "a.csv", text="text" if "columns" in message else "list", entities="marks"))
