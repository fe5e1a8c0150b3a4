"""Forms of spans that entries map apart."""

import dataclasses

import pytest

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.forms import FORMS


@pytest.mark.parametrize(
    ("form", "fitting", "others"),
    [
        ("list", ["5, 10", "tea and milk", "A & B"], ["5 kg", "May 9, 1945", "between 5 and 10"]),
        ("numeral", ["5 kg", "two years", "half", "last week", "May"], ["recently", "some", "month"]),
        ("counted", ["274 participants", "up to a hundred proteins"], ["65 years", "5 nanometers", "two", "10 mg"]),
        ("adjective", ["hypercalcemic", "cancerous"], ["Cancerous", "colitis", "anginal pain"]),
        ("hormone", ["insulin", "Proinsulin", "EPO"], ["insulin receptor", "TP53"]),
        ("film", ["scary movie", "Disney films"], ["Movies of 1999", "scary"]),
        ("vague", ["recently", "the day"], ["3 days", "Monday"]),
        ("phrase", ["state of mind", "a (b)", "red or blue"], ["mind", "May 9, 1945"]),
        ("long", ["a b c"], ["a b"]),
        ("longer", ["a b c d"], ["a b c"]),
        ("several", ["Rome and Oslo", "Rome (Italy)", "War in 1939", "1, 2"], ["Bank of England", "1975 War", "0,1%"]),
        (
            "mixed",
            ["occupied Rome", "Rome camp", "“rome"],
            ["Bank of England", "Rome", "Vincent van Gogh", "A. d'Urfé"],
        ),
        ("at", ["@Widener Library"], ["@ada", "Rome"]),
        ("epithet", ["poor Giotto", "the late John Jacob Astor", "my dear, good Mr. Lee"], ["old man", "Poor Giotto"]),
        ("determined", ["The Duke", "my Rome", "Every Duke"], ["Theodore", "Duke"]),
        ("usage", ["coffee consumption", "Salt intake"], ["coffee", "use"]),
        ("lower", ["the board"], ["the Board"]),
        (
            "people",
            ["Dutch", "AMERICANS", "South African", "Islam", "Moriori", "Russian-Chechen"],
            ["Holland", "Dutch Open"],
        ),
        ("party", ["Republicans", "Democratic", "DEM"], ["democratic", "republic", "Republican Guard"]),
        ("platform", ["YouTube", "#twitter"], ["Twitter Inc.", "tube"]),
        ("studio", ["disney", "Disney animated", "pixar studios"], ["walt disney", "a disney film", "mgmt"]),
        ("compound", ["Rome-based", "non-U.S.", "U.S.-LED"], ["Rolls-Royce", "F-14", "Antioch"]),
        ("formula", ["Pt", "Cu2+", "SiO2", "LSCF", "La0.6Sr0.4FeO3-δ"], ["Heat", "copper", "Water layer", "Particles"]),
    ],
)
def test_forms_fit(form, fitting, others):
    assert [text for text in fitting if not FORMS[form](text)] == []
    assert [text for text in others if FORMS[form](text)] == []


def test_an_entry_maps_a_form_apart():
    labels = {"X": ("PERSON",), "Y": ("PLACE",), "X:lower": ("O",), "*:lower": ("DOMAIN",), "*:list": ()}
    corpus = dataclasses.replace(catalogue.load("conll2003"), labels=labels)
    texts = ("Ada", "ada", "Ada and Bea")
    assert [corpus.candidates("X", text) for text in texts] == [("PERSON",), ("O",), ()]
    assert [corpus.candidates("Y", text) for text in texts] == [("PLACE",), ("DOMAIN",), ()]
