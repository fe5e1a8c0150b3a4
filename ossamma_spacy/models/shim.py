"""A torch module inside a thinc model: device, gradients, optimizer, average, bytes.

thinc's own PyTorchShim steps each tensor by thinc's optimizer, clips each tensor for itself, decays every parameter,
loses averages and saves by pickle. This shim steps torch's AdamW with parameter groups, clips globally, averages, and
saves safetensors with a checksum; learning rate, clipping and averaging are read from spaCy's optimizer.
"""

import contextlib
import copy
import hashlib
import math
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import numpy as np
import safetensors.torch
import srsly
import torch
from thinc.api import Model, Optimizer, get_torch_default_device
from thinc.shims import Shim
from torch import Tensor, nn

from ossamma_spacy.nn.linear import ARITHMETICS, ONEDNN_BFLOAT16, Arithmetic, fastest_arithmetic, set_arithmetic
from ossamma_spacy.settings import check_number

FORMAT = 3
AVERAGE = "ossamma_average"  # our key in the optimizer's averages: it makes spaCy swap averages in where it should
AVERAGE_DECAY = 0.999
MEMORY_SCALE = 3.0  # learning rate of tables with sparse gradients, relative to the rest

CPU_BATCH = 2048  # positions, padding included, in one pass of prediction: what the cache likes
GPU_BATCH = 32768  # what keeps a GPU busy

Build = Callable[[dict[str, Any]], nn.Module]

# A forked child inherits torch's thread pool without its threads and would wait for them for ever
# (`nlp.pipe(n_process=2)`), so it computes on one thread: its share of the cores.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


