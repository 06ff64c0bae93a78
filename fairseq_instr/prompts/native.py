"""The direction in a pretrained model's own language tokens, the other instructions as before.

It is one rendering of `to:LANGUAGE` among others: inventory, conflicts and evaluation don't know
the difference.
"""

from __future__ import annotations

from typing import Dict, Optional, Sequence, Tuple

from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.inventory import Inventory, target_language
from fairseq_instr.prompts.language_tokens import (
    BEHIND_EOS,
    FOR_EOS,
    IN_FRONT,
    TARGET,
    LanguageTokens,
    find_language,
)
from fairseq_instr.prompts.prompt import Prompt, Rendering


class NativePrompt:
    """Renders `to:LANGUAGE` in language tokens, and all else by another prompt; a `Prompt`.

    Args:
        others: renders the other instructions.
        tokens: which tokens the model was trained with.
        eos: id of the end of sentence.
        source: language of sources that don't say theirs.
        target: language where no direction is asked for.

    Raises:
        InputError: if the dictionary has no token for one of the languages.
    """

    def __init__(
        self,
        others: Prompt,
        tokens: LanguageTokens,
        inventory: Inventory,
        symbols: Sequence[str],
        eos: int,
        source: str,
        target: str,
    ):
        self.others, self.tokens, self.eos = others, tokens, eos
        self.source, self.target = source, target
        tokens.check_known(symbols, source)
        self._known = tokens.languages(symbols)
        self._ids: Dict[str, int] = {}
        found = (target_language(instruction.name) for instruction in inventory)
        self._asked = {position: language for position, language in enumerate(found) if language}
        for language in (source, target):
            self._id(language)

    @property
    def on_decoder(self) -> bool:
        """Whether the decoder reads a language token, or the other instructions."""
        return self.tokens.decoder or self.others.on_decoder

    @property
    def on_encoder(self) -> bool:
        """Whether the encoder reads the target's token, or the other instructions."""
        return self.tokens.encoder == TARGET or self.others.on_encoder

    def _id(self, language: str) -> int:
        if language not in self._ids:
            self._ids[language] = self._known[find_language(language, self._known)]
        return self._ids[language]

    def render(self, requests: Sequence[Request], language: Optional[str] = None) -> Rendering:
        """The prompt; language tokens stand outside the others.

        Raises:
            InputError: if the dictionary has no token for a language.
        """
        target = next((self._asked[r.position] for r in requests if r.position in self._asked), "")
        target = target or self.target
        rest = [request for request in requests if request.position not in self._asked]
        found = self.others.render(rest, language)
        first = self._id(target) if self.tokens.decoder else None
        around: Tuple[int, ...] = ()
        if self.tokens.encoder is not None:
            of_target = self.tokens.encoder == TARGET
            around = (self._id(target if of_target else language or self.source),)
        if self.tokens.place == IN_FRONT:
            decoder = found.decoder if first is None else (first, *found.decoder)
            return found._replace(before=(*around, *found.before), decoder=decoder)
        end = (self.eos, *around) if self.tokens.place == BEHIND_EOS else around or None
        return found._replace(end=end, start=first)

    def n_source(self, n_instructions):
        """See `Prompt.n_source`."""
        added = self.tokens.encoder is not None and self.tokens.place != FOR_EOS
        return self.others.n_source(n_instructions) + added

    def n_target(self, n_instructions):
        """See `Prompt.n_target`."""
        added = self.tokens.decoder and self.tokens.place == IN_FRONT
        return self.others.n_target(n_instructions) + added
