"""Low-rank adapters (Hu et al., 2022) of the LLaMA family's linear layers.

    y = x W^T + b + (alpha / rank) * x A^T B^T

W and b keep their names; `lora_a` and `lora_b` stand beside each adapted `weight`, so growing and
comparing checkpoints need not know of adapters (peft renames what it adapts).
`checkpoints.adapters` saves them without their base, and merges them.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Tuple

import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from fairseq_instr.errors import InputError

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Linear layers that an adapter can be beside."""
WHOLE = ("embed_tokens", "output_projection")
"""Modules that can be trained as they are, beside the adapters."""
A, B = "lora_a", "lora_b"


class LowRankLinear(nn.Module):
    """A linear layer that is kept, whose parameters become this one's, and what training adds."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float):
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias
        self.scale = alpha / rank
        self.lora_a = nn.Parameter(linear.weight.new_empty(rank, linear.in_features))
        self.lora_b = nn.Parameter(linear.weight.new_zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """`(..., in)` -> `(..., out)`."""
        added = F.linear(F.linear(x, self.lora_a), self.lora_b)
        return F.linear(x, self.weight, self.bias) + self.scale * added

    def upgrade_state_dict_named(self, state_dict: Dict[str, Tensor], name: str) -> None:
        """Let a checkpoint without adapters load: they begin as they are."""
        for key, own in ((f"{name}.{A}", self.lora_a), (f"{name}.{B}", self.lora_b)):
            state_dict.setdefault(key, own.detach().clone())


def parse_targets(text: str) -> List[str]:
    """Names of `LINEAR` and `WHOLE` in `--lora-targets`.

    Raises:
        InputError: if a name is neither, or no linear layer is named.
    """
    names = [name for name in map(str.strip, text.split(",")) if name]
    unknown = [name for name in names if name not in (*LINEAR, *WHOLE)]
    if unknown or not set(names) & set(LINEAR):
        raise InputError(
            f"--lora-targets {text} is not accepted: give some of {', '.join(LINEAR)}, and "
            f"{' or '.join(WHOLE)} to train that as a whole too"
        )
    return names


def check_adapters(cfg: Any, n_symbols: int) -> None:
    """Refuse adapters that can't be trained, such as ones beside `n_symbols` new embeddings.

    Raises:
        InputError: names the option.
    """
    if cfg.lora_rank < 0 or cfg.lora_alpha <= 0:
        raise InputError(
            f"--lora-rank {cfg.lora_rank} --lora-alpha {cfg.lora_alpha}: give numbers above zero, "
            "or --lora-rank 0 to train the model itself"
        )
    if cfg.lora_rank and n_symbols and WHOLE[0] not in parse_targets(cfg.lora_targets):
        raise InputError(
            f"--lora-rank {cfg.lora_rank}: the symbols of {n_symbols} instructions are embeddings "
            f"that have to be learnt; add {WHOLE[0]} to --lora-targets, or give --prompt-template"
        )


def add_adapters(decoder: nn.Module, rank: int, alpha: float, targets: str) -> None:
    """Put adapters beside the linear layers of a decoder that `--lora-targets` names, in place.

    Nothing else is trained.
    """
    names = parse_targets(targets)
    decoder.requires_grad_(False)
    found: List[Tuple[nn.Module, str, nn.Linear]] = [
        (parent, name, child)
        for parent in decoder.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Linear) and name in names and name in LINEAR
    ]
    for parent, name, linear in found:
        setattr(parent, name, LowRankLinear(linear, rank, alpha))
    for name in set(names) & set(WHOLE):
        getattr(decoder, name).requires_grad_(True)


def merged(weight: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
    """W + scale * B A in fp32: in the bfloat16 of a published W, small changes would be lost."""
    return weight.float() + scale * (b.float() @ a.float())
