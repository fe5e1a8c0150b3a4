"""From a corpus's labels to the nine."""

import dataclasses

import pytest
import spacy

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.docbin import Written
from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.mapping import map_spans, mapped_doc
from ossamma_spacy.knowledge import Candidates, Knowledge, read_knowledge
from ossamma_spacy.labels import LABELS

CORPUS = dataclasses.replace(
    catalogue.load("conll2003"),
    labels={
        "PER": ("PERSON",),
        "LOC": ("PLACE", "AGENCY"),
        "Land": ("PLACE",),
        "ORG": ("AGENCY",),
        "Generic": ("O",),
        "Vague": (),
        "Phrase": ("names unknown",),
        "Happening": ("EVENT",),
    },
    drop=frozenset({"people"}),
    unsure=frozenset({"folk", "folk dancer", "@*"}),
)


def spans_of(text, *marked):
    """What each marked text is, and where."""
    spans = tuple((text.index(part), text.index(part) + len(part), label) for part, label in marked)
    return [(text[start:end], labels) for start, end, labels in map_spans(AnnotatedText(text, spans), CORPUS)]


@pytest.mark.parametrize(
    ("text", "marked", "expected"),
    [
        ("Dr. Ada Lovelace left", ("Ada Lovelace", "PER"), ("Dr. Ada Lovelace", ("PERSON",))),
        ("Rev Dr Smith left", ("Smith", "PER"), ("Rev Dr Smith", ("PERSON",))),
        ("president Lincoln left", ("Lincoln", "PER"), ("Lincoln", ("PERSON",))),
        ("King Louis left", ("Louis", "PER"), ("King Louis", ("PERSON",))),
        ("Crown Prince Ali left", ("Ali", "PER"), ("Crown Prince Ali", ("PERSON",))),
        ("Pope St. Leo left", ("Leo", "PER"), ("Pope St. Leo", ("PERSON",))),
        ("the king Louis", ("Louis", "PER"), ("Louis", ("PERSON",))),
        ("a king's Pope", ("Pope", "PER"), ("Pope", ("PERSON",))),
        ("in southern Italy", ("southern Italy", "Land"), ("Italy", ("PLACE",))),
        ("in South Tyrol", ("South Tyrol", "Land"), ("South Tyrol", ("PLACE",))),
        ("a British army base", ("British army", "ORG"), ("British army", ())),
        ("the British Army", ("British Army", "ORG"), ("British Army", ("AGENCY",))),
        ("in the EU now", ("EU", "Land"), ("EU", ("AGENCY",))),
        ("at St. Louis", ("Louis", "LOC"), ("Louis", ("PLACE", "AGENCY"))),
        ("in the Alps", ("the Alps", "LOC"), ("Alps", ("PLACE", "AGENCY"))),
        ("in The Hague", ("The Hague", "LOC"), ("The Hague", ("PLACE", "AGENCY"))),
        ('by "IBM",', ('"IBM",', "ORG"), ("IBM", ("AGENCY",))),
        ("Some haze", ("haze", "Vague"), ("haze", ())),
        ("at #IBM now", ("#IBM", "ORG"), ("IBM", ("AGENCY",))),
        ("the 2012–13 Cup", ("Cup", "Happening"), ("2012–13 Cup", ("EVENT",))),
        ("In 1939 World War II began", ("World War II", "Happening"), ("World War II", ("EVENT",))),
        ("the 21998 Cup", ("Cup", "Happening"), ("Cup", ("EVENT",))),
        ("Ada's cat", ("Ada's", "PER"), ("Ada", ("PERSON",))),
        ("Ada & Bo won", ("Ada & Bo", "PER"), ("Ada & Bo", ())),
        ("at Ada & Bo", ("Ada & Bo", "ORG"), ("Ada & Bo", ("AGENCY",))),
        ("Vice President Ada King", ("Vice President Ada King", "PER"), ("Ada King", ("PERSON",))),
        ("Gov. Ada King", ("Gov. Ada King", "PER"), ("Ada King", ("PERSON",))),
        ("Captain America won", ("Captain America", "PER"), ("Captain America", ("PERSON",))),
        ("Captain Raju won", ("Captain Raju", "PER"), ("Raju", ("PERSON",))),
        ("Captain Kirkland won", ("Captain Kirkland", "PER"), ("Kirkland", ("PERSON",))),
        ("the ‘IBM’ firm", ("‘IBM’", "ORG"), ("IBM", ("AGENCY",))),
        ("the 'Ada's Own' inn", ("'Ada's Own'", "ORG"), ("Ada's Own", ("AGENCY",))),
        ("'to Der Spiegel' he", ("Der Spiegel'", "ORG"), ("Der Spiegel", ("AGENCY",))),
        ("at Lyons’ inn", ("Lyons’", "ORG"), ("Lyons", ("AGENCY",))),
        ("saw 'Arry Lee", ("'Arry Lee", "PER"), ("'Arry Lee", ("PERSON",))),
        ("the Rock 'n' Co", ("Rock 'n'", "ORG"), ("Rock 'n'", ("AGENCY",))),
        ("the Front (PF) said", ("Front (PF", "ORG"), ("Front (PF", ("AGENCY",))),
        ("a party (of one)", ("(of one)", "ORG"), ("of one", ("AGENCY",))),
        ("the ( Labour Party", ("( Labour Party", "ORG"), ("Labour Party", ("AGENCY",))),
    ],
)
def test_spans_follow_the_guideline(text, marked, expected):
    assert spans_of(text, marked) == [expected]


