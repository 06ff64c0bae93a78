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
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

PROJECT = Path(__file__).resolve().parent.parent
LOG_NAME = "set_up.log"
STAMP_NAME = "set_up.json"

OLDEST_PYTHON = (3, 9)
# From here on fairseq-fixed serves, below it official fairseq 0.12.2 (see pyproject.toml).
FAIRSEQ_FIXED_PYTHON = (3, 11)

# A CPU build of torch leaves an environment of 1.5 GB, a CUDA build one of 5 to 6 GB.
NEEDED_GB = 3
NEEDED_GB_WITH_CUDA = 8

COMPILERS = ("g++", "c++", "clang++")


class SetUpError(Exception):
    """What is missing and what to do about it, in one sentence."""


# --- The checks: each returns None where all is well, else a sentence. ---


def python_problem(version: Sequence[int]) -> Optional[str]:
    """Say what is wrong with a Python version, e.g. (3, 8, 18)."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        return "Python {} is too old: use 3.9 or later, as in make test PYTHON=python3.11.".format(
            _dotted(version[:3])
        )
    return None


def pip_problem(python: Sequence[int], pip: Sequence[int]) -> Optional[str]:
    """Say whether this pip can install the fairseq of this Python.

    fairseq 0.12.2 needs omegaconf 2.0.x, whose metadata (`PyYAML (>=5.1.*)`) pip refuses from
    24.1 on.
    """
    if tuple(python[:2]) < FAIRSEQ_FIXED_PYTHON and tuple(pip[:2]) >= (24, 1):
        return (
            "pip {} refuses omegaconf 2.0.6, which fairseq 0.12.2 needs on Python {}: "
            'run pip install "{}" in the environment.'
        ).format(_dotted(pip), _dotted(python[:2]), pip_requirement(python))
    return None


def venv_problem(available: Mapping[str, bool]) -> Optional[str]:
    """Say which of the modules `venv` and `ensurepip` Python lacks (Debian packs them apart)."""
    lacking = sorted(name for name, there in available.items() if not there)
    if lacking:
        return (
            "Python's module {} is missing: install it (on Debian and Ubuntu: "
            "apt-get install python3-venv, with the version as in python3.11-venv)."
        ).format(" and ".join(lacking))
    return None


def compiler_problem(environ: Mapping[str, str]) -> Optional[str]:
    """Say whether a C++ compiler is missing: $CXX, or one of `COMPILERS` on PATH."""
    candidates = shlex.split(environ.get("CXX", ""))[:1] or COMPILERS
    if not any(shutil.which(name, path=environ.get("PATH", "")) for name in candidates):
        return (
            "No C++ compiler was found (looked for: {}), and fairseq compiles parts of itself: "
            "install one (on Debian and Ubuntu: apt-get install g++) or name it with CXX."
        ).format(", ".join(candidates))
    return None


def headers_problem(include: Path) -> Optional[str]:
    """Say whether Python.h is missing from Python's folder of headers."""
    if not (Path(include) / "Python.h").is_file():
        return (
            "Python's headers are missing ({}/Python.h), and fairseq compiles against them: "
            "install them (on Debian and Ubuntu: apt-get install python3-dev, with the version as "
            "in python3.11-dev)."
        ).format(include)
    return None


def disk_problem(free_bytes: int, needed_gb: float = NEEDED_GB) -> Optional[str]:
    """Say whether the disk has less room than the smallest environment takes."""
    if free_bytes < needed_gb * 1e9:
        return (
            "Only {:.1f} GB are free where the environment goes, and it takes {:g} GB or more "
            "({} GB with a CUDA build of torch): make room, or name another folder with VENV."
        ).format(free_bytes / 1e9, needed_gb, NEEDED_GB_WITH_CUDA)
    return None


def environment_problem(environment: Path, python: Sequence[int]) -> Optional[str]:
    """Say whether a folder that exists is something else than an environment of this Python.

    A set-up that was broken off at its very start leaves only the log: that is no obstacle.
    """
    config = environment / "pyvenv.cfg"
    if not config.is_file():
        if not environment.exists():
            return None
        if environment.is_dir() and all(file.name == LOG_NAME for file in environment.iterdir()):
            return None
        return "{} exists and is no virtual environment: name another folder with VENV.".format(
            environment
        )
    settings = dict(
        (part.strip() for part in line.split("=", 1))
        for line in config.read_text(encoding="utf-8").splitlines()
        if "=" in line
    )
    made_with = settings.get("version", "")
    if made_with.split(".")[:2] != [str(number) for number in python[:2]]:
        return "{} was made with Python {}, and this is {}: remove it, or name another.".format(
            environment, made_with or "(unknown)", _dotted(python[:2])
        )
    return None


# --- What is installed. ---


