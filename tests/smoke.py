"""What `.ci/run` tries on an installed copy, away from the source tree: a config, a short training, reloading."""

import tempfile
from pathlib import Path

import spacy
from spacy.tokens import Doc
from spacy.training import Example

import ossamma_spacy
from ossamma_spacy.init_config import make_config


def main() -> None:
    assert "site-packages" in ossamma_spacy.__file__, ossamma_spacy.__file__
    config = make_config("tiny")
    config["components"]["ossamma_ner"]["model"]["tok2vec"].update(width=48, depth=1, word_rows=64, pair_rows=64)
    nlp = spacy.util.load_model_from_config(config)
    words = ["Ada", "Lovelace", "lived", "in", "London", "."]
    reference = Doc(nlp.vocab, words=words, ents=["B-PERSON", "I-PERSON", "O", "O", "B-PLACE", "O"])
    sgd = nlp.initialize(lambda: [Example(Doc(nlp.vocab, words=words), reference)])
    sgd.learn_rate = 0.01
    for _ in range(40):
        nlp.update([Example(Doc(nlp.vocab, words=words), reference)], sgd=sgd)
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(Path(folder))
        found = spacy.load(folder)("Ada Lovelace lived in London.")
    print([(span.text, span.label_, round(span._.confidence, 3)) for span in found.ents])
    assert [(span.text, span.label_) for span in found.ents] == [("Ada Lovelace", "PERSON"), ("London", "PLACE")]


if __name__ == "__main__":
    main()