@pytest.mark.parametrize(
    ("text", "marked", "expected"),
    [
        ("a 28-gun ship", "28", ["28-gun"]),
        ("a two-year-old", "two-year", ["two-year-old"]),
        ("a 1990s-style bar", "1990s", ["1990s"]),
        ("some US$20 or £2", "20", ["US$20"]),
        ("left two days later", "two days later", ["two days"]),
        ("some 12 years ago in Rome", "12 years", ["12 years ago"]),
        ("over two years ago", "over two years ago", ["two years ago"]),
        ("the two days after the vote", "the two days after the vote", ["two days"]),
        ("two days before 1 May", "two days before 1 May", ["two days before 1 May"]),
        ("late in 1914", "late in 1914", ["1914"]),
        ("the early part of May", "the early part of May", ["May"]),
        ("in May of that year", "May of that year", ["May of that year"]),
        ("ten weeks of talks", "ten weeks of talks", ["ten weeks"]),
        ("the first day of May", "the first day of May", ["first day of May"]),
        ("by Nov. 22, 1963, when", "Nov.", ["Nov. 22, 1963"]),
        ("on May 22 , 1963", "May", ["May 22 , 1963"]),
        ("on June 3 he left", "June", ["June 3"]),
        ("in May 1963", "May", ["May 1963"]),
        ("in May 22 soldiers", "May", ["May"]),
        ("in May, 44 B.C.", "May", ["May"]),
        ("at least one of them", "one of", []),
        ("in the late 1840s", "1840s", ["late 1840s"]),
        ("by mid-July 1990", "July 1990", ["mid-July 1990"]),
        ("in the early 19th century", "19th century", ["early 19th century"]),
        ("on last Tuesday", "Tuesday", ["last Tuesday"]),
        ("This April 14 is", "April 14", ["April 14"]),
        ("this 1999 film", "1999", ["1999"]),
        ("fed every two days", "two days", ["every two days"]),
        ("at 5 months of age", "5 months of age", ["5 months of age"]),
    ],
)
def test_measures_end_where_the_guideline_says(text, marked, expected):
    corpus = dataclasses.replace(CORPUS, labels={"NUM": ("MEASURE",)})
    start = text.index(marked)
    document = AnnotatedText(text, ((start, start + len(marked), "NUM"),))
    assert [text[start:end] for start, end, _ in map_spans(document, corpus)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("the White House's", "White House"), ("the CIA ’s", "CIA"), ("McDonald's", "McDonald's"), ("Rome", "Rome")],
)
def test_names_lose_an_s_where_the_corpus_marks_it_with_them(text, expected):
    corpus = dataclasses.replace(CORPUS, possessives="cut")
    ((start, end, _),) = map_spans(AnnotatedText(text, ((0, len(text), "ORG"),)), corpus)
    assert text[start:end] == expected
    ((start, end, _),) = map_spans(AnnotatedText(text, ((0, len(text), "ORG"),)), CORPUS)
    assert text[start:end] == text.removeprefix("the ")


