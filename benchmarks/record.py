"""Merging a benchmark's figures into `results.json`, beside the conditions they hold under.

The figures lie at the top level under dotted names, ready to be compared with a target:
`record("fused_loss", {"time_to_matmuls": 1.05}, ...)` writes `fused_loss.time_to_matmuls`.
How each was measured (machine, versions, date, command, CPU seconds so far, and what the benchmark
adds) lies under `conditions` by the same name.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import platform
import resource
import shlex
import statistics
import sys
import time
from importlib import metadata
from pathlib import Path

from tqdm import tqdm

from fairseq_instr.files import write_atomically

RESULTS = Path(__file__).with_name("results.json")
DISTRIBUTIONS = ("torch", "fairseq-fixed", "fairseq", "numpy", "ctranslate2", "transformers")


def processor():
    """The processor's name as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def quartiles(values, digits=3):
    """First quartile, median and third quartile; of one value, that value alone."""
    if len(values) < 2:
        return [round(value, digits) for value in values]
    return [round(quartile, digits) for quartile in statistics.quantiles(values, n=4)]


def memory(kind):
    """MiB of this process: `VmRSS` now, `VmHWM` at most, `RssAnon` in no file. Linux alone tells.

    Not `ru_maxrss`, which a process inherits from the one that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition(f"{kind}:")[2].split()[0]) / 1024


def take_turns(ways, turns, before=None, clock=time.process_time, title=None):
    """Seconds of each way in each turn: a dict of lists. The first turn only warms up.

    Args:
        ways (dict): functions by name; every other turn goes through them backwards.
        turns (int): turns that are measured.
        before (Callable, optional): called before each, unmeasured.
        clock (Callable): what time it is.
        title (str, optional): of a progress bar.
    """
    times = {name: [] for name in ways}
    for turn in tqdm(range(turns + 1), desc=title, disable=title is None):
        for name in reversed(ways) if turn % 2 else ways:
            if before is not None:
                before()
            start = clock()
            ways[name]()
            times[name].append(clock() - start)
    return {name: spent[1:] for name, spent in times.items()}


def ratios(times, name, to):
    """Seconds of one way to those of another, turn by turn."""
    return [a / b for a, b in zip(times[name], times[to])]


def spent_seconds():
    """CPU seconds of this process, and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def conditions():
    """Machine, versions, date, command and time of this process, as a dict of JSON values."""
    versions = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    threads = os.environ.get("OMP_NUM_THREADS")
    command = shlex.join(["python", os.path.relpath(sys.argv[0]), *sys.argv[1:]])
    return {
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": versions,
        "date": datetime.date.today().isoformat(),
        "command": f"OMP_NUM_THREADS={threads} {command}" if threads else command,
        "cpu_seconds": round(spent_seconds()),
    }


def record(name, value, details=None, path=RESULTS):
    """Write `value` under the dotted `name`, and the conditions under `conditions.{name}`.

    Args:
        name (str): dotted name, such as `stage2_step` or `stage2_step.full`.
        value (float or dict): the figure, or figures by name. A dict replaces only the
            figures that it names.
        details (dict, optional): further conditions: settings, spread, what the ratio is to.
        path (Path): the file; it is made where there is none.
    """
    path = Path(path)
    # Benchmarks may end at the same time: read, merge and write are one step.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        node = results
        *parents, last = name.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        if isinstance(value, dict) and isinstance(node.get(last), dict):
            node[last].update(value)
        else:
            node[last] = value
        measured = results.pop("conditions", {})
        measured[name] = {**conditions(), **(details or {})}
        results["conditions"] = measured  # last in the file
        write_atomically(path, json.dumps(results, indent=2) + "\n", force=True)
    finally:
        os.close(folder)
