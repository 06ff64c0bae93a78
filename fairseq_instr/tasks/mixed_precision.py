"""`--amp` on a CPU: fairseq's own is about CUDA alone, here products are in bfloat16 then."""

import functools
import logging

import torch
from fairseq.optim.amp_optimizer import AMPOptimizer
from torch.nn.attention import SDPBackend, sdpa_kernel

logger = logging.getLogger(__name__)


def is_for_cpu(model, optimizer) -> bool:
    """Whether `--amp` was given, which makes fairseq's `AMPOptimizer`, for a model on a CPU."""
    on_cpu = next(model.parameters()).device.type == "cpu"
    return on_cpu and isinstance(optimizer, AMPOptimizer)


@functools.lru_cache(maxsize=None)
def warn_of_slow_products() -> None:
    """Say once that this processor has no instructions for products in bfloat16."""
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # torch >= 2.5 has both
    known = [getattr(torch.cpu, name) for name in names if hasattr(torch.cpu, name)]
    if known and not any(supported() for supported in known):
        logger.warning(
            "--amp: this processor has no instructions for bfloat16 (AVX512-BF16 or AMX); "
            "training without --amp is faster on it"
        )


def in_bfloat16(criterion):
    """The same loss on a CPU with the inputs of matrix products rounded to bfloat16.

    Parameters, their gradients, the sums within products and the loss stay fp32. Gradients are not
    scaled, as they are for fp16: bfloat16 has the range of fp32.
    """

    def compute(model, sample):
        with torch.autocast("cpu", torch.bfloat16):
            return criterion(model, sample)

    return compute


def unfused_attention():
    """A context in which attention is made of plain products.

    In bfloat16 the backward of the fused attention costs as much on a CPU as all other products
    together, plain products a third of that. The context is for the backward too: what
    `--checkpoint-activations` computes again there must be what the forward computed.
    """
    return sdpa_kernel(SDPBackend.MATH)
