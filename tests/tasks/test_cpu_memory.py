"""Memory of training on a CPU."""

import os
import subprocess
import sys

import pytest
import torch

from fairseq_instr.tasks import cpu_memory

MEASURE = """
import resource, sys, torch
from fairseq_instr.tasks import cpu_memory

torch.set_num_threads(1)
if sys.argv[1] == "kept":
    cpu_memory.keep_freed_memory()
if sys.argv[1] == "bounded":
    cpu_memory.bound_kernel_caches()

def pages():
    return int(open("/proc/self/statm").read().split()[1])

def tensors():
    for _ in range(20):
        torch.zeros(1000, 1000) + 1

def products(first, last):
    matrix = torch.ones(64, 64, dtype=torch.bfloat16)
    for n in range(first, last):
        torch.ones(n, 64, dtype=torch.bfloat16) @ matrix

tensors()
products(1, cpu_memory.KEPT_KERNELS + 30)
before, faults = pages(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
if sys.argv[2] == "tensors":
    tensors()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults)
else:
    products(cpu_memory.KEPT_KERNELS + 30, 3 * cpu_memory.KEPT_KERNELS)
    print(pages() - before)
"""

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc and /proc")


def measure(what, of):
    command = [sys.executable, "-c", MEASURE, what, of]
    # other tests train under --amp in this process, which bounds the caches
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_CACHE_CAPACITY")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return int(done.stdout)


@on_linux
def test_freed_memory_serves_the_next_tensors():
    """In glibc's default, each tensor of 4 MB has about 1,000 new pages."""
    assert measure("kept", "tensors") < measure("as it was", "tensors") / 10


@on_linux
@pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="no products in bfloat16 by oneDNN"
)
def test_kernels_of_old_shapes_are_let_go():
    assert measure("bounded", "kernels") < measure("as it was", "kernels") / 3


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
