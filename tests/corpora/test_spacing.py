"""Spaces between the tokens of corpora that did not keep them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossamma_spacy.corpora.spacing import spaces_after, unescape


def text(tokens, joined=""):
    return "".join(
        unescape(token) + " " * space for token, space in zip(tokens, spaces_after(tokens, joined), strict=True)
    )


@pytest.mark.parametrize(
    "expected",
    [
        'He said: "It isn\'t ours, is it?" ',
        "The companies' shares (at $5 each) fell 3%. ",
        "[1] “Don’t,” she said; they'll see… ",
        "It cost US$5 million in '98 . ".replace(" .", "."),
        "I cannot go, he wanna. ",
        "We (the 'old guard') agreed. ",
        "A Rome-based mid- and off-stage act for HK$5 :) ",
        "It’s ``here`` he’ll go. ",
    ],
)
def test_text_reads_naturally(expected):
    tokens = {
        '"It': ['"', "It"],
        "isn't": ["is", "n't"],
        'it?"': ["it", "?", '"'],
        "said:": ["said", ":"],
        "ours,": ["ours", ","],
        "companies'": ["companies", "'"],
        "(at": ["(", "at"],
        "$5": ["$", "5"],
        "each)": ["each", ")"],
        "3%.": ["3", "%", "."],
        "[1]": ["[", "1", "]"],
        "“Don’t,”": ["“", "Do", "n’t", ",", "”"],
        "said;": ["said", ";"],
        "they'll": ["they", "'ll"],
        "see…": ["see", "…"],
        "US$5": ["US$", "5"],
        "'98.": ["'98", "."],
        "cannot": ["can", "not"],
        "go,": ["go", ","],
        "wanna.": ["wan", "na", "."],
        "(the": ["(", "the"],
        "'old": ["'", "old"],
        "guard')": ["guard", "'", ")"],
        "agreed.": ["agreed", "."],
        "Rome-based": ["Rome", "-based"],
        "off-stage": ["off-", "stage"],
        "HK$5": ["HK", "$", "5"],
        "It’s": ["It", "’", "s"],
        "he’ll": ["he", "’", "ll"],
        "``here``": ["``", "here", "``"],
        "go.": ["go", "."],
    }
    words = [part for word in expected.split() for part in tokens.get(word, [word])]
    assert text(words) == expected.replace("``", '"')


def test_the_escapes_of_the_penn_treebank_are_read():
    assert text(["``", "Yes", "''", "-LRB-", "1\\/2", "-RRB-"]) == '"Yes" (1/2) '


def test_closing_quotes_may_have_been_written_for_opening_ones():
    assert text(["the", "''", "best", "practice", "''", "rule"]) == 'the "best practice" rule '
    assert text(["''", "No", "''", ",", "he", "said"]) == '"No", he said '
    assert text(["best", "practice", "''", ",", "he"]) == 'best practice", he '
    assert text(["best", ".", "''", "He"]) == 'best." He '
    assert text(["a", "5/16", "''", "wrench"]) == 'a 5/16" wrench '


def test_hyphens_cling_where_a_corpus_cuts_at_them():
    assert text(["IL", "-", "2", "/", "IL", "-", "4"]) == "IL - 2 / IL - 4 "
    assert text(["IL", "-", "2", "/", "IL", "-", "4"], joined="-/") == "IL-2/IL-4 "


def test_elisions_cling_to_their_names():
    assert text(["O'", "Neill", "saw", "D", "'Arcy", ";", "O'Neal", "left"]) == "O'Neill saw D'Arcy; O'Neal left "


def test_a_dash_is_told_from_a_hyphen():
    tokens = ["Rome", "(", "IPS", ")", "-", "In", "a", "two", "-", "day", "vote", ",", "May", "-", "talks", "-", "The"]
    assert text(tokens, joined="-") == "Rome (IPS) - In a two-day vote, May - talks - The "


@pytest.mark.parametrize(
    "expected",
    [
        "Alzheimer's 5'-end, the 3' end.",
        "1.5 to 2,500 of 10, 11 and 120.",
        "In Ptdsr -/- mice, all is +/+ or 5.",
        "0.5 +/- 0.1 mg i.v. in 10:30 h of E. coli.",
        "Ca(2+) and H(2) (a) at 10(6) cells cm(-2) (2).",
        "CD4+ cells, G+C, a/b and pre- or post-test IL-2.",
        "(VEGF)-A and N(1)-acetyl, (WHO) - Officials, (AP) - The",
        "60 mg/m(2), 27.7/mm(2) (2) kg",
        "from -886 to +121, to -108, of -5",
        "65.6 + 8.5 years, CD4+ cells",
    ],
)
def test_marks_cling_where_a_corpus_cuts_at_each(expected):
    tokens = re.findall(r"\w+|[^\w\s]", expected)
    assert text(tokens, joined="-/.,:'+(").rstrip() == expected


def test_what_clings_without_being_cut_off():
    assert text(["the", "gene", "(", "s", ")", "in", "(", "s", ")"]) == "the gene(s) in (s) "
    assert text(["Stayin", "'", "Alive"]) == "Stayin' Alive "
    assert text(["a", "`", "big", "'", "man"]).startswith("a `big")
    assert text(["we", "`ll", "see", "it", "`", "s"]) == "we`ll see it`s "
    assert text(["(", "the", '"', "Bank", '"),', "a", '"', "B", '"']) == '(the "Bank"), a "B" '


def test_what_a_corpus_cuts_is_whole():
    assert text(["6", "/", "10", ",", "and", "/", "or"]) == "6/10, and / or "
    assert text(["Visual", "C", "+", "+", ":", "C", "+", "+", "+", "C", "=", "+", "+"]) == "Visual C++: C++ + C = + + "


@pytest.mark.parametrize(
    "expected",
    ["RT @Harry_Styles: u/uncle_retardo", "NC_004668", "d1eca_ (x)", "> _freed_ <", '_ "No" _'],
)
def test_underscores_cling_to_words(expected):
    tokens = re.findall(r"@\w[^\W_]*|[^\W_]+|[^\w\s]|_", expected)
    assert text(tokens, joined="_/").rstrip() == expected


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ("( http : / / genome . ucsc . edu ) ;", "(http://genome.ucsc.edu);"),
        ("at www . forbes . com / taiwan . The", "at www.forbes.com/taiwan. The"),
        ("see http : //1.2.3.4/index/ 2015-02-04 to", "see http://1.2.3.4/index/ 2015-02-04 to"),
        ("the HTTP protocol", "the HTTP protocol"),
    ],
)
def test_broken_addresses_are_joined(tokens, expected):
    assert text(tokens.split()).rstrip() == expected


def test_underscores_open_and_close_what_is_stressed_elsewhere():
    assert text(["how", "_", "can", "_", "you", ",", "the", "_", "Savoy", "_", "?"]) == "how _can_ you, the _Savoy_? "
    assert text(["May", "_", "not"]) == "May _ not "


@given(st.lists(st.text("ab'\"-(),.$", min_size=1, max_size=3), max_size=12), st.sampled_from(["", "-", "-.,'("]))
def test_there_is_a_decision_for_each_token(tokens, joined):
    assert len(spaces_after(tokens, joined)) == len(tokens)
