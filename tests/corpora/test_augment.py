"""Augmented examples differ as intended and in nothing else."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy import registry
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from ossamma_spacy.corpora import augment
from ossamma_spacy.corpora.augment import Augmenter
from ossamma_spacy.corpora.forms import NUMERAL
from ossamma_spacy.knowledge import Candidates, read_knowledge, write_knowledge

NLP = spacy.blank("en")
TEXT = "The large house of Marie Curie was often shown. IBM bought 25 old ships in New York, quickly."
ENTITIES = [(4, 6, "PERSON"), (10, 11, "AGENCY"), (12, 13, "MEASURE"), (16, 18, "PLACE")]
LEVELS = ("entity_replacement", "mention_dropout", "synonyms", "shuffling", "lower_casing", "typos")


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    words, tags = ["Ada", "Lovelace", "Ur", "UN"], ["B-PERSON", "I-PERSON", "B-PLACE", "B-AGENCY"]
    doc = Doc(NLP.vocab, words=words, spaces=[True] * len(words), ents=tags)
    path = tmp_path_factory.mktemp("bank") / "train.spacy"
    DocBin(docs=[doc]).to_disk(path)
    return {"train": path}


def reference(text=TEXT, entities=ENTITIES):
    doc = NLP.make_doc(text)
    doc.set_ents([Span(doc, *entity) for entity in entities])
    doc[10].is_sent_start = True
    doc.cats = {"x": 1.0}
    return doc


def augmented(doc, **levels):
    (example,) = Augmenter(**levels)(NLP, Example(NLP.make_doc(doc.text), doc))
    return example


def entities(doc):
    return [(span.text, span.label_) for span in doc.ents]


def words(doc):
    return [token.text for token in doc]


def test_nothing_happens_at_level_0():
    example = augmented(reference())
    assert example.reference.text == example.predicted.text == TEXT
    assert entities(example.reference) == entities(reference())
    assert example.reference.cats == {"x": 1.0}
    assert not example.predicted.ents
    assert [token.i for token in example.reference if token.is_sent_start] == [0, 10]


def test_entities_are_replaced_by_others_of_their_label(bank):
    example = augmented(reference(), entity_replacement=1.0, bank=bank)
    expected = "The large house of Ada Lovelace was often shown. UN bought 25 old ships in Ur, quickly."
    assert example.reference.text == example.predicted.text == expected
    assert entities(example.reference) == [
        ("Ada Lovelace", "PERSON"), ("UN", "AGENCY"), ("25", "MEASURE"), ("Ur", "PLACE"),
    ]  # fmt: skip
    assert [token.text for token in example.reference if token.is_sent_start] == ["The", "UN"]


def test_replacing_says_nothing_of_sentences_that_was_not_said(bank):
    doc = Doc(NLP.vocab, words=["Bob", "left", "."], ents=["B-PERSON", "O", "O"], sent_starts=[None] * 3)
    example = augmented(doc, entity_replacement=1.0, bank=bank)
    assert words(example.reference) == ["Ada", "Lovelace", "left", "."]
    assert not example.reference.has_annotation("SENT_START")


def test_what_should_not_be_replaced_stays(bank, tmp_path):
    tags = ["B-PERSON", "I-PERSON", "B-EVENT", "B-AGENCY", "O"]
    doc = Doc(
        NLP.vocab, words=["Bob", "Smith", "Expo", "IBM", ".."], ents=tags, sent_starts=[True, True, False, None, None]
    )
    stop = Doc(NLP.vocab, words=["UN."], ents=["B-AGENCY"])
    unspaced = Doc(NLP.vocab, words=["AT", "&", "T"], ents=["B-PLACE", "I-PLACE", "I-PLACE"])
    DocBin(docs=[stop, unspaced]).to_disk(tmp_path / "more.spacy")
    # a sentence begins in the first, the bank has no event, a full stop follows the last
    bank = {**bank, "more": tmp_path / "more.spacy"}
    for seed in range(20):
        after = words(augmented(doc, entity_replacement=1.0, bank=bank, seed=seed).reference)
        assert after[:3] == ["Bob", "Smith", "Expo"]
        assert "UN." not in after
    # "AT & T" has no spaces that a text with spaces could take over
    texts = {augmented(reference(), entity_replacement=1.0, bank=bank, seed=seed).reference.text for seed in range(20)}
    assert not any("AT" in text for text in texts)


def test_dropped_mentions_keep_their_form():
    example = augmented(reference(), mention_dropout=1.0)
    assert [span.label_ for span in example.reference.ents] == [label for *_, label in ENTITIES]
    for span, before in zip(example.reference.ents, reference().ents, strict=True):
        assert [token.shape_ for token in span] == [token.shape_ for token in before]
        assert span.text != before.text
    changed = {i for start, end, _ in ENTITIES for i in range(start, end)}
    assert [w for i, w in enumerate(words(example.reference)) if i not in changed] == [
        w for i, w in enumerate(words(reference())) if i not in changed
    ]


def test_no_synonym_of_our_table_is_a_measure():
    table = json.loads(Path(augment.__file__).with_name("synonyms.json").read_text(encoding="utf-8"))
    assert not [word for words in table.values() for word in words if NUMERAL.search(f"{word} week")]


def test_synonyms_take_the_place_of_words_outside_of_entities(tmp_path):
    (tmp_path / "table.json").write_text(json.dumps({"the": ["a"], "large": ["big"], "curie": ["X"], "25": ["26"]}))
    example = augmented(reference(), synonyms=1.0, table=tmp_path / "table.json")
    assert example.reference.text == TEXT.replace("The large", "A big")
    assert entities(example.reference) == entities(reference())


def test_our_table_knows_common_words():
    example = augmented(reference(), synonyms=1.0)
    assert example.reference.text != TEXT
    assert entities(example.reference) == entities(reference())


@pytest.mark.parametrize("seed", range(5))
def test_words_are_shuffled_between_entities_and_not_far(seed):
    text = "one two three four five six Rome seven eight nine ten, eleven twelve"
    doc = NLP.make_doc(text)
    doc.set_ents([Span(doc, 6, 7, "PLACE")])
    after = words(augmented(doc, shuffling=1.0, seed=seed).reference)
    assert after[6] == "Rome"
    assert after[11] == ","
    assert after != words(doc)
    for part in (slice(0, 6), slice(7, 11), slice(12, 14)):
        assert sorted(after[part]) == sorted(words(doc)[part])
        assert all(abs(after[part].index(word) - i) <= 3 for i, word in enumerate(words(doc)[part]))


def test_letters_are_lowered_and_mistyped():
    assert augmented(reference(), lower_casing=1.0).reference.text == TEXT.lower()
    after = words(augmented(reference(), typos=1.0).reference)
    assert after != words(reference())
    for word, other in zip(words(reference()), after, strict=True):
        if len(word) < 4 or not word.isalpha():
            assert word == other
        else:
            assert abs(len(word) - len(other)) <= 1
            assert sum(((Counter(word) - Counter(other)) + (Counter(other) - Counter(word))).values()) <= 1


@given(data=st.data())
def test_entities_unknown_tokens_and_knowledge_stay_where_they_belong(data, bank):
    generator = random.Random(data.draw(st.integers(0, 10**6)))
    levels = {name: data.draw(st.sampled_from([0.0, 0.5, 1.0])) for name in LEVELS}
    doc = reference()
    knows = data.draw(st.booleans())
    if knows:
        candidates = [Candidates(1, 3, ("WORK", "O")), Candidates(13, 15, ("INSTRUMENT",), placed=False)]
        write_knowledge(doc, list(doc.ents), ["PERSON", "AGENCY", "PLACE"], candidates)
    else:
        doc.set_ents(list(doc.ents), missing=[doc[1:3], doc[13:15]])
    example = augmented(doc, **levels, bank=bank, seed=generator.randrange(100))
    after = example.reference
    assert [span.label_ for span in after.ents] == [label for *_, label in ENTITIES]
    for before, span in zip(doc.ents, after.ents, strict=True):
        replaced = [("Ada", "Lovelace"), ("Ur",), ("UN",)]
        kinds = [tuple(words(before))] if not levels["entity_replacement"] else [tuple(words(before)), *replaced]
        assert len(span) in map(len, kinds)
    missing = [token.text.lower() for token in after if token.ent_iob == 0]
    if levels["typos"] == 0:
        assert {"large", "house", "old", "ships"} <= set(missing)
    if knows:
        knowledge = read_knowledge(after)
        assert knowledge.annotated == {"PERSON", "AGENCY", "PLACE"}
        assert [c.labels for c in knowledge.candidates] == [("WORK", "O"), ("INSTRUMENT",)]
        if levels["typos"] == 0:
            texts = [after[c.start : c.end].text.lower() for c in knowledge.candidates]
            assert texts == ["large house", "old ships"]
    else:
        assert read_knowledge(after) is None
        assert len(missing) == 4
    assert example.predicted.text == after.text


def test_the_same_seed_changes_the_same(bank):
    levels = dict.fromkeys(LEVELS, 0.5)

    def texts(seed):
        augmenter = Augmenter(**levels, bank=bank, seed=seed)
        doc = reference()
        return [next(augmenter(NLP, Example(doc, doc))).reference.text for _ in range(4)]

    assert texts(1) == texts(1) != texts(2)


def test_tokens_whose_spaces_are_not_known_stay():
    doc = Doc(NLP.vocab, words=["a-b", "(c)", "Rome"], ents=["O", "O", "B-PLACE"])
    example = augmented(doc, lower_casing=1.0)
    assert words(example.predicted) == words(example.reference) == ["a-b", "(c)", "rome"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"typos": 1.5}, "typos = 1.5, expected a share from 0 to 1"),
        ({"entity_replacement": 0.3}, "entity_replacement needs a bank"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        registry.augmenters.get("ossamma.Augmenter.v1")(**settings)


def test_a_bank_that_has_nothing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.spacy: no such \.spacy file or folder"):
        augmented(reference(), entity_replacement=1.0, bank={"mine": tmp_path / "none.spacy"})
    DocBin(docs=[NLP.make_doc("Nothing is named here.")]).to_disk(tmp_path / "plain.spacy")
    with pytest.raises(ValueError, match=r"bank .*plain\.spacy has no entities"):
        augmented(reference(), entity_replacement=1.0, bank={"mine": tmp_path / "plain.spacy"})


@pytest.mark.parametrize("table", [["big"], {"big": "large"}, {"big": []}, {"big": ["very large"]}, None])
def test_a_table_that_is_none_is_refused(table, tmp_path):
    path = tmp_path / "table.json"
    if table is not None:
        path.write_text(json.dumps(table))
    with pytest.raises(ValueError, match=r"table .*table\.json, expected JSON like"):
        Augmenter(table=path)


def test_a_lower_cased_dotted_i_has_one_dot():
    doc = Doc(NLP.vocab, words=["İstanbul"], ents=["B-PLACE"])
    assert augmented(doc, lower_casing=1.0).reference.text.strip() == "istanbul"
