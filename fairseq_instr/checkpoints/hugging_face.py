"""Conversion of decoder-only models between Hugging Face folders and fairseq checkpoints.

    FOLDER/config.json  model*.safetensors  tokenizer.json
        <-> OUTPUT/model.pt  dict.txt  tokenizer/

Weights are bit for bit the same; only the rows of the vocabulary stand in another order (see
`hugging_face_vocabulary`). Tensors are read one by one, so that a model is in memory once.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Dict, Iterator, List, Optional

import torch

from fairseq_instr.checkpoints.hugging_face_config import configuration, model_options
from fairseq_instr.checkpoints.hugging_face_vocabulary import (
    Vocabulary,
    find_vocabulary,
    read_object,
    starts_with,
)
from fairseq_instr.checkpoints.inspection import read_checkpoint, trained_inventory
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.checkpoints.upgrading import complete, empty_model
from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_folder, atomic_path, refuse_to_overwrite, write_atomically
from fairseq_instr.models.decoder_only_config import complete_options
from fairseq_instr.text.hugging_face import TOKENIZER_FILE, load_tokenizer

CHECKPOINT_FILE, DICTIONARY_FILE, TOKENIZER_FOLDER = "model.pt", "dict.txt", "tokenizer"
CONFIG_FILE = "config.json"
WEIGHTS_FILE, INDEX_FILE = "model.safetensors", "model.safetensors.index.json"
# what else makes up a tokenizer, and how to generate; copied as it is where it is there
COPIED = (
    TOKENIZER_FILE,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "tokenizer.model",
    "generation_config.json",
)
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SHARD_BYTES = 5 * 10**9

EMBEDDING, PROJECTION = "decoder.embed_tokens.weight", "decoder.output_projection.weight"


def to_hugging_face_name(key: str) -> str:
    """`decoder.layers.0...` -> `model.layers.0...`; the projection is `lm_head`."""
    return "lm_head.weight" if key == PROJECTION else key.replace("decoder.", "model.", 1)


def parameter_shapes(options: dict, size: int) -> Dict[str, torch.Size]:
    """Names and shapes of all parameters, without making them."""
    model = empty_model({"arch": "decoder_only", **options}, size, size)
    return {key: tensor.shape for key, tensor in model.state_dict().items()}


# -- Hugging Face -> fairseq --------------------------------------------------------------


def from_hugging_face(
    folder,
    output,
    dtype: Optional[str] = None,
    tokens: Optional[Dict[str, str]] = None,
    force: bool = False,
) -> Vocabulary:
    """Write a fairseq checkpoint, its dictionary and its tokenizer.

    Args:
        folder: of Hugging Face: configuration, safetensors, `tokenizer.json`.
        output: folder to write.
        dtype: of the weights, one of `DTYPES`; None to keep each as it is.
        tokens: tokens chosen for any of `bos`, `pad`, `eos`, `unk`.
        force: overwrite what is there.

    Raises:
        InputError: if something is missing, does not fit, or is not supported.
    """
    folder, output = Path(folder), Path(output)
    check_dtype(dtype)
    refuse_to_overwrite(output / CHECKPOINT_FILE, force)
    config = read_object(folder / CONFIG_FILE)
    options = model_options(config, str(folder / CONFIG_FILE))
    vocabulary = find_vocabulary(folder, config, tokens)
    options["prompt_bos"] = starts_with(load_tokenizer(folder), vocabulary.bos)

    with open_shards(folder) as stored:
        expected = parameter_shapes(options, vocabulary.size)
        check_parameters(folder, stored, expected, tied=options["share_decoder_input_output_embed"])
        order = torch.tensor(vocabulary.order)
        model: Dict[str, torch.Tensor] = {}
        for key in expected:
            if key == PROJECTION and options["share_decoder_input_output_embed"]:
                model[key] = model[EMBEDDING]
                continue
            tensor = stored[to_hugging_face_name(key)].tensor()
            if key in (EMBEDDING, PROJECTION):
                tensor = tensor.index_select(0, order)
            model[key] = tensor if dtype is None else tensor.to(DTYPES[dtype])
    with atomic_path(output / CHECKPOINT_FILE, force) as temporary:
        torch.save(complete({"model": model, "cfg": _settings(options)}), temporary)
    vocabulary.write_dictionary(output / DICTIONARY_FILE, force=True)
    kept = output / TOKENIZER_FOLDER
    kept.mkdir(exist_ok=True)
    _copy(folder, kept)
    shutil.copyfile(folder / CONFIG_FILE, kept / CONFIG_FILE)
    vocabulary.save(kept, force=True)
    return vocabulary


def _settings(options: dict) -> dict:
    return {
        "model": Namespace(_name="decoder_only", arch="decoder_only", **options),
        "task": {"_name": "translation_with_instructions"},
    }


class _Stored:
    """A tensor in a shard that is read when it is asked for."""

    def __init__(self, shard, key: str):
        self._shard, self._key = shard, key

    @property
    def shape(self) -> torch.Size:
        return torch.Size(self._shard.get_slice(self._key).get_shape())

    def tensor(self) -> torch.Tensor:
        return self._shard.get_tensor(self._key)


@contextlib.contextmanager
def open_shards(folder: Path) -> Iterator[Dict[str, _Stored]]:
    """Open the weights of a folder.

    Raises:
        InputError: if there are none, a shard is missing, or one is broken.
    """
    safetensors = _safetensors()
    if (folder / INDEX_FILE).is_file():
        names = sorted(set(read_object(folder / INDEX_FILE).get("weight_map", {}).values()))
    else:
        names = [WEIGHTS_FILE]
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
                shard = stack.enter_context(safetensors.safe_open(str(folder / name), "pt"))
            except Exception as error:  # the library's own class differs between versions
                raise InputError(f"{folder / name} is broken: {error}") from None
            stored.update({key: _Stored(shard, key) for key in shard.keys()})
        yield stored


def check_parameters(
    folder: Path, stored: Dict[str, _Stored], expected: Dict[str, torch.Size], tied: bool
) -> None:
    """Make sure that the weights are those that the configuration describes.

    Raises:
        InputError: names a parameter that is missing, unknown, or of another shape.
    """
    shapes = {to_hugging_face_name(key): shape for key, shape in expected.items()}
    if tied:
        shapes.pop("lm_head.weight")
    for key, shape in shapes.items():
        if key not in stored:
            raise InputError(
                f"{folder} has no parameter {key}, which {CONFIG_FILE} calls for; download the "
                "folder again"
            )
        if stored[key].shape != shape:
            raise InputError(
                f"{folder}: {key} is of shape {tuple(stored[key].shape)}, expected {tuple(shape)} "
                f"by {CONFIG_FILE}; they are not of one model"
            )
    # a tied projection may be saved too, and old folders hold the rotary table
    known = {*shapes, "lm_head.weight"}
    unknown = sorted(k for k in stored if k not in known and not k.endswith("inv_freq"))
    if unknown:
        raise InputError(
            f"{folder} has the parameter {unknown[0]}, which is not supported ({len(unknown)} such)"
        )


# -- fairseq -> Hugging Face --------------------------------------------------------------


def to_hugging_face(
    checkpoint,
    tokenizer,
    output,
    dtype: Optional[str] = None,
    shard_bytes: int = SHARD_BYTES,
    force: bool = False,
) -> List[str]:
    """Write a Hugging Face folder of a fairseq checkpoint.

    Args:
        checkpoint: of a decoder-only model without instruction symbols.
        tokenizer: folder `tokenizer/` that `from_hugging_face` wrote.
        output: folder to write.
        dtype: of the weights, one of `DTYPES`; None to keep each as it is.
        shard_bytes: largest size of a shard, at least one tensor each.
        force: replace the folder.

    Returns:
        Names of the shards.

    Raises:
        InputError: if the checkpoint is refused, or does not fit the tokenizer.
    """
    check_dtype(dtype)
    output = Path(output)
    refuse_to_overwrite(output, force)
    vocabulary = Vocabulary.load(tokenizer)
    state = read_checkpoint(checkpoint, mmap=True)
    inventory = trained_inventory(state)
    if inventory:
        raise InputError(
            f"{checkpoint} has symbols for {len(inventory)} instructions, which Hugging Face's "
            "tokenizer doesn't know; train with --prompt-template to ask in words"
        )
    options = checkpoint_options(state, checkpoint)
    tied = options["share_decoder_input_output_embed"]
    model = state["model"]
    rows = model[EMBEDDING].size(0)
    if rows != vocabulary.size:
        raise InputError(
            f"{checkpoint} has a vocabulary of {rows}, the tokenizer in {tokenizer} one of "
            f"{vocabulary.size}; give the tokenizer that the model was trained with"
        )
    own = configuration(options)
    path = Path(tokenizer, CONFIG_FILE)
    config = {**(read_object(path) if path.exists() else {}), **own}
    config.pop("rope_parameters", None)
    config.update(
        vocab_size=vocabulary.size,
        torch_dtype=dtype or str(model[EMBEDDING].dtype).replace("torch.", ""),
        tie_word_embeddings=tied,
    )
    config.setdefault("bos_token_id", vocabulary.bos if options["prompt_bos"] else None)
    config.setdefault("eos_token_id", vocabulary.eos)

    back = torch.empty(vocabulary.size, dtype=torch.long)
    back[torch.tensor(vocabulary.order)] = torch.arange(vocabulary.size)
    keys = {to_hugging_face_name(key): key for key in model if not (tied and key == PROJECTION)}
    shapes = {
        name: torch.empty_like(model[key], device="meta", dtype=DTYPES.get(dtype))
        for name, key in keys.items()
    }

    def read(name: str) -> torch.Tensor:
        tensor = model[keys[name]]
        if keys[name] in (EMBEDDING, PROJECTION):
            tensor = tensor.index_select(0, back)
        return tensor.to(DTYPES.get(dtype, tensor.dtype)).contiguous()

    with atomic_folder(output, force, marker=CONFIG_FILE) as temporary:
        names = _write_shards(temporary, shapes, shard_bytes, read)
        write_atomically(temporary / CONFIG_FILE, json.dumps(config, indent=2) + "\n")
        _copy(Path(tokenizer), temporary)
    return names


def checkpoint_options(state: dict, origin) -> dict:
    """Options of the decoder-only model in a checkpoint.

    Raises:
        InputError: if it holds another model.
    """
    saved = settings_of(state, "model")
    if EMBEDDING not in state["model"] or "rope_theta" not in saved:
        raise InputError(f"{origin} is no checkpoint of a decoder_only model")
    return complete_options(saved)


def _write_shards(folder: Path, shapes: Dict[str, torch.Tensor], limit: int, read) -> List[str]:
    """Write parameters in files of at most `limit` bytes, one file in memory at a time.

    Args:
        folder: folder to write to.
        shapes: parameters as tensors without memory, by their names in the files.
        limit: largest size of a file, at least one parameter each.
        read: name -> the parameter.
    """
    from huggingface_hub import split_torch_state_dict_into_shards
    from safetensors.torch import save_file

    split = split_torch_state_dict_into_shards(shapes, max_shard_size=limit)
    for name, keys in split.filename_to_tensors.items():
        tensors = {key: read(key) for key in keys}
        save_file(tensors, str(folder / name), metadata={"format": "pt"})
    if split.is_sharded:
        index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
        write_atomically(folder / INDEX_FILE, json.dumps(index, indent=2) + "\n")
    return list(split.filename_to_tensors)


# -- both ---------------------------------------------------------------------------------


def check_dtype(dtype: Optional[str]) -> None:
    """Raise `InputError` if a dtype is not one of `DTYPES`."""
    if dtype is not None and dtype not in DTYPES:
        raise InputError(f"--dtype {dtype!r} is not accepted; choose {', '.join(DTYPES)}")


def _copy(source: Path, destination: Path) -> None:
    for name in COPIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, destination / name)


def _safetensors():
    try:
        import safetensors.torch
    except ImportError:
        raise InputError(
            "the Python package safetensors is not installed: pip install "
            "'fairseq-instr[huggingface]'"
        ) from None
    return safetensors