def pip_requirement(python: Sequence[int]) -> str:
    """The pip that can install the fairseq of this Python."""
    return "pip" if tuple(python[:2]) >= FAIRSEQ_FIXED_PYTHON else "pip<24.1"


def torch_requirement(python: Sequence[int]) -> str:
    """The torch that the project is tested with on this Python."""
    return "torch==2.13.0" if tuple(python[:2]) >= FAIRSEQ_FIXED_PYTHON else "torch==2.5.1"


def build_tools(python: Sequence[int]) -> List[str]:
    """What compiles fairseq. numpy is the one that it runs with, so that both agree on the ABI."""
    numpy = "numpy" if tuple(python[:2]) >= FAIRSEQ_FIXED_PYTHON else "numpy<1.24"
    return ["setuptools<81", "wheel", "cython", "ninja", numpy]


def isolation(python: Sequence[int]) -> List[str]:
    """Pip's option for the build of fairseq.

    fairseq-fixed compiles against torch and must see the one that is installed: in isolation pip
    fetches a second one, with CUDA, for the build alone. fairseq 0.12.2 must not see torch: it
    then wants to compile files that its source distribution lacks.
    """
    return ["--no-build-isolation"] if tuple(python[:2]) >= FAIRSEQ_FIXED_PYTHON else []


