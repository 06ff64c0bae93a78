"""The cases of `benchmarks/fuzz.py`, a few hundred of each kind."""

from __future__ import annotations

import importlib.util
import logging
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "fuzz.py"


@pytest.fixture(scope="session")
def fuzz(call):
    spec = importlib.util.spec_from_file_location("fuzz", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz"] = module  # its classes look each other up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def quiet():
    """Without a line of fairseq's log for every stream that is opened."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
