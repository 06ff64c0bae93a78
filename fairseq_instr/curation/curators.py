"""Parallel text -> samples of instructions, in one pass and in constant memory.

A pair has a *priority* for each instruction: a hash of the seed, the instruction and the pair's
text. An instruction keeps the N samples of smallest priority (bottom-k sampling; Cohen and Kaplan,
2007). Priorities are as good as random, and the same wherever and whenever the pair is met. So

- most pairs have a priority that is too large to be kept, and are never rewritten;
- a pair that stands twice in the text has one priority and is kept once;
- neither the order of the text nor its shards change the samples, and a pass can stop and go on.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from hashlib import blake2b
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, TypeVar

import numpy as np

from fairseq_instr.curation.aligned_text import Chunk
from fairseq_instr.curation.filters import Filter, reason_against, well_formed
from fairseq_instr.curation.formats import Formats, Formatted
from fairseq_instr.curation.samples import Sample, as_written
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Written, split
from fairseq_instr.instructions.composition import rewrite, verify
from fairseq_instr.instructions.instruction import Context, Instruction, check_argument
from fairseq_instr.text.subwords import Spell

NOT_APPLICABLE = "rule does not apply"
NOT_FOUND = "plain target does not obey"
OBEYS_ALREADY = "plain target obeys already"
NOT_VERIFIED = "rewritten target does not verify"
NOT_SPELLED = "vocabulary can't spell the target"
"""Or what it makes of the target does not obey: Moses puts blanks into `<b>`."""
DUPLICATE = "stands in the text already"
NO_FORMAT = "carries no format"
NOT_UTF8 = "not UTF-8"
MAX_UNSPELLED = 0.05
"""An instruction is refused when a larger share of its targets can't be spelled."""
N_FOR_BASE_RATE = 1000
"""The first pairs, on which the share of plain targets that obey unasked is measured."""

FORMATTED = "formatted"  # name under which pairs stand that carry a format and ask for nothing

_LARGEST = 2**64 - 1  # priority
T = TypeVar("T")


class Smallest(Dict[int, T]):
    """Values by priority, of which those of the `n` smallest priorities stay."""

    def __init__(self, n: int):
        super().__init__()
        self.n = n
        self._heap: List[int] = []  # negative priorities

    @property
    def limit(self) -> int:
        """The largest priority that stays; above all priorities while there is room."""
        return _LARGEST if len(self) < self.n else -self._heap[0]

    def put(self, priority: int, value: T) -> None:
        """Add a value, and let go of the one with the largest priority if there are too many."""
        if priority not in self:
            heapq.heappush(self._heap, -priority)
        self[priority] = value
        if len(self) > self.n:
            del self[-heapq.heappop(self._heap)]


class Pair:
    """A decoded pair. Filters are asked about it once, whichever instructions want to know.

    Attributes:
        line: number of the line, from 0.
        plain: source and target as they stand in the text.
        format: the instruction whose marks `source` and `target` carry, or None.
        context: what rules look at besides the target.
    """

    __slots__ = ("line", "plain", "source", "target", "format", "context", "_verdicts")

    def __init__(
        self,
        line: int,
        source: str,
        target: str,
        language: str,
        formatted: Optional[Formatted] = None,
    ):
        self.line, self.plain = line, (source, target)
        self.format: Optional[Instruction] = None
        self.source, self.target = source, target
        if formatted is not None:
            self.format, self.source, self.target = formatted
        self.context = Context(source=self.source, language=language)
        self._verdicts: Dict[Tuple[Filter, ...], Optional[str]] = {}

    def reason_against(self, filters: Tuple[Filter, ...]) -> Optional[str]:
        """Why the filters refuse the plain pair; None if they don't."""
        if filters not in self._verdicts:
            self._verdicts[filters] = reason_against(filters, *self.plain)
        return self._verdicts[filters]


