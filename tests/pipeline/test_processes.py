"""Several processes, several threads, memory zones."""

import json
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
from conftest import SENTENCES, entities

TEXTS = [text for text, _ in SENTENCES]

IN_PROCESSES = """
import json, multiprocessing, sys
import spacy, torch

if __name__ == "__main__":
    folder, start_method = sys.argv[1:]
    multiprocessing.set_start_method(start_method)
    nlp = spacy.load(folder)
    torch.set_num_threads(2)
    torch.randn(1000, 1000) @ torch.randn(1000, 1000)
    texts = json.load(sys.stdin)

    def found(docs):
        return [[(e.start_char, e.end_char, e.label_, e._.confidence is not None) for e in doc.ents] for doc in docs]

    print(json.dumps([found(nlp.pipe(texts, n_process=n, batch_size=20)) for n in (1, 2)]))
"""


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    """The trained pipeline on disk."""
    path = tmp_path_factory.mktemp("trained")
    trained.to_disk(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("start_method", multiprocessing.get_all_start_methods())
def test_two_processes_find_what_one_finds(folder, tmp_path, start_method):
    """Also after torch has computed on several threads, which a forked process does not inherit."""
    script = tmp_path / "script.py"
    script.write_text(IN_PROCESSES)
    command = [sys.executable, script, folder, start_method]
    texts = [*TEXTS, "", " "] * 20
    run = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    one, two = json.loads(run.stdout)
    assert two == one
    assert one[: len(TEXTS)] == [[[*span, True] for span in spans] for _, spans in SENTENCES]


def test_the_pipe_and_the_pipeline_pickle(trained):
    pipe, nlp = pickle.loads(pickle.dumps((trained.get_pipe("ossamma_ner"), trained)))
    for text in TEXTS:
        expected = trained(text)
        for doc in (nlp(text), pipe(nlp.make_doc(text))):
            assert entities(doc) == entities(expected)
            assert [e._.confidence for e in doc.ents] == [e._.confidence for e in expected.ents]


def new_words(first, count):
    return [f"Marie Curie met Ywxz{i} and Qvw{i} in Warsaw." for i in range(first, first + count)]


def test_memory_zones_change_no_prediction_and_keep_no_strings(folder):
    nlp, fresh = spacy.load(folder), spacy.load(folder)
    before = len(nlp.vocab.strings)
    for first in (0, 10, 0):
        texts = new_words(first, 20)
        with nlp.memory_zone():
            inside = [entities(doc) for doc in nlp.pipe(texts)]
        assert inside == [entities(doc) for doc in fresh.pipe(texts)]
    assert len(nlp.vocab.strings) == before
    texts = [*TEXTS, *new_words(5, 20)]
    assert [entities(doc) for doc in nlp.pipe(texts)] == [entities(doc) for doc in fresh.pipe(texts)]


def test_threads_find_what_one_finds(folder):
    nlp, alone = spacy.load(folder), spacy.load(folder)
    texts = [*TEXTS, *new_words(0, 35)] * 3
    with ThreadPoolExecutor(4) as pool:
        found = [entities(doc) for doc in pool.map(nlp, texts)]
    assert found == [entities(alone(text)) for text in texts]
