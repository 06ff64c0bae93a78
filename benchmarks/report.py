"""`results.json` as one table for readers, `results.md`.

    python benchmarks/report.py

Each figure stands under the benchmark that wrote it, with the first line of that benchmark's
own description; machine, versions, date and command follow.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Dict, Iterator, Tuple

from record import RESULTS

from fairseq_instr.files import write_atomically

REPORT = RESULTS.with_suffix(".md")


def figures(results: dict, prefix: str = "") -> Iterator[Tuple[str, object]]:
    """Dotted names and values of all figures: `{"a": {"b": 1}}` -> `("a.b", 1)`."""
    for name, value in results.items():
        if isinstance(value, dict):
            yield from figures(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def described(command: str) -> str:
    """First line of the description of the benchmark that a command runs."""
    script = re.search(r"[\w/]+\.py", command)
    path = RESULTS.parent / Path(script.group()).name if script else None
    if path is None or not path.exists():
        return ""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def shown(value: object) -> str:
    """A figure as a cell: `true` is `yes`, a float has four digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def report(results: dict) -> str:
    """The page, from the content of `results.json`."""
    measured: Dict[str, dict] = results.get("conditions", {})
    lines = ["# Benchmarks", "", "Written by `make bench` from `results.json`.", ""]
    lines += ["| benchmark | figure | value | date |", "|---|---|---|---|"]
    last = None
    for name, value in figures({k: v for k, v in results.items() if k != "conditions"}):
        benchmark = name.partition(".")[0]
        own = measured.get(name) or measured.get(benchmark) or {}
        title = "" if benchmark == last else described(own.get("command", "")) or benchmark
        lines.append(f"| {title} | `{name}` | {shown(value)} | {own.get('date', '')} |")
        last = benchmark
    lines += ["", "## Conditions", ""]
    for name, own in measured.items():
        versions = ", ".join(f"{k} {v}" for k, v in own.get("versions", {}).items())
        lines += [f"**{name}**: `{own.get('command', '')}`  ", f"{own.get('machine')}; {versions}"]
        more = {k: v for k, v in own.items() if k not in ("command", "machine", "versions", "date")}
        if more:
            text = "; ".join(f"{k.replace('_', ' ')}: {json.dumps(v)}" for k, v in more.items())
            lines[-1] += f"  \n{text}"
        lines.append("")
    return "\n".join(lines)


def main():
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    write_atomically(REPORT, report(results), force=True)
    print(f"wrote {REPORT}: {sum(1 for _ in figures(results))} figures")


if __name__ == "__main__":
    main()
