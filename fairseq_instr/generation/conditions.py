"""Which conditions a line is decoded under: its own, and those that it is contrasted with.

They follow from the line itself and a seed, never from the batch that it happens to be in.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Iterable, List, NamedTuple, Optional, Protocol, Sequence, Tuple

import torch
from fairseq.data import data_utils
from torch import Tensor

from fairseq_instr.errors import InputError
from fairseq_instr.generation.guidance import Condition
from fairseq_instr.generation.options import LOG_PROBABILITY, GuidanceOptions
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, Inventory, direction
from fairseq_instr.prompts import Prompt, Rendering

SOURCE = "source"  # stands for the source's own language


class Sources(Protocol):
    """Token tensors by their number, such as a list of them or a dataset."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Tensor: ...


@dataclass(frozen=True)
class Line:
    """A source and what is asked of its translation.

    Attributes:
        source: LongTensor `(n,)`, bare, ending in eos.
        requests: in canonical order.
        language: of the source; None for the task's source language.
    """

    source: Tensor
    requests: Tuple[Request, ...] = ()
    language: Optional[str] = None

    def under(self, requests: Iterable[Request]) -> Line:
        """The same source under other requests, given in any order."""
        in_order = sorted(requests, key=lambda request: request.position)
        return replace(self, requests=tuple(in_order))


class Variant(NamedTuple):
    """A line, changed or not, with its weight among the conditions; see `Condition`."""

    line: Line
    weight: float
    of_logs: bool = True


class ConditionPlanner:
    """Makes the conditions of a batch from its lines.

    Args:
        dictionary: of the source; pad and eos are read from it.
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
        prompt: Prompt,
        dictionary,
        source_language: str,
        seed: int = 1,
        sources: Sources = (),
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

    def variants(self, line: Line) -> List[Variant]:
        """What a line is decoded under: itself first, then `count - 1` others.

        Raises:
            InputError: if the line has no direction, or there is no other source, to contrast
                with.
        """
        options = self.options
        in_logs = options.contrast_space == LOG_PROBABILITY
        sign = -1.0 if in_logs else 1.0
        # where the language goes is no instruction to be guided by: both sides are told
        directions = [r for r in line.requests if self._is_direction(r)]
        guided = options.guidance if len(directions) < len(line.requests) else 0.0
        found = [Variant(line, 1 + guided)]
        if options.guidance:
            found.append(Variant(line.under(directions), -guided))
        if options.source_contrast:
            other = replace(line, source=self.other_source(line.source))
            found.append(Variant(other, sign * options.source_contrast, in_logs))
        for wrong in self.wrong_directions:
            other = self._in_language(line, wrong)
            # a line that asks for this very language is not contrasted with it
            weight = options.language_contrast * (other.requests != line.requests)
            found.append(Variant(other, sign * weight, in_logs))
        return found

    def prompt_lengths(self, line: Line) -> Tuple[int, ...]:
        """Tokens of the decoder's prompt in each variant of a line."""
        if not self.prompt.on_decoder:
            return (0,) * self.count
        return tuple(len(self._render(variant.line).decoder) for variant in self.variants(line))

    def plan(self, lines: Sequence[Line]) -> List[Condition]:
        """The conditions of a batch, on the CPU; the lines' own come first.

        Lines whose prompts stand in the decoder must agree in `prompt_lengths`.

        Raises:
            InputError: as `variants`.
        """
        return [self._collate(variants) for variants in zip(*map(self.variants, lines))]

    def other_source(self, source: Tensor) -> Tensor:
        """A random source that differs from the one given, the same for the same source.

        Raises:
            InputError: if there is none.
        """
        own = source.to(torch.int64).cpu()
        start = zlib.crc32(own.numpy().tobytes(), self.seed % 2**32)
        for step in range(len(self.sources)):
            other = self.sources[(start + step) % len(self.sources)].long()
            if 1 < len(other) <= self.longest and not torch.equal(other, own):
                return other
        raise InputError(
            f"--source-contrast {self.options.source_contrast}: --contrast-subset holds no other "
            "source than the one translated; name a larger split"
        )

    def _is_direction(self, request: Request) -> bool:
        return self.inventory[request.position].axis == TARGET_LANGUAGE

    def _in_language(self, line: Line, wrong: int) -> Line:
        if not any(map(self._is_direction, line.requests)):
            raise InputError(
                f"--language-contrast {self.options.language_contrast}: a line has no target "
                "language to contrast with; give --direction-instruction always, or one with "
                "--instruct"
            )
        kept = [request for request in line.requests if not self._is_direction(request)]
        return line.under((*kept, Request(wrong)))

    def _render(self, line: Line) -> Rendering:
        return self.prompt.render(line.requests, line.language)

    def _collate(self, variants: Sequence[Variant]) -> Condition:
        lines = [variant.line for variant in variants]
        renderings = list(map(self._render, lines))
        sources = [r.around(line.source) for r, line in zip(renderings, lines)]
        return Condition(
            data_utils.collate_tokens(sources, self.pad, self.eos, left_pad=True),
            torch.tensor([len(source) for source in sources]),
            torch.tensor([r.beginning(self.eos) for r in renderings]),
            torch.tensor([variant.weight for variant in variants], dtype=torch.float),
            variants[0].of_logs,
        )
