"""Measurements in TEI."""

import pytest

from ossamma_spacy.corpora.formats.quantities import read_quantities
from ossamma_spacy.corpora.lines import CorpusError

N = "<num>{}</num>"
KM = '<measure type="LENGTH">km</measure>'


def quantities(folder, *blocks):
    (folder / "a.xml").write_text(
        '<tei xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><p>Title</p></teiHeader>\n<text xml:lang="en">'
        f"{''.join(blocks)}</text></tei>",
        encoding="utf-8",
    )
    (document,) = read_quantities(folder / "a.xml")
    return document


def measure(kind, content):
    return f'<measure type="{kind}">{content}</measure>'


@pytest.mark.parametrize(
    ("before", "kind", "content", "expected"),
    [
        ("about ", "value", "<num>5</num> " + KM, ["5 km"]),
        ("at ", "value", '<measure type="PH">pH</measure> <num>7</num>', ["pH 7"]),
        ("for ", "value", "<num>4</num> consecutive <measure>days</measure>", ["4 consecutive days"]),
        ("in ", "value", "<num>20</num> in <date>1981</date>", ["20", "1981"]),
        ("some ", "interval", "<num>2</num> to <num>5</num> " + KM, ["2 to 5 km"]),
        ("some ", "interval", "<num>2</num>-<num>5</num>" + KM, ["2-5km"]),
        ("from ", "interval", "<num>2</num> to <num>5</num> " + KM, ["2", "5 km"]),
        ("between ", "interval", "<num>2</num> and <num>5</num> " + KM, ["2", "5 km"]),
        ("of ", "interval", "± <num>2</num> " + KM, ["2 km"]),
        ("of ", "interval", "<num>30</num> (± <num>2</num>) " + KM, ["30 (± 2) km"]),
        ("of ", "list", "<num>5</num>, <num>6</num> and <num>7</num> " + KM, ["5", "6", "7 km"]),
        ("of ", "list", "<num>5</num> x <num>6</num> " + KM, ["5 x 6 km"]),
        ("of ", "list", measure("value", "<num>5</num> " + KM) + ", <num>6</num>", ["5 km", "6"]),
    ],
)
def test_values_have_their_units_and_ranges_are_whole(tmp_path, before, kind, content, expected):
    document = quantities(tmp_path, f"<p>{before}{measure(kind, content)}.</p>")
    assert [document.text[start:end] for start, end, _ in document.spans] == expected
    assert {label for *_, label in document.spans} == {"measure"}


def test_units_without_a_value_are_told_apart(tmp_path):
    document = quantities(tmp_path, "<p>It took " + measure("value", "<measure>years</measure>") + ".</p>")
    assert document.spans == ((8, 13, "unit"),)


def test_text_is_the_english_one_without_tables(tmp_path):
    table = "<table><cell>" + measure("value", "<num>3</num>") + "</cell></table>"
    document = quantities(
        tmp_path,
        f"<div><head>One</head><p>two<figure>{table}</figure>"
        '</p></div><div xml:lang="de"><p>drei</p></div><p xml:lang="fr">quatre</p><p>five</p>',
    )
    assert (document.text, document.spans, document.where) == ("One\ntwo\nfive", (), "a.xml:1")


def test_what_does_not_fit_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"a\.xml:1: no English <p> with text"):
        quantities(tmp_path)
    with pytest.raises(CorpusError, match=r"a\.xml:3: <measure> without a value or a unit"):
        quantities(tmp_path, "<p>\n" + measure("value", "<hi>5</hi>") + "</p>")