class Curator:
    """Collects samples of one instruction.

    Args:
        instruction: of the catalogue, with a verifier and a generator, or natural.
        spell: what the vocabulary writes for a text; None for any text as it is.
        costly_filters: checks that only pairs that would be kept are put to.

    Attributes:
        examined: number of pairs that were looked at.
        rejections: number of pairs that were looked at and are no samples, by reason.
        base_rate_pairs: number of pairs on which the base rate was measured.
        obeyed: number of these whose plain target obeys unasked.

    Raises:
        InputError: if there are no such data for the instruction, or not in this language.
    """

    def __init__(
        self,
        instruction: Instruction,
        language: str,
        n_samples: int,
        seed: int = 1,
        spell: Optional[Spell] = None,
        filters: Sequence[Filter] = (well_formed,),
        costly_filters: Sequence[Filter] = (),
    ):
        if instruction.source_of_data == "labelled" or instruction.obeys is None:
            raise InputError(
                f"instruction {instruction.name!r} has no rule that makes data from parallel "
                "text; bring labelled data for it"
            )
        if not instruction.serves(language):
            raise InputError(
                f"instruction {instruction.name!r} does not serve the target language "
                f"{language!r}; it serves {', '.join(sorted(instruction.languages or ()))}"
            )
        self.instruction, self._language = instruction, language
        self._obeys = instruction.obeys
        self.n_samples = n_samples
        self.spell = spell
        self.filters, self.costly_filters = tuple(filters), tuple(costly_filters)
        self.examined = self.obeyed = self.base_rate_pairs = 0
        self.rejections: Counter = Counter()
        # natural samples are looked for in the text as it stands
        self._carries_formats = instruction.rewrite is not None
        # a key of its own: what one instruction keeps does not depend on the others
        self._key = np.uint64(hash_text(f"{seed} {instruction.name}".encode("utf-8")))
        self._kept: Smallest[Tuple[int, Sample]] = Smallest(n_samples)  # (line, sample)
        self._unspelled: Smallest[None] = Smallest(n_samples)  # targets that can't be spelled
        self._not_made = NOT_FOUND if instruction.natural else NOT_APPLICABLE

    @property
    def limit(self) -> int:
        """The largest priority that is kept; above all priorities while there is room."""
        return self._kept.limit

    def priorities(self, hashes: np.ndarray) -> np.ndarray:
        """Priorities of pairs by their hashes: uint64 `(n,)`, uniform under any `xor`."""
        return hashes ^ self._key

    def add(self, priorities: Iterable[int], pairs: Iterable[Pair]) -> None:
        """Look at pairs in the order of their priorities, as long as these are within the limit."""
        make, kept = self._make, self._kept
        limit = self.limit
        examined = not_made = 0
        # tight: a rare rule is tried on every pair of the text
        for priority, pair in zip(priorities, pairs):
            if priority > limit:
                break
            examined += 1
            if priority in kept:
                self._count_again(priority, pair.line)
                continue
            if pair.format and not self._carries_formats:
                pair = Pair(pair.line, *pair.plain, pair.context.language)
            target = make(pair)
            if target is None:
                not_made += 1
                continue
            asked = self._ask(priority, pair)
            if asked is None:
                self.rejections[NOT_FOUND] += 1
                continue
            sample = Sample(pair.source, target, asked)
            reason = self._reason_against(priority, pair, sample)
            if reason is not None:
                self.rejections[reason] += 1
                continue
            kept.put(priority, (pair.line, sample))
            limit = kept.limit
        self.examined += examined
        if not_made:
            self.rejections[self._not_made] += not_made

    def _make(self, pair: Pair) -> Optional[str]:
        """The target under the instruction, or None where it does not apply."""
        instruction, target, context = self.instruction, pair.target, pair.context
        if pair.format is not None:
            if instruction.axis == pair.format.axis:
                return None
            if pair.format.layer > instruction.layer and self._quotes_the_source(pair):
                return None  # the marks would stand around the quotation and in it
            rewritten = rewrite((instruction, pair.format), pair.plain[1], context)
        elif instruction.rewrite is not None:
            rewritten = instruction.rewrite(target, context)
        else:  # with a slot, the argument is chosen so that the target obeys
            return target if instruction.draw or self._obeys(target, context) else None
        return None if rewritten == target else rewritten

    def _quotes_the_source(self, pair: Pair) -> bool:
        """Whether the target holds the source beside the translation."""
        source, target = pair.plain
        rewritten = rewrite((self.instruction,), target, pair.context._replace(source=source))
        return rewritten is not None and source in rewritten

    def _ask(self, priority: int, pair: Pair) -> Optional[str]:
        """What is asked for: the name, with an argument where there is a slot; None without."""
        instruction = self.instruction
        if instruction.draw is None:
            return instruction.name
        argument = instruction.draw(pair.target, pair.context, random.Random(priority))
        if argument is None:
            return None
        try:
            check_argument(instruction, argument)
        except InputError:  # too long, or with control characters
            return None
        obeyed = self._obeys(pair.target, pair.context._replace(argument=argument))
        return str(Written(instruction.name, argument)) if obeyed else None

    def _reason_against(self, priority: int, pair: Pair, sample: Sample) -> Optional[str]:
        """Why a sample is not kept, cheap reasons first."""
        instruction = self.instruction
        reason = pair.reason_against(self.filters)
        if reason is None and not instruction.natural:
            if self._is_obeyed(pair, pair.target):
                reason = OBEYS_ALREADY
            elif not self._is_obeyed(pair, sample.target):
                reason = NOT_VERIFIED
        if reason is None:
            reason = pair.reason_against(self.costly_filters)
        if reason is None and not self._is_written(pair, sample):
            self._unspelled.put(priority, None)
            reason = NOT_SPELLED
        return reason

    def _is_obeyed(self, pair: Pair, target: str, argument: Optional[str] = None) -> bool:
        """Whether a target obeys, whatever format it carries."""
        context = pair.context._replace(argument=argument)
        if pair.format is None:
            return self._obeys(target, context)
        return verify((self.instruction, pair.format), target, context)[self.instruction.name]

    def _is_written(self, pair: Pair, sample: Sample) -> bool:
        """Whether the vocabulary can write the sample, and the target that it writes obeys."""
        if self.spell is None:
            return True
        written = as_written(self.spell, sample)
        argument = split(sample.instruction).argument
        return written is not None and self._is_obeyed(pair, written.target, argument)

    def measure_base_rate(self, pairs: Sequence[Pair]) -> None:
        """Count the plain targets that obey; nothing for an instruction with a slot."""
        if self.instruction.argument is None:
            self.base_rate_pairs += len(pairs)
            for source, target in (pair.plain for pair in pairs):
                context = Context(source=source, language=self._language)
                self.obeyed += bool(self._obeys(target, context))

    def _count_again(self, priority: int, line: int) -> None:
        first, sample = self._kept[priority]
        self._kept[priority] = (min(first, line), sample)
        self.rejections[DUPLICATE] += 1

    # -- shards and resuming ------------------------------------------------------------

    def to_dict(self) -> dict:
        """What was collected so far, as plain JSON values."""
        return {
            "examined": self.examined,
            "obeyed": self.obeyed,
            "base_rate_pairs": self.base_rate_pairs,
            "rejections": dict(self.rejections),
            "unspelled": sorted(self._unspelled),
            "kept": [[priority, line, *sample] for priority, (line, sample) in self._kept.items()],
        }

    def merge(self, collected: dict) -> None:
        """Add what another curator of this instruction collected from other pairs."""
        self.examined += collected["examined"]
        self.obeyed += collected["obeyed"]
        self.base_rate_pairs += collected["base_rate_pairs"]
        self.rejections.update(collected["rejections"])
        for priority in collected["unspelled"]:
            self._unspelled.put(priority, None)
        for priority, line, *sample in collected["kept"]:
            if priority in self._kept:
                self._count_again(priority, line)
            else:
                self._kept.put(priority, (line, Sample(*sample)))

    # -- the end ------------------------------------------------------------------------

    def finish(self) -> List[Sample]:
        """The samples, in the order of the text."""
        name = self.instruction.name
        # targets that would be among the samples: the same number in whatever order
        unspelled = sum(priority < self.limit for priority in self._unspelled)
        refuse_too_few(name, len(self._kept), unspelled, self.rejections)
        return [sample for _, sample in sorted(self._kept.values())]

    def by_priority(self) -> List[Tuple[int, Sample]]:
        """(line, sample) of what is kept: the first n are what would be kept of n samples."""
        return [self._kept[priority] for priority in sorted(self._kept)]


