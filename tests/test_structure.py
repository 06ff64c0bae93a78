"""The package's imports: arrows point one way, between files and between folders."""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "fairseq_instr"
# what a folder may not know, whatever else it knows
UNKNOWN = {
    "instructions": {"prompts", "data", "tasks", "generation", "evaluation", "curation", "models"},
    "text": {"instructions", "prompts", "data", "tasks", "generation", "evaluation", "curation"},
    "prompts": {"data", "tasks", "generation", "evaluation", "curation", "checkpoints", "models"},
    "data": {"tasks", "generation", "evaluation", "curation", "models"},
    "evaluation": {"tasks", "generation", "data", "prompts", "models", "reports"},
    "curation": {"tasks", "generation", "data", "prompts", "models", "evaluation"},
    "serving": {"tasks", "data", "models", "evaluation", "curation"},
}


def module(path: Path) -> str:
    """Dotted name of a file, a folder's `__init__.py` under the folder's name."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path): path for path in PACKAGE.rglob("*.py")}


def imports(path: Path):
    """Modules of the package that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in named:
            # `from a.b import c` imports the module a.b.c, or the name c of the module a.b
            found = name if name in MODULES else name.rpartition(".")[0]
            if found in MODULES and found != "fairseq_instr":
                yield found


ARROWS = {name: set(imports(path)) - {name} for name, path in MODULES.items()}


def test_no_files_import_each_other_in_a_circle():
    files = {name: arrows for name, arrows in ARROWS.items() if name != "fairseq_instr"}
    TopologicalSorter(files).prepare()  # raises CycleError, which names the circle


def folder(name: str) -> str:
    return (name.split(".") + [""])[1]


def known_folders():
    known = defaultdict(set)
    for name, arrows in ARROWS.items():
        for other in arrows:
            if "" not in (folder(name), folder(other)):
                known[folder(name)].add(folder(other))
    return {name: others - {name} for name, others in known.items()}


def test_no_two_folders_know_each_other():
    known = known_folders()
    pairs = {(a, b) for a in known for b in known[a] if a in known.get(b, ())}
    assert not pairs


def test_arrows_point_down():
    known = known_folders()
    for name, unknown in UNKNOWN.items():
        assert not known.get(name, set()) & unknown, name
    for name in set(known) - {"__main__"}:
        assert not known[name] & {"cli"}, name
        assert name == "cli" or not known[name] & {"tasks"}, name
