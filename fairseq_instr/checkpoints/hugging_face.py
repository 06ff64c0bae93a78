"""Conversion of models between Hugging Face folders and fairseq checkpoints.

Weights are bit for bit the same; only the rows of the vocabulary may stand in another order
(see `hugging_face_vocabulary`). Tensors are read one by one, so that a model is in memory once.
"""

from __future__ import annotations

import json
import logging
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Dict, List, Optional, Type

import torch

from fairseq_instr.checkpoints.adapters import merge_adapters
from fairseq_instr.checkpoints.hugging_face_family import EMBEDDING, Family
from fairseq_instr.checkpoints.hugging_face_folder import check_weights, open_weights, write_weights
from fairseq_instr.checkpoints.hugging_face_llama import LlamaFamily
from fairseq_instr.checkpoints.hugging_face_translation import (
    M2M100Family,
    MarianFamily,
    MBartFamily,
)
from fairseq_instr.checkpoints.hugging_face_vocabulary import (
    TOKENIZER_CONFIG_FILE,
    Vocabulary,
    read_object,
    text_in_front,
    with_end,
)
from fairseq_instr.checkpoints.inspection import read_checkpoint, write_checkpoint
from fairseq_instr.checkpoints.parameters import trained_parameters
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.checkpoints.task_state import TaskState, task_state_of
from fairseq_instr.checkpoints.upgrading import complete, empty_model
from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_folder, refuse_to_overwrite, write_atomically
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.prompts.tokens import SOURCE_PREFIX
from fairseq_instr.text.hugging_face import CONFIG_FILE, load_tokenizer

logger = logging.getLogger(__name__)

FAMILIES = (LlamaFamily, M2M100Family, MBartFamily, MarianFamily)
CHECKPOINT_FILE, DICTIONARY_FILE, TOKENIZER_FOLDER = "model.pt", "dict.txt", "tokenizer"
CARD_FILE, GENERATION_FILE = "README.md", "generation_config.json"
# what makes up a tokenizer, and how to generate; copied as it is where it is there
COPIED = (
    "tokenizer.json",
    TOKENIZER_CONFIG_FILE,
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "tokenizer.model",
    "sentencepiece.bpe.model",
    "source.spm",
    "target.spm",
    GENERATION_FILE,
)
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SHARD_BYTES = 5 * 10**9
SYMBOLS_CARD = """\
# Instructions of this model

Write the tokens of the instructions in front of the text, in the order of this table. \
Whoever writes the text can write them too.

| token | asks for |
|---|---|
"""
CHAT_CARD = """\
# Prompts of this model

The chat template is the prompt that the model was trained with:

```python
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "Ein Hund."}],
    source_language="de", instructions=["to:fr"], add_generation_prompt=True, return_tensors="pt",
    return_dict=True,
)
output = model.generate(**prompt, do_sample=False, repetition_penalty=1.0, max_new_tokens=200)
```

An instruction with an argument is asked for by a map, such as
`instructions={"to:fr": None, "begin-with": "Voici"}`. Special tokens that the text spells out are
read as such.
"""


def family_of(config: dict, origin) -> Type[Family]:
    """The family that serves a `config.json`, whose path is `origin`.

    Raises:
        InputError: if the architecture is not supported.
    """
    architecture = (config.get("architectures") or [None])[0]
    for family in FAMILIES:
        if architecture in family.architectures:
            return family
    supported = ", ".join(name for family in FAMILIES for name in family.architectures)
    raise InputError(
        f"{origin}: the architecture {architecture!r} is not supported; supported are {supported}"
    )


def parameter_shapes(settings: dict, size: int) -> Dict[str, torch.Size]:
    """Names and shapes of a fairseq model's parameters, by settings and size of dictionary."""
    state = empty_model(settings, size, size).state_dict()
    return {key: tensor.shape for key, tensor in trained_parameters({"model": state}).items()}


