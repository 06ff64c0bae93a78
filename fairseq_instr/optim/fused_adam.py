"""Adam in one pass over the parameters: `--optimizer fused_adam`.

fairseq's Adam goes over parameters, gradients and moments some ten times an update on a CPU, and
starts as many kernels for each parameter on a GPU without apex.
"""

import torch
from fairseq.optim import FairseqOptimizer, register_optimizer
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig

from fairseq_instr.errors import InputError


class _AdamW(torch.optim.AdamW):
    supports_flat_params = True  # fairseq asks for it under --fp16
    supports_memory_efficient_fp16 = False


@register_optimizer("fused_adam", dataclass=FairseqAdamConfig)
class FusedAdam(FairseqAdam):
    """torch's fused AdamW with the options of fairseq's `adam`.

    Weight decay is AdamW's in both. fairseq adds epsilon to the root of the second moment before
    its bias is corrected, torch after it: the two differ in rounding, and by epsilon.

    Args:
        cfg (FairseqAdamConfig): options.
        params: parameters to optimize.

    Raises:
        InputError: if `--fp16-adam-stats` is given, or this torch has no fused Adam for the device.
    """

    def __init__(self, cfg, params):
        FairseqOptimizer.__init__(self, cfg)  # not the parent's: it makes another Adam
        if cfg.fp16_adam_stats:
            raise InputError(
                "--fp16-adam-stats is not supported by --optimizer fused_adam; "
                "leave it out, or give --optimizer adam"
            )
        try:
            self._optimizer = _AdamW(params, fused=True, **self.optimizer_config)
        except RuntimeError as error:
            raise InputError(
                f"--optimizer fused_adam needs torch 2.4 or newer on this device ({error}); "
                "give --optimizer adam"
            ) from error

    def load_state_dict(self, state_dict, optimizer_overrides=None):
        """As in the parent; the state of fairseq's `adam` is accepted too."""
        super().load_state_dict(state_dict, optimizer_overrides)
        for group in self.param_groups:
            group.update(fused=True, foreach=None)
