"""The set-up's checks (scripts/set_up.py, scripts/find_python.sh) and pyproject.toml's markers."""

import ast
import importlib.util
import os
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

PROJECT = Path(__file__).resolve().parent.parent
SCRIPT = PROJECT / "scripts" / "set_up.py"
PYTHONS = ["3.9", "3.10", "3.11", "3.12", "3.13"]

spec = importlib.util.spec_from_file_location("set_up", SCRIPT)
set_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(set_up)


def numbers(version):
    return tuple(int(part) for part in version.split("."))


def executable(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def requirements():
    """What pyproject.toml asks for, as pip reads it from the installed package."""
    return [Requirement(line) for line in metadata.requires("fairseq-instr")]


def asked_for(requirements, python):
    """What is asked for on one Python, as {distribution: specifiers}."""
    asked = {}
    for requirement in requirements:
        marker = requirement.marker
        if marker is None or marker.evaluate({"python_version": python, "extra": ""}):
            asked[requirement.name] = asked.get(requirement.name, SpecifierSet()) & (
                requirement.specifier
            )
    return asked


class TestMarkers:
    @pytest.mark.parametrize("python", PYTHONS)
    def test_one_fairseq_and_torch_for_each_python(self, requirements, python):
        asked = asked_for(requirements, python)
        fairseq = {name: spec for name, spec in asked.items() if name.startswith("fairseq")}
        if numbers(python) >= (3, 11):
            assert list(fairseq) == ["fairseq-fixed"]
            assert "0.12.3.1" in fairseq["fairseq-fixed"]
        else:
            assert fairseq == {"fairseq": SpecifierSet("==0.12.2")}
        # the torch that is set up is one that is asked for
        (exact,) = Requirement(set_up.wanted(numbers(python))["torch"]).specifier
        assert exact.version in asked["torch"]

    def test_numpy_that_still_has_np_float_for_official_fairseq(self, requirements):
        assert "1.24.0" not in asked_for(requirements, "3.10")["numpy"]
        assert "1.23.5" in asked_for(requirements, "3.10")["numpy"]
        assert "2.4.6" in asked_for(requirements, "3.11")["numpy"]


@pytest.fixture
def machine(tmp_path):
    """`machine(**changes)`: what a machine lacks that has all but for the changes."""
    executable(tmp_path / "bin" / "g++")
    (tmp_path / "Python.h").touch()

    def machine(environment="environment", **changes):
        own = {"python": sys.version_info, "environ": {"PATH": str(tmp_path / "bin")},
               "include": tmp_path, "free_gb": 9.0, **changes}  # fmt: skip
        return list(set_up.problems(tmp_path / environment, **own))

    return machine


class TestProblems:
    def test_none(self, machine, tmp_path):
        assert machine() == []
        assert machine(environ={"PATH": str(tmp_path / "bin"), "CXX": "g++ -O2"}) == []
        (tmp_path / "environment").mkdir()
        (tmp_path / "environment" / set_up.LOG_NAME).touch()  # broken off at its very start
        assert machine() == []
        venv.create(tmp_path / "environment", with_pip=False)
        assert machine(free_gb=0.1) == []  # it is there already

    @pytest.mark.parametrize(
        "changes, named",
        [
            ({"python": (3, 8, 18)}, "3.8.18"),
            ({"environ": {"PATH": ""}}, "g++, c++, clang++"),
            ({"environ": {"PATH": "", "CXX": "my-compiler -O2"}}, "my-compiler"),
            ({"include": "nowhere"}, "nowhere/Python.h"),
            ({"free_gb": 1.5}, "1.5 GB"),
            ({"environment": "bin"}, "VENV"),  # a folder of something else
            ({"environment": "other"}, "3.99"),  # made with another Python
            ({}, "venv and ensurepip"),  # Debian packs them apart
        ],
    )
    def test_what_is_missing_is_named(self, machine, monkeypatch, tmp_path, changes, named):
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "pyvenv.cfg").write_text("version = 3.99.1\n")
        if not changes:
            monkeypatch.setattr(set_up, "find_spec", lambda name: None)
        (problem,) = machine(**changes)
        assert named in problem

    def test_old_pythons_can_read_the_script(self):
        """Python 3.6 gets the sentence, not a SyntaxError."""
        ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))