class FormatCurator(Curator):
    """Collects pairs that carry a format and ask for nothing: the translation keeps the format."""

    def __init__(self, language: str, *args, **options):
        anything = Instruction(FORMATTED, FORMATTED, obeys=lambda *_: True, natural=True)
        super().__init__(anything, language, *args, **options)
        self._carries_formats, self._not_made = True, NO_FORMAT

    def measure_base_rate(self, pairs: Sequence[Pair]) -> None:
        """There is nothing to obey."""

    def _make(self, pair: Pair) -> Optional[str]:
        return None if pair.format is None else pair.target

    def _ask(self, priority: int, pair: Pair) -> str:
        return ""


def by_count(reasons: Counter) -> Dict[str, int]:
    """Counts by reason, the largest first; the same order whatever came first."""
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def refuse_too_few(name: str, n_kept: int, n_unspelled: int, rejections: Counter) -> None:
    """Make sure that an instruction has samples, and that the vocabulary can spell most targets."""
    checked = n_unspelled + n_kept
    if n_unspelled > MAX_UNSPELLED * checked:
        raise InputError(
            f"the subwords can't write {n_unspelled} of {checked} samples of {name!r}, more than "
            f"{100 * MAX_UNSPELLED:.0f} % (SentencePiece with byte fallback could)"
        )
    if not n_kept:
        reasons = ", ".join(f"{reason} ({n})" for reason, n in by_count(rejections).items())
        raise InputError(f"no sample of {name!r} in this text: {reasons or 'it is empty'}")