def test_measures_that_a_dash_parts_are_one():
    corpus = dataclasses.replace(CORPUS, labels={"NUM": ("MEASURE",), "PER": ("PERSON",)})
    document = AnnotatedText("2009-2010, Ada-2010", ((0, 4, "NUM"), (5, 9, "NUM"), (11, 14, "PER"), (15, 19, "NUM")))
    assert [(start, end) for start, end, _ in map_spans(document, corpus)] == [(0, 9), (11, 14), (15, 19)]


@pytest.mark.parametrize(
    ("text", "first", "last", "parts"),
    [
        ("19 May 1767 – 5 January 1816", "19 May 1767", "5 January 1816", 1),
        ("In 1890 – 91", "1890", "91", 1),
        ("1922 - 2013", "1922", "2013", 1),
        ("add 5 ml – 10 ml", "5 ml", "10 ml", 2),
        ("1922\n–\n2013", "1922", "2013", 2),
    ],
)
def test_dates_with_a_dash_and_spaces_between_them_are_one(text, first, last, parts):
    corpus = dataclasses.replace(CORPUS, labels={"NUM": ("MEASURE",)})
    spans = tuple((text.index(part), text.index(part) + len(part), "NUM") for part in (first, last))
    assert len(map_spans(AnnotatedText(text, spans), corpus)) == parts


def test_a_year_before_what_may_be_an_event_may_belong_to_its_name():
    corpus = dataclasses.replace(CORPUS, labels={"NUM": ("MEASURE",), "MISC": ("WORK", "EVENT"), "ART": ("WORK",)})
    text = "the 1924 Olympics and 1982 Blade Runner"
    spans = ((4, 8, "NUM"), (9, 17, "MISC"), (22, 26, "NUM"), (27, 39, "ART"))
    labels = [span.labels for span in map_spans(AnnotatedText(text, spans), corpus)]
    assert labels == [(), ("WORK", "EVENT"), ("MEASURE",), ("WORK",)]


def test_a_label_without_a_mapping_is_named_with_its_place():
    document = AnnotatedText("Ada left", ((0, 3, "FOO"),), where="train.tsv:4")
    message = r"train\.tsv:4: the corpus has the label 'FOO' on 'Ada', its entry maps PER, LOC"
    with pytest.raises(CorpusError, match=message):
        map_spans(document, CORPUS)


def test_what_is_no_entity_of_ours_is_left_out():
    assert spans_of("the system of People", ("system", "Generic"), ("People", "PER")) == []
    assert spans_of("the system of the People", ("system", "Generic"), ("the People", "PER")) == []
    assert spans_of('of " " x', ('" "', "PER")) == []
    assert spans_of("by @@ – now", ("@@", "PER"), ("–", "ORG")) == []
    assert spans_of("by @@ now", ("@@", "Vague")) == [("@@", ())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("about 5 kg", ["5 kg"]),
        ("the end of 1990", ["1990"]),
        ("<\xa05 kg", ["5 kg"]),
        ("today's", ["today"]),
        ("between 5 and 10 kg", ["5", "10 kg"]),
        ("from May to 1 June", ["May", "1 June"]),
        ("9 to 13 May", ["9 to 13 May"]),
        ("the late 1980's", ["late 1980's"]),
        ("1980 's", ["1980 's"]),
        ("2013's", ["2013"]),
        ('1/4"', ['1/4"']),
        ('"1/4"', ["1/4"]),
        ("6'", ["6'"]),
        ("the '80s", ["'80s"]),
        ("%", ["%"]),
        ("near 1.5Rp", ["1.5Rp"]),
        ("of the order of 450 K", ["450 K"]),
        ("close to 10 ppm", ["10 ppm"]),
        ("as low as 25 km", ["25 km"]),
        ("not more than 0.65%", ["0.65%"]),
        ("⩽ 650 K", ["650 K"]),
        ("over a 60 day", ["60 day"]),
        ("increases from ∼550 K to 850 K", ["550 K", "850 K"]),
        ("range from 5 to 9", ["5", "9"]),
    ],
)
def test_measures_are_cut_to_what_the_guideline_marks(text, expected):
    corpus = dataclasses.replace(CORPUS, labels={"NUM": ("MEASURE",)})
    found = map_spans(AnnotatedText(text, ((0, len(text), "NUM"),)), corpus)
    assert [text[start:end] for start, end, _ in found] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Boston, Massachusetts", ["Boston", "Massachusetts"]),
        ("221B Baker Street, London", ["221B Baker Street, London"]),
        ("Washington, D.C.", ["Washington, D.C."]),
    ],
)
def test_a_place_and_where_it_lies_are_two(text, expected):
    corpus = dataclasses.replace(CORPUS, labels={"LOC": ("PLACE",)})
    found = map_spans(AnnotatedText(text, ((0, len(text), "LOC"),)), corpus)
    assert [text[start:end] for start, end, _ in found] == expected


