"""`--amp` on a CPU: fairseq's own is about CUDA alone, here products are in bfloat16 then."""

import torch
from fairseq.optim.amp_optimizer import AMPOptimizer
from torch.nn.attention import SDPBackend, sdpa_kernel


def for_cpu(criterion, model, optimizer):
    """What gives the loss: the criterion, under `--amp` on a CPU `in_bfloat16`.

    Args:
        criterion (callable): of model and sample.
        model (nn.Module): what is trained.
        optimizer (FairseqOptimizer): fairseq's `AMPOptimizer` where `--amp` is given.
    """
    on_cpu = next(model.parameters()).device.type == "cpu"
    return in_bfloat16(criterion) if on_cpu and isinstance(optimizer, AMPOptimizer) else criterion


def in_bfloat16(criterion):
    """The same loss on a CPU with the inputs of matrix products rounded to bfloat16.

    Parameters, their gradients, the sums within products and the loss stay fp32. Gradients are not
    scaled, as they are for fp16: bfloat16 has the range of fp32. Processors that have instructions
    for it (AVX512-BF16, AMX) are faster by it, others may be slower.
    """

    def compute(model, sample):
        # In bfloat16 the backward of the fused attention costs as much as all other products
        # together; plain products cost a third of that.
        with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            return criterion(model, sample)

    return compute
