"""Instructions as appended vocabulary tokens: one symbol an instruction.

The symbols stand in front of the source words (`source-prefix`), behind them
(`source-suffix`, the post-ins of Liu et al., 2023), or at the decoder's start
(`decoder-prefix`), where a conflict needs no second run of the encoder.

The argument of an instruction stands between its symbol and the same symbol again, in tokens
of the source's own vocabulary. No text has these symbols, so that no source can open, close or
forge an argument.
"""

from __future__ import annotations

from typing import Callable, List, Optional, Sequence, Tuple, Union

import torch

from fairseq_instr.instructions.asking import Asked, argument_of

SOURCE_PREFIX = "source-prefix"
SOURCE_SUFFIX = "source-suffix"
DECODER_PREFIX = "decoder-prefix"
PLACEMENTS = (SOURCE_PREFIX, SOURCE_SUFFIX, DECODER_PREFIX)


class TokenPrompt:
    """Renders positions in an inventory as dictionary ids.

    Args:
        first_id: dictionary id of the inventory's first symbol; the others follow it.
        placement: one of `PLACEMENTS`.
        spell: text of an argument -> dictionary ids; needed for arguments that are text.
    """

    def __init__(
        self,
        first_id: int,
        placement: str = SOURCE_PREFIX,
        spell: Optional[Callable[[str], Sequence[int]]] = None,
    ):
        if placement not in PLACEMENTS:
            raise ValueError(f"placement {placement!r}; accepted: {', '.join(PLACEMENTS)}")
        self.first_id = first_id
        self.placement = placement
        self.spell = spell

    @property
    def on_decoder(self) -> bool:
        """Whether the instructions are given to the decoder instead of the encoder."""
        return self.placement == DECODER_PREFIX

    def in_front(self) -> "TokenPrompt":
        """The same prompt in front of the source."""
        return TokenPrompt(self.first_id, SOURCE_PREFIX, self.spell)

    def ids(self, instructions: Sequence[int]) -> torch.Tensor:
        """Dictionary ids of the instructions and their arguments, in the order given.

        Returns:
            LongTensor `(n,)` where there are no arguments.
        """
        tokens: List[int] = []
        for position in instructions:
            symbol, argument = self.first_id + position, argument_of(position)
            tokens.append(symbol)
            if argument is not None:
                tokens += [*self._spelled(argument), symbol]
        return torch.tensor(tokens, dtype=torch.long)

    def _spelled(self, argument: Union[str, Sequence[int]]) -> Sequence[int]:
        """Dictionary ids of an argument, which may be ids already."""
        if not isinstance(argument, str):
            return argument
        if self.spell is None:
            raise ValueError(f"the argument {argument!r} is text; give the prompt `spell`")
        return self.spell(argument)

    def render_source(
        self, source: torch.Tensor, instructions: Sequence[int], language: Optional[str] = None
    ) -> torch.Tensor:
        """The encoder's input.

        Args:
            source: LongTensor `(n,)`, ending in eos.
            instructions: positions in the inventory, in canonical order.
            language: of the source, which symbols don't say.

        Returns:
            LongTensor `(n + k,)` with the k tokens of the prompt; the source itself where the
            prompt goes to the decoder or there are no instructions.
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
        source: List[int] = []
        asked: List[int] = []
        opened = None  # where the argument that is being read begins, in `source`
        symbols = [i for i in tokens.tolist() if i >= self.first_id]  # ids that no text has
        for token in tokens.tolist():
            position = token - self.first_id
            if position < 0:
                source.append(token)
            elif opened is not None:
                asked.append(Asked(position, tuple(source[opened:])))
                source, opened = source[:opened], None
            elif symbols.count(token) == 2:
                opened = len(source)
            else:
                asked.append(position)
        return tokens.new_tensor(source), tuple(asked)

    def n_source(self, n_instructions):
        """Tokens that `n_instructions` (an int or an array of them) add to the source."""
        return n_instructions * (not self.on_decoder)

    def n_target(self, n_instructions):
        """Tokens that `n_instructions` (an int or an array of them) add to the target."""
        return n_instructions * self.on_decoder
