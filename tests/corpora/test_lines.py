"""Lines of text files."""

from ossamma_spacy.corpora.lines import read_lines


def test_controls_are_what_windows_1252_has_in_their_places(tmp_path):
    (tmp_path / "a").write_text("the \x93registrant\x94\x92s caf\xe9\n\x81 \x85\n", encoding="utf-8", newline="")
    assert list(read_lines(tmp_path / "a")) == [(1, "the “registrant”’s café"), (2, "\x81 …")]
