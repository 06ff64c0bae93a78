"""Looking into a checkpoint before fairseq loads it, to refuse what would fail later."""

from __future__ import annotations

import logging
import pickle
import re
import zipfile
from pathlib import Path
from typing import Mapping, Optional

import torch

from fairseq_instr.checkpoints.growth import source_embedding
from fairseq_instr.checkpoints.safe_globals import allow_settings
from fairseq_instr.checkpoints.task_state import inventory_of
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.inventory import Inventory

logger = logging.getLogger(__name__)

# the function of fairseq that loads the checkpoints of --path, one `filename` after the other
LOADER = ("fairseq.checkpoint_utils", "load_model_ensemble_and_task")
MANY_PARAMETERS = 50_000_000
"""What settings may describe in any case: tables of positions are not in a checkpoint."""
# how torch's reader names a class or function that is not among the safe ones
_FOREIGN = re.compile(
    r"GLOBAL \S+ was not an allowed global|Unsupported (global|class|operand)[^.\\n]*"
)


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
    refuse_compressed(path)
    allow_settings()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        foreign = _FOREIGN.search(str(error))
        reason = foreign[0] if foreign else str(error).strip().splitlines()[0]
        raise InputError(
            f"checkpoint {path} is refused: it holds more than tensors and settings, or is "
            f"broken ({reason:.200})"
        ) from None
    # whatever a damaged file may do to torch's reader: it calls the classes that are safe with
    # arguments that the file chooses
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"checkpoint {path} is broken: {reason:.200}") from None
    if not isinstance(state, dict) or not isinstance(state.get("model"), dict):
        raise InputError(f"{path} is not a fairseq checkpoint: it has no 'model'")
    # no value is asked for its truth: a tensor has none
    history = [] if state.get("optimizer_history") is None else state["optimizer_history"]
    for key in ("cfg", "task_state"):
        if not isinstance(state.get(key), (Mapping, type(None))):
            raise InputError(f"checkpoint {path} is broken: its {key!r} is no mapping")
    if not isinstance(history, list) or not all(isinstance(past, Mapping) for past in history):
        raise InputError(f"checkpoint {path} is broken: its 'optimizer_history' is no list")
    n_bytes = Path(path).stat().st_size
    for key, value in state["model"].items():
        if not isinstance(value, torch.Tensor) and not str(key).endswith("_extra_state"):
            raise InputError(f"checkpoint {path} is broken: its parameter {key!r:.80} is no tensor")
        # a view may say a value again and again, up to any size
        if isinstance(value, torch.Tensor) and value.numel() * value.element_size() > n_bytes:
            raise InputError(
                f"checkpoint {path} is refused: its parameter {key!r:.80} of shape "
                f"{tuple(value.shape)!s:.80} is larger than the file"
            )
    return state


def find_broken_checkpoint(traceback) -> Optional[InputError]:
    """The `InputError` that says what is wrong with the checkpoint that fairseq was loading.

    fairseq reads the checkpoints of `--path` before a task can. The one that it was at is read
    again; if nothing is wrong with it, the error is another one and the result None.
    """
    while traceback is not None:
        frame = traceback.tb_frame
        if (frame.f_globals.get("__name__"), frame.f_code.co_name) == LOADER:
            try:
                read_checkpoint(frame.f_locals["filename"])
            except InputError as error:
                return error
            except Exception:  # the hook shows the first error, never one of its own
                pass
        traceback = traceback.tb_next
    return None


def refuse_oversized(state: dict, path) -> None:
    """Refuse a checkpoint whose settings describe a much larger model than it holds.

    fairseq builds the model by the settings before it looks at the parameters.

    Args:
        state: content of the checkpoint.
        path: of it.

    Raises:
        InputError: if the described model has over four times the parameters, and some.
    """
    settings = (state.get("cfg") or {}).get("model")
    settings = state.get("args") if settings is None else settings

    def size(name: str) -> int:
        value = settings.get(name) if isinstance(settings, Mapping) else vars(settings).get(name)
        return value if isinstance(value, int) else 0

    if settings is None or not (isinstance(settings, Mapping) or hasattr(settings, "__dict__")):
        raise InputError(f"checkpoint {path} is broken: it has no settings of its model")
    described = 0
    for side, positions in (("encoder", "max_source"), ("decoder", "max_target")):
        width, inner = size(f"{side}_embed_dim"), size(f"{side}_ffn_embed_dim")
        # attention and feed-forward sublayer, as of a transformer; and a table of positions
        described += size(f"{side}_layers") * (4 * width**2 + 2 * width * inner + 1)
        described += size(f"{positions}_positions") * max(width, 1)
    held = sum(value.numel() for value in state["model"].values() if torch.is_tensor(value))
    if described > 4 * held + MANY_PARAMETERS:
        raise InputError(
            f"checkpoint {path} is refused: its settings describe a model of {described} "
            f"parameters and more, it holds {held}"
        )


def refuse_compressed(path) -> None:
    """Refuse a checkpoint that takes more memory than its file has bytes.

    torch writes tensors as they are; but its reader would unpack compressed ones, of which a
    small file can hold any amount.

    Raises:
        InputError: if the file is an archive with compressed or overlapping parts.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        return  # no archive: of torch before 1.6, or broken, which its reader will say
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > Path(path).stat().st_size or any(entry.compress_type for entry in entries):
        raise InputError(
            f"checkpoint {path} is refused: it is compressed, and would unpack to {unpacked} "
            "bytes; save it with torch.save as it is"
        )


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
    return inventory_of(state.get("task_state") or {})


def check_before_training(
    path,
    inventory: Inventory,
    n_source: int,
    resets_optimizer: bool,
    option: str,
    max_update: int = 0,
) -> Inventory:
    """Refuse a checkpoint that training could not go on from.

    Args:
        path: checkpoint that training will start from.
        inventory: of the data-bin.
        n_source: size of the grown source dictionary.
        resets_optimizer: whether the optimizer starts afresh.
        option: the option that names the checkpoint, for the error.
        max_update: where a run that is resumed ends; 0 for nowhere.

    Returns:
        Inventory that the checkpoint was trained with; an empty one for a base model.

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
    trained = Inventory() if trained is None else trained
    matrix = source_embedding(state["model"])
    if matrix is None:
        return trained
    expected = n_source - len(inventory.symbols) + len(trained.symbols)
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
    return trained
