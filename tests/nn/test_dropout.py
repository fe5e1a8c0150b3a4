import pytest
import torch

from ossamma_spacy.nn.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_drops_its_share_and_keeps_the_mean(p):
    torch.manual_seed(0)
    x = torch.ones(1000, 333, requires_grad=True)
    y = Dropout(p)(x)
    y.sum().backward()
    assert (y == 0).float().mean().item() == pytest.approx(p, abs=3e-3)
    assert y.mean().item() == pytest.approx(1.0, abs=0.03)
    assert torch.equal(x.grad, y.detach())  # what was dropped has no gradient, the rest that of the scale


def test_a_share_of_nearly_one_leaves_something():
    torch.manual_seed(0)
    assert 0 < (Dropout(0.999)(torch.ones(400, 400)) != 0).sum() < 1600


def test_elements_are_dropped_independently():
    torch.manual_seed(0)
    y = (Dropout(0.5)(torch.ones(4000, 64)) == 0).float() - 0.5
    correlation = (y.T @ y) / len(y) / 0.25 - torch.eye(64)
    assert correlation.abs().max() < 0.08  # 5 standard deviations


def test_prediction_keeps_everything():
    x = torch.randn(10, 10)
    assert torch.equal(Dropout(0.5).eval()(x), x)


def test_the_same_seed_drops_the_same():
    x = torch.ones(50, 50)
    torch.manual_seed(3)
    first = Dropout(0.3)(x)
    torch.manual_seed(3)
    assert torch.equal(Dropout(0.3)(x), first)
    assert Dropout(0.3)(torch.ones(0, 4)).shape == (0, 4)
