"""Noun phrases of CoNLL-U of which names and kinds are taken."""

import pytest

from ossamma_spacy.corpora.formats.gum import read_gum
from ossamma_spacy.corpora.lines import CorpusError


def sentence(text, *words, before=""):
    """Lines of words written "form pos head misc"; the misc without Entity= may be left out."""
    lines = [before, f"# text = {text}"] if before else [f"# text = {text}"]
    for number, word in enumerate(words, start=1):
        form, pos, head, *misc = word.split(" ")
        if "-" in pos:  # the range of a contraction
            lines.append("\t".join([pos, form, *["_"] * 8]))
            continue
        number -= sum("-" in w.split(" ")[1] for w in words[:number])
        lines.append("\t".join([str(number), form, form, "_", pos, "_", head, "_", "_", "|".join(misc) or "_"]))
    return "\n".join(lines) + "\n"


def gum(folder, *sentences):
    (folder / "a.conllu").write_text("\n".join(sentences), encoding="utf-8")
    (document,) = read_gum(folder / "a.conllu")
    return document


def marked(document):
    return [(document.text[start:end], label) for start, end, label in document.spans]


def test_names_are_cut_out_of_their_phrases(tmp_path):
    document = gum(
        tmp_path,
        sentence(
            "The poet Ada Byron of London, who wrote",
            "The DT 2 Entity=(1-person-new-s-c-2-sgl",
            "poet NN 4",
            "Ada NNP 4",
            "Byron NNP 0",
            "of IN 6",
            "London NNP 4 SpaceAfter=No Entity=(2-place-new-s-c-1-sgl-London)",
            ", , 8",
            "who WP 9",
            "wrote VBD 4 Entity=1)",
        ),
    )
    assert marked(document) == [("Ada Byron of London", "person"), ("London", "place")]


def test_titles_of_articles_set_the_borders(tmp_path):
    document = gum(
        tmp_path,
        sentence(
            "their trip to the Sea of Trees and the war",
            "their PRP$ 2 Entity=(1-abstract-new-s-c-1-sgl-Sea_of_Trees_%28film%29",
            "trip NN 5",
            "to IN 5",
            "the DT 5",
            "Sea NNP 0",
            "of IN 7",
            "Trees NNPS 5 Entity=1)",
            "and CC 10",
            "the DT 10 Entity=(2-event-new-s-c-2-sgl-Some_War",
            "war NN 5 Entity=2)",
        ),
    )
    assert marked(document) == [("Sea of Trees", "abstract")]


def test_kinds_times_and_plurals_have_labels_of_their_own(tmp_path):
    document = gum(
        tmp_path,
        sentence(
            "Romans saw a big house cat on Monday",
            "Romans NNPS 2 Entity=(1-person-new-s-c-1-sgl)",
            "saw VBD 0",
            "a DT 6 Entity=(2-animal-new-s-c-4-sgl",
            "big JJ 6",
            "house NN 6",
            "cat NN 2 Entity=2)",
            "on IN 8",
            "Monday NNP 2 Entity=(3-time-new-s-c-1-sgl)",
        ),
        sentence("He sat by Ilm", "He PRP 2 Entity=(4-person-giv-s-c-1-sgl)", "sat VBD 0", "by IN 4", "Ilm NNP 2"),
    )
    assert marked(document) == [("Romans", "person/plural"), ("house cat", "animal/modified"), ("Monday", "time")]
    assert [document.text[start:end] for start, end in document.unclear] == ["Ilm"]


def test_contractions_are_one_and_paragraphs_are_lines(tmp_path):
    document = gum(
        tmp_path,
        sentence("Rome's", "Rome's 1-2 _", "Rome NNP 0 Entity=(1-place-new-s-c-1-sgl)", "'s POS 1"),
        sentence("Yes", "Yes UH 0", before="# newpar"),
    )
    assert document.text == "Rome's\nYes"
    assert document.sentence_starts == (0, 7)
    assert marked(document) == [("Rome", "place")]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("1\tRome\n", r"a\.conllu:1: '1.tRome', expected the ten columns"),
        (sentence("Rome", "Rome NNP 0 Entity=(1-place-new"), r"a\.conllu:2: mention 1 stays open"),
        (sentence("Rome", "Rome NNP 0 Entity=1)"), r"a\.conllu:2: bracket of mention 1 that none opens"),
        (sentence("Rome", "Roma NNP 0"), r"a\.conllu:2: the words make 'Roma' in the sentence 'Rome'"),
    ],
)
def test_other_lines_are_named(tmp_path, lines, message):
    with pytest.raises(CorpusError, match=message.replace(".t", r"\\t")):
        gum(tmp_path, lines)
