"""Set up a virtual environment in which the project runs, with the interpreter that runs this.

    python3.11 scripts/set_up.py .venv
    python3.10 scripts/set_up.py .venv-3.10 --torch "torch==2.5.1"

The steps keep what is already there, so a run that broke off is simply repeated; an environment
that is finished and fits is left at once. Everything that pip prints goes to `set_up.log` in the
environment.

Only the standard library is used, and the file parses on Python 3.6, so that a Python too old for
the project is answered with a sentence.
"""

import argparse
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Iterator, Mapping, Optional, Sequence

PROJECT = Path(__file__).resolve().parent.parent
LOG_NAME = "set_up.log"
STAMP_NAME = "set_up.json"
OLDEST_PYTHON = (3, 9)
# what a CPU build of torch leaves is 1.5 GB, what a CUDA build leaves 5 to 6
NEEDED_GB, NEEDED_GB_WITH_CUDA = 3, 8
COMPILERS = ("g++", "c++", "clang++")

# From Python 3.11 on, fairseq-fixed serves. It compiles against the torch that is installed: in
# isolation, pip fetches a second one, with CUDA, for the build alone.
FAIRSEQ_FIXED = {
    "pip": "pip",
    "torch": "torch==2.13.0",
    "numpy": "numpy",
    "options": ["--no-build-isolation"],
}
# Below, official fairseq 0.12.2. Beside torch it wants to compile files that its source
# distribution lacks, and pip refuses its omegaconf 2.0.6 from 24.1 on.
FAIRSEQ = {"pip": "pip<24.1", "torch": "torch==2.5.1", "numpy": "numpy<1.24", "options": []}
FAIRSEQ_FIXED_PYTHON = (3, 11)
# with CUDA_HOME set, fairseq compiles .cu files that its source distribution lacks
ASTRAY = ("CUDA_HOME", "PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")


class SetUpError(Exception):
    """What is missing and what to do about it, in one sentence."""


def wanted(python: Sequence[int]) -> dict:
    """What is installed on a Python, for example (3, 11): requirements, and options of pip."""
    return FAIRSEQ_FIXED if tuple(python[:2]) >= FAIRSEQ_FIXED_PYTHON else FAIRSEQ


def problems(
    environment: Path, python: Sequence[int], environ: Mapping[str, str], include, free_gb: float
) -> Iterator[str]:
    """Sentences that say what the machine lacks.

    Args:
        include: folder of Python's headers.
        free_gb: room on the disk.
    """
    version = ".".join(map(str, python[:2]))
    if tuple(python[:2]) < OLDEST_PYTHON:
        full = ".".join(map(str, python[:3]))
        yield f"Python {full} is too old: use 3.9 or later, as in make test PYTHON=python3.11."
    if os.name != "posix":
        yield "Set-up serves Linux and macOS (on Windows: WSL)."
    made_with = _made_with(environment)
    others = environment.exists() and {path.name for path in environment.iterdir()} - {LOG_NAME}
    if made_with is None and others:
        yield f"{environment} exists and is no virtual environment: name another folder with VENV."
    if made_with is not None and ".".join(made_with.split(".")[:2]) != version:
        yield (
            f"{environment} was made with Python {made_with}, and this is {version}: remove it, "
            "or name another with VENV."
        )
    lacking = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
    if lacking:  # Debian packs them apart
        yield (
            f"Python's module {' and '.join(lacking)} is missing: install it (on Debian and "
            "Ubuntu: apt-get install python3-venv, with the version as in python3.11-venv)."
        )
    compilers = shlex.split(environ.get("CXX", ""))[:1] or COMPILERS
    if not any(shutil.which(name, path=environ.get("PATH", "")) for name in compilers):
        yield (
            f"No C++ compiler was found (looked for: {', '.join(compilers)}), and fairseq compiles "
            "parts of itself: install one (on Debian and Ubuntu: apt-get install g++) or name it "
            "with CXX."
        )
    if not Path(include, "Python.h").is_file():
        yield (
            f"Python's headers are missing ({include}/Python.h), and fairseq compiles against "
            "them: install them (on Debian and Ubuntu: apt-get install python3-dev, with the "
            "version as in python3.11-dev)."
        )
    if made_with is None and free_gb < NEEDED_GB:
        yield (
            f"Only {free_gb:.1f} GB are free where the environment goes, and it takes {NEEDED_GB} "
            f"GB or more ({NEEDED_GB_WITH_CUDA} GB with a CUDA build of torch): make room, or name "
            "another folder with VENV."
        )


def _made_with(environment: Path) -> Optional[str]:
    """Version of the Python that an environment was made with; None where there is none."""
    config = environment / "pyvenv.cfg"
    lines = config.read_text(encoding="utf-8").splitlines() if config.is_file() else []
    found = [line.split("=", 1)[1].strip() for line in lines if line.startswith("version ")]
    return (found + ["(unknown)"])[0] if config.is_file() else None


