"""On a CUDA device, with CuPy and without."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import spacy
import torch
from conftest import SENTENCES, copy_of, entities, make_examples, make_nlp
from spacy.tokens import DocBin
from thinc.api import Config

from ossamma_spacy.init_config import make_config
from ossamma_spacy.models.shim import torch_shim

pytestmark = pytest.mark.gpu
TEXTS = [text for text, _ in SENTENCES]
needs_cupy = pytest.mark.skipif(find_spec("cupy") is None, reason="needs CuPy: pip install cupy-cuda12x")


def confidences(nlp):
    return [span._.confidence for doc in nlp.pipe(TEXTS) for span in doc.ents]


def test_without_cupy_a_moved_pipe_finds_what_the_cpu_finds(trained, tmp_path):
    nlp = copy_of(trained, tmp_path)
    nlp.get_pipe("ossamma_ner").to("cuda")
    assert next(torch_shim(nlp.get_pipe("ossamma_ner").model).module.parameters()).is_cuda
    assert [entities(doc) for doc in nlp.pipe(TEXTS)] == [entities(doc) for doc in trained.pipe(TEXTS)]
    assert confidences(nlp) == pytest.approx(confidences(trained), abs=1e-3)


def test_without_cupy_a_moved_pipe_trains_and_saves_for_the_cpu(tmp_path):
    nlp = make_nlp()
    examples = make_examples(nlp)
    sgd = nlp.initialize(lambda: examples)
    nlp.get_pipe("ossamma_ner").to("cuda")
    sgd.learn_rate = 3e-3
    for _ in range(60):
        nlp.update(examples, sgd=sgd)
    expected = [entities(doc) for doc in nlp.pipe(TEXTS)]
    assert any(expected)
    assert [entities(doc) for doc in copy_of(nlp, tmp_path).pipe(TEXTS)] == expected


def test_bfloat16_autocast_keeps_float32_weights_and_learns(tmp_path):
    nlp = make_nlp()
    shim = torch_shim(nlp.get_pipe("ossamma_ner").model.get_ref("tok2vec"))
    shim.mixed_precision = True
    examples = make_examples(nlp)
    sgd = nlp.initialize(lambda: examples)
    nlp.get_pipe("ossamma_ner").to("cuda")
    sgd.learn_rate = 3e-3
    losses = [nlp.update(examples, sgd=sgd)["ossamma_ner"] for _ in range(60)]
    assert losses[-1] < 0.2 * losses[0]
    assert all(p.dtype == torch.float32 for p in shim.module.parameters())


def test_processes_do_not_share_the_gpu(trained, tmp_path):
    nlp = copy_of(trained, tmp_path)
    nlp.get_pipe("ossamma_ner").to("cuda")
    with pytest.raises(ValueError, match="use n_process=1 on the GPU"):
        list(nlp.pipe(TEXTS, n_process=2))


@needs_cupy
@pytest.mark.slow
def test_spacy_train_on_the_gpu_saves_for_the_cpu(tmp_path):
    docs = [example.reference for example in make_examples(spacy.blank("en"))]
    DocBin(docs=docs).to_disk(tmp_path / "data.spacy")
    config: Config = make_config("tiny", gpu=True)
    config["paths"].update(train=str(tmp_path / "data.spacy"), dev=str(tmp_path / "data.spacy"))
    config["training"].update(max_steps=100, eval_frequency=50, dropout=0.0)
    config.to_disk(tmp_path / "config.cfg")
    command = ["-m", "spacy", "train", str(tmp_path / "config.cfg"), "--output", str(tmp_path), "--gpu-id", "0"]
    subprocess.run([sys.executable, *command], check=True)
    check = (
        "import spacy, sys; nlp = spacy.load(sys.argv[1]); "
        "assert nlp('IBM hired Ada Lovelace in 1997').ents, 'no entity'"
    )
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", check, str(tmp_path / "model-best")], check=True, env=hidden)


@needs_cupy
def test_with_cupy_prediction_is_that_of_the_cpu(folder, trained):
    expected = [entities(doc) for doc in trained.pipe(TEXTS)]
    script = (
        "import spacy, sys, ast; spacy.require_gpu(); nlp = spacy.load(sys.argv[1]); "
        "print([[(e.start, e.end, e.label_) for e in d.ents] for d in nlp.pipe(ast.literal_eval(sys.argv[2]))])"
    )
    command = [sys.executable, "-c", script, str(folder), repr(TEXTS)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert output.strip() == repr(expected)
