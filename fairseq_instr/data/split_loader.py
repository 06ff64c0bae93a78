"""From the name of a split to its corpora: which there are, which are taken, how they are read."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Tuple

import torch
from fairseq import utils
from fairseq.data import Dictionary, LanguagePairDataset
from fairseq.tasks.translation import load_langpair_dataset
from torch.utils.data import ConcatDataset

from fairseq_instr.data.corpora import (
    MAX_LANGUAGE_TOKENS,
    MAX_UNKNOWN,
    Corpus,
    check_dictionary,
    load_corpus,
    load_monolingual,
    token_share,
)
from fairseq_instr.data.data_bin import (
    DENOISE,
    GENERAL,
    PARALLEL,
    PROMPT_PAIR,
    TASK,
    find_groups,
    holds_pair,
    monolingual_in,
    pairs_from,
)
from fairseq_instr.data.denoise import Noise, NoiseOptions
from fairseq_instr.data.directions import Directions
from fairseq_instr.data.mixture import parse_mixture
from fairseq_instr.data.pairs import check_whole
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.text.pairs import Pair

logger = logging.getLogger(__name__)

READING = """
    dataset_impl upsample_primary left_pad_source left_pad_target max_source_positions
    max_target_positions truncate_source
""".split()
"""Options of the task that fairseq's `load_langpair_dataset` takes under the same names."""


