"""How long importing and starting takes, and how many lines there are.

    python benchmarks/start.py [--rounds 7] [--only import_seconds start_seconds lines]

import_seconds.*                 CPU seconds of an import on top of a bare interpreter
start_seconds.curate, .generate  of `fairseq-instr curate --help` and `fairseq-generate --help` with
                                 the plugin
start_seconds.preprocess_recipe  of binarising the corpora of a recipe of four languages (three
                                 pairs, four texts to denoise, 500 lines each) as the recipes do, in
                                 one process. Its conditions have `fairseq-preprocess` on the pairs
                                 alone, which is started once for each of them.
lines.*                          lines of Python that git knows: package, tests, all
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

from record import quartiles, record

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = {
    "package": "import fairseq_instr",
    "instructions": "import fairseq_instr.instructions",
    "serving": "import fairseq_instr.serving.translator",
}
STARTS = {
    "curate": ["-m", "fairseq_instr", "curate", "--help"],
    "generate": ["-m", "fairseq_cli.generate", "--user-dir", "fairseq_instr", "--help"],
}
LINES = {"package": ["fairseq_instr/*.py"], "tests": ["tests/*.py"], "all": ["*.py"]}
OTHERS = ("de", "fr", "it")
RECIPE = """
import sys
from fairseq_instr.cli import main

for corpus in sys.argv[2:]:
    text, _, languages = corpus.partition(":")
    source, *target = languages.split("-")
    pair = ["-s", source, *(["-t", *target] if target else [])]
    work = sys.argv[1]
    options = ["--subwords", work + "/subwords.model", "--dictionary", work + "/dict.txt"]
    options += ["--output", work + "/bin/" + text, "--force"]
    if main.main(["binarise", "--input", work + "/" + text, *pair, *options]):
        sys.exit(text)
"""


def cpu_seconds(*arguments: str, rounds: int) -> List[float]:
    """CPU seconds of an interpreter with these arguments, in each of some runs."""
    found = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return found


def count_lines(patterns) -> int:
    """Lines of the files that git knows; a link to another one has none of its own."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return sum(
        len(path.read_bytes().splitlines())
        for path in paths
        if path.is_file() and not path.is_symlink()
    )


def write_recipe(folder: Path):
    """Corpora of four languages, `FOLDER:LANGUAGES` each, subwords and a dictionary."""
    from fairseq_instr import sample
    from fairseq_instr.cli.main import main as fairseq_instr

    sample.write(folder / "text", {"train": 500}, ["en", *OTHERS], seed=1)
    texts = {one: folder / "text" / f"train.{one}" for one in ("en", *OTHERS)}
    learn = ["subwords", "--input", *texts.values(), "--vocabulary-size", 800, "--output"]
    if fairseq_instr([*map(str, learn), str(folder / "subwords"), "--force"]):
        sys.exit("no subwords were learnt")
    corpora = []
    for languages in [*(("en", other) for other in OTHERS), *((one,) for one in texts)]:
        name = "_".join(languages)
        (folder / name).mkdir()
        for language in languages:
            shutil.copy(texts[language], folder / name)
        corpora.append(f"{name}:{'-'.join(languages)}")
    return corpora


def recipe_seconds(rounds: int):
    """CPU seconds of binarising a recipe's corpora: in one process; fairseq's, the pairs alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpora = write_recipe(folder)
        ours = cpu_seconds("-c", RECIPE, name, *corpora, rounds=rounds)
        theirs = [
            cpu_seconds(
                "-m", "fairseq_cli.preprocess", "-s", "en", "-t", other, "--workers", "1",
                "--joined-dictionary", "--srcdict", str(folder / "dict.txt"), "--trainpref",
                str(folder / f"en_{other}" / "train"), "--destdir", str(folder / f"stock_{other}"),
                rounds=1,
            )[0]
            for other in OTHERS
        ]  # fmt: skip
    return ours, sum(theirs)


def record_medians(name: str, runs: Dict[str, List[float]], details: dict) -> None:
    """Record the median of each figure's runs, and their quartiles."""
    figures = {figure: round(statistics.median(found), 3) for figure, found in runs.items()}
    spread = {figure: quartiles(found) for figure, found in runs.items()}
    print(figures)
    record(name, figures, {**details, "quartiles": spread})


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="runs of each command")
    figures = ("import_seconds", "start_seconds", "lines")
    parser.add_argument("--only", nargs="*", choices=figures, default=figures)
    args = parser.parse_args()
    details = {"statistic": f"median of {args.rounds} runs"}
    if "import_seconds" in args.only:
        bare = statistics.median(cpu_seconds("-c", "", rounds=args.rounds))
        runs = {
            name: [seconds - bare for seconds in cpu_seconds("-c", code, rounds=args.rounds)]
            for name, code in IMPORTS.items()
        }
        record_medians("import_seconds", runs, {**details, "bare_interpreter": round(bare, 3)})
    if "start_seconds" in args.only:
        runs = {name: cpu_seconds(*command, rounds=args.rounds) for name, command in STARTS.items()}
        runs["preprocess_recipe"], theirs = recipe_seconds(args.rounds)
        stock = {"fairseq_preprocess_of_the_pairs_alone": round(theirs, 2)}
        record_medians("start_seconds", runs, {**details, **stock})
    if "lines" in args.only:
        lines = {name: count_lines(patterns) for name, patterns in LINES.items()}
        print(lines)
        record("lines", lines)


if __name__ == "__main__":
    main()
