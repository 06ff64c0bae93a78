"""What reports share: Markdown tables, plots in files, and writing it all at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable, Mapping, Sequence

from fairseq_instr.files import atomic_path, refuse_to_overwrite, write_atomically

REPORT_JSON, REPORT_MD = "report.json", "report.md"


def refuse_to_overwrite_report(folder, force: bool) -> None:
    """Raise `InputError` if a folder holds a report and `force` is not set."""
    for name in (REPORT_JSON, REPORT_MD):
        refuse_to_overwrite(Path(folder, name), force)


def write_files(
    report: dict, markdown: str, plots: Mapping[str, Callable], folder, force: bool = False
) -> None:
    """Write `report.json`, `report.md` and the plots.

    Args:
        report: plain lists, dicts, numbers and strings.
        markdown: the same for reading.
        plots: file name -> function of `pyplot` and the report that gives a figure.
        folder: is made if it is missing.
        force: overwrite a report there; plots are always written anew.

    Raises:
        InputError: if there is a report and `force` is not set; nothing is written then.
    """
    folder = Path(folder)
    refuse_to_overwrite_report(folder, force)
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    for name, plot in plots.items():
        _save_plot(plot, report, folder / name)
    write_atomically(folder / REPORT_MD, markdown, force)
    write_atomically(folder / REPORT_JSON, text, force)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; cells may hold any text."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    # outputs may hold what Markdown would take for a table or for markup
    text = str(value).replace("|", "\\|")
    return text.replace("<", "&lt;").replace("\n", " ")


def conditions_list(report: dict) -> str:
    """Conditions and command of a report, one a line."""
    lines = [f"* {name}: {value}" for name, value in report["conditions"].items()]
    return "\n".join([*lines, f"* command: `{report['command']}`"])


def _save_plot(plot: Callable, report: dict, path: Path) -> None:
    # imported here: only a report needs it, and it takes its time
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure = plot(pyplot, report)
    with atomic_path(path, force=True) as temporary:
        figure.savefig(temporary, format="png", dpi=120, bbox_inches="tight")
    pyplot.close(figure)
