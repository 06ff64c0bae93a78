"""Which objects besides tensors a fairseq checkpoint may hold.

torch 2.6 and later load tensors and plain values alone. fairseq's own checkpoints also hold
their settings; naming those few classes keeps loading safe, and everything else refused.
"""

from __future__ import annotations

import argparse
import collections
import typing


def register() -> None:
    """Tell torch about the classes that fairseq's checkpoints hold."""
    import numpy as np
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
        np.dtype,
        type(np.dtype(np.float64)),
        type(np.dtype(np.float32)),
        type(np.dtype(np.int64)),
    ]
    try:
        from numpy._core.multiarray import _reconstruct, scalar
    except ImportError:  # numpy 1
        from numpy.core.multiarray import _reconstruct, scalar
    # --eval-bleu leaves arrays of counts in the meters that a checkpoint keeps
    allowed += [scalar, _reconstruct, np.ndarray]
    try:
        from fairseq.distributed.utils import _TensorPlaceholder

        allowed.append(_TensorPlaceholder)
    except ImportError:
        pass
    torch.serialization.add_safe_globals(allowed)
