"""What a partly annotated document knows, and where the knowledge goes."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.training import Example
from spacy.training.augment import (
    create_combined_augmenter,
    create_lower_casing_augmenter,
    create_orth_variants_augmenter,
)
from spacy.training.corpus import Corpus

from ossamma_spacy.knowledge import KEY, Candidates, Knowledge, read_knowledge, write_knowledge
from ossamma_spacy.labels import LABELS
from ossamma_spacy.pipeline.gold import gold_lattice, label_index
from ossamma_spacy.pipeline.scorer import ner_score

NLP = spacy.blank("en")
CANDIDATES = (Candidates(4, 5, ("PLACE", "AGENCY")), Candidates(6, 7, ("WORK", "O")), Candidates(7, 8, ("X",), False))


def partly(candidates=CANDIDATES):
    words = ["Ada", "Lovelace", "went", "to", "Rome", "with", "the", "Bible", ".", "Indeed", "."]
    doc = Doc(NLP.vocab, words=words, sent_starts=[i in (0, 9) for i in range(len(words))])
    write_knowledge(doc, [Span(doc, 0, 2, "PERSON")], {"PERSON", "PLACE", "AGENCY"}, candidates)
    return doc


def test_spacy_sees_known_entities_and_missing_tags():
    assert [token.ent_iob_ for token in partly()] == ["B", "I"] + [""] * 9
    assert read_knowledge(partly()) == Knowledge(frozenset({"PERSON", "PLACE", "AGENCY"}), CANDIDATES)


def test_a_document_annotated_in_full_is_written_as_any():
    doc = Doc(NLP.vocab, words=["Ada", "went"])
    write_knowledge(doc, [Span(doc, 0, 1, "PERSON")], LABELS)
    assert [token.ent_iob_ for token in doc] == ["B", "O"]
    assert read_knowledge(doc) is None
    write_knowledge(doc, [], LABELS, [Candidates(0, 1, ("PERSON", "O"))])
    assert [token.ent_iob_ for token in doc] == ["", "O"]
    lattice = gold_lattice(Example(doc.copy(), doc), label_index(["PERSON", "PLACE"]))
    assert lattice.tolist() == [[True, True, False, False, False], [True, False, False, False, False]]


def test_what_was_known_before_is_forgotten():
    doc = partly()
    write_knowledge(doc, [], None)
    assert read_knowledge(doc) is None
    assert {token.ent_iob_ for token in doc} == {"O"}


def test_another_group_of_that_name_is_refused():
    doc = Doc(NLP.vocab, words=["a"])
    doc.spans[KEY] = SpanGroup(doc, attrs={"scores": [1.0]}, spans=[doc[0:1]])
    with pytest.raises(ValueError, match="is reserved for what a partly annotated document knows"):
        read_knowledge(doc)


def through_docbin(doc, path):
    DocBin(docs=[doc]).to_disk(path / "a.spacy")
    return next(DocBin().from_disk(path / "a.spacy").get_docs(NLP.vocab))


def through_corpus(doc, path, **settings):
    DocBin(docs=[doc]).to_disk(path / "a.spacy")
    return next(iter(Corpus(path / "a.spacy", **settings)(NLP))).reference


KEEPS = {
    "DocBin": through_docbin,
    "to_bytes": lambda doc, path: Doc(NLP.vocab).from_bytes(doc.to_bytes()),
    "to_dict": lambda doc, path: Doc(NLP.vocab).from_dict(doc.to_dict()),
    "copy": lambda doc, path: doc.copy(),
    "corpus": through_corpus,
}
NO_VARIANTS = {"single": [], "paired": []}
LOSES = {
    "as_doc": lambda doc, path: doc[:].as_doc(),
    "from_docs": lambda doc, path: Doc.from_docs([doc]),
    "max_length": lambda doc, path: through_corpus(doc, path, max_length=10),
    "gold_preproc": lambda doc, path: through_corpus(doc, path, gold_preproc=True),
    "lower-casing": lambda doc, path: through_corpus(doc, path, augmenter=create_lower_casing_augmenter(1.0)),
    "orth variants": lambda doc, path: through_corpus(
        doc, path, augmenter=create_orth_variants_augmenter(1.0, 1.0, NO_VARIANTS)
    ),
    "combined": lambda doc, path: through_corpus(
        doc, path, augmenter=create_combined_augmenter(1.0, 1.0, NO_VARIANTS, 1.0, 0.5, [" "])
    ),
}


@pytest.mark.parametrize("candidates", [CANDIDATES, ()])
@pytest.mark.parametrize("way", KEEPS)
def test_knowledge_survives(way, candidates, tmp_path):
    doc = partly(candidates=candidates)
    after = KEEPS[way](doc, tmp_path)
    assert read_knowledge(after) == read_knowledge(doc)
    assert [token.ent_iob_ for token in after] == [token.ent_iob_ for token in doc]


@pytest.mark.parametrize("candidates", [CANDIDATES, ()])
@pytest.mark.parametrize("way", LOSES)
def test_where_knowledge_is_lost_tokens_are_unknown(way, candidates, tmp_path):
    after = LOSES[way](partly(candidates=candidates), tmp_path)
    assert [token.ent_iob_ for token in after][:2] == ["B", "I"]
    assert {token.ent_iob_ for token in after[2:]} == {""}
    assert_nothing_is_outside(Example(after, after))


@pytest.mark.parametrize("candidates", [CANDIDATES, ()])
def test_what_spacys_example_dictionary_calls_outside_is_unknown_to_us(candidates):
    doc = partly(candidates=candidates)
    blank = Doc(NLP.vocab, words=[token.text for token in doc])
    example = Example.from_dict(blank, Example(doc, doc).to_dict())
    assert {token.ent_iob_ for token in example.reference[2:]} == {"O"}
    assert_nothing_is_outside(example)


@pytest.mark.parametrize("candidates", [CANDIDATES, ()])
def test_what_spacys_json_calls_outside_is_unknown_to_us(candidates):
    doc = partly(candidates=candidates)
    after = Doc(NLP.vocab).from_json(doc.to_json())
    assert {token.ent_iob_ for token in after[2:]} == {"O"}
    assert_nothing_is_outside(Example(after, after))


def assert_nothing_is_outside(example):
    lattice = gold_lattice(example, label_index(["PERSON", "PLACE"]))
    assert lattice.sum(axis=1).tolist() == [1, 1, 3] + [5] * (len(lattice) - 3)
    assert ner_score([example])["ents_f"] is None or read_knowledge(example.reference) is None


def test_spacys_own_ner_learns_the_entities_of_a_partly_annotated_document():
    nlp = spacy.blank("en")
    ner = nlp.add_pipe("ner")
    words = ["Ada", "met", "a", "crow", "in", "Lisbon"]
    doc = Doc(nlp.vocab, words=words)
    write_knowledge(doc, [Span(doc, 0, 1, label="PERSON")], ["PERSON"], [Candidates(5, 6, ("PLACE", "AGENCY"))])
    examples = [Example(Doc(nlp.vocab, words=words), doc)]
    sgd = nlp.initialize(lambda: examples)
    for _ in range(30):
        nlp.update(examples, sgd=sgd)
    assert ner.labels == ("PERSON",)
    assert ("Ada", "PERSON") in [(span.text, span.label_) for span in nlp(Doc(nlp.vocab, words=words)).ents]
