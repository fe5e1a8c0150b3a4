"""Lines of text files, plain or compressed, and the error of all readers."""

import lzma
from collections.abc import Iterator
from pathlib import Path

# controls that nobody means, and what Windows-1252 has in their places; five of them mean nothing there either
WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}


class CorpusError(ValueError):
    """A file that cannot be read as what it should be; names file and line."""


def mended(text: str) -> str:
    """The text without UTF-8 that was read as Windows-1252, once or again and again (`KÃ¶ln`)."""
    while not text.isascii():
        try:
            text = b"".join(map(_windows_byte, text)).decode("utf-8")
        except UnicodeError:
            break
    return text


def _windows_byte(character: str) -> bytes:
    if "\x80" <= character < "\xa0":  # five bytes mean nothing in Windows-1252 and stay as they are
        return bytes([ord(character)])
    return character.encode("cp1252")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line of a UTF-8 file, also .xz, without its end or a byte order mark.

    Control characters that were printable in Windows-1252 are what they were there. Raises CorpusError, naming file and
    line, for what is not UTF-8 or not a whole .xz file.
    """
    number = 0
    try:
        with lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                yield number, line if line.isascii() else line.translate(WINDOWS)
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}:{number}: not UTF-8 (byte {error.start + 1} of the line); save the file as UTF-8"
        ) from error
    except (lzma.LZMAError, EOFError) as error:
        raise CorpusError(f"{path}:{number + 1}: not a whole .xz file ({error}); fetch it again") from error
