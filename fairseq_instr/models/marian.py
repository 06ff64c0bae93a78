"""Marian's transformer, as OPUS-MT's models are: fairseq's, with three differences.

- Sinusoidal positions count from 0 and divide the logarithm by the whole number of frequencies.
- Output scores have a bias.
- The decoder begins with a symbol whose embedding is zero. It is fairseq's `<s>`, which takes
  the place of `</s>` there; its bias rules it out as an output.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn as nn
import torch.nn.functional as F
from fairseq.models import register_model, register_model_architecture
from fairseq.models.transformer import TransformerDecoder, TransformerModel, base_architecture
from fairseq.modules import SinusoidalPositionalEmbedding

RULED_OUT = -1e4
"""Bias of `<s>`; exp of it is 0 in all number formats."""


def sinusoidal_positions(n_positions: int, dim: int) -> torch.Tensor:
    """Positions 0, 1, ... as Vaswani et al. (2017) define them, sines first.

    Returns:
        fp32 Tensor `(n_positions, dim)`.

    Example: `sinusoidal_positions(2, 2)` is `[[0, 1], [sin 1, cos 1]]`.
    """
    n_sines = dim - dim // 2
    exponents = torch.arange(n_sines, dtype=torch.float64, device="cpu") * 2 / dim
    places = torch.arange(n_positions, dtype=torch.float64, device="cpu")
    angles = places[:, None] * math.exp(1.0) ** (-math.log(10000.0) * exponents)
    return torch.cat((angles.sin(), angles[:, : dim // 2].cos()), dim=1).float()


class MarianPositions(SinusoidalPositionalEmbedding):
    """Positions whose table begins where fairseq looks for the first token's: behind padding's."""

    weights: torch.Tensor

    def __init__(self, dim: int, padding_idx: int, n_positions: int):
        super().__init__(dim, padding_idx, init_size=padding_idx + 1)
        self.grow(n_positions)

    def grow(self, n_positions: int) -> None:
        """Make the table long enough."""
        before = torch.zeros(self.padding_idx + 1, self.embedding_dim, device="cpu")
        table = torch.cat((before, sinusoidal_positions(n_positions, self.embedding_dim)))
        self.weights = table.to(self.weights)

    def forward(self, input: torch.Tensor, *more: Any, **options: Any) -> torch.Tensor:
        """`(B, T)` tokens -> `(B, T, dim)`, or `(B, 1, dim)` of the newest one."""
        if self.padding_idx + 1 + input.size(1) > self.weights.size(0):
            self.grow(2 * input.size(1))
        return super().forward(input, *more, **options)


class MarianDecoder(TransformerDecoder):
    """A decoder that begins with `<s>` and whose scores have a bias."""

    def build_output_projection(self, args, dictionary, embed_tokens) -> None:
        """A projection with a bias, whatever is shared."""
        super().build_output_projection(args, dictionary, embed_tokens)
        bias = torch.zeros(self.output_projection.out_features)
        bias[dictionary.bos()] = RULED_OUT
        self.output_projection.bias = nn.Parameter(bias)

    def extract_features(self, prev_output_tokens, *more, **options):
        """As in the parent, with `<s>` for the `</s>` that fairseq begins with."""
        tokens = prev_output_tokens.clone()
        first = tokens[:, 0]
        tokens[:, 0] = torch.where(
            first.eq(self.dictionary.eos()), torch.full_like(first, self.dictionary.bos()), first
        )
        return super().extract_features(tokens, *more, **options)


@register_model("marian")
class MarianModel(TransformerModel):
    """fairseq's transformer with Marian's positions, bias and start symbol.

    Attributes:
        decoder_start (int): id of the symbol that the decoder begins with.
    """

    def __init__(self, args, encoder, decoder):
        super().__init__(args, encoder, decoder)
        self.decoder_start = decoder.dictionary.bos()
        for side, longest in (
            (encoder, args.max_source_positions),
            (decoder, args.max_target_positions),
        ):
            width = side.embed_positions.embedding_dim
            side.embed_positions = MarianPositions(width, side.padding_idx, longest)
            for layer in side.layers:
                if args.activation_fn == "swish":
                    layer.activation_fn = F.silu  # of this name fairseq has a class, which is none

    @classmethod
    def build_decoder(cls, args, tgt_dict, embed_tokens):
        """As in the parent, with this model's decoder."""
        return MarianDecoder(args, tgt_dict, embed_tokens)


@register_model_architecture("marian", "marian")
def marian(args) -> None:
    """OPUS-MT's base size."""
    args.activation_fn = getattr(args, "activation_fn", "swish")
    args.share_all_embeddings = getattr(args, "share_all_embeddings", True)
    base_architecture(args)
