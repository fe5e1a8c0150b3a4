"""The shim: steps, groups, clipping, averages, dropout, copies, bytes."""

import copy
import os
import pickle
import platform
import subprocess
import sys

import pytest
import srsly
import torch
from thinc.api import Adam, Model
from torch import nn

from ossamma_spacy.models.shim import AVERAGE, TorchShim, clip_gradients, torch_shim
from ossamma_spacy.nn.linear import Linear


class Net(nn.Module):
    """A linear map, a norm, a table and a scalar: a parameter of every kind."""

    def __init__(self, sparse=True):
        super().__init__()
        self.linear = Linear(4, 3)
        self.norm = nn.LayerNorm(3)
        self.table = nn.Embedding(6, 4, sparse=sparse)
        self.scalar = nn.Parameter(torch.tensor(1.5))
        self.dropout = nn.Dropout(0.3)

    def forward(self, ids):
        return self.dropout(self.norm(self.linear(self.table(ids)))) * self.scalar


def build(settings):
    torch.manual_seed(settings["seed"])
    return Net(settings.get("sparse", True))


def make_shim(seed=0, **options):
    settings = {"seed": seed, "sparse": options.pop("sparse", True)}
    shim = TorchShim(build, **options)
    shim.create(settings)
    return shim


def make_adam(**options):
    defaults = {"learn_rate": 0.01, "L2": 0.1, "L2_is_weight_decay": True, "grad_clip": 0.0, "use_averages": False}
    return Adam(**{**defaults, **options})


IDS = torch.tensor([[0, 1, 2], [3, 1, 0]])
TARGET = torch.linspace(-1, 1, 18).view(2, 3, 3)


def backward(shim, ids=IDS, dropout=0.0):
    y = shim.run(shim.module, ids, is_train=True, dropout=dropout)
    ((y - TARGET[: len(ids)]) ** 2).sum().backward()


def parameters(shim):
    return {name: p.detach().clone() for name, p in shim.module.named_parameters()}


def test_steps_equal_those_of_torch_with_groups_and_global_clipping():
    shim, sgd = make_shim(sparse=False), make_adam(grad_clip=1.0)
    net = build({"seed": 0, "sparse": False})
    decayed = [net.linear.weight]
    rest = [p for p in net.parameters() if p is not net.linear.weight]
    adam = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=0.01)
    net.dropout.p = 0.0
    for _ in range(20):
        backward(shim)
        shim.finish_update(sgd)
        adam.zero_grad()
        ((net(IDS) - TARGET) ** 2).sum().backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
    for name, value in net.named_parameters():
        assert torch.allclose(value, parameters(shim)[name], atol=1e-5), name


def test_settings_of_the_optimizer_may_change_between_steps():
    shim = make_shim(sparse=False)
    for settings in ({"L2": 0.0, "beta1": 0.5, "beta2": 0.9}, {"L2": 0.3, "beta1": 0.8, "beta2": 0.99}):
        backward(shim)
        shim.finish_update(make_adam(**settings))
    decayed, rest = shim._optimizer[0].param_groups
    assert (decayed["weight_decay"], rest["weight_decay"], decayed["betas"]) == (0.3, 0.0, (0.8, 0.99))


def test_only_linear_maps_decay():
    shim, sgd = make_shim(), make_adam(L2=0.5)
    backward(shim)
    shim.finish_update(sgd)  # makes the optimizer's state
    before = parameters(shim)
    for parameter in shim.module.parameters():
        parameter.grad = (
            torch.zeros_like(parameter).to_sparse(1) if parameter.shape == (6, 4) else torch.zeros_like(parameter)
        )
    for stepper in shim._optimizer:
        for state in stepper.state.values():
            state["exp_avg"].zero_()
    shim.finish_update(sgd)
    moved = {name for name, value in parameters(shim).items() if not torch.equal(value, before[name])}
    assert moved == {"linear.weight"}


def test_clipping_is_over_all_weights_of_all_shims():
    shims = [make_shim(0), make_shim(1)]
    for shim in shims:
        backward(shim)
    flat = torch.cat([g.flatten() for shim in shims for g in shim.gradients()])
    norm = clip_gradients(shims, 0.5)
    assert norm == pytest.approx(flat.norm().item(), rel=1e-5)
    clipped = torch.cat([g.flatten() for shim in shims for g in shim.gradients()])
    assert torch.allclose(clipped, flat * 0.5 / norm, atol=1e-6)
    assert clip_gradients(shims, 10.0) == pytest.approx(0.5, rel=1e-4)
    assert clip_gradients([TorchShim(build)], 1.0) == 0.0


def test_sparse_tables_learn_three_times_as_fast():
    shim = make_shim()
    before = parameters(shim)
    backward(shim)
    shim.finish_update(make_adam(L2=0.0))
    largest = {name: (value - before[name]).abs().max().item() for name, value in parameters(shim).items()}
    assert largest["table.weight"] == pytest.approx(3 * largest["linear.weight"], rel=1e-3)