class Curation:
    """Curators of several instructions over one text.

    Args:
        n_samples: samples to keep at most, by the instruction's name.
        formats: that source and target of some pairs carry; some of these become samples without
            an instruction, under the name `formatted`.
        **checks: `spell`, `filters`, `costly_filters`, see `Curator`.

    Attributes:
        pairs: number of pairs read.
        invalid: how many of them were not UTF-8 and were skipped.
    """

    def __init__(
        self,
        instructions: Sequence[Instruction],
        language: str,
        n_samples: Mapping[str, int],
        seed: int = 1,
        curator: Callable[..., Curator] = Curator,
        formats: Optional[Formats] = None,
        **checks,
    ):
        self.language = language
        self._formats = formats
        self.pairs = self.invalid = 0
        self.curators = [
            curator(instruction, language, n_samples[instruction.name], seed, **checks)
            for instruction in instructions
        ]
        if formats is not None:
            self.curators.append(FormatCurator(language, n_samples[FORMATTED], seed, **checks))

    def add(self, chunk: Chunk) -> None:
        """Look at a chunk of pairs; to add one again changes counts alone, not what is kept."""
        n_pairs = len(chunk.sources)
        hashes = np.fromiter(map(hash_pair, chunk.sources, chunk.targets), np.uint64, n_pairs)
        valid = np.ones(n_pairs, dtype=bool)
        valid[list(chunk.invalid)] = False
        decoded: Dict[int, Pair] = {}

        def decode(offset: int) -> Pair:
            pair = decoded.get(offset)
            if pair is None:
                source = chunk.sources[offset].decode("utf-8")
                target = chunk.targets[offset].decode("utf-8")
                formatted = None
                if self._formats is not None:
                    formatted = self._formats.format(int(hashes[offset]), source, target)
                number = chunk.first + offset
                pair = decoded[offset] = Pair(number, source, target, self.language, formatted)
            return pair

        # by the number of the line: shards and runs that go on measure what a whole run does
        n_first = min(n_pairs, N_FOR_BASE_RATE - chunk.first)
        first = [decode(i) for i in range(n_first) if valid[i]]
        for curator in self.curators:
            curator.measure_base_rate(first)
        for curator in self.curators:
            priorities = curator.priorities(hashes)
            offsets = np.flatnonzero(valid & (priorities <= np.uint64(curator.limit)))
            # the smallest first: the limit falls soonest, and the rest need not be looked at
            offsets = offsets[np.argsort(priorities[offsets], kind="stable")]
            curator.add(priorities[offsets].tolist(), map(decode, offsets.tolist()))
        self.pairs += n_pairs
        self.invalid += len(chunk.invalid)

    def to_dict(self) -> dict:
        """What was collected so far, as plain JSON values."""
        return {
            "pairs": self.pairs,
            "invalid": self.invalid,
            "instructions": {c.instruction.name: c.to_dict() for c in self.curators},
        }

    def merge(self, collected: dict) -> None:
        """Add what another `Curation` of the same instructions collected from other pairs."""
        self.pairs += collected["pairs"]
        self.invalid += collected["invalid"]
        for curator in self.curators:
            curator.merge(collected["instructions"][curator.instruction.name])

    def finish(self) -> Tuple[Dict[str, List[Sample]], Dict[str, str]]:
        """Samples of each instruction, and why others have none: name -> message."""
        samples, refused = {}, {}
        for curator in self.curators:
            try:
                samples[curator.instruction.name] = curator.finish()
            except InputError as error:
                refused[curator.instruction.name] = str(error)
        return samples, refused


def hash_text(data: bytes) -> int:
    """A hash of 64 bits."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def hash_pair(source: bytes, target: bytes) -> int:
    """A hash of 64 bits; a line holds no line break, so no two pairs are joined to one text."""
    return hash_text(source + b"\n" + target)
