"""The newswire of NIST's IE-ER evaluation: a ZIP of files with tags like `<b_enamex type="PERSON">Ada<e_enamex>`."""

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.tags import untagged

LARGEST = 10_000_000  # bytes, of all members together
OTHER_MEMBERS = ("README",)
DOCUMENT = re.compile(r"<DOC>(.*?)(</DOC>|(?=<DOC>)|\Z)", re.DOTALL)
PART = re.compile(r"<(HEADLINE|TEXT)>(.*?)</\1>", re.DOTALL)
REMARK = re.compile(r"<ANNOTATION>.*?</ANNOTATION>", re.DOTALL)
OPENING, CLOSING = r"<b_\w+[^>]*>", r"<e_\w+>"


def read_ieer(path: Path) -> Iterator[AnnotatedText]:
    """Yield the documents of all files in the archive, headline and text; spans that it calls optional are unclear.

    Raises CorpusError, naming the member and its line, for an archive that is none or unpacks to more than it should,
    a document without end or text, tags that open or close nothing, an entity without type, and what is not UTF-8.
    """
    try:
        with ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if (size := sum(info.file_size for info in members)) > LARGEST:
                raise CorpusError(f"{path}: unpacks to {size} bytes, expected at most {LARGEST}; fetch it again")
            for info in members:
                if Path(info.filename).name not in OTHER_MEMBERS:
                    yield from _documents(archive.read(info).decode("utf-8"), f"{path.name}/{info.filename}")
    except (BadZipFile, zlib.error, EOFError, IndexError, RuntimeError, OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: no archive of texts in UTF-8 ({error}); fetch it again") from error


def _documents(content: str, name: str) -> Iterator[AnnotatedText]:
    for match in DOCUMENT.finditer(content):
        where = f"{name}:{content.count(chr(10), 0, match.start()) + 1}"
        if not match[2]:
            raise CorpusError(f"{where}: <DOC> without </DOC>, the file may be truncated; fetch it again")
        parts = [_plain(part[2]) for part in PART.finditer(REMARK.sub("", match[1]))]
        if not parts:
            raise CorpusError(f"{where}: <DOC> without <TEXT>, expected one")
        text, found = untagged("\n".join(parts), OPENING, CLOSING, where)
        spans, unclear = [], []
        for tagged in found:
            if tagged.attributes.get("status") == "opt":
                unclear.append((tagged.start, tagged.end))
            else:
                spans.append((tagged.start, tagged.end, tagged.attribute("type", where)))
        yield AnnotatedText(text, tuple(spans), where=where, unclear=tuple(unclear))


def _plain(text: str) -> str:
    """Lines of a paragraph joined, and the signs of the wire as print has them."""
    paragraphs = re.split(r"\n[ \t]+|\n\s*\n", text.strip())
    text = "\n".join(re.sub(r"\s+", " ", paragraph).strip() for paragraph in paragraphs)
    text = re.sub(r"(?<=\s)_(?=\s)", "—", text)
    return text.replace("``", '"').replace("''", '"').replace("&AMP;", "&")
