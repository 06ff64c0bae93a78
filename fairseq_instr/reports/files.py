"""A report's folder: `report.json` for programs, `report.md` and plots for reading."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Mapping, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation import report as schema
from fairseq_instr.files import atomic_path, making, refuse_to_overwrite, write_atomically
from fairseq_instr.plain_data import read_json
from fairseq_instr.reports import directions, formality, general_tasks, instructions, robustness
from fairseq_instr.reports.html import save_figure, visible
from fairseq_instr.reports.markdown import as_markdown
from fairseq_instr.reports.parts import Plot, Section, Table

REPORT_JSON, REPORT_MD = "report.json", "report.md"
_DESCRIBE: Mapping[str, Callable[[Mapping[str, Any]], Sequence[Section]]] = {
    schema.INSTRUCTIONS: instructions.describe,
    schema.DIRECTIONS: directions.describe,
    schema.FORMALITY: formality.describe,
    schema.ROBUSTNESS: robustness.describe,
    schema.GENERAL_TASKS: general_tasks.describe,
}


def read_report(path) -> Dict[str, Any]:
    """A report of any version, with all keys that its kind has; see `evaluation.report`.

    Raises:
        InputError: if the file can't be read, or is no report.
    """
    content = read_json(path, "give a report.json of an evaluation")
    try:
        return schema.complete(_as_text(content))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _as_text(value: Any) -> Any:
    """JSON whose strings can be written and drawn."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    if isinstance(value, dict):
        return {visible(key): _as_text(each) for key, each in value.items()}
    return value


def describe(report: Mapping[str, Any]) -> Sequence[Section]:
    """A report for reading."""
    found = schema.complete(report)
    return _DESCRIBE[found["kind"]](found)


@contextlib.contextmanager
def report_folder(folder, force: bool = False) -> Iterator[Path]:
    """A folder that no other evaluation writes to meanwhile; without outputs, none stays.

    Raises:
        InputError: if there is a report and `force` is not set, or another process holds the
            folder; before anything is measured.
    """
    folder = Path(folder)
    for name in (REPORT_JSON, REPORT_MD):
        refuse_to_overwrite(folder / name, force)
    with making(folder):
        lock = os.open(folder, os.O_RDONLY)
        try:
            _hold(lock, folder)
            yield folder
        finally:
            os.close(lock)


def _hold(lock: int, folder: Path) -> None:
    """Lock a folder, an open file, for this process; file systems without locks go without."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            f"--output {folder}: another evaluation is writing there; wait for it, or give "
            "another folder"
        ) from None
    except OSError:
        pass


def write_report(report: Mapping[str, Any], folder, force: bool = False) -> str:
    """Write `report.json`, `report.md` and the plots; gives the report as Markdown.

    Args:
        force: overwrite a report there; plots are always written anew.

    Raises:
        InputError: if there is a report and `force` is not set; nothing is written then.
    """
    folder = Path(folder)
    for name in (REPORT_JSON, REPORT_MD):
        refuse_to_overwrite(folder / name, force)
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    sections = describe(report)
    markdown = as_markdown(sections)
    for plot in _plots(sections):
        with atomic_path(folder / plot.name, force=True) as temporary:
            save_figure(plot.draw, temporary, format="png", dpi=120)
    write_atomically(folder / REPORT_MD, markdown, force)
    write_atomically(folder / REPORT_JSON, text, force)
    return markdown


def _plots(sections: Sequence[Section]) -> Iterator[Plot]:
    for block in (block for section in sections for block in section.blocks):
        plot = block.plot if isinstance(block, Table) else block
        if isinstance(plot, Plot):
            yield plot