def from_hugging_face(
    folder,
    output,
    dtype: Optional[str] = None,
    tokens: Optional[Dict[str, Optional[str]]] = None,
    force: bool = False,
) -> Vocabulary:
    """Write a fairseq checkpoint, its dictionary and its tokenizer.

    Args:
        folder: of Hugging Face: configuration, safetensors, tokenizer.
        dtype: of the weights, one of `DTYPES`; None to keep each as it is.
        tokens: tokens chosen for any of `bos`, `pad`, `eos`, `unk` of a decoder-only model.

    Raises:
        InputError: if something is missing, does not fit, or is not supported.
    """
    folder, output = Path(folder), Path(output)
    check_dtype(dtype)
    for name in (CHECKPOINT_FILE, DICTIONARY_FILE, TOKENIZER_FOLDER):
        refuse_to_overwrite(output / name, force)
    config = read_object(folder / CONFIG_FILE)
    family = family_of(config, folder / CONFIG_FILE).read(folder, config, tokens or {})
    entries = family.dictionary_entries(folder)
    shapes = parameter_shapes(family.settings, len(family.vocabulary.order))
    own = {key: shape for key, shape in shapes.items() if family.tied_to(key) is None}
    expected = {
        family.name(key): family.hugging_face_shape(key, shape) for key, shape in own.items()
    }
    model: Dict[str, torch.Tensor] = {}
    with open_weights(folder) as stored:
        check_weights(folder, stored, expected, family.is_optional)
        for key in own:
            tensor = family.to_fairseq(key, stored[family.name(key)].tensor())
            model[key] = tensor if dtype is None else tensor.to(DTYPES[dtype])
    model.update({key: model[family.tied_to(key) or key] for key in shapes})
    for side in ("encoder", "decoder"):  # without, fairseq takes it for a model of its first days
        if any(key.startswith("encoder.") for key in shapes):
            model[f"{side}.version"] = torch.tensor([3.0])

    settings = Namespace(_name=family.settings["arch"], **family.settings)
    task_state = {}
    if family.language_tokens is not None:
        task_state = TaskState(None, language_tokens=family.language_tokens).base_dict()
    cfg = {"model": settings, "task": {"_name": "translation_with_instructions"}}
    checkpoint = complete({"model": model, "cfg": cfg, "task_state": task_state})
    write_checkpoint(checkpoint, output / CHECKPOINT_FILE, force)
    dictionary = "".join(f"{entry} 1\n" for entry in entries)
    write_atomically(output / DICTIONARY_FILE, dictionary, force=True)
    kept = output / TOKENIZER_FOLDER
    kept.mkdir(exist_ok=True)
    _copy(folder, kept)
    shutil.copyfile(folder / CONFIG_FILE, kept / CONFIG_FILE)
    family.vocabulary.save(kept, force=True)
    return family.vocabulary


def to_hugging_face(
    checkpoint,
    tokenizer,
    output,
    dtype: Optional[str] = None,
    shard_bytes: int = SHARD_BYTES,
    force: bool = False,
) -> List[str]:
    """Write a Hugging Face folder of a fairseq checkpoint.

    Symbols of instructions become added special tokens, and a model card says what they are.
    Prompts in words become the chat template, in place of the one that the base model had.

    Args:
        checkpoint: of a model of one of the `FAMILIES`.
        tokenizer: folder `tokenizer/` that `from_hugging_face` wrote.
        dtype: of the weights, one of `DTYPES`; None to keep each as it is, and adapters that are
            merged as their base.
        shard_bytes: largest size of a file, at least one tensor each.

    Returns:
        Names of the files with weights.

    Raises:
        InputError: if the checkpoint is refused, or does not fit the tokenizer.
    """
    check_dtype(dtype)
    output, tokenizer = Path(output), Path(tokenizer)
    refuse_to_overwrite(output, force)
    path = tokenizer / CONFIG_FILE
    kept = read_object(path, optional=True)
    kind = family_of(kept, path) if kept else LlamaFamily
    state = read_checkpoint(checkpoint, mmap=True)
    if merge_adapters(state) and dtype is None:
        dtype = _name(state["model"][EMBEDDING].dtype)  # as their base
    family = kind.of_checkpoint(state, checkpoint, tokenizer, kept)
    inventory = _inventory(state, checkpoint, family)
    family.n_instructions = len(inventory.symbols)
    model = state["model"]
    keys = {
        family.name(key): key for key in trained_parameters(state) if family.tied_to(key) is None
    }
    embedding = model[EMBEDDING]
    known, found = len(family.vocabulary.order), len(embedding) - family.n_instructions
    if found != known:
        raise InputError(
            f"{checkpoint} has a vocabulary of {found}, the tokenizer in {tokenizer} one of "
            f"{known}; give the tokenizer that the model was trained with"
        )
    config = family.configuration(kept)
    config["vocab_size"] = family.vocabulary.size + family.n_instructions
    named = dtype or _name(embedding.dtype)
    config.update(dtype=named, torch_dtype=named)  # of transformers 5, and of earlier ones
    further = family.further_parameters()

    def read(name: str) -> torch.Tensor:
        tensor = further.get(name)
        if tensor is None:
            tensor = family.to_hugging_face(keys[name], model[keys[name]])
        return tensor.to(DTYPES.get(dtype or "", tensor.dtype)).contiguous()

    shapes = {
        name: torch.empty(
            family.hugging_face_shape(key, model[key].shape),
            dtype=DTYPES.get(dtype or "", model[key].dtype),
            device="meta",
        )
        for name, key in keys.items()
    }
    shapes.update({name: tensor.to("meta") for name, tensor in further.items()})
    with atomic_folder(output, force, marker=CONFIG_FILE) as temporary:
        names = write_weights(temporary, shapes, shard_bytes, read)
        write_atomically(temporary / CONFIG_FILE, json.dumps(config, indent=2) + "\n")
        _copy(tokenizer, temporary)
        if inventory:
            family.write_tokenizer(temporary, inventory)
            write_atomically(temporary / CARD_FILE, model_card(inventory))
        if (temporary / GENERATION_FILE).is_file():
            _let_end(temporary / GENERATION_FILE, family.vocabulary.eos)
        template = task_state_of(state).chat_template
        if template is not None:
            shots = settings_of(state, "task").get("shots")
            if shots:
                logger.warning(
                    f"{checkpoint} was trained with --shots {shots}: the chat template shows no "
                    "examples"
                )
            bos = family.vocabulary.bos if family.settings.get("prompt_bos") else None
            _write_chat_template(temporary, template, bos)
    return names


