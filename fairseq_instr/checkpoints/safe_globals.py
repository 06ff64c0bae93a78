"""Which objects besides tensors a fairseq checkpoint may hold.

torch 2.6 and later load tensors and plain values alone; torch before, which official fairseq
0.12.2 runs on, is told to, or it would execute what a checkpoint says. fairseq's own checkpoints
also hold their settings; naming those few classes keeps loading safe, and everything else
refused.
"""

from __future__ import annotations

import argparse
import collections
import functools
import os
import pickle
import typing

import numpy as np

# torch's own switches; who sets one of them decides
FORCE_SAFE, FORCE_UNSAFE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


KINDS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")


# numpy's own functions build whatever a pickle says. A type of numbers can be given the flags of
# types that hold pointers: the numbers read by it then show, or use, what lies elsewhere in memory.


def _type_of_numbers(kind, align=False, copy=False):
    """Stands in for `numpy.dtype`: one of its built-in types, which no pickle can change."""
    if kind not in KINDS:
        raise pickle.UnpicklingError(f"numbers of the type {kind!r:.80} are not accepted")
    return np.dtype(kind)


def _number(dtype, content):
    """Stands in for numpy's `scalar`."""
    if not isinstance(content, bytes) or len(content) != dtype.itemsize:
        raise pickle.UnpicklingError(f"a number of the type {dtype} has {dtype.itemsize} bytes")
    return np.frombuffer(content, dtype)[0]


def _array(kind, shape, code):
    """Stands in for numpy's `_reconstruct`: an array that its state will fill."""
    if kind is not np.ndarray or shape != (0,):
        raise pickle.UnpicklingError("an array is made empty, and filled by its state")
    return np.ndarray((0,), "b")


def _under_name(function, module: str, name: str):
    """What is called where a pickle names `module.name`: torch goes by these attributes."""

    def called(*arguments):
        return function(*arguments)

    called.__module__, called.__name__, called.__qualname__ = module, name, name
    return called


class _OldMeter:
    """Stands in for the meters that fairseq saved up to 0.9; their figures are not looked at."""

    def __setstate__(self, state):
        pass


@functools.lru_cache(maxsize=None)
def allow_settings() -> None:
    """Let torch's safe reader accept the classes and functions that fairseq's checkpoints name."""
    import omegaconf
    import torch
    from omegaconf.base import ContainerMetadata, Metadata
    from omegaconf.nodes import AnyNode

    allowed = [
        argparse.Namespace,
        omegaconf.DictConfig,
        omegaconf.ListConfig,
        AnyNode,
        ContainerMetadata,
        Metadata,
        collections.defaultdict,
        collections.OrderedDict,
        dict,
        list,
        int,
        typing.Any,
        np.ndarray,  # --eval-bleu leaves arrays of counts in the meters that a checkpoint keeps
        *{type(np.dtype(kind)) for kind in KINDS},
        _under_name(_type_of_numbers, "numpy", "dtype"),
    ]
    for module in ("numpy._core.multiarray", "numpy.core.multiarray"):  # numpy 2, numpy 1
        allowed.append(_under_name(_number, module, "scalar"))
        allowed.append(_under_name(_array, module, "_reconstruct"))
    for name in ("AverageMeter", "StopwatchMeter", "TimeMeter"):
        allowed.append(type(name, (_OldMeter,), {"__module__": "fairseq.meters"}))
    if torch.distributed.is_available():
        from fairseq.distributed.utils import _TensorPlaceholder

        allowed.append(_TensorPlaceholder)
    torch.serialization.add_safe_globals(allowed)


def load_safely() -> None:
    """Make fairseq's own loading of checkpoints safe in this process, and accept its settings."""
    import torch

    allow_settings()
    safe_by_default = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 6)
    if not safe_by_default and FORCE_UNSAFE not in os.environ:
        os.environ.setdefault(FORCE_SAFE, "1")
