"""Which conditions a line is decoded under: its own, and those that it is contrasted with.

They follow from the line itself and a seed, never from the batch that it happens to be in.
"""

from __future__ import annotations

import zlib
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np
import torch
from fairseq.data import data_utils
from torch import Tensor

from fairseq_instr.errors import InputError
from fairseq_instr.generation.guidance import Condition
from fairseq_instr.generation.options import LOG_PROBABILITY, GuidanceOptions
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, Inventory, direction
from fairseq_instr.prompts import TokenPrompt

SOURCE = "source"  # stands for the source's own language


class Request(NamedTuple):
    """A source, `(n,)` ending in eos, and positions of the instructions it is put under."""

    source: Tensor
    instructions: Tuple[int, ...]


class ConditionPlanner:
    """Makes the conditions of a batch from its requests.

    Args:
        options: weights.
        inventory: of the instructions.
        prompt: renders them.
        dictionary: of the source; pad and eos are read from it.
        source_language: of the lines.
        seed: decides the random sources.
        sources: that random ones are drawn from; needed with `source_contrast`.
        longest: tokens that such a source may have.

    Raises:
        InputError: if the languages of `language_contrast` have no instruction.
    """

    def __init__(
        self,
        options: GuidanceOptions,
        inventory: Inventory,
        prompt: TokenPrompt,
        dictionary,
        source_language: str,
        seed: int = 1,
        sources: Sequence[Tensor] = (),
        longest: int = 1024,
    ):
        self.options, self.inventory, self.prompt = options, inventory, prompt
        self.pad, self.eos = dictionary.pad(), dictionary.eos()
        self.seed, self.sources, self.longest = seed, sources, longest
        self.wrong_directions = self._wrong_directions(source_language)

    def _wrong_directions(self, source_language: str) -> List[int]:
        if not self.options.language_contrast:
            return []
        named = self.options.contrast_languages
        codes = named or ("en", SOURCE)
        languages = [source_language if code == SOURCE else code for code in codes]
        known = [code for code in dict.fromkeys(languages) if direction(code) in self.inventory]
        accepted = ", ".join(self.inventory.target_languages) or "none"
        if named and len(known) < len(set(languages)):
            unknown = next(code for code in languages if code not in known)
            raise InputError(
                f"--contrast-language {unknown!r} has no instruction {direction(unknown)!r} in "
                f"the inventory; languages there: {accepted}"
            )
        if not known:
            raise InputError(
                f"--language-contrast {self.options.language_contrast}: neither 'en' nor the "
                f"source's language {source_language!r} has an instruction in the inventory; name "
                f"one that has with --contrast-language; languages there: {accepted}"
            )
        return [self.inventory.position(direction(code)) for code in known]

    @property
    def count(self) -> int:
        """Conditions of every batch."""
        contrasts = bool(self.options.guidance) + bool(self.options.source_contrast)
        return 1 + contrasts + len(self.wrong_directions)

    def prompt_length(self, request: Request) -> int:
        """Tokens of a request's prompt in the decoder."""
        return len(self._decoder_prompt(request))

    def _decoder_prompt(self, request: Request) -> Tensor:
        return self.prompt.ids(request.instructions if self.prompt.on_decoder else ())

    def plan(self, requests: Sequence[Request]) -> List[Condition]:
        """The conditions of a batch, on the CPU; the lines' own come first.

        Requests whose prompts stand in the decoder must agree in `prompt_length`.

        Raises:
            InputError: if a line has no direction, or no other source, to contrast with.
        """
        options = self.options
        in_logs = options.contrast_space == LOG_PROBABILITY
        sign = -1.0 if in_logs else 1.0
        guided = [options.guidance if r.instructions else 0.0 for r in requests]
        conditions = [self._collate(requests, [1 + g for g in guided])]
        if options.guidance:
            bare = [Request(r.source, ()) for r in requests]
            conditions.append(self._collate(bare, [-g for g in guided]))
        if options.source_contrast:
            others = [Request(self.other_source(r.source), r.instructions) for r in requests]
            weights = [sign * options.source_contrast] * len(requests)
            conditions.append(self._collate(others, weights, in_logs))
        for wrong in self.wrong_directions:
            swapped = [self._in_language(r, wrong) for r in requests]
            # a line that asks for this very language is not contrasted with it
            weights = [
                sign * options.language_contrast * (other.instructions != own.instructions)
                for own, other in zip(requests, swapped)
            ]
            conditions.append(self._collate(swapped, weights, in_logs))
        return conditions

    def other_source(self, source: Tensor) -> Tensor:
        """A random source that differs from the one given, the same for the same source.

        Raises:
            InputError: if there is none.
        """
        own = source.to(torch.int64).cpu()
        key = zlib.crc32(own.numpy().tobytes())
        start = np.random.RandomState([self.seed, key]).randint(2**31)
        for step in range(len(self.sources)):
            other = self.sources[(start + step) % len(self.sources)].long()
            if 1 < len(other) <= self.longest and not torch.equal(other, own):
                return other
        raise InputError(
            f"--source-contrast {self.options.source_contrast}: --contrast-subset holds no other "
            "source than the one translated; name a larger split"
        )

    def _in_language(self, request: Request, wrong: int) -> Request:
        languages = set(self.inventory.members(TARGET_LANGUAGE))
        if not languages.intersection(request.instructions):
            raise InputError(
                f"--language-contrast {self.options.language_contrast}: a line has no target "
                "language to contrast with; give --direction-instruction always, or one with "
                "--instruct"
            )
        kept = [i for i in request.instructions if i not in languages]
        return Request(request.source, tuple(sorted((*kept, wrong))))

    def _collate(
        self, requests: Sequence[Request], weights: List[float], of_logs: bool = True
    ) -> Condition:
        sources = [self.prompt.render_source(*request) for request in requests]
        prompts = [self._decoder_prompt(request) for request in requests]
        return Condition(
            data_utils.collate_tokens(sources, self.pad, self.eos, left_pad=True),
            torch.tensor([len(source) for source in sources]),
            torch.stack(prompts),
            torch.tensor(weights, dtype=torch.float),
            of_logs,
        )
