"""What training data says before training: its labels, and the words that subwords are learned from."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from ossamma_spacy.knowledge import labels_of
from ossamma_spacy.models.vocabulary import often
from ossamma_spacy.stored import documents


def docs_and_labels(examples: Iterable[Example]) -> tuple[list[Doc], set[str]]:
    """The documents to learn subwords from, and their labels."""
    docs, labels = [], set()
    for example in examples:
        docs.append(example.predicted)
        labels |= labels_of(example.reference)
    return docs, labels


def words_and_labels(vocab: Vocab, paths: Mapping[str, Path]) -> tuple[Doc, set[str]]:
    """The same of .spacy files and folders of them: a document with the words that subwords need, and their labels.

    Raises ValueError for a path without documents.
    """
    words: Counter[str] = Counter()
    labels: set[str] = set()
    for name, path in paths.items():
        before = words.total()
        for doc in documents(path):
            words.update(token.text for token in doc)
            labels |= labels_of(doc)
        if words.total() == before:
            raise ValueError(f"corpora: '{name}' has no documents in {path}")
    return Doc(vocab, words=list(often(words))), labels


def learn_subwords(corpora: Mapping[str, Path]) -> Callable[[Language], None]:
    """`ossamma.learn_subwords.v1`, for `[initialize] before_init`: make each encoder that has no weights yet, with
    subwords learned from `corpora`, name → .spacy file or folder of them.

    For encoders in spaCy's own pipes, which show them ten documents; `ossamma_ner` learns from all by itself. Raises
    ValueError for a path without documents.
    """

    def before_init(nlp: Language) -> None:
        words, _ = words_and_labels(nlp.vocab, corpora)
        models = (getattr(pipe, "model", None) for _, pipe in nlp.pipeline)
        for model in models:
            for node in model.walk() if isinstance(model, Model) else ():
                if node.name == "ossamma_encoder":
                    node.initialize(X=[words])

    return before_init