@pytest.mark.parametrize(("text", "title"), [("the ant bully", "the ant bully"), ("the Bible", "Bible")])
def test_titles_in_lower_case_keep_their_determiner(text, title):
    corpus = dataclasses.replace(CORPUS, labels={"W": ("WORK",)})
    found = map_spans(AnnotatedText(text, ((0, len(text), "W"),)), corpus)
    assert [text[start:end] for start, end, _ in found] == [title]


@pytest.mark.parametrize("text", ["The Great Gatsby", "In Cold Blood", "From Here to Eternity", "McDonald's"])
def test_a_title_that_may_be_a_measure_or_a_person_keeps_its_words(text):
    corpus = dataclasses.replace(CORPUS, labels={"W": ("WORK", "PERSON", "MEASURE", "O")})
    found = map_spans(AnnotatedText(text, ((0, len(text), "W"),)), corpus)
    assert [text[start:end] for start, end, _ in found] == [text]


def test_an_office_is_no_person():
    assert spans_of("the President of Chile", ("President of Chile", "PER")) == []
    assert spans_of("the President left", ("President", "PER")) == []
    assert spans_of("as Major said", ("Major", "PER")) == [("Major", ())]  # a surname that reads like one


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("ORG", "LOC"), ("AGENCY",)),
        (("PER", "ORG"), ("AGENCY", "PERSON")),
        (("Generic", "ORG"), ("AGENCY",)),
        (("Vague", "PER"), ("PERSON",)),
        (("Vague", "Vague"), ()),
    ],
)
def test_several_labels_on_the_same_borders_are_united(labels, expected):
    found = spans_of("in Paris", *(("Paris", label) for label in labels))
    assert [(text, set(given)) for text, given in found] == [("Paris", set(expected))]


def test_the_own_guideline_is_left_alone():
    corpus = dataclasses.replace(CORPUS, annotated=frozenset(LABELS))
    text = "about General Motors"
    assert [text[m.start : m.end] for m in map_spans(AnnotatedText(text, ((6, 20, "PER"),)), corpus)] == [
        "General Motors"
    ]


def placed(text, mark, label="ORG", **changed):
    """The entities of a text with one mark, and what was noted as off token borders."""
    labels = {"ORG": ("AGENCY",), "NUM": ("MEASURE",)}
    corpus = dataclasses.replace(CORPUS, **{"labels": labels} | changed)
    start = text.index(mark)
    written = Written()
    document = AnnotatedText(text, ((start, start + len(mark), label),))
    doc = mapped_doc(spacy.blank("en"), document, corpus, written)
    return [span.text for span in doc.ents], written.misaligned


@pytest.mark.parametrize(
    ("text", "mark", "entity"),
    [
        ("in Rome.", "Rome.", "Rome"),
        ("to Rome Inn. He left", "Rome Inn.", "Rome Inn"),
        ("to Rome Inn. #food", "Rome Inn.", "Rome Inn"),
        ('"the Rome Inn." He left', "Rome Inn.", "Rome Inn"),
        ("in Va.", "Va", "Va."),
        ("in the U.S.", "U.S", "U.S."),
        ("by IBM Inc..", "IBM Inc.", "IBM Inc.."),
        ("Wisc. revenue", "Wisc.", "Wisc."),
        ("Morris Cos.; and", "Morris Cos.", "Morris Cos."),
        ("ADA, INC. NO NEWS", "ADA, INC.", "ADA, INC."),
    ],
)
def test_the_stop_of_a_sentence_is_out_and_that_of_an_abbreviation_in(text, mark, entity):
    assert placed(text, mark) == ([entity], [])