class TorchShim(Shim):
    """Holds the module that `build(settings)` makes, once `create` or `from_bytes` has been called.

    build: from settings, as they are saved beside the weights, to a module with fresh weights. owner: the architecture
    that messages name. learn_rate_scale: multiplies the optimizer's learning rate; 0 freezes. mixed_precision: see
    `run`. arithmetic: of prediction on the CPU, "float32", "bfloat16" or "auto". Raises ValueError for a scale below 0
    or another arithmetic.
    """

    def __init__(
        self,
        build: Build,
        *,
        owner: str = "ossamma.Encoder.v1",
        learn_rate_scale: float = 1.0,
        mixed_precision: bool = False,
        arithmetic: str = "auto",
    ) -> None:
        if arithmetic not in ("auto", *ARITHMETICS):
            raise ValueError(f"{owner}: arithmetic = '{arithmetic}', expected auto, {', '.join(ARITHMETICS)}")
        check_number(f"{owner}: learn_rate_scale", learn_rate_scale, lambda s: 0 <= s < math.inf, "0 (frozen) or more")
        super().__init__(None)
        keep_freed_memory()
        self.arithmetic = arithmetic
        self.build = build
        self.learn_rate_scale = learn_rate_scale
        self.mixed_precision = mixed_precision
        self.device: torch.device = _usable(get_torch_default_device())
        self.settings: dict[str, Any] = {}
        self.average: dict[str, Tensor] = {}
        self.steps = 0
        self.tokens = 0  # whose gradients wait for a step
        self.process = os.getpid()  # where the weights were made or loaded

    @property
    def module(self) -> Any:
        """The module; raises ValueError while it has no weights, and where another process has them on a GPU."""
        if self._model is None:
            raise ValueError("the model has no weights yet: call nlp.initialize(), or load a trained pipeline")
        if self.device.type == "cuda" and self.process != os.getpid():
            raise ValueError("a GPU cannot be shared by several processes of nlp.pipe: use n_process=1 on the GPU")
        return self._model

    @property
    def is_initialized(self) -> bool:
        return self._model is not None

    @property
    def batch_tokens(self) -> int:
        """Positions, padding included, that one pass of prediction should hold on this device."""
        return CPU_BATCH if self.device.type == "cpu" else GPU_BATCH

    def create(self, settings: dict[str, Any]) -> None:
        """Make the module with fresh weights; a module that was there before is dropped."""
        self.settings = settings
        self._model = self.build(settings).to(self.device).eval()
        self._forget_training()

    def forget(self) -> None:
        """Drop the module, so that the next `create` makes a fresh one."""
        self._model = None
        self._forget_training()

    def run(self, function: Callable[..., Tensor], *args: Any, is_train: bool, dropout: float = 0.0) -> Tensor:
        """Call a function of the module: in training with gradients, dropout and, if so set, mixed precision.

        Mixed precision is autocast on a GPU, prediction included; on the CPU, where rounding between the products costs
        more than it saves, only the matrix products of linear maps are rounded, and none on a processor that has no
        bfloat16. Without gradients the CPU computes in the arithmetic that was set, or that a measurement found
        fastest.
        """
        module = self.module
        if module.training != is_train:
            module.train(is_train)
        if is_train:
            for part in module.modules():
                if isinstance(part, nn.Dropout):
                    part.p = dropout
        on_cpu = self.device.type == "cpu"
        if on_cpu:
            set_arithmetic(module, self._arithmetic(is_train))
        rounded = self.mixed_precision and not on_cpu
        grad = torch.enable_grad() if is_train else torch.inference_mode()
        with grad, torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=rounded):
            return function(*args).float()

    def _arithmetic(self, is_train: bool) -> Arithmetic:
        if is_train:
            return "bfloat16" if self.mixed_precision and ONEDNN_BFLOAT16 else "float32"
        chosen = self.arithmetic
        return fastest_arithmetic() if chosen == "auto" else cast(Arithmetic, chosen)

    # Training

    def gradients(self) -> Iterator[Tensor]:
        """The values of all gradients, each row of a sparse one once."""
        if self._model is None:
            return
        for parameter in self._model.parameters():
            if parameter.grad is not None:
                if parameter.grad.is_sparse:
                    parameter.grad = parameter.grad.coalesce()
                yield parameter.grad._values() if parameter.grad.is_sparse else parameter.grad

    def finish_update(self, optimizer: Optimizer) -> None:
        """One step of AdamW over what has been accumulated; nothing where nothing has.

        Learning rate, betas, eps, decay and clipping are those of `optimizer`, whatever its own rule of stepping.
        Raises ValueError for an L2 that is no weight decay.
        """
        if not any(True for _ in self.gradients()):
            return
        if optimizer.L2 and not optimizer.L2_is_weight_decay:
            raise ValueError(
                "ossamma trains by AdamW: set L2_is_weight_decay = true in [training.optimizer], or L2 = 0"
            )
        clip_gradients([self], optimizer.grad_clip or math.inf)
        self._optimizer = self._optimizer or self._create_optimizers()
        for stepper in self._optimizer:
            for group in stepper.param_groups:
                group["lr"] = float(optimizer.learn_rate) * self.learn_rate_scale * group["scale"]
                group["betas"], group["eps"] = (float(optimizer.b1), float(optimizer.b2)), optimizer.eps
                group["weight_decay"] = float(optimizer.L2) * group["decays"]
            stepper.step()
            # torch's fused steps do not say that they wrote: what prediction remembers of the weights would go stale
            torch.autograd.graph.increment_version([p for group in stepper.param_groups for p in group["params"]])
            stepper.zero_grad(set_to_none=True)
        self.steps += 1
        if optimizer.averages is not None:
            self._update_average()
            optimizer.averages[(self.id, AVERAGE)] = np.zeros(1, dtype=np.float32)  # type: ignore[assignment]

    def _create_optimizers(self) -> list[torch.optim.Optimizer]:
        module = self.module
        sparse = [part.weight for part in module.modules() if isinstance(part, nn.Embedding) and part.sparse]
        matrices = [part.weight for part in module.modules() if isinstance(part, nn.Linear)]
        apart = {id(parameter) for parameter in (*sparse, *matrices)}
        rest = [parameter for parameter in module.parameters() if id(parameter) not in apart]
        # of all parameters only the weights of linear maps decay: no norm, bias, table, oscillator or transition
        groups = [
            {"params": matrices, "decays": True, "scale": 1.0},
            {"params": rest, "decays": False, "scale": 1.0},
        ]
        steppers: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, fused=True)]
        if sparse:
            steppers.append(torch.optim.SparseAdam([{"params": sparse, "decays": False, "scale": MEMORY_SCALE}]))
        return steppers

    def _update_average(self) -> None:
        decay = min(AVERAGE_DECAY, (1 + self.steps) / (10 + self.steps))
        sparse = {f"{name}.weight" for name, part in self.module.named_modules() if getattr(part, "sparse", False)}
        with torch.no_grad():
            for name, parameter in self.module.named_parameters():
                if name in sparse:  # a row changes on the few steps that touch it: its last value is its average
                    continue
                if name not in self.average:
                    self.average[name] = parameter.detach().clone()
                else:
                    self.average[name].lerp_(parameter, 1 - decay)

    @contextlib.contextmanager
    def use_params(self, params: dict[Any, Any]) -> Iterator[None]:
        """Swap the averaged weights in where spaCy asks for averages, and back afterwards."""
        if (self.id, AVERAGE) not in params or not self.average:
            yield
            return
        self._swap_average()
        try:
            yield
        finally:
            self._swap_average()

    def _swap_average(self) -> None:
        named = dict(self.module.named_parameters())
        with torch.no_grad():
            for name, value in self.average.items():
                kept = named[name].detach().clone()
                named[name].copy_(value)
                value.copy_(kept)

    def _forget_training(self) -> None:
        self._optimizer, self.average, self.steps, self.tokens = None, {}, 0, 0

    # Copies, devices, bytes

    def copy(self) -> "TorchShim":
        """A deep copy with an identity of its own, so that the two never share an optimizer's state."""
        new = copy.deepcopy(self)
        with Shim.global_id_lock:
            Shim.global_id += 1
            new.id = Shim.global_id
        new._forget_training()
        return new

    def to_device(self, device_type: str, device_id: int) -> None:
        self.move(_usable(torch.device(f"cuda:{device_id}" if device_type in ("cuda", "gpu") else device_type)))

    def move(self, device: torch.device) -> None:
        """Move the weights; what training has gathered is dropped."""
        self.device, self.process = device, os.getpid()
        if self._model is not None:
            self._model.to(device)
        self._forget_training()

    def state(self) -> dict[str, Tensor]:
        """The weights by name, on the CPU."""
        return {name: tensor.detach().cpu().contiguous() for name, tensor in self.module.state_dict().items()}

    def to_bytes(self) -> bytes:
        weights = safetensors.torch.save(self.state()) if self.is_initialized else b""
        digest = _digest(self.settings, weights)
        message = {"format": FORMAT, "settings": self.settings, "sha256": digest, "weights": weights}
        return srsly.msgpack_dumps(message)

    def from_bytes(self, data: bytes) -> "TorchShim":
        """Load settings and weights; raises ValueError for a file of another format, damaged, or that does not fit."""
        try:
            message = srsly.msgpack_loads(data)
            version, settings, digest, weights = (message[k] for k in ("format", "settings", "sha256", "weights"))
        except Exception as error:
            raise ValueError(
                "the weights are not a file of ossamma_spacy, or are cut short: fetch them again"
            ) from error
        if version != FORMAT:
            raise ValueError(
                f"the weights have format {version}, this version reads {FORMAT}: update ossamma_spacy, or train again"
            )
        if _digest(settings, weights) != digest:
            raise ValueError("the weights do not match their checksum: the file is damaged; fetch it again")
        module = None
        if weights:
            try:
                module = self.build(settings)
                module.load_state_dict(safetensors.torch.load(weights))
            except (MemoryError, torch.OutOfMemoryError):
                raise
            except Exception as error:
                raise ValueError(f"the weights do not fit the model that they were saved for: {error}") from error
            module = module.to(self.device).eval()
            if self.arithmetic == "auto" and self.device.type == "cpu":
                fastest_arithmetic()  # measured now, not while a service's first requests compute
        self._model, self.settings, self.process = module, settings, os.getpid()
        self._forget_training()
        return self