@pytest.mark.parametrize("scale", [0.0, 0.1])
def test_the_learning_rate_is_scaled_and_follows_the_schedule(scale):
    whole, part = make_shim(), make_shim(learn_rate_scale=scale)
    moves = []
    for shim in (whole, part):
        before = parameters(shim)
        backward(shim)
        shim.finish_update(make_adam(L2=0.0))
        moves.append(torch.cat([(v - before[k]).flatten() for k, v in parameters(shim).items()]))
    assert torch.allclose(moves[1], moves[0] * scale, atol=1e-6)
    sgd = make_adam()
    sgd.learn_rate = 0.0
    before = parameters(whole)
    backward(whole)
    whole.finish_update(sgd)
    assert all(torch.equal(v, before[k]) for k, v in parameters(whole).items())


def test_rows_that_no_word_touched_do_not_move():
    shim = make_shim()
    before = parameters(shim)["table.weight"]
    backward(shim)
    assert shim.module.table.weight.grad.is_sparse
    shim.finish_update(make_adam())
    moved = (parameters(shim)["table.weight"] != before).any(1)
    assert moved.tolist() == [True, True, True, True, False, False]


def test_gradients_accumulate_until_a_step_and_are_gone_after_it():
    once, twice = make_shim(), make_shim()
    backward(once)
    for _ in range(2):
        backward(twice)
    for a, b in zip(once.gradients(), twice.gradients(), strict=True):
        assert torch.allclose(2 * a, b, atol=1e-6)
    once.finish_update(make_adam())
    assert not list(once.gradients())
    before = parameters(once)
    once.finish_update(make_adam())
    assert all(torch.equal(v, before[k]) for k, v in parameters(once).items())


def test_averages_are_used_where_spacy_uses_them():
    shim, sgd = make_shim(), make_adam(use_averages=True)
    history = []
    for _ in range(5):
        backward(shim)
        shim.finish_update(sgd)
        history.append(parameters(shim)["linear.weight"])
    average = history[0]
    for step, value in enumerate(history[1:], start=2):
        average = torch.lerp(average, value, 1 - (1 + step) / (10 + step))
    assert (shim.id, AVERAGE) in sgd.averages
    with shim.use_params(sgd.averages):
        assert torch.allclose(parameters(shim)["linear.weight"], average, atol=1e-6)
        saved = shim.to_bytes()
    assert torch.equal(parameters(shim)["linear.weight"], history[-1])
    assert torch.allclose(parameters(TorchShim(build).from_bytes(saved))["linear.weight"], average, atol=1e-6)
    with shim.use_params({}):
        assert torch.equal(parameters(shim)["linear.weight"], history[-1])


def test_sparse_tables_keep_their_last_values_where_the_rest_is_averaged():
    shim, sgd = make_shim(), make_adam(use_averages=True)
    for _ in range(3):
        backward(shim)
        shim.finish_update(sgd)
    last = parameters(shim)
    with shim.use_params(sgd.averages):
        averaged = parameters(shim)
    assert {name for name, value in last.items() if torch.equal(value, averaged[name])} == {"table.weight"}


def test_averages_come_back_after_an_error():
    shim, sgd = make_shim(), make_adam(use_averages=True)
    for _ in range(3):
        backward(shim)
        shim.finish_update(sgd)
    before = parameters(shim)
    with pytest.raises(RuntimeError), shim.use_params(sgd.averages):
        raise RuntimeError
    assert all(torch.equal(v, before[k]) for k, v in parameters(shim).items())


def test_dropout_follows_the_rate_and_stops_at_prediction():
    shim = make_shim()
    assert not torch.equal(*(shim.run(shim.module, IDS, is_train=True, dropout=0.5) for _ in range(2)))
    assert torch.equal(*(shim.run(shim.module, IDS, is_train=True, dropout=0.0) for _ in range(2)))
    assert torch.equal(*(shim.run(shim.module, IDS, is_train=False) for _ in range(2)))
    assert not shim.module.training


@pytest.mark.parametrize("processor_has_it", [True, False])
def test_mixed_precision_accumulates_and_keeps_float32_weights(processor_has_it, monkeypatch):
    monkeypatch.setattr("ossamma_spacy.models.shim.ONEDNN_BFLOAT16", processor_has_it)
    exact, mixed = make_shim(), make_shim(mixed_precision=True)
    for shim in (exact, mixed):
        backward(shim)
        backward(shim)
    assert all(p.dtype == torch.float32 for p in mixed.module.parameters())
    for a, b in zip(exact.gradients(), mixed.gradients(), strict=True):
        assert (a - b).norm() <= 0.05 * a.norm() + 1e-3
    equal = torch.equal(exact.module.linear.weight.grad, mixed.module.linear.weight.grad)
    assert equal is not processor_has_it
    assert mixed.run(mixed.module, IDS, is_train=False).dtype == torch.float32


