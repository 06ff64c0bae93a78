"""Instructions as appended vocabulary tokens: one symbol an instruction.

The symbols stand in front of the source words (`source-prefix`), behind them
(`source-suffix`, the post-ins of Liu et al., 2023), or at the decoder's start
(`decoder-prefix`), where a conflict needs no second run of the encoder.
"""

from __future__ import annotations

from typing import Sequence, Tuple

import torch

SOURCE_PREFIX = "source-prefix"
SOURCE_SUFFIX = "source-suffix"
DECODER_PREFIX = "decoder-prefix"
PLACEMENTS = (SOURCE_PREFIX, SOURCE_SUFFIX, DECODER_PREFIX)


class TokenPrompt:
    """Renders positions in an inventory as dictionary ids.

    Args:
        first_id: dictionary id of the inventory's first symbol; the others follow it.
        placement: one of `PLACEMENTS`.
    """

    def __init__(self, first_id: int, placement: str = SOURCE_PREFIX):
        if placement not in PLACEMENTS:
            raise ValueError(f"placement {placement!r}; accepted: {', '.join(PLACEMENTS)}")
        self.first_id = first_id
        self.placement = placement

    @property
    def on_decoder(self) -> bool:
        """Whether the instructions are given to the decoder instead of the encoder."""
        return self.placement == DECODER_PREFIX

    def ids(self, instructions: Sequence[int]) -> torch.Tensor:
        """Dictionary ids of the instructions, in the order given: LongTensor `(n,)`."""
        return torch.tensor([self.first_id + i for i in instructions], dtype=torch.long)

    def render_source(self, source: torch.Tensor, instructions: Sequence[int]) -> torch.Tensor:
        """The encoder's input.

        Args:
            source: LongTensor `(n,)`, ending in eos.
            instructions: positions in the inventory, in canonical order.

        Returns:
            LongTensor `(n + k,)`; the source itself where the prompt goes to the decoder or
            there are no instructions.
        """
        if not instructions or self.on_decoder:
            return source
        prompt = self.ids(instructions)
        if self.placement == SOURCE_PREFIX:
            return torch.cat((prompt, source))
        return torch.cat((source[:-1], prompt, source[-1:]))

    def read(self, tokens: torch.Tensor) -> Tuple[torch.Tensor, Tuple[int, ...]]:
        """Take the instructions out of a rendered source.

        Args:
            tokens: LongTensor `(n + k,)`, without padding.

        Returns:
            (source `(n,)`, positions in the inventory)
        """
        asked = tokens >= self.first_id  # ids that no text has
        return tokens[~asked], tuple((tokens[asked] - self.first_id).tolist())

    def n_source(self, n_instructions):
        """Tokens that `n_instructions` (an int or an array of them) add to the source."""
        return n_instructions * (not self.on_decoder)

    def n_target(self, n_instructions):
        """Tokens that `n_instructions` (an int or an array of them) add to the target."""
        return n_instructions * self.on_decoder
