"""The checkpoint that a training starts from: which one it is, and whether it can be."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

from fairseq_instr.checkpoints.architecture import settle_architecture
from fairseq_instr.checkpoints.inspection import (
    ADAPTER_BASE,
    read_checkpoint,
    refuse_incomplete,
)
from fairseq_instr.checkpoints.parameters import AdapterBase, digest, source_embedding
from fairseq_instr.checkpoints.recovery import restore_cut_copy
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.checkpoints.task_state import TaskState, task_state_of
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.inventory import Inventory

logger = logging.getLogger(__name__)

DEFAULT_RESTORE_FILE = "checkpoint_last.pt"


class StartingPoint(NamedTuple):
    """A checkpoint that fairseq will load before the first update."""

    path: str  # of the checkpoint
    option: str  # the option that names it, for errors
    resets_optimizer: bool  # whether the optimizer starts afresh
    state: Dict[str, Any]  # content of the checkpoint; its tensors stay in the file

    @classmethod
    def find(cls, cfg) -> Optional[StartingPoint]:
        """The checkpoint that fairseq will choose by the task's options; None if it has none.

        Raises:
            InputError: if the checkpoint is refused, or `--finetune-from-model` names several.
        """
        default = cfg.restore_file == DEFAULT_RESTORE_FILE
        last = Path(cfg.save_dir if default else "", cfg.restore_file)
        if last.is_file():
            if default:
                restore_cut_copy(last)
            return cls._read(str(last), bool(cfg.reset_optimizer), "--restore-file")
        if default and cfg.continue_once:
            return cls._read(cfg.continue_once, bool(cfg.reset_optimizer), "--continue-once")
        path = cfg.finetune_from_model
        if not path:
            return None
        if ":" in path and not Path(path).exists():
            raise InputError(
                f"--finetune-from-model {path}: one checkpoint is expected; give one, such as the "
                "average that `fairseq-instr interpolate` writes"
            )
        return cls._read(path, True, "--finetune-from-model")

    @classmethod
    def _read(cls, path: str, resets_optimizer: bool, option: str) -> StartingPoint:
        state = read_checkpoint(path, mmap=True)
        refuse_incomplete(state, path)
        return cls(path, option, resets_optimizer, state)

    @staticmethod
    def refuse_missing(cfg) -> None:
        """Raise `InputError` if a training without a starting point was given one.

        fairseq would begin with random parameters.
        """
        if cfg.restore_file != DEFAULT_RESTORE_FILE:
            raise InputError(
                f"--restore-file {cfg.restore_file} does not exist; give a checkpoint's path as "
                "seen from the working directory, or leave the option out to go on from the last "
                "one in --save-dir"
            )

    @property
    def origin(self) -> str:
        """Option and path, for errors."""
        return f"{self.option} {self.path}"

    def settle(self, cfg, allow_change: bool) -> None:
        """Give a model the checkpoint's architecture; see `settle_architecture`."""
        settle_architecture(cfg, settings_of(self.state, "model"), self.origin, allow_change)

    @property
    def adapter_base(self) -> Optional[AdapterBase]:
        """What adapters that are trained from here on can leave to a base.

        The base is the checkpoint itself, or that of the adapters in it. None where the
        checkpoint holds adapters and their base in one.
        """
        if ADAPTER_BASE in self.state:
            return AdapterBase(**self.state[ADAPTER_BASE])
        if settings_of(self.state, "model").get("lora_rank"):
            return None
        return AdapterBase(str(Path(self.path).resolve()), digest(self.state["model"]))

    def check(
        self, own: TaskState, n_source: int, store_ema: bool = False, moved: bool = False
    ) -> Inventory:
        """Refuse what training could not go on from.

        Args:
            own: what the task would save.
            n_source: size of the grown source dictionary.
            store_ema: value of `--store-ema`.
            moved: whether prompts may stand elsewhere than in the checkpoint's training.

        Returns:
            Inventory that the checkpoint was trained with; an empty one for a base model.

        Raises:
            InputError: if its inventory, prompts or vocabulary differ, if it has an adaptive
                softmax, or if its optimizer is too small for the grown vocabulary.
        """
        trained_with = task_state_of(self.state)
        own.check_extends(trained_with, self.origin, moved)
        trained, inventory = trained_with.inventory or Inventory(), own.inventory or Inventory()
        model = self.state["model"]
        if inventory and any(key.startswith("decoder.adaptive_softmax.") for key in model):
            raise InputError(
                f"{self.origin}: a model with adaptive softmax can't take instructions, its output "
                "is tied to ranges of ids; use a model with a full softmax"
            )
        if store_ema and "ema" not in self.state.get("extra_state", {}):
            raise InputError(
                f"--store-ema: {self.path} has no moving average, and fairseq can't begin one from "
                "a checkpoint without; leave --store-ema out"
            )
        matrix = source_embedding(model)
        if matrix is None:
            return trained
        expected = n_source - len(inventory.symbols) + len(trained.symbols)
        if matrix.size(0) != expected:
            raise InputError(
                f"{self.origin}: its source vocabulary has {matrix.size(0)} entries, expected "
                f"{expected} by the dictionaries of the data-bin; use those that it was trained "
                "with"
            )
        if expected < n_source and not self.resets_optimizer:
            raise InputError(
                f"{self.origin}: its vocabulary has {expected} entries, with the instructions "
                f"there are {n_source}, so its optimizer can't go on; start from it with "
                "--finetune-from-model instead, or add --reset-optimizer"
            )
        return trained

    def leave_if_finished(self, max_update: int) -> None:
        """End the process, as a success, if a run that would be resumed has made all its updates.

        fairseq looks at `--max-update`, 0 for no end, after an update only: started once more, by
        a scheduler or after a kill between its last save and its end, a finished run would train
        on by an update.

        Raises:
            SystemExit: with code 0.
        """
        updates = (self.state.get("optimizer_history") or [{}])[-1].get("num_updates", 0)
        if not self.resets_optimizer and 0 < max_update <= updates:
            logger.warning(
                f"{self.path} is of update {updates}, the run has reached --max-update "
                f"{max_update}: nothing is left to do; give a larger one to train on"
            )
            raise SystemExit(0)
