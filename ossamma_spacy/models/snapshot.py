"""A thinc model as it was before something failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from thinc.api import Model


@contextmanager
def restored_after_errors(model: Model[Any, Any]) -> Iterator[None]:
    """Give all layers of a model their names, sizes, settings and weights back where something fails.

    thinc sets them layer by layer, before a later one can refuse what it is given. Values that are changed in place
    stay changed.
    """
    nodes = list(model.walk())
    shims = [(shim, dict(vars(shim))) for node in nodes for shim in node.shims]
    states = [(node, node.name, dict(node._dims), dict(node.attrs), _weights(node)) for node in nodes]
    try:
        yield
    except BaseException:
        for shim, state in shims:
            vars(shim).update(state)
        for node, name, dims, attrs, weights in states:
            node.name, node._dims = name, dims
            node.attrs.clear()
            node.attrs.update(attrs)
            for weight, value in weights.items():
                node.set_param(weight, value)
        raise


def _weights(node: Model[Any, Any]) -> dict[str, Any]:
    return {name: node.get_param(name) for name in node.param_names if node.has_param(name)}
