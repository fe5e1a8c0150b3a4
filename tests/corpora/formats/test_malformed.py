"""Files that are not as they should be: every reader reads them or names file and line, and does nothing else."""

import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossamma_spacy.corpora.formats import READERS
from ossamma_spacy.corpora.formats.measeval import HEADER
from ossamma_spacy.corpora.lines import CorpusError


@dataclass
class Case:
    """A small corpus that a reader can read: its files, the one that the reader is given, options.

    strict: line ends and a byte order mark do not matter to what is read. lines: an error names a line, or the number
    of a record, in any case.
    """

    files: dict[str, str | bytes]
    read: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    strict: bool = True
    lines: bool = True


def story(name, text):
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


TOKENS = ["Ada", "left", "Rome", "."]
GUM = "\n".join(
    f"{i}\t{word}\t{word}\t_\t{pos}\t_\t{head}\t_\t_\t{misc}"
    for i, (word, pos, head, misc) in enumerate(
        [("Ada", "NNP", 2, "Entity=(1-person-new-s-c-1-sgl)"), ("left", "VBD", 0, "_"), ("Rome", "NNP", 2, "_")],
        start=1,
    )
)
CASES = {
    "brat": Case({"doc.txt": "Ada left Rome.", "doc.ann": "T1\tPlace 9 13\tRome\nT2\tX 0 3\tAda\n"}),
    "columns": Case({"doc.tsv": "Ada\tB-X\nleft\tO\nRome\tI-Y\n.\tO\n\nYes\tO\n"}),
    "docred": Case(
        {
            "doc.json": json.dumps(
                [{"sents": [TOKENS], "vertexSet": [[{"sent_id": 0, "pos": [0, 1], "type": "PER", "name": "Ada"}]]}]
            )
        }
    ),
    "gum": Case({"doc.conllu": f"# newdoc id = a\n# text = Ada left Rome\n{GUM}\n"}),
    "hipe": Case(
        {"doc.tsv": "TOKEN\tNE-COARSE-LIT\tMISC\n# x:document_id = a\nAda\tB-pers\t_\nleft\tO\tNoSpaceAfter\n"}
    ),
    "ieer": Case(
        {"doc.zip": story("x/1", '<DOC>\n<TEXT>\nIn <b_enamex type="LOCATION">Rome<e_enamex>.\n</TEXT>\n</DOC>\n')},
        strict=False,
        lines=False,
    ),
    "inline": Case(
        {"doc.xml": '<D>\n<TEXT>\nIn <T kind="X">Rome</T> it rained.\n</TEXT>\n</D>'},
        options={"document": "TEXT", "entities": {"T": "kind"}},
    ),
    "json_table": Case(
        {"doc.csv": 'text,names\nAda left.,"[{""start"": 0, ""end"": 3, ""type"": ""X""}]"\n'},
        options={"text": "text", "entities": "names"},
    ),
    "jsonl": Case(
        {"doc.jsonl": '{"text": "Ada left Rome.", "entities": [[0, 3, "X"]]}\n{"text": "é", "entities": []}\n'}
    ),
    "markup": Case({"doc.txt": "# é\n[Ada](PERSON) left [Rome](PLACE).\nYes.\n\nNo.\n"}),
    "measeval": Case(
        {"text/doc.txt": "It weighs 5 kg.", "tsv/doc.tsv": f"{HEADER}\na\t1\tQuantity\t10\t14\tT1\t5 kg\t{{}}\n"}
    ),
    "mulms": Case({"doc.conllu": "# text = At 5 mm\n1\tAt\tO\n2\t5\t2:NUM\n3\tmm\t3:UNIT|2:VALUE\n"}),
    "nested": Case({"doc.tsv": "Bank\tB-ORG\tO\nof\tI-ORG\tO\nRome\tI-ORG\tB-LOC\n"}, options={"layers": [1, 2]}),
    "ontonotes": Case(
        {
            "doc.v4_gold_conll": "#begin document (nw/x); part 000\nx 0 0 Ada NNP * - - - - (PERSON) -\n"
            "x 0 1 left VBD * - - - - * -\n\n#end document\n"
        }
    ),
    "quantities": Case(
        {
            "doc.xml": '<tei xmlns="http://www.tei-c.org/ns/1.0"><text>\n<p>It weighs <measure type="value">'
            '<num>5</num> <measure type="MASS">kg</measure></measure>.</p></text></tei>'
        }
    ),
    "recognizers": Case(
        {"doc.json": json.dumps([{"Input": "12 yrs", "Results": [{"Start": 0, "End": 5, "TypeName": "age"}]}])}
    ),
    "scierc": Case({"doc.json": json.dumps({"sentences": [TOKENS], "ner": [[[0, 0, "X"], [2, 2, "Y"]]]})}),
    "slurp": Case(
        {
            "doc.json": json.dumps(
                {
                    "sentence": "Ada left Rome.",
                    "tokens": [{"surface": token} for token in TOKENS],
                    "entities": [{"span": [0], "type": "X"}],
                }
            )
        }
    ),
    "snips": Case(
        {"doc.json": json.dumps({"Play": [{"data": [{"text": "play "}, {"text": "Ada", "entity": "x"}]}]})},
        lines=False,
    ),
    "sofc": Case(
        {
            "texts/doc.txt": "We made Pt cells.",
            "annotations/sentences/doc.csv": "1\t1\t0\t17\n",
            "annotations/kinds/doc.csv": "1\t1\t0\t2\tO\tO\n1\t3\t8\t10\tB-MATERIAL\tO\n",
        },
        read="annotations/kinds/doc.csv",
    ),
    "spert": Case({"doc.json": json.dumps([{"tokens": TOKENS, "entities": [{"type": "X", "start": 0, "end": 1}]}])}),
    "tagged_json": Case({"doc.json": json.dumps({"tokens": TOKENS, "tags": ["B-X", "O", "I-Y", "O"]})}),
    "toponyms": Case(
        {
            "doc.xml": "<as>\n<article>\n<text>From Rome</text>"
            "<place><start>5</start><end>9</end><name>Rome</name></place></article></as>"
        },
        options={"toponym": "place", "name": "name"},
    ),
}
WORDS = {"Ada": "0\t2", "left": "3\t7", "Rome": "8\t10"}
# the first file of a case, or the one that is read, with these tags on three tokens
TAGGED = {
    "columns": lambda tags: rows("{}\t{}", WORDS, tags),
    "hipe": lambda tags: "TOKEN\tNE-COARSE-LIT\tMISC\n" + rows("{}\t{}\t_", WORDS, tags),
    "nested": lambda tags: rows("{}\t{}\tO", WORDS, tags),
    "sofc": lambda tags: rows("1\t1\t{}\t{}\tO", WORDS.values(), tags),
    "tagged_json": lambda tags: json.dumps({"tokens": list(WORDS), "tags": tags}),
}
EACH_FILE = [(name, file) for name, case in CASES.items() for file in case.files]


