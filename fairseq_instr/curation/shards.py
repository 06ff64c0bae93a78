"""A pass over a text that can stop and go on, or be spread over machines.

Each shard has a JSON file, `curation-I-of-N.json`, with what was collected so far and what it was
made from. The file is written every minute and at the end. A pass goes on, and shards are merged,
only if they are made from the same.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import List, Tuple

from tqdm import tqdm

from fairseq_instr.curation.aligned_text import START, AlignedText, Position
from fairseq_instr.curation.curators import Curation
from fairseq_instr.errors import InputError
from fairseq_instr.files import write_atomically
from fairseq_instr.plain_data import read_json

SAVE_SECONDS = 60.0
_SHARD_FILE = re.compile(r"curation-(\d+)-of-(\d+)\.json")


def parse_shard(text: str) -> Tuple[int, int]:
    """`2/8` -> (2, 8)."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"--shard {text!r} is not accepted: give I/N, from 1/N to N/N")
    return int(found[1]), int(found[2])


def shard_file(folder, shard: Tuple[int, int]) -> Path:
    """Where the collected samples of a shard lie."""
    return Path(folder, f"curation-{shard[0]}-of-{shard[1]}.json")


def collect(
    text: AlignedText,
    curation: Curation,
    path: Path,
    made_from: dict,
    shard: Tuple[int, int] = (1, 1),
    show_progress: bool = False,
    save_seconds: float = SAVE_SECONDS,
) -> None:
    """Run a curation over a text, or over the rest that an interrupted run left.

    However a run ends, the samples collected so far are in the file.

    Args:
        path: the shard's file; there may be one of an earlier run.
        made_from: files and options that the samples depend on, as JSON values; `samples` holds
            how many are wanted, by the instruction's name.

    Raises:
        InputError: if the file was made from something else, or the text can't be read.
    """
    position = START
    if path.exists():
        state = _load(path)
        _compare(path, state["made_from"], made_from)
        curation.merge(state["collected"])
        position = Position(*state["position"])
        if state["complete"]:
            return

    def save(complete: bool) -> None:
        state = {
            "made_from": made_from,
            "shard": list(shard),
            "complete": complete,
            "position": list(text.position),
            "collected": curation.to_dict(),
        }
        write_atomically(path, json.dumps(state, ensure_ascii=False), force=True)

    text.position = position
    saved = time.monotonic()
    whole = True  # no chunk is added by half
    size, hidden = text.sizes[0], not show_progress
    with tqdm(total=size, desc="source", unit="B", unit_scale=True, disable=hidden) as bar:
        try:
            for chunk in text.chunks(position, shard, bar.update):
                # the position is where this chunk begins: what is saved now goes on with it
                if time.monotonic() - saved > save_seconds:
                    save(complete=False)
                    saved = time.monotonic()
                whole = False
                curation.add(chunk)
                whole = True
        except BaseException:
            if whole:
                save(complete=False)
            raise
    save(complete=True)


def merge_shards(folder, curation: Curation, made_from: dict) -> List[Path]:
    """Add up the shards of one pass in a new curation.

    Raises:
        InputError: if a shard is missing, unfinished, or made from something else.
    """
    paths = _find_shards(folder)
    for path in paths:
        state = _load(path)
        _compare(path, state["made_from"], made_from)
        curation.merge(state["collected"])
    return paths


def _compare(path: Path, old: dict, new: dict) -> None:
    """Raise `InputError` if a file was made with other options; it may have more instructions."""
    samples = {name: n for name, n in old.get("samples", {}).items() if name in new["samples"]}
    difference = find_difference({**old, "samples": samples}, new)
    if difference:
        raise InputError(
            f"{path} was made {difference}; give --force to begin again, or another --output"
        )


def _find_shards(folder) -> List[Path]:
    """The files of all shards of one pass, in order, checked against each other."""
    names = map(_SHARD_FILE.fullmatch, (path.name for path in Path(folder).glob("*.json")))
    found = {(int(name[1]), int(name[2])): Path(folder, name[0]) for name in names if name}
    counts = sorted({count for _, count in found})
    if len(counts) != 1:
        raise InputError(
            f"--merge: {folder} holds shards of {' and of '.join(map(str, counts)) or 'no pass'}; "
            "run each --shard I/N with the same N and the same --output"
        )
    missing = [i for i in range(1, counts[0] + 1) if (i, counts[0]) not in found]
    if missing:
        numbers = ", ".join(f"{i}/{counts[0]}" for i in missing[:10])
        raise InputError(f"{folder}: the shards {numbers} are missing; run them, then --merge")
    paths = [found[i, counts[0]] for i in range(1, counts[0] + 1)]
    first = _load(paths[0])
    for path in paths:
        state = _load(path)
        if not state["complete"]:
            raise InputError(
                f"{path} is unfinished; run this shard again: it goes on, then --merge"
            )
        difference = find_difference(state["made_from"], first["made_from"])
        if difference:
            raise InputError(
                f"{path} was made {difference}, which {paths[0]} has; run one of them again"
            )
        if state["position"] != first["position"]:
            raise InputError(
                f"{path} read {state['position'][0]} lines, {paths[0]} read "
                f"{first['position'][0]}; the text was changed in between, run both again"
            )
    return paths


def _load(path: Path) -> dict:
    remedy = "remove it and run again"
    state = read_json(path, remedy)
    expected = {"made_from", "shard", "complete", "position", "collected"}
    if not isinstance(state, dict) or set(state) != expected:
        raise InputError(f"{path} is not a file of curated samples; {remedy}")
    return state


def find_difference(old: dict, new: dict) -> str:
    """The first entry in which two descriptions differ, in words; empty if there is none."""
    for key in {**old, **new}:
        if old.get(key) != new.get(key):
            return f"with {key} {old.get(key)!r:.60} instead of {new.get(key)!r:.60}"
    return ""
