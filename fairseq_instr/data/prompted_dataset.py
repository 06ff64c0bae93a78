"""The dataset that the task hands to fairseq: corpora, mixed, prompted, with conflicts."""

from __future__ import annotations

import bisect
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from fairseq.data import Dictionary, FairseqDataset, data_utils
from fairseq.data.language_pair_dataset import collate

from fairseq_instr.data.batching import batch_by_rows
from fairseq_instr.data.conflicts import ConflictSampler
from fairseq_instr.data.corpora import Corpus
from fairseq_instr.data.epoch_part import EpochPart, Measured, sort_ascending
from fairseq_instr.data.mixture import Mixture
from fairseq_instr.data.phrasings import PhraseSampler
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request
from fairseq_instr.prompts import Prompt, Rendering

PART_SAMPLES = 1 << 18
"""Samples that are sorted by length together: enough for batches of one length."""


class PromptedDataset(FairseqDataset):
    """Sentence pairs of several corpora, with their instructions rendered.

    Args:
        mixture: which samples an epoch sees; None for all of them, in the corpora's order.
        conflicts: draws conflicts; None for none.
        phrasings: draws the phrases that say the instructions; None where nothing is drawn.
        shuffle: whether batches hold random samples of a length, as in training.
        n_shards: data-bins that the epochs go through in turn; each epoch of a shard is its
            own next slice of the mixture.
        part_samples: a larger epoch of a mixture is drawn, sorted and batched in parts of about
            this size.

    A batch is fairseq's and also holds three lists, an entry a row: `requests`, what is asked;
    `sources`, int64 arrays of the bare sources, ending in eos; and `origins`, the language pair
    and the line in its corpus. Where some of its samples have a conflict, there are
    `conflicts`, as `label_smoothed_cross_entropy_with_unlikelihood` takes them.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[Corpus]],
        prompt: Prompt,
        dictionary: Dictionary,
        mixture: Optional[Mixture] = None,
        conflicts: Optional[ConflictSampler] = None,
        shuffle: bool = True,
        left_pad_source: bool = True,
        left_pad_target: bool = False,
        pad_to_multiple: int = 1,
        n_shards: int = 1,
        part_samples: int = PART_SAMPLES,
        phrasings: Optional[PhraseSampler] = None,
    ):
        self.groups = groups
        self.corpora: List[Corpus] = [c for corpora in groups.values() for c in corpora]
        self.prompt = prompt
        self.pad, self.eos = dictionary.pad(), dictionary.eos()
        self.mixture = mixture
        self.conflicts = conflicts
        self.phrasings = phrasings
        self.shuffle = shuffle
        self.left_pad_source = left_pad_source
        self.left_pad_target = left_pad_target
        self.pad_to_multiple = pad_to_multiple
        self.n_shards = n_shards
        self.part_samples = part_samples
        self.has_target = all(c.dataset.tgt is not None for c in self.corpora)
        self.longest_together: Optional[int] = None  # source and target in tokens; None: any
        self.epoch = 1
        self._begin_epoch()

    # -- which samples an epoch holds ---------------------------------------------------

    @property
    def can_reuse_epoch_itr_across_epochs(self) -> bool:
        if not self.shuffle:
            return True  # validated in the same epoch throughout
        # frozen batches would keep the first epoch's draws
        noised = any(corpus.noise for corpus in self.corpora)
        drawn = (self.mixture, self.conflicts, self.phrasings)
        return not noised and all(what is None for what in drawn)

    def set_epoch(self, epoch: int) -> None:
        """Draw what the epoch sees; the first epoch is 1."""
        if epoch == self.epoch:
            return
        self.epoch = epoch
        if self.mixture is not None:
            self._begin_epoch()

    def _begin_epoch(self) -> None:
        self._parts: Dict[int, EpochPart] = {}
        self._firsts = self._first_places()

    @property
    def _mixture_epoch(self) -> int:
        return (self.epoch - 1) // self.n_shards + 1

    @property
    def n_parts(self) -> int:
        """Parts that an epoch is drawn, sorted and batched in; one unless it is large."""
        if self.mixture is None:
            return 1
        return max(1, -(-self.mixture.epoch_samples // self.part_samples))

    def _first_places(self) -> List[int]:
        if self.mixture is None:
            return [0, sum(map(len, self.corpora))]
        firsts, parts = [0], self.n_parts
        for part in range(parts):
            counts = self.mixture.counts(self._mixture_epoch, part, parts)
            firsts.append(firsts[-1] + sum(counts.values()))
        return firsts

    def part(self, number: int) -> EpochPart:
        """A part of the epoch, by its number from 0; the last two that were asked for are kept."""
        if number not in self._parts:
            if self.mixture is None:
                draws = {g: np.arange(sum(map(len, cs))) for g, cs in self.groups.items()}
            else:
                draws = self.mixture.draw(self._mixture_epoch, number, self.n_parts)
            ascending = self.n_parts > 1
            if ascending:
                draws = {group: sort_ascending(drawn) for group, drawn in draws.items()}
            while len(self._parts) > 1:
                del self._parts[next(iter(self._parts))]
            self._parts[number] = EpochPart(
                self._firsts[number], self.groups, draws, self._measure, ascending
            )
        return self._parts[number]

    def part_of(self, place: int) -> EpochPart:
        """The part of the epoch that a place is in."""
        return self.part(bisect.bisect_right(self._firsts, place) - 1)

    def _measure(self, corpus: Corpus, index: np.ndarray) -> Measured:
        n, data = corpus.n_instructions(index), corpus.dataset
        may_conflict = False
        if self.conflicts is not None:
            # what a stream says is not looked at: a bound suffices
            fixed = corpus.stream is None
            may_conflict = self.conflicts.applies(corpus.fixed) if fixed else n > 0
        source = data.src_sizes.take(index) + (0 if corpus.is_prompt else self.prompt.n_source(n))
        tgt_sizes = data.tgt_sizes if self.has_target else None
        target = 0 if tgt_sizes is None else tgt_sizes.take(index) + self.prompt.n_target(n)
        return source, target, may_conflict

    def __len__(self) -> int:
        return self._firsts[-1]

    # -- samples ------------------------------------------------------------------------

    def __getitem__(self, place: int) -> dict:
        part = self.part_of(place)
        corpus = self.corpora[part.corpus_of[place - part.first]]
        index = int(part.index_in[place - part.first])
        source = corpus.source(index, self.epoch, place)
        targets = corpus.dataset.tgt if self.has_target else None
        target = None if targets is None else targets[index]
        requests = corpus.requests(index)
        item = self._render(place, corpus, source, target, requests)
        item["origin"] = (corpus.pair, index)
        item["bare"] = source.numpy()
        conflict = None
        if self.conflicts is not None:
            untranslated = corpus.noise is None and target is not None and source.equal(target)
            conflict = self.conflicts.draw(
                self.epoch, place, requests, corpus.pair[0], untranslated
            )
        if conflict is not None:
            copy = source if conflict.copies and target is not None else target
            item["conflict"] = self._render(place, corpus, source, copy, conflict.requests)
            item["conflict"]["copies"] = copy is not target
        return item

    def _render(
        self, place: int, corpus: Corpus, source, target, requests: Tuple[Request, ...]
    ) -> dict:
        rendering = Rendering()
        if not corpus.is_prompt:
            if self.phrasings is not None:
                requests = self.phrasings.draw(self.epoch, place, requests)
            rendering = self.prompt.render(requests, corpus.pair[0])
        item = {
            "id": place,
            "source": rendering.around(source),
            "target": target,
            "requests": requests,
        }
        if self.prompt.on_decoder and target is not None:
            item["prev_output_tokens"] = rendering.previous(target)
            hidden = target.new_full((len(rendering.decoder),), self.pad)
            item["target"] = torch.cat((hidden, target))
        return item

    # -- batches ------------------------------------------------------------------------

    def collater(self, samples: List[dict], pad_to_length=None) -> dict:
        """Merge samples into a batch; see the class for its keys."""
        if not samples:
            return {}
        wrong = [s["conflict"] for s in samples if "conflict" in s]
        if wrong:
            pad_to_length = {
                key: max(len(s[key]) for s in samples + wrong) for key in ("source", "target")
            }
        batch = self._collate(samples, pad_to_length)
        # fairseq's collate sorts by length: samples are found again by their id
        by_id = {sample["id"]: sample for sample in samples}
        in_order = [by_id[i] for i in batch["id"].tolist()]
        for name, key in (("requests", "requests"), ("sources", "bare"), ("origins", "origin")):
            batch[name] = [sample[key] for sample in in_order]
        if wrong:
            batch["conflicts"] = self._collate_conflicts(wrong, batch, pad_to_length)
        return batch

    def _collate(self, samples: List[dict], pad_to_length) -> dict:
        batch = collate(
            samples,
            self.pad,
            self.eos,
            left_pad_source=self.left_pad_source,
            left_pad_target=self.left_pad_target,
            pad_to_length=pad_to_length,
            pad_to_multiple=self.pad_to_multiple,
        )
        previous = batch["net_input"].get("prev_output_tokens")
        if previous is not None:
            # fairseq does not pad previous tokens that it is given to the width asked for
            missing = batch["target"].size(1) - previous.size(1)
            sides = (missing, 0) if self.left_pad_target else (0, missing)
            batch["net_input"]["prev_output_tokens"] = F.pad(previous, sides, value=self.pad)
        return batch

    def _collate_conflicts(self, wrong: List[dict], batch: dict, pad_to_length) -> dict:
        conflicts = self._collate(wrong, pad_to_length)
        row_of = {place: row for row, place in enumerate(batch["id"].tolist())}
        copies = {item["id"]: item["copies"] for item in wrong}
        places = conflicts["id"].tolist()
        net_input = conflicts["net_input"]
        if not self.prompt.on_encoder:
            net_input = {"prev_output_tokens": net_input["prev_output_tokens"]}
        return {
            "positive": torch.tensor([row_of[place] for place in places]),
            "copies": torch.tensor([copies[place] for place in places]),
            "net_input": net_input,
            "target": conflicts["target"],
        }

    # -- lengths ------------------------------------------------------------------------

    def num_tokens(self, place: int) -> int:
        """The longer of source and target, prompt included; conflicts are counted apart."""
        return max(self.size(place))

    def num_tokens_vec(self, places) -> np.ndarray:
        """As `num_tokens`, of many places: int64."""
        part, offsets = self._located(places)
        return part.n_tokens[offsets].astype(np.int64)

    def size(self, place: int):
        """Tokens of source and target, prompt included."""
        part = self.part_of(place)
        offset = place - part.first
        return int(part.lengths.src_sizes[offset]), int(part.lengths.tgt_sizes[offset])

    def _located(self, places) -> Tuple[EpochPart, np.ndarray]:
        """The part that places are all of, as those of batches are, and their offsets in it."""
        places = np.asarray(places)
        if self.n_parts == 1:
            return self.part(0), places
        part = self.part_of(int(places.min()) if len(places) else 0)
        if len(places) and places.max() >= part.first + len(part):
            raise ValueError("these places are of several parts of the epoch; give those of one")
        return part, places - part.first

    def ordered_part(self, number: int) -> np.ndarray:
        """Places of a part of the epoch by length; of one length at random when shuffling."""
        part = self.part(number)
        if self.n_parts > 1:
            return part.first + part.by_rough_length()
        order = np.random.permutation(len(part)) if self.shuffle else np.arange(len(part))
        return part.first + part.by_length(order)

    def ordered_indices(self) -> np.ndarray:
        """As `ordered_part`, of all parts; fairseq's own iterators take an epoch as a whole."""
        return np.concatenate([self.ordered_part(number) for number in range(self.n_parts)])

    def filter_indices_by_size(self, indices, max_sizes):
        """Places that are not too long, of one part, and a list of the others."""
        part, offsets = self._located(indices)
        lengths = part.lengths
        kept, ignored = data_utils.filter_paired_dataset_indices_by_size(
            lengths.src_sizes, lengths.tgt_sizes if self.has_target else None, offsets, max_sizes
        )
        if self.longest_together is not None and self.has_target:
            fits = lengths.src_sizes[kept] + lengths.tgt_sizes[kept] <= self.longest_together
            kept, ignored = kept[fits], [*ignored, *kept[~fits].tolist()]
        first = int(indices[0] - offsets[0]) if len(indices) else 0
        return kept + first, [place + first for place in ignored]

    def batch_by_size(
        self, indices, max_tokens=None, max_sentences=None, required_batch_size_multiple=1
    ):
        """As in the parent, but every index is in a batch.

        `max_tokens` bounds the rows of conflicts together with those of their samples.

        Raises:
            InputError: if a sample alone is longer than `max_tokens`.
        """
        if len(indices) == 0:
            return []
        n_tokens = self.num_tokens_vec(indices)
        if max_tokens is not None and n_tokens.max() > max_tokens:
            raise InputError(
                f"--max-tokens {max_tokens}: a sample has {n_tokens.max()} tokens, its prompt "
                "included; raise it, or leave longer ones out with --max-source-positions, "
                "--max-target-positions and --skip-invalid-size-inputs-valid-test"
            )
        has_conflict = self._has_conflict(indices)
        limits = (max_tokens, max_sentences, required_batch_size_multiple)
        if max_tokens is not None and has_conflict.any():
            indices = np.asarray(indices)
            return [indices[part] for part in batch_by_rows(n_tokens, 1 + has_conflict, *limits)]
        batches = list(super().batch_by_size(indices, *limits))
        # fairseq-fixed drops a last batch whose size is not a multiple of the one required
        batched = sum(map(len, batches))
        if batched < len(indices):
            batches.append(np.asarray(indices[batched:]))
        return batches

    def _has_conflict(self, places) -> np.ndarray:
        if self.conflicts is None:
            return np.zeros(len(places), dtype=bool)
        part, offsets = self._located(places)
        chosen = self.conflicts.chosen(self.epoch, np.asarray(places))
        return chosen & part.lengths.may_conflict[offsets]
