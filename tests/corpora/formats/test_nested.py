"""Files with several columns of tags."""

import pytest

from ossamma_spacy.corpora.formats.nested import read_nested
from ossamma_spacy.corpora.lines import CorpusError

LINES = "Bank\tB-ORG\tO\t\nof\tI-ORG\tO\t\nRome\tI-ORG\tB-LOC\t\n\nfell\tO\tO\t\n"


def test_spans_of_all_layers_are_one_documents(tmp_path):
    (tmp_path / "a.tsv").write_text(LINES)
    (document,) = read_nested(tmp_path / "a.tsv", layers=[1, 2], whole=True)
    assert (document.text, document.sentence_starts) == ("Bank of Rome fell", (0, 13))
    assert document.spans == ((0, 12, "ORG"), (8, 12, "LOC"))


def test_a_layer_that_is_not_there_is_named(tmp_path):
    (tmp_path / "a.tsv").write_text(LINES)
    with pytest.raises(CorpusError, match=r"a\.tsv:1: 3 column"):
        list(read_nested(tmp_path / "a.tsv", layers=[1, 3], whole=True))