def pip_environment(environ: Mapping[str, str]) -> Dict[str, str]:
    """The variables for pip: without those that lead fairseq's or pip's own set-up astray.

    With CUDA_HOME set, fairseq compiles .cu files that its source distribution lacks.
    """
    astray = ("CUDA_HOME", "PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
    kept = {name: value for name, value in environ.items() if name not in astray}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


# --- Doing it. ---


class Environment:
    """A virtual environment being filled.

    Args:
        path (Path): its folder.
    """

    def __init__(self, path: Path):
        self.path = path = path.absolute()
        self.python = path / "bin" / "python"
        self.log_path = path / LOG_NAME

    def run(self, command: Sequence[str]) -> None:
        """Run a command from the project's folder, its output into the log.

        A dot is printed every ten seconds, as a sign of life.

        Raises:
            SetUpError: if it fails; the end of the log is in the message.
        """
        with self.log_path.open("ab") as log:
            log.write("\n$ {}\n".format(" ".join(map(shlex.quote, command))).encode())
            log.flush()
            start = log.tell()
            process = subprocess.Popen(
                command,
                cwd=str(PROJECT),
                env=pip_environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                while True:
                    try:
                        status = process.wait(timeout=10)
                        break
                    except subprocess.TimeoutExpired:
                        print(".", end="", flush=True)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if status != 0:
            raise SetUpError(
                "{}\nThe command failed with status {}: {}\nAll of its output is in {}; "
                "run the same again to go on from here.".format(
                    self.end_of_log(start),
                    status,
                    " ".join(map(shlex.quote, command)),
                    self.log_path,
                )
            )

    def end_of_log(self, start: int, lines: int = 25) -> str:
        """The last lines of the log, from byte `start` on, less pip's remarks on places to look."""
        with self.log_path.open("rb") as log:
            log.seek(start)
            text = log.read().decode(errors="replace")
        told = [line for line in text.splitlines() if line.strip() and "is ignored: it" not in line]
        return "\n".join(told[-lines:])

    def pip(self, *arguments: str) -> None:
        """Run pip install in the environment."""
        self.run([str(self.python), "-m", "pip", "install", *arguments])

    def version(self, distribution: str) -> str:
        """The version of an installed distribution, as "2.13.0+cpu"; empty if it is not there."""
        if not self.python.exists():
            return ""
        program = (
            "import importlib.metadata as m, sys\n"
            "try: print(m.version(sys.argv[1]))\n"
            "except m.PackageNotFoundError: pass"
        )
        told = subprocess.run(
            [str(self.python), "-c", program, distribution],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=pip_environment(os.environ),
        )
        return told.stdout.decode().strip()

    # The steps, in their order.

    def create(self) -> None:
        """Make the environment where it is not there, with a pip that serves."""
        if not self.version("pip"):
            self.path.mkdir(parents=True, exist_ok=True)
            self.run([sys.executable, "-m", "venv", str(self.path)])
        self.pip(pip_requirement(sys.version_info))
        pip_version = [int(number) for number in self.version("pip").split(".")[:2]]
        _raise_if(pip_problem(sys.version_info, pip_version))

    def install_torch(self, requirement: str) -> None:
        """Install torch, and pin it for the steps after."""
        self.pip(*shlex.split(requirement))
        self.constraints.write_text("torch=={}\n".format(self.version("torch")))

    @property
    def constraints(self) -> Path:
        """File that keeps the later steps from replacing torch."""
        return self.path / "constraints.txt"

    def install_build_tools(self) -> None:
        """Install what compiles fairseq."""
        self.pip(*build_tools(sys.version_info))

    def install_project(self, extras: str) -> None:
        """Install the project in place, with what it needs and the given extras."""
        target = ".[{}]".format(extras) if extras else "."
        options = isolation(sys.version_info)
        self.pip("-c", str(self.constraints), *options, "-e", target)
        # fairseq asks for it and text models do without. The newest one does not load beside an
        # older torch, and then neither do transformers' models and CTranslate2's converters.
        self.run([str(self.python), "-m", "pip", "uninstall", "-y", "torchaudio"])

    def check(self) -> None:
        """Import what fairseq needs to train, its compiled parts among it."""
        modules = ("torch", "fairseq.data.data_utils_fast", "sentencepiece", "sacrebleu", "langid")
        self.run([str(self.python), "-c", "import " + ", ".join(modules)])


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


def check_machine(environment: Path) -> None:
    """Check what the set-up needs of the machine before anything is written.

    Raises:
        SetUpError: with the first thing that is missing.
    """
    from importlib.util import find_spec

    if os.name != "posix":
        raise SetUpError("Set-up serves Linux and macOS (on Windows: WSL).")
    _raise_if(environment_problem(environment, sys.version_info))
    _raise_if(venv_problem({name: find_spec(name) is not None for name in ("venv", "ensurepip")}))
    _raise_if(compiler_problem(os.environ))
    _raise_if(headers_problem(Path(sysconfig.get_path("include"))))
    if not environment.exists():
        free = shutil.disk_usage(str(_nearest_folder(environment))).free
        _raise_if(disk_problem(free))
        if free < NEEDED_GB_WITH_CUDA * 1e9:
            print(
                "Note: {:.0f} GB are free, and a CUDA build of torch takes up to {} GB; if they "
                "run out, name a CPU build with TORCH.".format(free / 1e9, NEEDED_GB_WITH_CUDA)
            )


def set_up(path: Path, torch: str, extras: str) -> None:
    """Fill the environment, step by step, and write its stamp at the end.

    Args:
        path (Path): folder of the environment.
        torch (str): what pip install is given for torch: a requirement, options may follow.
        extras (str): extras of pyproject.toml, separated by commas.

    Raises:
        SetUpError: if something is missing or a step fails.
    """
    _raise_if(python_problem(sys.version_info))
    expected = fingerprint(torch, extras)
    if is_finished(path, expected):
        return
    check_machine(path)
    environment = Environment(path)
    steps = [
        ("environment and pip", environment.create),
        (torch, lambda: environment.install_torch(torch)),
        ("build tools", environment.install_build_tools),
        (
            "fairseq and the rest (compiles: some minutes)",
            lambda: environment.install_project(extras),
        ),
        ("check", environment.check),
    ]
    if (path / STAMP_NAME).exists():
        (path / STAMP_NAME).unlink()
    print("Setting up {} with Python {}".format(path, _dotted(sys.version_info[:3])), flush=True)
    for number, (title, step) in enumerate(steps, start=1):
        print("[{}/{}] {} ..".format(number, len(steps), title), end="", flush=True)
        began = time.monotonic()
        try:
            step()
        except BaseException:
            print(flush=True)
            raise
        print(". {:.0f} s".format(time.monotonic() - began), flush=True)
    stamp = path / (STAMP_NAME + ".part")
    stamp.write_text(json.dumps({"fingerprint": expected}) + "\n", encoding="utf-8")
    stamp.replace(path / STAMP_NAME)
    fairseq = environment.version("fairseq") or environment.version("fairseq-fixed")
    print("Ready: fairseq {}, torch {}".format(fairseq, environment.version("torch")), flush=True)


def _dotted(numbers: Sequence[int]) -> str:
    return ".".join(map(str, numbers))


def _nearest_folder(path: Path) -> Path:
    """The path itself or the closest folder above it that exists."""
    path = path.absolute()
    return next(folder for folder in [path, *path.parents] if folder.exists())


def _raise_if(problem: Optional[str]) -> None:
    if problem is not None:
        raise SetUpError(problem)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("environment", type=Path, help="folder of the environment, e.g. .venv")
    parser.add_argument(
        "--torch",
        default="",
        help='what pip install is given for torch, e.g. "torch==2.9.0", options of pip included '
        "(default: {}, on Python before 3.11 {})".format(
            torch_requirement((3, 11)), torch_requirement((3, 9))
        ),
    )
    parser.add_argument(
        "--extras",
        default="test,lint,docs,huggingface,moses,ctranslate2,distillation,playground",
        help="extras of pyproject.toml, default: %(default)s",
    )
    options = parser.parse_args(arguments)
    torch = options.torch.strip() or torch_requirement(sys.version_info)
    try:
        set_up(options.environment, torch, options.extras)
    except SetUpError as error:
        print("set-up: {}".format(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: stopped; run the same again to go on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
