"""Memory of training on a CPU: kept where tensors come and go, bounded where kernels pile up."""

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h
KEPT_KERNELS = 128
"""Compiled kernels that each cache keeps, of 0.5 to 1 MB each; a step of any model has fewer."""


def keep_freed_memory() -> None:
    """Let glibc keep what tensors free for the tensors of the next step.

    By default it maps large tensors anew each time, and the system clears their pages: up to a
    third of the CPU time of a step. Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, -1)


def bound_kernel_caches() -> None:
    """Bound the caches of kernels that are compiled for each new shape of a bfloat16 product.

    torch and oneDNN each keep 1,024 of them. Both read their bound from the environment at their
    first product in bfloat16. What the user has set stays.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, str(KEPT_KERNELS))
