"""Instructions as appended vocabulary tokens: one symbol an instruction.

An argument stands between its symbol and the same symbol again, in tokens of the source's own
vocabulary. No text has these symbols, so that no source can open, close or forge an argument.
"""

from __future__ import annotations

from typing import Callable, List, Optional, Sequence, Tuple, Union

from fairseq_instr.instructions.asking import Request
from fairseq_instr.prompts.prompt import Rendering

SOURCE_PREFIX = "source-prefix"
SOURCE_SUFFIX = "source-suffix"
DECODER_PREFIX = "decoder-prefix"
PLACEMENTS = (SOURCE_PREFIX, SOURCE_SUFFIX, DECODER_PREFIX)
"""In front of the source; behind it (post-ins, Liu et al., 2023); at the decoder's start, where a
conflict needs no second run of the encoder."""


class TokenPrompt:
    """Renders requests as the symbols of their instructions; a `Prompt`.

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
        """Whether the decoder reads the instructions; the encoder does otherwise."""
        return self.placement == DECODER_PREFIX

    @property
    def on_encoder(self) -> bool:
        return not self.on_decoder

    def render(self, requests: Sequence[Request], language: Optional[str] = None) -> Rendering:
        """The prompt; symbols don't say the source's `language`."""
        ids = tuple(token for request in requests for token in self._ids(request))
        if self.on_decoder:
            return Rendering(decoder=ids)
        return Rendering(before=ids) if self.placement == SOURCE_PREFIX else Rendering(behind=ids)

    def _ids(self, request: Request) -> List[int]:
        symbol = self.first_id + request.position
        if request.argument is None:
            return [symbol]
        return [symbol, *self._spelled(request.argument), symbol]

    def _spelled(self, argument: Union[str, Tuple[int, ...]]) -> Sequence[int]:
        """Dictionary ids of an argument, which may be ids already."""
        if not isinstance(argument, str):
            return argument
        if self.spell is None:
            raise ValueError(f"the argument {argument!r} is text; give the prompt `spell`")
        return self.spell(argument)

    def n_source(self, n_instructions):
        """Tokens that `n_instructions` (an int or an array of them) add to the source."""
        return n_instructions * (not self.on_decoder)

    def n_target(self, n_instructions):
        return n_instructions * self.on_decoder