def read(folder: Path, name: str, **changed: bytes):
    """The documents of a case, some of whose files have other contents."""
    case = CASES[name]
    for file, content in case.files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(changed.get(file, as_bytes(content)))
    return list(READERS[name](folder / (case.read or next(iter(case.files))), **case.options))


def rows(form, *columns):
    return "".join(form.format(*row) + "\n" for row in zip(*columns, strict=True))


def as_bytes(content):
    return content if isinstance(content, bytes) else content.encode()


def read_or_refused(folder, name, file, content):
    """What is read; None where it is refused with an error that names file and line, of a file beside it perhaps."""
    refusal = ""
    try:
        return read(folder, name, **{file: content})
    except CorpusError as error:
        refusal = str(error)
    files = "|".join(re.escape(Path(other).name) for other in CASES[name].files)
    assert re.search(rf"(?:{files}){r':[1-9]' if CASES[name].lines else ''}", refusal), refusal
    return None


def test_every_reader_has_a_case(tmp_path):
    assert CASES.keys() == READERS.keys()
    for name in CASES:
        documents = read(tmp_path / name, name)
        assert documents
        assert documents[0].spans


@pytest.mark.parametrize(("name", "file"), EACH_FILE)
@pytest.mark.parametrize("change", ["crlf", "mark"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path, name, file, change):
    content = as_bytes(CASES[name].files[file])
    changed = content.replace(b"\n", b"\r\n") if change == "crlf" else b"\xef\xbb\xbf" + content
    found = read_or_refused(tmp_path, name, file, changed)
    if CASES[name].strict:
        given = read(tmp_path, name)
        assert [(d.text, d.spans) for d in found] == [(d.text, d.spans) for d in given]


@pytest.mark.parametrize(("name", "file"), [pair for pair in EACH_FILE if pair[0] != "ieer"])
def test_what_is_not_utf8_names_its_file(tmp_path, name, file):
    content = as_bytes(CASES[name].files[file])
    half = len(content) // 2
    with pytest.raises(CorpusError, match=rf"{Path(file).stem}\.\w+"):
        read(tmp_path, name, **{file: content[:half] + b"\xe9" + content[half:]})


@pytest.mark.parametrize(("name", "file"), EACH_FILE)
def test_a_truncated_file_is_read_or_named(tmp_path, name, file):
    content = as_bytes(CASES[name].files[file])
    for end in range(len(content)):
        read_or_refused(tmp_path, name, file, content[:end])


@pytest.mark.parametrize(("name", "file"), EACH_FILE)
def test_a_line_of_a_million_characters_is_read_or_named(tmp_path, name, file):
    content = as_bytes(CASES[name].files[file])
    for word in (b"Rome", b"Ada", b"kg"):
        read_or_refused(tmp_path, name, file, content.replace(word, word * (10**6 // len(word)), 1))


@pytest.mark.parametrize(("name", "file"), EACH_FILE)
def test_what_is_nested_too_deep_is_named(tmp_path, name, file):
    content = as_bytes(CASES[name].files[file])
    deep = 100_000
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b"<x>", b"</x>")):
        read_or_refused(tmp_path, name, file, opening * deep + content + closing * deep)
    read_or_refused(tmp_path, name, file, content.replace(b"Rome", b"<x>" * deep + b"Rome" + b"</x>" * deep))
    read_or_refused(tmp_path, name, file, content.replace(b'"Ada"', b"[" * deep + b'"Ada"' + b"]" * deep))


@pytest.mark.parametrize(("name", "file"), EACH_FILE)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 400), st.integers(0, 40), st.sampled_from(["", "x", "\t", "\n", "9", "-1", "O", "{", "]", '"', "<"])
)
def test_a_damaged_file_is_read_or_named(tmp_path, name, file, start, length, instead):
    content = as_bytes(CASES[name].files[file])
    start %= len(content)
    read_or_refused(tmp_path, name, file, content[:start] + instead.encode() + content[start + length :])


def read_tagged(folder, name, *tags):
    case = CASES[name]
    return read(folder, name, **{case.read or next(iter(case.files)): as_bytes(TAGGED[name](list(tags)))})


@pytest.mark.parametrize("name", TAGGED)
def test_inner_tags_of_labels_by_turns_are_an_entity_each(tmp_path, name):
    (document,) = read_tagged(tmp_path, name, "I-X", "I-Y", "I-X")
    assert [label for _, _, label in document.spans] == ["X", "Y", "X"]
    (document,) = read_tagged(tmp_path, name, "I-X", "O", "I-X")
    assert [label for _, _, label in document.spans] == ["X", "X"]


@pytest.mark.parametrize("name", TAGGED)
@pytest.mark.parametrize("tag", ["Q-X", "X", "B-", "OO"])
def test_an_unknown_tag_is_named(tmp_path, name, tag):
    with pytest.raises(CorpusError, match=rf"doc\.\w+:\d+: tag {tag!r}, expected O"):
        read_tagged(tmp_path, name, "O", tag, "O")
