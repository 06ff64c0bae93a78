"""Looking into a checkpoint before fairseq loads it, to refuse what would fail later."""

from __future__ import annotations

import logging
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

import torch

from fairseq_instr.checkpoints.parameters import BASE_KEY, AdapterBase, digest
from fairseq_instr.checkpoints.safe_globals import allow_settings
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.checkpoints.task_state import task_state_of
from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path
from fairseq_instr.instructions.inventory import Inventory

logger = logging.getLogger(__name__)

# the function of fairseq that loads the checkpoints of --path, one `filename` after the other
LOADER = ("fairseq.checkpoint_utils", "load_model_ensemble_and_task")
ADAPTER_BASE = "adapter_base"
"""Key of a checkpoint's content: the `AdapterBase` that completed its adapters, as a dict."""
MANY_PARAMETERS = 50_000_000
"""What settings may describe in any case: tables of positions are not in a checkpoint."""
# parts of a layer that fairseq's own models don't have -> what they are
_PARTS = {
    re.compile(r"\.(moe_layer|experts)\."): "a mixture of experts",
    re.compile(r"\.adapter(s|_layers?)?\."): "adapters",
}
# how torch's reader names a class or function that is not among the safe ones
_FOREIGN = re.compile(
    r"GLOBAL \S+ was not an allowed global|Unsupported (global|class|operand)[^.\\n]*"
)


def read_checkpoint(path, mmap: bool = False, base=None) -> dict:
    """The content of a checkpoint on the CPU; nothing in it is executed.

    A checkpoint of adapters is completed by the parameters of their base, which it then names
    under `ADAPTER_BASE`.

    Args:
        mmap: leave tensors in the file until they are looked at.
        base: checkpoint to take for the base of adapters where that is gone.

    Raises:
        InputError: if the file is missing, broken, holds foreign objects, or no model; if the
            model has experts or adapters of another kind; if the base of its adapters is gone or
            another.
    """
    state = _read(path, mmap)
    named = add_base(state["model"], f"checkpoint {path}", base)
    if named is not None:
        state[ADAPTER_BASE] = named._asdict()
    return state


def add_base(
    parameters: Dict[str, torch.Tensor], origin: str, instead=None
) -> Optional[AdapterBase]:
    """Complete the parameters of adapters by the base that they name, in place.

    Args:
        parameters: of a checkpoint; others than adapters stay as they are.
        origin: the checkpoint, for errors.
        instead: path of the base where the named one is gone.

    Returns:
        The base that was named; None where there is none.

    Raises:
        InputError: if the base is gone, or is not the one that the adapters were trained with.
    """
    named: Any = parameters.pop(BASE_KEY, None)
    if named is None:
        return None
    try:
        base = AdapterBase(**named)
        path = Path(base.path)
    except TypeError:
        raise InputError(f"{origin} is broken: it names no base of its adapters") from None
    if instead is not None and not path.is_file():
        path = Path(instead)
    if not path.is_file():
        raise InputError(
            f"{origin} holds adapters of {path}, which does not exist: put that checkpoint there, "
            "or merge the two with fairseq-instr interpolate --tuned-weight 1"
        )
    own = _read(path, mmap=True)["model"]
    if BASE_KEY in own or digest(own) != base.digest:
        raise InputError(
            f"{origin} holds adapters of another model than {path} is: their base has the "
            f"fingerprint {base.digest:.16}; give that model this path"
        )
    for key, parameter in own.items():
        parameters.setdefault(key, parameter)
    return base


def _read(path, mmap: bool = False) -> dict:
    if not Path(path).is_file():
        raise InputError(f"checkpoint {path} does not exist")
    refuse_compressed(path)
    allow_settings()
    try:
        # only archives can stay in the file, not the format of torch before 1.6
        mmap = mmap and zipfile.is_zipfile(path)
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
    if "fsdp_metadata" in state:
        raise InputError(
            f"checkpoint {path} is one shard of a fully sharded training; put the shards together "
            "with fairseq's scripts/consolidate_fsdp_shards.py first"
        )
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
        kind = next((kind for part, kind in _PARTS.items() if part.search(str(key))), None)
        if kind is not None:
            raise InputError(
                f"checkpoint {path} is refused: its parameter {key!r:.80} is of {kind}, which is "
                "not supported; give a dense model without"
            )
        # a view may say a value again and again, up to any size
        if isinstance(value, torch.Tensor) and value.numel() * value.element_size() > n_bytes:
            raise InputError(
                f"checkpoint {path} is refused: its parameter {key!r:.80} of shape "
                f"{tuple(value.shape)!s:.80} is larger than the file"
            )
    return state


def write_checkpoint(state: Mapping, path, force: bool = False) -> None:
    """Save a checkpoint, whole or not at all.

    Raises:
        InputError: if the file exists and `force` is not set, or can't be written.
    """
    with atomic_path(path, force) as temporary, open(temporary, "wb") as file:
        torch.save(state, file)  # given a path, torch's own writer hides what the disk said


def find_broken_checkpoint(traceback) -> Optional[InputError]:
    """The `InputError` that says what is wrong with the checkpoint that fairseq was loading.

    fairseq reads the checkpoints of `--path` before a task can. The one that it was at is read
    again; if nothing is wrong with it, the error is another one and the result None.
    """
    while traceback is not None:
        frame = traceback.tb_frame
        if (frame.f_globals.get("__name__"), frame.f_code.co_name) == LOADER:
            try:
                path = frame.f_locals["filename"]
                refuse_incomplete(read_checkpoint(path, mmap=True), path)
            except InputError as error:
                return error
            except Exception:  # the hook shows the first error, never one of its own
                pass
        traceback = traceback.tb_next
    return None


def refuse_oversized(state: dict, path) -> None:
    """Refuse a checkpoint whose settings describe a much larger model than it holds.

    fairseq builds the model by the settings before it looks at the parameters.

    Raises:
        InputError: if the described model has over four times the parameters, and some.
    """
    settings = settings_of(state, "model")
    if not settings:
        raise InputError(f"checkpoint {path} is broken: it has no settings of its model")

    def size(name: str) -> int:
        value = settings.get(name)
        return value if isinstance(value, int) else 0

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


def refuse_incomplete(state: Mapping, path) -> None:
    """Refuse a checkpoint that fairseq's own commands can't read: one stripped to its model.

    Raises:
        InputError: says how to complete it.
    """
    oldest = {"optimizer", "best_loss"} <= set(state)
    complete = "extra_state" in state or {"epoch", "batch_offset", "val_loss"} <= set(state)
    if not complete or not (state.get("optimizer_history") or oldest):
        raise InputError(
            f"checkpoint {path} is stripped: fairseq's commands want its 'optimizer_history' and "
            f"'extra_state'; complete it with: fairseq-instr convert upgrade {path} --output NEW.pt"
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


def trained_inventory(state: dict) -> Optional[Inventory]:
    """The inventory that a checkpoint was trained with; None for a base model."""
    return task_state_of(state).inventory
