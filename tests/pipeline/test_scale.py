"""Many documents, long documents, several processes and threads."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
from conftest import SENTENCES, entities

from ossamma_spacy.models.shim import CPU_BATCH, torch_shim

TEXTS = [text for text, _ in SENTENCES]
TIMEOUT = 120  # seconds

PROCESSES = """
import multiprocessing, sys
import spacy, torch

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[2])
    torch.set_num_threads(2)
    torch.randn(1500, 1500) @ torch.randn(1500, 1500)  # starts torch's threads, which a forked child lacks
    nlp = spacy.load(sys.argv[1])
    texts = {texts!r} * 8

    def entities(docs):
        return [[(e.start, e.end, e.label_, round(e._.confidence, 4)) for e in doc.ents] for doc in docs]

    one = entities(nlp.pipe(texts, batch_size=8))
    two = entities(nlp.pipe(texts, batch_size=8, n_process=2))
    assert any(one) and one == two, (one, two)
    print(len(two))
"""

PEAKS = """
import os, resource, sys
import spacy

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

nlp = spacy.load(sys.argv[1])
nlp.max_length = 10**7
nlp("IBM hired Ada Lovelace in 1997 " * 50)
for tokens in map(int, sys.argv[2:]):
    child = os.fork()  # its peak begins at what the loaded pipeline holds, not at what loading took
    if not child:
        before = peak()
        length = len(nlp("IBM hired Ada Lovelace in 1997 " * (tokens // 6)))
        print(length, peak() - before, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def run_script(folder, text, *args):
    """Standard output of a program in a process of its own."""
    script = folder.parent / f"{folder.name}.py"
    script.write_text(text, encoding="utf-8")
    command = [sys.executable, str(script), str(folder), *map(str, args)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_two_processes_find_what_one_finds(folder, method):
    assert run_script(folder, PROCESSES.replace("{texts!r}", repr(TEXTS)), method).split() == [str(8 * len(TEXTS))]


def test_the_models_of_all_pipes_pickle(trained):
    for _, pipe in trained.pipeline:
        copy = pickle.loads(pickle.dumps(pipe.model))
        assert copy.to_bytes() == pipe.model.to_bytes()


# Memory zones and threads

STRANGE = [f"Ada {name} saw {name}grad in May" for name in ("Qwyx", "Zzorp", "Vleth", "Umbrix")]


def seen(nlp, texts):
    return [entities(doc) for doc in nlp.pipe(texts)]


def test_predictions_in_and_after_a_memory_zone_are_those_without_one(folder, trained):
    nlp, expected = spacy.load(folder), seen(trained, TEXTS + STRANGE)
    for _ in range(3):
        with nlp.memory_zone():
            assert seen(nlp, STRANGE + TEXTS) == expected[len(TEXTS) :] + expected[: len(TEXTS)]
    assert seen(nlp, TEXTS + STRANGE) == expected


def test_strings_do_not_grow_in_a_memory_zone(folder):
    nlp = spacy.load(folder)
    strings = set(nlp.vocab.strings)
    for round_ in range(3):
        with nlp.memory_zone():
            list(nlp.pipe(f"{text} {round_}x" for text in STRANGE))
            assert len(nlp.vocab.strings) > len(strings)
        assert set(nlp.vocab.strings) == strings


def test_four_threads_find_what_one_finds(folder):
    nlp, alone = spacy.load(folder), spacy.load(folder)
    texts = [f"{text} {other}" for text in TEXTS for other in ["", *STRANGE, *TEXTS]] * 10
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns in the middle of everything
    try:
        with ThreadPoolExecutor(4) as pool:
            found = [entities(doc) for doc in pool.map(nlp, texts)]
    finally:
        sys.setswitchinterval(interval)
    assert found == seen(alone, texts)


# Large inputs


def test_a_thousand_documents_in_one_prediction(trained):
    texts = [" ".join(TEXTS[: i % 6]) for i in range(1000)]  # empty ones among them
    pipe = trained.get_pipe("ossamma_ner")
    docs = [trained.make_doc(text) for text in texts]
    sizes = []  # of what goes through the encoder at once, padding included
    encoder = torch_shim(pipe.model.get_ref("tok2vec")).module
    with encoder.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].index.numel())):
        pipe.set_annotations(docs, pipe.predict(docs))
    assert max(sizes) <= CPU_BATCH
    assert sum(sizes) < 1.2 * sum(map(len, docs))  # in the order that they came, more than half as much again
    alone = {text: entities(trained(text)) for text in set(texts)}
    assert [entities(doc) for doc in docs] == [alone[text] for text in texts]


def test_the_end_of_a_long_document_is_read(trained):
    text = " ".join([TEXTS[2]] * 1000)
    (start, end, label) = entities(trained(TEXTS[2]))[0]
    doc = trained(text)
    last = len(trained.make_doc(TEXTS[2])) * 999
    assert (last + start, last + end, label) in entities(doc)


@pytest.mark.slow
def test_memory_grows_linearly_with_length(folder):
    lengths = (12_498, 24_996, 49_992)
    lines = [tuple(map(int, line.split())) for line in run_script(folder, PEAKS, *lengths).splitlines()]
    assert tuple(length for length, _ in lines) == lengths
    first, second, third = (kibibytes for _, kibibytes in lines)  # above the loaded pipeline
    assert second <= 2.6 * first
    assert third <= 2.6 * second
    assert third < 3 * 2**20