@dataclass
class SplitLoader:
    """Finds and loads the corpora that a split is made of."""

    cfg: Any  # options of the task
    src_dict: Dictionary  # dictionary of the sources
    tgt_dict: Dictionary  # dictionary of the targets
    inventory: Inventory  # what the instructions of a corpus may be
    directions: Directions  # language pairs, and what asks for their target languages
    instruct: Tuple[Request, ...] = ()  # requests that all pairs but those of training get
    room: int = 0  # tokens of a source that are left for its prompt
    combine: bool = False  # whether `train1`, `train2` and so on are read with `train`

    def __post_init__(self):
        self._noise = NoiseOptions.of(self.cfg)

    def load(self, data: str, split: str, training: bool) -> Dict[str, List[Corpus]]:
        """The corpora of each group that a split is made of.

        The training text is the mixture's groups. Any other split is read from the top of the
        data-bin or from the group `parallel`; a split with a path, such as
        `task/formality/valid`, from the corpus of that name.

        Raises:
            InputError: if something is missing, misaligned or not accepted.
        """
        folder, _, name = split.rpartition("/")
        groups = self._find(data, folder, name, training)
        self._check_pairs(data, folder, name, training, groups)
        loaded: Dict[str, List[Corpus]] = {}
        for group, corpora in groups.items():
            if group == DENOISE:
                loaded[group] = self._load_denoise(data, corpora, name)
            elif group == GENERAL:
                loaded[group] = self._load_general(data, corpora, name)
            else:
                loaded[group] = self._load_pairs(data, corpora, name, training)
            for corpus in loaded[group]:
                self._check(Path(data, corpus.name), name, group, corpus, training)
            names = ", ".join(f"{c.name} {'-'.join(c.pair)} {len(c)}" for c in loaded[group])
            logger.info(f"{split}: group {group}: {names}")
        return loaded

    def sources(self, data: str, split: str, language: str) -> ConcatDataset:
        """Sources in one language, of any pair: token tensors without instructions.

        Raises:
            InputError: if the split is not there, or no pair of it has the language.
        """
        folder, _, name = split.rpartition("/")
        held = [
            (str(Path(data, corpus)), pair)
            for corpora in self._find(data, folder, name, training=False).values()
            for corpus in corpora
            for pair in pairs_from(Path(data, corpus), name, language)
        ]
        # a zero-shot direction has no text of its own: the source's language is what counts
        own = [(folder, pair) for folder, pair in held if pair in self.directions.pairs] or held
        if not own:
            raise InputError(
                f"no pair in {data} has the source's language {language!r}; name a split that "
                "has it"
            )
        return ConcatDataset([self._read_pair(folder, name, *pair).src for folder, pair in own])

    def _pairs_of(self, training: bool) -> List[Pair]:
        own, further = self.directions.pairs, [] if training else self.directions.validated_pairs
        return [*own, *(pair for pair in further if pair not in own)]

    # -- which corpora ------------------------------------------------------------------

    def _find(self, data: str, folder: str, split: str, training: bool) -> Dict[str, List[str]]:
        groups = find_groups(data, split)
        accepted = ", ".join(c for corpora in groups.values() for c in corpora)
        if folder:
            below = {
                group: [c for c in corpora if f"{c}/".startswith(f"{folder}/")]
                for group, corpora in groups.items()
            }
            groups = {group: corpora for group, corpora in below.items() if corpora}
        elif training:
            # text of one language is denoised only where the mixture says how much
            default = {group: 1 for group in groups if group != DENOISE}
            weights = parse_mixture(self.cfg.mixture) if self.cfg.mixture else default
            accepted = ", ".join(groups)
            for group in weights:
                if group not in groups:
                    raise InputError(
                        f"--mixture names the group {group!r}, which {data} does not hold; "
                        f"groups there: {accepted or 'none'}"
                    )
            groups = {group: groups[group] for group in weights}
        else:
            corpora = groups.get(PARALLEL, [])
            # a split at the top of the data-bin stands for itself
            groups = {PARALLEL: ["."] if "." in corpora else corpora} if corpora else {}
        if not groups:
            raise InputError(
                f"split {str(Path(folder, split))!r} was not found in {data}; corpora with "
                f"{split!r}: {accepted or 'none'}; binarise it with fairseq-preprocess"
            )
        return groups

    def _check_pairs(
        self, data: str, folder: str, split: str, training: bool, groups: Dict[str, List[str]]
    ) -> None:
        folders = [Path(data, corpus) for corpora in groups.values() for corpus in corpora]
        pairs = self._pairs_of(training)
        missing = [p for p in pairs if not any(holds_pair(folder, split, p) for folder in folders)]
        # a split for a zero-shot direction lacks the trained ones, and the other way round
        some_suffice = bool(self.directions.validated_pairs) and not training
        if len(missing) == len(pairs) or (missing and not some_suffice):
            remedy = "change -s, -t or --lang-pairs"
            if not training:
                remedy += " or --eval-lang-pairs, with which a split may lack some"
            raise InputError(
                f"language pair {'-'.join(missing[0])} was not found in split {split!r} of "
                f"{Path(data, folder)}; binarise it, or {remedy}"
            )

    def _check(self, folder: Path, split: str, group: str, corpus: Corpus, training: bool) -> None:
        own = self.directions.pairs[0] if corpus.pair == PROMPT_PAIR else corpus.pair
        dictionaries = utils.split_paths(self.cfg.data)[0]
        sides = (self.src_dict, corpus.dataset.src), (self.tgt_dict, corpus.dataset.tgt)
        for language, own_language, (dictionary, lines) in zip(corpus.pair, own, sides):
            expected = Path(dictionaries, f"dict.{own_language}.txt")
            check_dictionary(folder / f"dict.{language}.txt", expected, dictionary)
            what = f"corpus {folder}, split {split!r}, text in {language}"
            if lines is None:  # a test set may have no references
                if training:
                    raise InputError(f"{what} is missing: its .bin is not there, binarise it again")
                continue
            check_whole(lines, what)
            hidden = getattr(dictionary, "hidden", torch.tensor([]))
            if len(hidden) and token_share(lines, hidden) > MAX_LANGUAGE_TOKENS:
                raise InputError(
                    f"--language-tokens: the text of {folder}, split {split!r}, has the tokens in "
                    f"{language} already; binarise it without, or give --language-tokens none"
                )
            share = token_share(lines, torch.tensor([dictionary.unk()]))
            if share > MAX_UNKNOWN and not self.cfg.allow_unknown:
                message = (
                    f"corpus {folder}, split {split!r}: {share:.0%} of the tokens in {language} "
                    f"are unknown to {expected}; binarise text in the subwords of the model, or "
                    "give --allow-unknown"
                )
                if training:
                    raise InputError(message)
                logger.warning(message)
        if training and group == TASK and corpus.stream is None and not self.cfg.allow_plain_task:
            raise InputError(
                f"corpus {folder}: the group {TASK} has no instructions for split {split!r} "
                f"({split}.instr-None.instr.idx is missing); binarise its .instr file, or give "
                "--allow-plain-task to train on the pairs without a prompt"
            )

    # -- how they are read --------------------------------------------------------------

    def _load_pairs(
        self, data: str, corpora: List[str], split: str, training: bool
    ) -> List[Corpus]:
        read, fixed = partial(self._read_pair, room=self.room), () if training else self.instruct
        return [
            load_corpus(
                data, corpus, split, pair, self.inventory, read, fixed,
                self.directions.request(pair), self.cfg.dataset_impl,
            )
            for corpus in corpora
            for pair in self._pairs_of(training)
            if holds_pair(Path(data, corpus), split, pair)
        ]  # fmt: skip

    def _load_general(self, data: str, corpora: List[str], split: str) -> List[Corpus]:
        loaded = [
            load_corpus(data, corpus, split, PROMPT_PAIR, self.inventory, self._read_pair)
            for corpus in corpora
        ]
        for corpus in loaded:
            corpus.is_prompt = True
        return loaded

    def _load_denoise(self, data: str, corpora: List[str], split: str) -> List[Corpus]:
        if self.src_dict != self.tgt_dict:
            source, target = self.directions.pairs[0]
            raise InputError(
                f"--mixture names the group {DENOISE!r}, which needs one joined dictionary; "
                f"dict.{source}.txt and dict.{target}.txt differ"
            )
        dictionary, seed = self.tgt_dict, self.cfg.seed
        return [
            load_monolingual(
                data, corpus, split, language, self.inventory,
                Noise(dictionary, self._noise, seed, language), dictionary, self.cfg.dataset_impl,
            )
            for corpus in corpora
            for language in monolingual_in(Path(data, corpus), split)
        ]  # fmt: skip

    def _read_pair(
        self, folder: str, split: str, source: str, target: str, room: int = 0
    ) -> LanguagePairDataset:
        reading = {name: getattr(self.cfg, name) for name in READING}
        reading["max_source_positions"] -= room
        if self.cfg.truncate_source and reading["max_source_positions"] < 2:
            raise InputError(
                f"--truncate-source: --max-source-positions {self.cfg.max_source_positions} leaves "
                f"no room for a source beside a prompt of up to {room} tokens; raise it"
            )
        return load_langpair_dataset(
            folder, split, source, self.src_dict, target, self.tgt_dict, self.combine, **reading
        )
