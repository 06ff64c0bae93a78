"""Looking into a checkpoint before fairseq loads it, to refuse what would fail later."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Optional

import torch

from fairseq_instr.checkpoints.growth import source_embedding
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.inventory import Inventory

logger = logging.getLogger(__name__)

INVENTORY_KEY = "instruction_inventory"


def read_checkpoint(path, mmap: bool = False) -> dict:
    """The content of a checkpoint on the CPU; nothing in it is executed.

    Args:
        path: fairseq checkpoint.
        mmap: leave tensors in the file until they are looked at.

    Raises:
        InputError: if the file is missing, broken, holds foreign objects, or no model.
    """
    if not Path(path).is_file():
        raise InputError(f"checkpoint {path} does not exist")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"checkpoint {path} is refused: it holds more than tensors and settings, or is "
            f"broken ({reason:.200})"
        ) from None
    except (RuntimeError, EOFError, KeyError, ValueError, OSError) as error:
        reason = (str(error).strip().splitlines() or ["end of file"])[0]
        raise InputError(f"checkpoint {path} is broken: {reason:.200}") from None
    if not isinstance(state, dict) or not isinstance(state.get("model"), dict):
        raise InputError(f"{path} is not a fairseq checkpoint: it has no 'model'")
    return state


def leave_if_finished(state: dict, path, max_update: int) -> None:
    """End the process, as a success, if a run that would be resumed has made all its updates.

    fairseq looks at `--max-update` after an update only: started once more, by a scheduler or
    after a kill between its last save and its end, a finished run would train on by an update.

    Args:
        state: content of the checkpoint that the run would go on from.
        path: of it.
        max_update: of the run; 0 for no end.

    Raises:
        SystemExit: with code 0.
    """
    history = state.get("optimizer_history") or [{}]
    updates = history[-1].get("num_updates", 0)
    if 0 < max_update <= updates:
        logger.warning(
            f"{path} is of update {updates}, the run has reached --max-update {max_update}: "
            "nothing is left to do; give a larger one to train on"
        )
        raise SystemExit(0)


def trained_inventory(state: dict) -> Optional[Inventory]:
    """The inventory that a checkpoint was trained with; None for a base model."""
    content = (state.get("task_state") or {}).get(INVENTORY_KEY)
    return None if content is None else Inventory.from_dict(content, origin="checkpoint")


def check_before_training(
    path,
    inventory: Inventory,
    n_source: int,
    resets_optimizer: bool,
    option: str,
    max_update: int = 0,
) -> int:
    """Refuse a checkpoint that training could not go on from.

    Args:
        path: checkpoint that training will start from.
        inventory: of the data-bin.
        n_source: size of the grown source dictionary.
        resets_optimizer: whether the optimizer starts afresh.
        option: the option that names the checkpoint, for the error.
        max_update: where a run that is resumed ends; 0 for nowhere.

    Returns:
        Number of instructions that the checkpoint was trained with.

    Raises:
        InputError: if its inventory or its vocabulary differs, if it has an adaptive softmax,
            or if it would be resumed with an optimizer state that is too small for the grown
            vocabulary.
        SystemExit: with code 0, if the run that would be resumed has ended.
    """
    state = read_checkpoint(path)
    if not resets_optimizer:
        leave_if_finished(state, path, max_update)
    trained = trained_inventory(state)
    if trained is not None:
        inventory.check_extends(trained, f"{option} {path}")
    if inventory and any(key.startswith("decoder.adaptive_softmax.") for key in state["model"]):
        raise InputError(
            f"{option} {path}: a model with adaptive softmax can't take instructions, its output "
            "is tied to ranges of ids; use a model with a full softmax"
        )
    n_trained = len(trained or ())
    matrix = source_embedding(state["model"])
    if matrix is None:
        return n_trained
    expected = n_source - len(inventory) + n_trained
    if matrix.size(0) != expected:
        raise InputError(
            f"{option} {path}: its source vocabulary has {matrix.size(0)} entries, expected "
            f"{expected} by the dictionaries of the data-bin; use those that it was trained with"
        )
    if expected < n_source and not resets_optimizer:
        raise InputError(
            f"{option} {path}: its vocabulary has {expected} entries, with the instructions "
            f"there are {n_source}, so its optimizer can't go on; start from it with "
            "--finetune-from-model instead, or add --reset-optimizer"
        )
    return n_trained