class Environment:
    """A virtual environment that is being filled."""

    def __init__(self, path: Path):
        self.path = path.absolute()
        self.python = str(self.path / "bin" / "python")
        self.log_path = self.path / LOG_NAME

    def run(self, *command: str) -> None:
        """Run a command from the project's folder, its output into the log; a dot every 10 s.

        Raises:
            SetUpError: if it fails; the end of the log is in the message.
        """
        shown = " ".join(map(shlex.quote, command))
        kept = {name: value for name, value in os.environ.items() if name not in ASTRAY}
        with self.log_path.open("ab") as log:
            log.write(f"\n$ {shown}\n".encode())
            log.flush()
            start = log.tell()
            process = subprocess.Popen(
                command,
                cwd=str(PROJECT),
                env={**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                while process.poll() is None:
                    try:
                        process.wait(timeout=10)
                    except subprocess.TimeoutExpired:
                        print(".", end="", flush=True)
            finally:
                process.terminate()  # nothing where it has ended
        if process.returncode != 0:
            text = self.log_path.read_bytes()[start:].decode(errors="replace")
            # less pip's remarks on places to look
            told = [line for line in text.splitlines() if "is ignored: it" not in line]
            end = "\n".join(told[-25:])
            raise SetUpError(
                f"{end}\nThe command failed with status {process.returncode}: {shown}\nAll of its "
                f"output is in {self.log_path}; run the same again to go on from here."
            )

    def pip(self, *arguments: str) -> None:
        """Run pip install in the environment."""
        self.run(self.python, "-m", "pip", "install", *arguments)

    def version(self, distribution: str) -> str:
        """The version of an installed distribution, as "2.13.0+cpu"; empty if it is not there."""
        program = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
        try:
            told = subprocess.run(
                [self.python, "-c", program, distribution],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return ""
        return told.stdout.decode().strip()


def fingerprint(torch: str, extras: str) -> str:
    """Digest of all that decides what an environment holds."""
    digest = hashlib.sha256(json.dumps([list(sys.version_info[:2]), torch, extras]).encode())
    for source in (PROJECT / "pyproject.toml", Path(__file__).resolve()):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def is_finished(environment: Path, expected: str) -> bool:
    """Whether a set-up with this fingerprint came to its end in the environment."""
    try:
        stamp = json.loads((environment / STAMP_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return stamp.get("fingerprint") == expected and (environment / "bin" / "python").exists()


def set_up(path: Path, torch: str, extras: str) -> None:
    """Fill the environment, step by step, and write its stamp at the end.

    Args:
        torch: what pip install is given for torch: a requirement, options may follow.
        extras: extras of pyproject.toml, separated by commas.

    Raises:
        SetUpError: if something is missing or a step fails.
    """
    path, stamp = path.absolute(), path / STAMP_NAME
    expected = fingerprint(torch, extras)
    if is_finished(path, expected):
        return
    folder = next(folder for folder in (path, *path.parents) if folder.exists())
    free_gb = shutil.disk_usage(str(folder)).free / 1e9
    include = sysconfig.get_path("include")
    for problem in problems(path, sys.version_info, os.environ, include, free_gb):
        raise SetUpError(problem)
    if not path.exists() and free_gb < NEEDED_GB_WITH_CUDA:
        print(
            f"Note: {free_gb:.0f} GB are free, and a CUDA build of torch takes up to "
            f"{NEEDED_GB_WITH_CUDA} GB; if they run out, name a CPU build with TORCH."
        )
    environment, ours = Environment(path), wanted(sys.version_info)
    constraints = path / "constraints.txt"  # keeps the steps behind torch's from replacing it

    def create() -> None:
        path.mkdir(parents=True, exist_ok=True)
        if not environment.version("pip"):
            environment.run(sys.executable, "-m", "venv", str(path))
        environment.pip(ours["pip"])

    def install_torch() -> None:
        environment.pip(*shlex.split(torch))
        constraints.write_text(f"torch=={environment.version('torch')}\n")

    def install_project() -> None:
        target = f".[{extras}]" if extras else "."
        environment.pip("-c", str(constraints), *ours["options"], "-e", target)
        # fairseq asks for it and text models do without. The newest one does not load beside an
        # older torch, and then neither do transformers' models and CTranslate2's converters.
        environment.run(environment.python, "-m", "pip", "uninstall", "-y", "torchaudio")

    # what compiles fairseq; numpy is the one that it runs with, so that both agree on the ABI
    tools = ("setuptools<81", "wheel", "cython", "ninja", ours["numpy"])
    compiled = "torch, fairseq.data.data_utils_fast, sentencepiece, sacrebleu, langid"
    steps = [
        ("environment and pip", create),
        (torch, install_torch),
        ("build tools", lambda: environment.pip(*tools)),
        ("fairseq and the rest (compiles: some minutes)", install_project),
        ("check", lambda: environment.run(environment.python, "-c", "import " + compiled)),
    ]
    if stamp.exists():
        stamp.unlink()
    print(f"Setting up {path} with Python {sys.version.split()[0]}", flush=True)
    for number, (title, step) in enumerate(steps, start=1):
        print(f"[{number}/{len(steps)}] {title} ..", end="", flush=True)
        began = time.monotonic()
        try:
            step()
        except BaseException:
            print(flush=True)
            raise
        print(f". {time.monotonic() - began:.0f} s", flush=True)
    stamp.write_text(json.dumps({"fingerprint": expected}) + "\n", encoding="utf-8")
    fairseq = environment.version("fairseq") or environment.version("fairseq-fixed")
    print(f"Ready: fairseq {fairseq}, torch {environment.version('torch')}", flush=True)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("environment", type=Path, help="folder of the environment, e.g. .venv")
    parser.add_argument(
        "--torch",
        default="",
        help='what pip install is given for torch, e.g. "torch==2.9.0", options of pip included '
        "(default: {}, on Python before 3.11 {})".format(FAIRSEQ_FIXED["torch"], FAIRSEQ["torch"]),
    )
    parser.add_argument(
        "--extras",
        default="test,lint,docs,huggingface,moses,ctranslate2,distillation,playground",
        help="extras of pyproject.toml, default: %(default)s",
    )
    options = parser.parse_args(arguments)
    torch = options.torch.strip() or wanted(sys.version_info)["torch"]
    try:
        set_up(options.environment, torch, options.extras)
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: stopped; run the same again to go on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
