"""The newswire of IE-ER."""

from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from ossamma_spacy.corpora.formats import ieer
from ossamma_spacy.corpora.formats.ieer import read_ieer
from ossamma_spacy.corpora.lines import CorpusError


def archive(folder, *texts):
    path = folder / "a.zip"
    with ZipFile(path, "w") as file:
        file.writestr("x/", "")
        file.writestr("x/README", "<DOC>")
        for number, text in enumerate(texts):
            file.writestr(f"x/{number}", text.encode() if isinstance(text, str) else text)
    return list(read_ieer(path))


def story(text):
    return f"<IEER_DOC>\n<DOC>\n<DOCNO> 1 </DOCNO>\n<TEXT>\n{text}\n</TEXT>\n</DOC>\n"


def test_documents_are_headline_and_text(tmp_path):
    text = (
        '\t   <b_enamex type="LOCATION">ROME<e_enamex> (<b_enamex type="ORGANIZATION">AT&AMP;T<e_enamex>) _ ``It\n'
        'rained,\'\' said\n<b_enamex type="PERSON" alt="Ada">Ada\nLovelace<e_enamex>.\n'
        "\t   That was all.\n<ANNOTATION>\nSTORY ENDS\n</ANNOTATION>"
    )
    document, other = archive(
        tmp_path, story(text).replace("<TEXT>", "<HEADLINE>\nRain\n</HEADLINE>\n<TEXT>"), story("x")
    )
    assert document.text == 'Rain\nROME (AT&T) — "It rained," said Ada Lovelace.\nThat was all.'
    assert [(document.text[start:end], label) for start, end, label in document.spans] == [
        ("ROME", "LOCATION"),
        ("AT&T", "ORGANIZATION"),
        ("Ada Lovelace", "PERSON"),
    ]
    assert (document.where, other.where) == ("a.zip/x/0:2", "a.zip/x/1:2")


def test_optional_spans_are_unclear(tmp_path):
    (document,) = archive(tmp_path, story('At <b_enamex type="PERSON" status="opt">Romeo<e_enamex>.'))
    assert (document.spans, document.unclear) == ((), ((3, 8),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<DOC>\n<TEXT>\nx\n</TEXT>\n", "a.zip/x/0:1: <DOC> without </DOC>"),
        ("\n<DOC>\n</DOC>\n", "a.zip/x/0:2: <DOC> without <TEXT>"),
        (story("Ada<e_enamex>"), "a.zip/x/0:2: <e_enamex> closes nothing"),
        (story("<b_enamex>Ada<e_enamex>"), 'a.zip/x/0:2: a tag with no attributes, expected type="…"'),
        (b"caf\xe9", r"a\.zip: no archive of texts in UTF-8"),
    ],
)
def test_documents_that_do_not_fit_are_named(tmp_path, text, message):
    with pytest.raises(CorpusError, match=message):
        archive(tmp_path, text)


def test_archives_that_are_none_or_too_large_are_named(tmp_path, monkeypatch):
    (tmp_path / "b.zip").write_bytes(b"PK")
    with pytest.raises(CorpusError, match=r"b\.zip: no archive of texts"):
        list(read_ieer(tmp_path / "b.zip"))
    with ZipFile(tmp_path / "c.zip", "w", ZIP_DEFLATED) as file:
        file.writestr("x/0", "Ada " * 100)
    content = (tmp_path / "c.zip").read_bytes()
    (tmp_path / "c.zip").write_bytes(content[:33] + b"\xff\xff\xff" + content[36:])
    with pytest.raises(CorpusError, match=r"c\.zip: no archive of texts .* invalid"):
        list(read_ieer(tmp_path / "c.zip"))
    monkeypatch.setattr(ieer, "LARGEST", 10)
    with pytest.raises(CorpusError, match=r"a\.zip: unpacks to \d+ bytes, expected at most 10"):
        archive(tmp_path, story("Ada"))