def _digest(settings: dict[str, Any], weights: bytes) -> str:
    """The checksum of weights and of the settings beside them, which hold the subwords."""
    return hashlib.sha256(srsly.msgpack_dumps(settings) + weights).hexdigest()


def _usable(device: torch.device) -> torch.device:
    """The device that spaCy chose, or the CPU: the GPUs of Apple know no float64, which positions and paths need."""
    return torch.device("cpu") if device.type == "mps" else device


def clip_gradients(shims: list[TorchShim], max_norm: float) -> float:
    """Scale the gradients of all shims together to at most `max_norm`; returns their norm before.

    Raises ValueError where it is not finite: a step on such gradients would destroy the weights.
    """
    values = [value for shim in shims for value in shim.gradients()]
    if not values:
        return 0.0
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(value) for value in values])).item()
    if not math.isfinite(norm):
        raise ValueError(
            f"training has diverged, the norm of its gradients is {norm}; lower learn_rate, or train without "
            "mixed_precision"
        )
    if norm > max_norm:
        for value in values:
            value.mul_(max_norm / norm)
    return norm


def keep_freed_memory() -> None:
    """Have glibc keep what one pass frees for the next, instead of asking the system for memory again and again.

    How much it keeps follows the largest block up to 32 MiB that was ever given back: twice that (mallopt(3),
    M_MMAP_THRESHOLD). Such a block is taken here and given back untouched.
    """
    torch.empty((32 << 20) - 8192, dtype=torch.uint8)


def torch_shim(model: Model[Any, Any]) -> TorchShim:
    """The shim of one of our models."""
    shim = model.shims[0]
    if not isinstance(shim, TorchShim):
        raise TypeError(f"{model.name} holds a {type(shim).__name__}, expected a model of ossamma_spacy")
    return shim
