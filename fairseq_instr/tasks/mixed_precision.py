"""`--amp` on a CPU: where fairseq says nothing and stays in fp32, products are in bfloat16."""

import torch
from fairseq.optim.amp_optimizer import AMPOptimizer
from torch.nn.attention import SDPBackend, sdpa_kernel


def for_cpu(criterion, model, optimizer):
    """What to call for the loss: under `--amp` on a CPU in mixed precision, else the criterion.

    Inputs of matrix products are rounded to bfloat16 (`torch.autocast`); parameters, their
    gradients, the sums of products and the loss stay fp32. Processors with instructions for
    bfloat16 are faster by it, others are not. fairseq's own `--amp` is about CUDA alone and needs
    scaled gradients, since it computes in fp16; bfloat16 has the range of fp32 and needs none.

    Args:
        criterion (callable): of model and sample.
        model (nn.Module): what is trained.
        optimizer (FairseqOptimizer): fairseq's `AMPOptimizer` where `--amp` is given.
    """
    device = next(model.parameters()).device.type
    if device != "cpu" or not isinstance(optimizer, AMPOptimizer):
        return criterion

    def compute(model, sample):
        # In bfloat16 the backward of the fused attention costs as much as all other products
        # together; three plain products are ten times as fast.
        with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            return criterion(model, sample)

    return compute