@pytest.mark.parametrize(
    ("text", "mark", "label"),
    [("in World War I.", "World War I", "ORG"), ("at 37 C.", "37 C", "NUM"), ("in 10 Feb.", "10 Feb", "NUM")],
)
def test_a_span_whose_stop_may_be_that_of_the_sentence_is_left_off_token_borders(text, mark, label):
    entities, noted = placed(text, mark, label)
    assert entities == []
    assert len(noted) == 1


def test_a_measure_keeps_the_sign_that_is_one_token_with_it():
    assert placed("about ∼20 ppm of it", "∼20 ppm", "NUM") == (["∼20 ppm"], [])
    assert placed("about ~ 20 ppm of it", "~ 20 ppm", "NUM") == (["20 ppm"], [])


@pytest.mark.parametrize("changed", [{"annotated": frozenset(LABELS)}, {"stops": "keep"}])
def test_stops_are_left_alone_where_they_are_meant(changed):
    assert placed("see Aesch. Ag. 193", "Aesch.", **changed) == (["Aesch."], [])
    assert placed("in Va.", "Va", **changed)[0] == []


def test_nothing_is_known_of_unsure_words_outside_the_spans():
    text = "Folk dancers, a folk dancer, the folk of Folk Records"
    assert spans_of(text, ("Folk Records", "ORG")) == [
        ("Folk", ()),
        ("folk dancer", ()),
        ("folk", ()),
        ("Folk Records", ("AGENCY",)),
    ]
    assert spans_of("@ada a@b.org @IBM", ("@IBM", "ORG")) == [("@ada", ()), ("@IBM", ("AGENCY",))]


def test_of_a_phrase_only_the_names_that_nothing_else_marks_are_unknown():
    text = "The captain of the Pequod and Ada's Ark, I think"
    assert spans_of(text, ("The captain of the Pequod and Ada's Ark, I", "Phrase"), ("Ada", "PER")) == [
        ("Pequod", ()),
        ("Ada", ("PERSON",)),
        ("Ark", ()),
    ]


def test_of_spans_that_overlap_the_longest_stays():
    text = "University of Chicago Press"
    assert spans_of(text, ("Chicago", "LOC"), ("University of Chicago", "ORG"), (text, "ORG")) == [(text, ("AGENCY",))]


def test_a_label_without_a_mapping_is_named():
    with pytest.raises(CorpusError, match="conll2003: the corpus has the label 'MISC'"):
        spans_of("a", ("a", "MISC"))


def test_a_document_knows_what_its_corpus_annotates():
    text = "Ada saw Rome, U.S.-based IBM and some haze."
    marked = {"Ada": "PER", "Rome": "LOC", "U.S": "LOC", "haze": "Vague"}
    spans = tuple((text.index(part), text.index(part) + len(part), label) for part, label in marked.items())
    written = Written()
    doc = mapped_doc(spacy.blank("en"), AnnotatedText(text, spans, (0, 14), "a.txt:3"), CORPUS, written)
    assert [(span.text, span.label_) for span in doc.ents] == [("Ada", "PERSON")]
    assert [token.ent_iob_ for token in doc] == ["B"] + [""] * (len(doc) - 1)
    knowledge = read_knowledge(doc)
    assert isinstance(knowledge, Knowledge)
    assert knowledge.annotated == {"PERSON", "PLACE", "AGENCY"}
    rome, us, haze = knowledge.candidates
    assert rome == Candidates(2, 3, ("PLACE", "AGENCY"))
    assert (doc[us.start : us.end].text, us.labels, us.placed) == ("U.S.-based", ("PLACE", "AGENCY"), False)
    assert (doc[haze.start : haze.end].text, haze.labels, haze.placed) == ("haze", (), False)
    assert written.misaligned == ["a.txt:3: 'U.S' (PLACE)"]
    assert [token.text for token in doc if token.is_sent_start] == ["Ada", "U.S.-based"]
