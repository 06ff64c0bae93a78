"""Memory of training on a CPU."""

import os
import subprocess
import sys

import pytest
import torch

from fairseq_instr.tasks import cpu_memory

FAULTS = """
import resource, sys, torch
from fairseq_instr.tasks import cpu_memory

torch.set_num_threads(1)
if sys.argv[1] == "kept":
    cpu_memory.keep_freed_memory()

def tensors():
    for _ in range(5):
        torch.zeros(3000, 3000) + 1

tensors()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
tensors()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

KERNELS = """
import sys, torch
from fairseq_instr.tasks import cpu_memory

torch.set_num_threads(1)
if sys.argv[1] == "bounded":
    cpu_memory.bound_kernel_caches()

def products(rows):
    matrix = torch.ones(64, 64, dtype=torch.bfloat16)
    for n in rows:
        torch.ones(n, 64, dtype=torch.bfloat16) @ matrix

products(range(2, 2 * cpu_memory.KEPT_KERNELS))
print("old shapes", flush=True)
products(range(2, 12))
"""

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc and /proc")


def output(program, what, **variables):
    # other tests train under --amp in this process, which bounds the caches
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_CACHE_CAPACITY")}
    command = [sys.executable, "-c", program, what]
    environment.update(variables)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


@on_linux
def test_freed_memory_serves_the_next_tensors():
    """By default glibc maps each tensor of more than 32 MiB anew, about 9,000 pages."""
    assert int(output(FAULTS, "kept")) < int(output(FAULTS, "as it was")) / 3


@pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="no products in bfloat16 by oneDNN"
)
@pytest.mark.parametrize(("caches", "compiled"), [("bounded", 10), ("as it was", 0)])
def test_kernels_of_old_shapes_are_let_go(caches, compiled):
    """A kernel that was let go is compiled again: oneDNN prints a line for each."""
    told = output(KERNELS, caches, ONEDNN_VERBOSE="2").split("old shapes")[1]
    assert told.count("exec") == 10
    assert told.count("cache_miss") == compiled


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "7")
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    cpu_memory.bound_kernel_caches()
    assert cpu_memory.os.environ["LRU_CACHE_CAPACITY"] == "7"
    kept = cpu_memory.os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"]
    assert kept == str(cpu_memory.KEPT_KERNELS)


@pytest.mark.parametrize("library", [OSError, AttributeError])
def test_other_c_libraries_are_left_as_they_are(monkeypatch, library):
    def missing(_name):
        raise library

    monkeypatch.setattr(cpu_memory.ctypes, "CDLL", missing)
    cpu_memory.keep_freed_memory()