def _name(dtype: torch.dtype) -> str:
    return str(dtype).replace("torch.", "")


def _let_end(path: Path, eos: int) -> None:
    """Let generation end at the token that ends texts in training."""
    content = read_object(path)
    ends = with_end(content.get("eos_token_id"), eos)
    if ends != content.get("eos_token_id"):
        content["eos_token_id"] = ends
        write_atomically(path, json.dumps(content, indent=2) + "\n", force=True)


def _write_chat_template(folder: Path, template: str, bos: Optional[int]) -> None:
    path = folder / TOKENIZER_CONFIG_FILE
    content = read_object(path, optional=True)
    # training spelled texts by tokenizer.json; the class of LLaMA 2's tokenizer overrules it
    content["tokenizer_class"] = "PreTrainedTokenizerFast"
    if bos is not None:
        start = json.dumps(text_in_front(load_tokenizer(folder), bos), ensure_ascii=False)
        template = f"{{{{- {start} -}}}}\n{template}"
    content["chat_template"] = template
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, text, force=True)
    write_atomically(folder / CARD_FILE, CHAT_CARD)


def _inventory(state: dict, origin, family: Family) -> Inventory:
    trained = task_state_of(state)
    inventory = trained.inventory or Inventory()
    if inventory and not family.takes_instructions:
        raise InputError(
            f"{origin} has symbols for {len(inventory)} instructions, which Hugging Face's "
            "tokenizer doesn't know; train with --prompt-template to ask in words"
        )
    rendered = inventory.rendering, trained.placement
    if inventory and rendered != (Inventory.rendering, SOURCE_PREFIX):
        raise InputError(
            f"{origin} was trained with --prompt-rendering {inventory.rendering} "
            f"--prompt-placement {trained.placement}; converted are {Inventory.rendering} in "
            f"{SOURCE_PREFIX}"
        )
    return inventory


def model_card(inventory: Inventory) -> str:
    """Which special tokens ask for which instructions."""
    rows = []
    for instruction, symbol in zip(inventory, inventory.symbols):
        asked = instruction.phrases[0] if instruction.phrases else instruction.name
        if instruction.argument:
            asked += f"; {instruction.argument} follows, and the token once more"
        rows.append(f"| `{symbol}` | {asked} |\n")
    return SYMBOLS_CARD + "".join(rows)


def check_dtype(dtype: Optional[str]) -> None:
    """Raise `InputError` if a dtype is not one of `DTYPES`."""
    if dtype is not None and dtype not in DTYPES:
        raise InputError(f"--dtype {dtype!r} is not accepted; choose {', '.join(DTYPES)}")


def _copy(source: Path, destination: Path) -> None:
    for name in COPIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, destination / name)
        elif (destination / name).is_file():  # of the model that was there before
            (destination / name).unlink()
