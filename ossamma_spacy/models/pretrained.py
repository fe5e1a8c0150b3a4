"""Pretrained encoders on disk: `metadata.json`, `vocabulary.json` and `encoder.safetensors` in one folder."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from thinc.api import Model

from ossamma_spacy.files import write_together
from ossamma_spacy.models.shim import torch_shim
from ossamma_spacy.nn.config import DROPOUTS, EncoderConfig

FORMAT = 1
FILES = ("encoder.safetensors", "vocabulary.json")


def save_encoder(model: Model[Any, Any], folder: Path, **facts: Any) -> None:
    """Write the weights of an `ossamma.Encoder.v1` and, as metadata, its settings, checksums and `facts`."""
    shim = torch_shim(find_encoder(model))
    files = dict(
        zip(FILES, (safetensors.torch.save(shim.state()), shim.settings["vocabulary"].encode("utf-8")), strict=True)
    )
    metadata = {
        **facts,
        "format": FORMAT,
        "config": shim.settings["config"],
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    files["metadata.json"] = (json.dumps(metadata, indent=2) + "\n").encode("utf-8")
    write_together({folder / name: data for name, data in files.items()})


def pretrained_encoder(path: Path) -> Callable[[Model[Any, Any]], None]:
    """`ossamma.pretrained_encoder.v1`: what gives the encoder of a model the weights in the folder `path`.

    The weights are read once, when the pipeline is initialized; a trained pipeline does not need the folder. Raises
    ValueError, naming the file, for one that is missing, damaged or of another format, and naming the settings where
    the model in the config is of another shape.
    """

    def load(model: Model[Any, Any]) -> None:
        encoder = find_encoder(model)
        settings, state = read_encoder(Path(path))
        try:
            check_shape(encoder.attrs["config"], settings["config"])
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        shim = torch_shim(encoder)
        try:
            shim.create(settings)
            shim.module.load_state_dict(state)
        except Exception as error:  # torch and tokenizers raise errors of many kinds
            raise ValueError(f"{path}: metadata, subwords and weights do not fit each other ({error})") from error

    return load


def read_encoder(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings and weights of the encoder in `folder`, checked against their checksums."""
    try:
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        version, config, digests = metadata["format"], dict(metadata["config"]), dict(metadata["sha256"])
        if version == FORMAT:
            EncoderConfig.from_dict(config)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ValueError(f"{folder}: no metadata.json, so this is no folder of a pretrained encoder") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / 'metadata.json'}: not the metadata of an encoder ({error})") from error
    if version != FORMAT:
        raise ValueError(f"{folder}: format {version}, this version reads {FORMAT}: update ossamma_spacy")
    for name in FILES:
        if not (folder / name).is_file():
            raise ValueError(f"{folder / name}: missing; fetch the encoder again")
        if _sha256(folder / name) != digests.get(name):
            raise ValueError(f"{folder / name}: does not match its checksum, it is damaged; fetch the encoder again")
    vocabulary = (folder / FILES[1]).read_text(encoding="utf-8")
    try:
        return {"config": config, "vocabulary": vocabulary}, safetensors.torch.load_file(folder / FILES[0])
    except safetensors.SafetensorError as error:
        raise ValueError(f"{folder / FILES[0]}: no weights in safetensors format ({error})") from error


def find_encoder(model: Model[Any, Any]) -> Model[Any, Any]:
    """The `ossamma.Encoder.v1` in a model; raises ValueError where there is none."""
    for node in model.walk():
        if node.name == "ossamma_encoder":
            return node
    raise ValueError(
        f"the model '{model.name}' has no ossamma.Encoder.v1 of its own; where it listens to a tok2vec pipe, "
        "there are no weights to give it"
    )


def check_shape(here: dict[str, Any], there: dict[str, Any]) -> None:
    """Raise ValueError where the encoder of settings `there` does not fit the config `here`."""
    for name, value in EncoderConfig.from_dict(there).to_dict().items():
        # how many subwords there are is the vocabulary's affair, and how much is dropped that of the training at hand
        if name not in ("vocabulary_rows", *DROPOUTS) and here[name] != value:
            raise ValueError(f"the encoder has {name} = {value}, the config {here[name]}; set {name} = {value}")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
