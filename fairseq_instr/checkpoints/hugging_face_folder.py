"""Weights in a Hugging Face folder: safetensors in one file or in shards, read one by one."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple

import torch

from fairseq_instr.checkpoints.hugging_face_vocabulary import read_object
from fairseq_instr.errors import InputError
from fairseq_instr.files import write_atomically
from fairseq_instr.text.hugging_face import CONFIG_FILE

WEIGHTS_FILE, INDEX_FILE = "model.safetensors", "model.safetensors.index.json"
ADAPTER_FILE = "adapter_config.json"


class Stored(NamedTuple):
    """A tensor in a file that is read when it is asked for."""

    file: Any
    name: str

    @property
    def shape(self) -> torch.Size:
        return torch.Size(self.file.get_slice(self.name).get_shape())

    def tensor(self) -> torch.Tensor:
        return self.file.get_tensor(self.name)


@contextlib.contextmanager
def open_weights(folder: Path) -> Iterator[Dict[str, Stored]]:
    """Open the weights of a folder.

    Raises:
        InputError: if there are none, a shard is missing, or one is broken.
    """
    safe_open = _import_safetensors().safe_open
    if (folder / ADAPTER_FILE).is_file():
        raise InputError(
            f"{folder} holds an adapter ({ADAPTER_FILE}), no model: merge it into its model with "
            "peft's merge_and_unload, and save that"
        )
    names = [WEIGHTS_FILE]
    if (folder / INDEX_FILE).is_file():
        names = sorted(set(read_object(folder / INDEX_FILE).get("weight_map", {}).values()))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing or not names:
        hint = "download it again"
        if list(folder.glob("*.bin")):
            hint = "load the model with Hugging Face and save it, which writes safetensors"
        raise InputError(f"{folder} lacks {', '.join(missing) or 'weights'}: {hint}")
    with contextlib.ExitStack() as stack:
        stored = {}
        for name in names:
            try:
                file = stack.enter_context(safe_open(str(folder / name), "pt"))
            except Exception as error:  # the library's own class differs between versions
                raise InputError(f"{folder / name} is broken: {error}") from None
            stored.update({key: Stored(file, key) for key in file.keys()})
        yield stored


def check_weights(
    folder: Path,
    stored: Mapping[str, Stored],
    expected: Mapping[str, torch.Size],
    optional: Callable[[str], bool],
) -> None:
    """Make sure that a folder has the parameters that its configuration describes.

    Args:
        expected: names and shapes by the configuration.
        optional: name -> whether a parameter may be there besides.

    Raises:
        InputError: names a parameter that is missing, unknown, or of another shape.
    """
    for name, shape in expected.items():
        if name not in stored:
            raise InputError(
                f"{folder} has no parameter {name}, which {CONFIG_FILE} calls for; download the "
                "folder again"
            )
        if stored[name].shape != shape:
            raise InputError(
                f"{folder}: {name} is of shape {tuple(stored[name].shape)}, expected "
                f"{tuple(shape)} by {CONFIG_FILE}; they are not of one model"
            )
    unknown = sorted(name for name in stored if name not in expected and not optional(name))
    if unknown:
        raise InputError(
            f"{folder} has the parameter {unknown[0]}, which is not supported ({len(unknown)} such)"
        )


def write_weights(
    folder: Path,
    shapes: Dict[str, torch.Tensor],
    shard_bytes: int,
    read: Callable[[str], torch.Tensor],
) -> List[str]:
    """Write parameters in files of at most `shard_bytes`, one file in memory at a time.

    Args:
        shapes: parameters as tensors without memory, by their names.
        shard_bytes: largest size of a file, at least one parameter each.
        read: name -> the parameter.

    Returns:
        Names of the files.
    """
    _import_safetensors()
    from huggingface_hub import split_torch_state_dict_into_shards
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    split = split_torch_state_dict_into_shards(shapes, max_shard_size=shard_bytes)
    for file, names in split.filename_to_tensors.items():
        tensors = {name: read(name) for name in names}
        try:
            save_file(tensors, str(folder / file), metadata={"format": "pt"})
        except SafetensorError as error:  # tensors that can be read can be written
            raise OSError(str(error)) from None
    if split.is_sharded:
        index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
        write_atomically(folder / INDEX_FILE, json.dumps(index, indent=2) + "\n")
    return list(split.filename_to_tensors)


def _import_safetensors():
    try:
        import safetensors
    except ImportError:
        raise InputError(
            "the Python package safetensors is not installed: pip install safetensors "
            "huggingface_hub tokenizers"
        ) from None
    return safetensors