def test_frozen_parameters_stay():
    shim = make_shim()
    shim.module.linear.weight.requires_grad_(False)
    before = parameters(shim)
    backward(shim)
    shim.finish_update(make_adam())
    assert torch.equal(parameters(shim)["linear.weight"], before["linear.weight"])
    assert not torch.equal(parameters(shim)["linear.bias"], before["linear.bias"])


def test_a_copy_shares_neither_weights_nor_optimizer():
    shim, sgd = make_shim(), make_adam(use_averages=True)
    backward(shim)
    shim.finish_update(sgd)
    twin = shim.copy()
    assert twin.id != shim.id
    assert all(torch.equal(v, parameters(shim)[k]) for k, v in parameters(twin).items())
    before = parameters(shim)
    backward(twin)
    twin.finish_update(sgd)
    assert all(torch.equal(v, parameters(shim)[k]) for k, v in before.items())
    assert {key[0] for key in sgd.averages} == {shim.id, twin.id}


def test_shims_pickle_and_deepcopy():
    shim = make_shim()
    for twin in (pickle.loads(pickle.dumps(shim)), copy.deepcopy(shim)):
        assert all(torch.equal(v, parameters(shim)[k]) for k, v in parameters(twin).items())


def test_bytes_round_trip_and_are_the_same_twice():
    shim = make_shim(7)
    data = shim.to_bytes()
    twin = TorchShim(build).from_bytes(data)
    assert twin.settings == {"seed": 7, "sparse": True}
    assert all(torch.equal(v, parameters(shim)[k]) for k, v in parameters(twin).items())
    assert twin.to_bytes() == data
    assert not TorchShim(build).from_bytes(TorchShim(build).to_bytes()).is_initialized


def test_damaged_weights_are_refused():
    data = make_shim().to_bytes()
    message = srsly.msgpack_loads(data)
    flipped = bytearray(message["weights"])
    flipped[-1] ^= 1
    damaged = srsly.msgpack_dumps({**message, "weights": bytes(flipped)})
    newer = srsly.msgpack_dumps({**message, "format": 99})
    wider = {**message, "weights": message["weights"]}
    for bytes_, error in (
        (data[:-20], "cut short"),
        (b"junk", "cut short"),
        (damaged, "checksum"),
        (newer, "format 99"),
    ):
        with pytest.raises(ValueError, match=error):
            TorchShim(build).from_bytes(bytes_)
    with pytest.raises(ValueError, match="do not fit"):
        TorchShim(lambda settings: nn.Linear(2, 2)).from_bytes(srsly.msgpack_dumps(wider))


def test_a_failed_load_leaves_the_weights_that_were_there():
    shim = make_shim()
    before = parameters(shim)
    with pytest.raises(ValueError, match="cut short"):
        shim.from_bytes(b"junk")
    assert all(torch.equal(v, before[k]) for k, v in parameters(shim).items())


def test_a_shim_without_weights_says_what_to_do():
    with pytest.raises(ValueError, match=r"nlp\.initialize"):
        _ = TorchShim(build).module


def test_models_of_others_are_named():
    model = Model("foreign", lambda *args: None, shims=[object()])
    with pytest.raises(TypeError, match="foreign"):
        torch_shim(model)


def test_the_optimizers_state_is_not_saved_with_the_weights():
    shim = make_shim()
    size = len(shim.to_bytes())
    backward(shim)
    shim.finish_update(make_adam(use_averages=True))
    assert abs(len(shim.to_bytes()) - size) < 64


def test_an_l2_that_is_no_weight_decay_is_refused():
    shim = make_shim()
    backward(shim)
    with pytest.raises(ValueError, match="set L2_is_weight_decay = true"):
        shim.finish_update(make_adam(L2_is_weight_decay=False))


@pytest.mark.parametrize("grad_clip", [0.0, 1.0])
def test_gradients_that_are_not_finite_are_refused(grad_clip):
    shim = make_shim()
    before = parameters(shim)
    backward(shim)
    shim.module.linear.weight.grad[0, 0] = float("nan")
    with pytest.raises(ValueError, match="training has diverged, the norm of its gradients is nan; lower learn_rate"):
        shim.finish_update(make_adam(grad_clip=grad_clip))
    assert all(torch.equal(v, before[k]) for k, v in parameters(shim).items())


def test_a_gpu_without_float64_is_left_alone(monkeypatch):
    monkeypatch.setattr("ossamma_spacy.models.shim.get_torch_default_device", lambda: torch.device("mps"))
    shim = make_shim()
    assert shim.device.type == "cpu"
    shim.to_device("mps", 0)
    assert shim.device.type == shim.module.scalar.device.type == "cpu"


CHURN = """
import resource
import torch
from ossamma_spacy.models.shim import TorchShim

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tensors = [torch.ones(1 << 20) for _ in range(6)]  # 4 MiB each
    del tensors
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

TorchShim(None)
print([faults() for _ in range(3)][-1])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators need no help")
def test_what_one_pass_frees_serves_the_next():
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", CHURN], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    assert int(done.stdout) < 3072  # half of the pages of 4 KiB
