"""What every rendering of instructions has in common: tokens around a source. Needs no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Optional, Protocol, Sequence, Tuple

from fairseq_instr.instructions.asking import Request

if TYPE_CHECKING:
    import torch

Tokens = Tuple[int, ...]


class Rendering(NamedTuple):
    """Dictionary ids of a prompt, by where they stand."""

    before: Tokens = ()  # in front of the source
    behind: Tokens = ()  # behind the source, before its eos
    decoder: Tokens = ()  # at the decoder's start, after its first token
    end: Optional[Tokens] = None  # what ends the source; None for its own eos
    start: Optional[int] = None  # the decoder's first token; None for eos
    # `source -> before + source + behind`, where a prompt in words is spelled as one text with its
    # source: the tokens at the seams are others then. It gives None for a source that is not
    # spelled as its text would be. None to put the parts together
    together: Optional[Callable[[Tokens], Optional[Tokens]]] = None

    def around(self, source: torch.Tensor) -> torch.Tensor:
        """The encoder's input: LongTensor `(n,)` ending in eos -> `(before + n + behind,)`.

        Spelled together, it may have some tokens less, or more.
        """
        import torch  # where a model is served by CTranslate2 there is none

        if not self.before and not self.behind and self.end is None:
            return source
        if self.together is not None:
            tokens = self.together(tuple(source[:-1].tolist()))
            if tokens is not None:
                return torch.cat((source.new_tensor(tokens), source[-1:]))
        before, behind = map(source.new_tensor, (self.before, self.behind))
        end = source[-1:] if self.end is None else source.new_tensor(self.end)
        return torch.cat((before, source[:-1], behind, end))

    def beginning(self, eos: int) -> Tokens:
        """What the decoder reads before the target's own tokens."""
        return (eos if self.start is None else self.start, *self.decoder)

    def previous(self, target: torch.Tensor) -> torch.Tensor:
        """The decoder's input: LongTensor `(n,)` ending in eos -> `(n + decoder,)`."""
        import torch

        return torch.cat((target.new_tensor(self.beginning(int(target[-1]))), target[:-1]))


class Prompt(Protocol):
    """Renders requests for one family of models.

    Attributes:
        on_decoder: whether the decoder reads tokens of the prompt.
        on_encoder: whether the encoder reads what is asked for.
    """

    @property
    def on_decoder(self) -> bool: ...

    @property
    def on_encoder(self) -> bool: ...

    def render(self, requests: Sequence[Request], language: Optional[str] = None) -> Rendering:
        """The prompt for requests in canonical order.

        Args:
            language: of the source; None for the language that the prompt was made for.

        Raises:
            InputError: if they can't be said, such as a language that a template has no name for.
        """
        ...

    def n_source(self, n_instructions):
        """Most tokens that `n_instructions` (an int or an array of them) add to the source.

        An argument counts as its tokens and one more, a phrase that is not listed as its words.
        """
        ...

    def n_target(self, n_instructions):
        """Most tokens that `n_instructions` (an int or an array of them) add to the target."""
        ...