class TestSetUp:
    def test_missing_compiler_is_one_sentence_and_writes_nothing(self, tmp_path):
        (tmp_path / "bin").mkdir()
        environment = tmp_path / "environment"
        told = subprocess.run(
            [sys.executable, str(SCRIPT), str(environment)],
            env={"PATH": str(tmp_path / "bin")},
            capture_output=True,
            text=True,
        )
        assert told.returncode == 1
        assert told.stderr.startswith("set-up: No C++ compiler was found")
        assert told.stderr.count("\n") == 1
        assert not environment.exists()

    def test_failing_step_shows_the_end_of_its_own_output(self, tmp_path):
        environment = set_up.Environment(tmp_path)
        environment.run(sys.executable, "-c", "print('step one')")
        program = (
            "print('an earlier remark is ignored: it is noise')\n"
            "print('the reason')\n"
            "raise SystemExit(3)"
        )
        with pytest.raises(set_up.SetUpError) as error:
            environment.run(sys.executable, "-c", program)
        assert str(error.value).startswith("the reason\n")
        assert "status 3" in str(error.value) and str(tmp_path / "set_up.log") in str(error.value)
        assert "noise" in (tmp_path / "set_up.log").read_text()  # the log keeps everything

    def test_cuda_is_left_out_of_the_compile(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CUDA_HOME", "/usr/local/cuda")
        monkeypatch.setenv("MAX_JOBS", "2")
        program = "import os; print(os.environ.get('CUDA_HOME'), os.environ['MAX_JOBS'])"
        set_up.Environment(tmp_path).run(sys.executable, "-c", program)
        assert (tmp_path / "set_up.log").read_text().endswith("None 2\n")

    def test_only_a_finished_set_up_of_the_same_kind_counts(self, tmp_path):
        expected = set_up.fingerprint("torch==2.13.0", "test,lint")
        stamp = tmp_path / set_up.STAMP_NAME
        assert not set_up.is_finished(tmp_path, expected)
        stamp.write_text('{"finger')  # broken off
        assert not set_up.is_finished(tmp_path, expected)
        executable(tmp_path / "bin" / "python")
        stamp.write_text('{"fingerprint": "%s"}' % expected)
        assert set_up.is_finished(tmp_path, expected)
        assert not set_up.is_finished(tmp_path, set_up.fingerprint("torch==2.9.0", "test,lint"))
        assert not set_up.is_finished(tmp_path, set_up.fingerprint("torch==2.13.0", "test"))


class TestFindPython:
    """A name may be on PATH as a shim that refuses to run."""

    def find(self, tmp_path, *names):
        path = os.pathsep.join([str(tmp_path / "shims"), os.environ["PATH"]])
        return subprocess.run(
            ["sh", str(PROJECT / "scripts" / "find_python.sh"), *names],
            env={**os.environ, "PATH": path, "PYENV_ROOT": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    def test_found_among_the_versions_behind_a_shim_else_the_first_that_runs(self, tmp_path):
        executable(tmp_path / "shims" / "python3.99")
        version = tmp_path / "versions" / "3.99.0" / "bin" / "python3.99"
        version.parent.mkdir(parents=True)
        version.symlink_to(sys.executable)
        assert self.find(tmp_path, "python3.99").stdout.strip() == str(version)
        found = self.find(tmp_path, "python3.98", sys.executable)
        assert found.stdout.strip() == sys.executable

    def test_none_runs(self, tmp_path):
        found = self.find(tmp_path, "python3.98", "python3.99")
        assert found.returncode == 1 and found.stdout == ""
        assert "python3.98 python3.99" in found.stderr
