"""Corpora for geoparsing."""

import pytest

from ossamma_spacy.corpora.formats.toponyms import read_toponyms
from ossamma_spacy.corpora.lines import CorpusError


def toponyms(folder, *places, text="From Rome to Oslo", **options):
    marked = "".join(f"\n<place>{place}</place>" for place in places)
    (folder / "a.xml").write_text(
        f"<articles><article>\n<text>{text}</text>{marked}</article></articles>", encoding="utf-8"
    )
    return list(read_toponyms(folder / "a.xml", toponym="place", name="name", **options))


def place(start, end, name, more=""):
    return f"<start>{start}</start><end>{end}</end><name>{name}</name>{more}"


def test_articles_hold_text_and_offsets(tmp_path):
    (document,) = toponyms(tmp_path, place(13, 17, "Oslo"), place(5, 9, "Rome"))
    assert document.text == "From Rome to Oslo"
    assert document.spans == ((5, 9, "TOPONYM"), (13, 17, "TOPONYM"))
    assert document.where == "a.xml:1"


def test_offsets_may_count_from_one_and_labels_have_parts(tmp_path):
    kinds = "<type>Literal</type><part>Noun</part>"
    (document,) = toponyms(
        tmp_path, place(6, 10, "Rome", kinds), place(14, 18, "Oslo", "<part/>"), first=1, kind=["type", "part"]
    )
    assert document.spans == ((5, 9, "Literal/Noun"), (13, 17, "TOPONYM"))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("the U.S. Centers", True),
        ("the University of Oslo", True),
        ("Johnson &amp; Oslo", False),
        ("in Oslo Monday", False),
        ("In Oslo, Norway", False),
        ("rainy Oslo", False),
    ],
)
def test_parts_of_longer_names_may_be_told_apart(tmp_path, text, part):
    name = "Oslo" if "Oslo" in text else "U.S."
    start = text.replace("&amp;", "&").index(name)
    (document,) = toponyms(tmp_path, place(start, start + 4, name), text=text, parts=True)
    assert document.spans == ((start, start + 4, "TOPONYM/part" if part else "TOPONYM"),)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (place(5, 9, "Oslo"), r"a\.xml:3: the text has 'Rome' at 5 to 9, not 'Oslo'"),
        (place(5, 90, "Rome"), r"a\.xml:3: offsets '5' and '90', expected numbers from 0 to 17"),
        (place(-5, 9, "Rome"), r"a\.xml:3: offsets '-5' and '9'"),
        ("<start>5</start><end>9</end>", r"a\.xml:3: <place> without <name>"),
    ],
)
def test_places_that_do_not_fit_are_named_or_leave_their_article_out(tmp_path, wrong, message):
    with pytest.raises(CorpusError, match=message):
        toponyms(tmp_path, wrong)
    skipped = []
    assert toponyms(tmp_path, wrong, lenient=True, skipped=skipped) == []
    assert skipped == ["a.xml:1"]
