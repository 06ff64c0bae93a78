"""Going on after a run was killed while it saved.

fairseq renames the first of a save's checkpoints when it is whole. The others of the same save,
`checkpoint_last.pt` among them, are plain copies of it: a process killed while it copies leaves
a copy cut short, and the next start would fail on it.
"""

from __future__ import annotations

import logging
import shutil
import zipfile
from pathlib import Path

from fairseq_instr.files import atomic_path

logger = logging.getLogger(__name__)


def is_whole(path) -> bool:
    """Whether a checkpoint was written to its end, where the directory of the archive stands."""
    return zipfile.is_zipfile(path)


def restore_cut_copy(path) -> bool:
    """Replace a checkpoint that was cut short while it was copied by what it is a copy of.

    Any number of processes may do so at the same time.

    Returns:
        Whether it was replaced. Not so if it is whole, is no torch archive that begins as one,
        or has no whole checkpoint beside it.
    """
    path = Path(path)
    if is_whole(path) or not _begins_as_archive(path):
        return False
    whole = [p for p in path.parent.glob("checkpoint*.pt") if p != path and is_whole(p)]
    if not whole:
        return False
    # what was copied is what had just been written
    original = max(whole, key=lambda p: p.stat().st_mtime_ns)
    # a copy, no link: fairseq writes into the file that it finds
    with atomic_path(path, force=True) as temporary:
        shutil.copyfile(original, temporary)
    logger.warning(f"{path} was cut short by an interruption; going on from {original}")
    return True


def _begins_as_archive(path: Path) -> bool:
    with open(path, "rb") as file:
        start = file.read(4)
    return b"PK\x03\x04".startswith(start)
