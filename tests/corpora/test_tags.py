"""Text with tags in it that need not be XML."""

import pytest

from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.tags import Tagged, untagged


def test_pairs_of_tags_may_be_nested():
    text, found = untagged('In <n t="1"><n t="2" u="x">New</n> York</n> & <n>us</n>.', "<n[^>]*>", "</n>", "a:1")
    assert text == "In New York & us."
    assert found == [Tagged(3, 11, {"t": "1"}), Tagged(3, 6, {"t": "2", "u": "x"}), Tagged(14, 16, {})]
    assert found[0].attribute("t", "a:1") == "1"


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("Ada</n> left", "a:1: </n> closes nothing, after 'Ada'"),
        ("<n>Ada <n>left</n>", "a:1: <n> is not closed, before ''"),
    ],
)
def test_tags_that_open_or_close_nothing_are_named(marked, message):
    with pytest.raises(CorpusError, match=message):
        untagged(marked, "<n>", "</n>", "a:1")


def test_attributes_that_are_not_there_are_named():
    with pytest.raises(CorpusError, match='a:1: a tag with no attributes, expected t="…" in it'):
        Tagged(0, 1, {}).attribute("t", "a:1")
