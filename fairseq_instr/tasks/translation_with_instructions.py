"""Translation that obeys instructions: fairseq's translation task, with prompts and mixtures.

The task knows which corpora there are, which instructions each gets, and how they reach the
model; what it hands to fairseq are a dataset and a model like any other.
"""

import logging
import sys
from collections import Counter
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import torch
from fairseq import utils
from fairseq.logging import metrics
from fairseq.tasks import register_task
from fairseq.tasks.translation import TranslationTask
from torch.utils.data import ConcatDataset

from fairseq_instr.checkpoints.adapters import leave_base_out
from fairseq_instr.checkpoints.growth import prepare_for_growth
from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.starting_point import StartingPoint
from fairseq_instr.checkpoints.task_state import (
    TaskState,
    fingerprint,
    take_held_out,
    trained_language_tokens,
)
from fairseq_instr.data.conflicts import (
    ConflictSampler,
    parse_axes,
    parse_languages,
    parse_swapped,
)
from fairseq_instr.data.corpora import MAX_UNKNOWN, Corpus, group_sizes
from fairseq_instr.data.data_bin import all_pairs
from fairseq_instr.data.denoise import Noise, NoiseOptions
from fairseq_instr.data.dictionary import InstructedDictionary, base_symbols
from fairseq_instr.data.mixture import Mixture, parse_mixture
from fairseq_instr.data.part_iterator import PartIterator
from fairseq_instr.data.phrasings import PhraseSampler
from fairseq_instr.data.prompted_dataset import PART_SAMPLES, PromptedDataset
from fairseq_instr.data.split_loader import SplitLoader
from fairseq_instr.errors import InputError
from fairseq_instr.generation.alignment import SourceAlignmentGenerator
from fairseq_instr.generation.conditions import ConditionPlanner, Line
from fairseq_instr.generation.guidance import GuidedEnsemble
from fairseq_instr.generation.interactive import (
    InstructionField,
    TypedLine,
    TypedLines,
    writer_of,
)
from fairseq_instr.generation.language_boost import count_tokens, language_boost
from fairseq_instr.generation.language_check import LINES, WRONG, LanguageCheck
from fairseq_instr.generation.options import GuidanceOptions
from fairseq_instr.generation.prompted_search import PromptedSearch
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.composition import compose, compose_requests, parse
from fairseq_instr.instructions.inventory import (
    INVENTORY_FILE,
    TARGET_LANGUAGE,
    Inventory,
    direction,
)
from fairseq_instr.instructions.phrasing import PhrasedInventory, hold_out, untrained_words
from fairseq_instr.prompts import Prompt, appended_tokens_prompt
from fairseq_instr.prompts.chat_template import chat_template
from fairseq_instr.prompts.language_tokens import AUTO as AUTO_TOKENS
from fairseq_instr.prompts.language_tokens import (
    LanguageTokens,
    choose_language_tokens,
    find_unsaid,
)
from fairseq_instr.prompts.native import NativePrompt
from fairseq_instr.prompts.options import PHRASES
from fairseq_instr.prompts.templates import prompt_in_words
from fairseq_instr.prompts.tokens import DECODER_PREFIX
from fairseq_instr.tasks import cpu_memory, mixed_precision
from fairseq_instr.tasks.options import (
    ALWAYS,
    AUTO,
    NEVER,
    TranslationWithInstructionsConfig,
    check_options,
)
from fairseq_instr.tasks.supported_models import refuse_architecture, refuse_model
from fairseq_instr.text.dictionary import Writer, check_vocabulary
from fairseq_instr.text.lines import BYTE_ORDER_MARK
from fairseq_instr.text.pairs import Pair, parse_pairs, split_pair

logger = logging.getLogger(__name__)

LEAST_TYPED = 20
"""Typed tokens from which on the share of unknown ones is judged."""
PASSED_TO_ITERATOR = (
    "seed",
    "epoch",
    "num_shards",
    "shard_id",
    "num_workers",
    "skip_remainder_batch",
    "grouped_shuffling",
)


@register_task("translation_with_instructions", dataclass=TranslationWithInstructionsConfig)
class TranslationWithInstructionsTask(TranslationTask):
    """Translate under instructions; without an inventory, fairseq's `translation`.

    Args:
        cfg: options.
        src_dict: source dictionary, grown by the inventory's symbols.
        tgt_dict: target dictionary as it is in the data-bin.
        inventory: the instructions.
        language_tokens: of a pretrained model, in which prompts say the direction.
    """

    cfg: TranslationWithInstructionsConfig

    def __init__(
        self,
        cfg,
        src_dict,
        tgt_dict,
        inventory: Inventory,
        language_tokens: Optional[LanguageTokens] = None,
    ):
        super().__init__(cfg, src_dict, tgt_dict)
        self.inventory = inventory
        self.language_tokens = language_tokens
        self.prompt: Prompt = appended_tokens_prompt(
            inventory, src_dict.first_instruction, cfg.prompt_placement, self.spell_argument
        )
        self.argument_subwords: Callable[[str], str] = str  # an argument as it is, in pieces
        self._tokenizer = None  # of fairseq's --tokenizer
        self._chat_template: Optional[str] = None
        if cfg.prompt_template:
            prompt, subwords = prompt_in_words(cfg, inventory, src_dict)
            self.prompt, self._chat_template = prompt, chat_template(prompt.template, inventory)
            self.argument_subwords = subwords.encode
        if language_tokens is not None:
            self.prompt = NativePrompt(
                self.prompt,
                language_tokens,
                inventory,
                base_symbols(src_dict),
                src_dict.eos(),
                cfg.source_lang,
                cfg.target_lang,
            )
        self.search = PromptedSearch(self.prompt, src_dict.pad())
        self.instruct = compose(parse(cfg.instruct or ""), inventory, origin="--instruct")
        self.field = InstructionField(self._read_field, cfg.strict) if cfg.instruct_field else None
        self.guidance = GuidanceOptions.of(cfg)
        self._trained_direction: Optional[str] = None  # what --direction-instruction auto became
        self._n_known: Optional[int] = None  # instructions of the checkpoint that was loaded
        self._warned: Set[int] = set()
        self._n_lines = self._n_typed = self._n_unknown = 0  # typed lines, and their tokens
        self._longest_source: Optional[int] = None  # of the models that generate, in tokens
        self._told_of_unknown = False
        self._trained_pairs: Tuple[str, ...] = ()
        self._n_trained = 0  # symbols of the checkpoint that the next model takes
        self._language_check: Optional[LanguageCheck] = None

    # -- set-up -------------------------------------------------------------------------

    @classmethod
    def setup_task(cls, cfg: TranslationWithInstructionsConfig, **kwargs):
        """Read inventory and dictionaries.

        Raises:
            InputError: if an option is wrong or a file is missing.
        """
        check_options(cfg)
        data = utils.split_paths(cfg.data)[0]
        pairs = parse_pairs(cfg.lang_pairs, "--lang-pairs")
        if pairs:
            cfg.source_lang = cfg.source_lang or pairs[0][0]
            cfg.target_lang = cfg.target_lang or pairs[0][1]
        if cfg.source_lang is None or cfg.target_lang is None:
            cfg.source_lang, cfg.target_lang = only_pair(data)
        inventory = load_inventory(cfg, data)
        if cfg.held_out_phrases and isinstance(inventory, PhrasedInventory):
            inventory.held_out = hold_out(inventory, cfg.held_out_phrases, cfg.seed)
            unheard = ", ".join(sorted(untrained_words(inventory))) or "none"
            logger.info(f"held-out phrases: words that no trained phrase has: {unheard}")
        language_tokens = find_language_tokens(cfg)
        appended = language_tokens.appended if language_tokens else ()
        src_dict, tgt_dict = (
            cls.load_dictionary_of(data, language, appended)
            for language in (cfg.source_lang, cfg.target_lang)
        )
        for option, given in (
            ("--lang-pairs", pairs),
            ("--eval-lang-pairs", parse_pairs(cfg.eval_lang_pairs, "--eval-lang-pairs")),
        ):
            for language in {language for pair in given for language in pair}:
                other = cls.load_dictionary_of(data, language, appended)
                if other != src_dict or src_dict != tgt_dict:
                    raise InputError(
                        f"{option}: dict.{language}.txt differs from the others in {data}; "
                        "several pairs need one joined dictionary, give fairseq-preprocess the "
                        "same --srcdict"
                    )
        logger.info(
            f"[{cfg.source_lang}] dictionary: {len(src_dict)} types and {len(inventory)} "
            f"instructions on {len(inventory.axes)} axes"
        )
        logger.info(f"[{cfg.target_lang}] dictionary: {len(tgt_dict)} types")
        if cfg.prompt_placement == DECODER_PREFIX and inventory and src_dict != tgt_dict:
            raise InputError(
                "--prompt-placement decoder-prefix needs a joined dictionary and "
                "--share-all-embeddings; dict.* of source and target differ"
            )
        unsaid = cfg.language_tokens == AUTO_TOKENS and language_tokens is None
        style = find_unsaid(src_dict.symbols, cfg.target_lang) if unsaid else None
        if style:
            logger.warning(
                f"--language-tokens auto: the dictionary has a language token for "
                f"{cfg.target_lang!r}, and nothing says that the model was trained with it; give "
                f"--language-tokens {style} or another, or none"
            )
        symbols = symbols_of(cfg, inventory).symbols
        if language_tokens is not None:
            hidden = language_tokens.languages(src_dict.symbols).values()
            src_dict = InstructedDictionary.grow(src_dict, symbols, hidden)
            hidden = language_tokens.languages(tgt_dict.symbols).values()
            tgt_dict = InstructedDictionary.grow(tgt_dict, (), hidden)
        else:
            src_dict = InstructedDictionary.grow(src_dict, symbols)
        return cls(cfg, src_dict, tgt_dict, inventory, language_tokens)

    @classmethod
    def load_dictionary_of(cls, data: str, language: str, appended: Sequence[str] = ()):
        """A dictionary of the data-bin, with the symbols that a pretrained model's task appended.

        Raises:
            InputError: if it is missing.
        """
        path = Path(data, f"dict.{language}.txt")
        if not path.is_file():
            raise InputError(
                f"{path} does not exist; the data-bin holds the dictionary of every language "
                "at its top, copy those of the pretrained model there"
            )
        dictionary = cls.load_dictionary(str(path))
        for symbol in appended:
            dictionary.add_symbol(symbol)
        return dictionary

    # -- data ---------------------------------------------------------------------------

    def load_dataset(self, split, epoch=1, combine=False, **kwargs):
        """Load a split, as `SplitLoader.load` says; `train` is the mixture.

        Raises:
            InputError: if something is missing, misaligned or not accepted.
        """
        shards = utils.split_paths(self.cfg.data)
        training = split == self.cfg.train_subset
        data = shards[(epoch - 1) % len(shards)] if training else shards[0]
        loaded = self._split_loader(combine).load(data, split, training)
        conflicts = self._conflict_sampler()
        self.datasets[split] = PromptedDataset(
            loaded,
            self.prompt,
            self.src_dict,
            mixture=self._mixture(loaded) if training else None,
            conflicts=conflicts,
            shuffle=training,
            left_pad_source=self.cfg.left_pad_source,
            left_pad_target=self.cfg.left_pad_target,
            pad_to_multiple=self.cfg.required_seq_len_multiple,
            n_shards=len(shards) if training else 1,
            phrasings=self._phrase_sampler() if training else None,
        )
        corpora = [corpus for group in loaded.values() for corpus in group]
        for group, members in loaded.items():
            names = ", ".join(f"{c.name} {'-'.join(c.pair)} {len(c)}" for c in members)
            logger.info(f"{split}: group {group}: {names}")
        if conflicts is not None:
            without, lines = conflicts.count_left_out(
                sum((c.stream.compositions for c in corpora if c.stream), Counter())
            )
            logger.info(
                f"{split}: {without} of {lines} lines with instructions on the axes of "
                "--conflict-axes get no conflict: their targets may be right under each other "
                f"prompt ({', '.join(conflicts.left_out) or 'none'})"
            )
        if not training:
            self._warn_of_untrained(r for c in corpora for r in (*c.fixed, *c.named))

    @property
    def pairs(self) -> List[Pair]:
        """Language pairs that are trained, or translated."""
        return parse_pairs(self.cfg.lang_pairs, "--lang-pairs") or [
            (self.cfg.source_lang, self.cfg.target_lang)
        ]

    @property
    def _validated_pairs(self) -> List[Pair]:
        return parse_pairs(self.cfg.eval_lang_pairs, "--eval-lang-pairs")

    def _split_loader(self, combine: bool = False) -> SplitLoader:
        cfg = self.cfg
        options = NoiseOptions(
            drop=cfg.denoise_drop,
            mask=cfg.denoise_mask,
            shuffle=cfg.denoise_shuffle,
            replace=cfg.denoise_replace,
            span=cfg.denoise_span,
        )
        return SplitLoader(
            self.src_dict,
            self.tgt_dict,
            self.inventory,
            self.pairs,
            self._direction,
            Noise(self.tgt_dict, options, seed=cfg.seed),
            utils.split_paths(cfg.data)[0],
            validated_pairs=self._validated_pairs,
            instruct=self.instruct,
            # a truncated source leaves room for its prompt, which has one symbol an axis at most
            room=self.prompt.n_source(len(self.inventory.axes)),
            mixture=cfg.mixture,
            reading={
                "combine": combine,
                "dataset_impl": cfg.dataset_impl,
                "upsample_primary": cfg.upsample_primary,
                "left_pad_source": cfg.left_pad_source,
                "left_pad_target": cfg.left_pad_target,
                "max_source_positions": cfg.max_source_positions,
                "max_target_positions": cfg.max_target_positions,
                "truncate_source": cfg.truncate_source,
            },
            allow_unknown=cfg.allow_unknown,
            allow_plain_task=cfg.allow_plain_task,
        )

    @property
    def gives_direction(self) -> bool:
        """Whether prompts say the target language."""
        mode = self.cfg.direction_instruction
        several = len(self.inventory.members(TARGET_LANGUAGE)) > 1
        return mode == ALWAYS or (mode == AUTO and several)

    @property
    def says_direction(self) -> bool:
        """Whether prompts say the target language, as an instruction or in language tokens."""
        return self.gives_direction or self.language_tokens is not None

    def _direction(self, pair: Pair) -> Optional[Request]:
        """What asks for a pair's target language, where prompts say it."""
        mode = self.cfg.direction_instruction
        if not self.gives_direction:
            if len({target for _, target in self.pairs}) > 1 and mode == AUTO:
                raise InputError(
                    f"--lang-pairs {self.cfg.lang_pairs}: several target languages need an "
                    "inventory with a to:LANGUAGE for each; write one into the data-bin with "
                    "fairseq-instr inventory"
                )
            return None
        name = direction(pair[1])
        if name not in self.inventory:
            raise InputError(
                f"target language {pair[1]!r} has no instruction {name!r} in the inventory; "
                f"languages there: {', '.join(self.inventory.target_languages) or 'none'}; add "
                "it to the inventory, or give --direction-instruction never"
            )
        return Request(self.inventory.position(name))

    def _mixture(self, loaded: Dict[str, List[Corpus]]) -> Optional[Mixture]:
        if not self.cfg.mixture:
            if self.cfg.epoch_samples:
                raise InputError("--epoch-samples goes with --mixture; give the groups' weights")
            sizes = group_sizes(loaded)
            # all of it in each epoch, as fairseq does; too much of it is drawn part by part
            large = sum(sizes.values()) > PART_SAMPLES
            return Mixture(sizes, seed=self.cfg.seed) if large else None
        if self.cfg.epoch_samples is not None and self.cfg.epoch_samples <= 0:
            raise InputError(f"--epoch-samples {self.cfg.epoch_samples}: give a number above zero")
        return Mixture(
            group_sizes(loaded),
            parse_mixture(self.cfg.mixture),
            seed=self.cfg.seed,
            epoch_samples=self.cfg.epoch_samples,
        )

    def filter_indices_by_size(
        self, indices, dataset, max_positions=None, ignore_invalid_inputs=False
    ):
        """As in the parent.

        Raises:
            InputError: if a sample is too long and such samples are not to be left out.
        """
        try:
            return super().filter_indices_by_size(
                indices, dataset, max_positions, ignore_invalid_inputs
            )
        except Exception as error:
            if type(error) is not Exception:
                raise
            raise InputError(error) from None  # one sentence, with the option that helps

    def get_batch_iterator(self, dataset, *args, **options):
        """As in the parent; an epoch of several parts is batched part by part."""
        if args or not isinstance(dataset, PromptedDataset) or dataset.n_parts == 1:
            return super().get_batch_iterator(dataset, *args, **options)
        return PartIterator(
            dataset,
            max_sizes=options.get("max_positions"),
            max_tokens=options.get("max_tokens"),
            max_sentences=options.get("max_sentences"),
            multiple=options.get("required_batch_size_multiple", 1),
            buffer_size=options.get("data_buffer_size", 0),
            **{name: options[name] for name in PASSED_TO_ITERATOR if name in options},
        )

    def _conflict_sampler(self) -> Optional[ConflictSampler]:
        cfg = self.cfg
        if not cfg.conflict_axes:
            for option, value in (
                ("--conflict-instructions", cfg.conflict_instructions),
                ("--conflict-languages", cfg.conflict_languages),
                ("--conflict-copies", cfg.conflict_copies),
            ):
                if value:
                    raise InputError(f"{option} {value} needs --conflict-axes; give its axis")
            return None
        if cfg.conflict_copies and self.src_dict != self.tgt_dict:
            raise InputError(
                f"--conflict-copies {cfg.conflict_copies} needs one joined dictionary, since "
                "sources become targets; leave it out"
            )
        if cfg.conflict_copies and cfg.max_source_positions > cfg.max_target_positions:
            raise InputError(
                f"--conflict-copies {cfg.conflict_copies}: sources become targets, so "
                f"--max-source-positions {cfg.max_source_positions} may not be above "
                f"--max-target-positions {cfg.max_target_positions}"
            )
        axes = parse_axes(cfg.conflict_axes, self.inventory)
        return ConflictSampler(
            self.inventory,
            axes,
            cfg.conflict_rate,
            seed=cfg.seed,
            only=parse_swapped(cfg.conflict_instructions, axes, self.inventory),
            languages=parse_languages(cfg.conflict_languages, self.inventory),
            copies=cfg.conflict_copies,
        )

    def _phrase_sampler(self) -> Optional[PhraseSampler]:
        """What draws phrases for training; all else says instructions by their first one."""
        if not isinstance(self.inventory, PhrasedInventory):
            return None
        return PhraseSampler(self.inventory, self.cfg.seed, self.cfg.phrase_word_dropout)

    def build_dataset_for_inference(self, src_tokens, src_lengths, constraints=None):
        """Sources typed into `fairseq-interactive`, with their instructions.

        Args:
            src_tokens: list of LongTensors, each ending in eos.
            src_lengths: their lengths.
            constraints: not supported together with instructions.
        """
        asked = self.field.take(len(src_tokens)) if self.field else [()] * len(src_tokens)
        lines = [self._readable_line(*line) for line in zip(src_tokens, asked)]
        self.search.remember(lines)
        self._warn_of_unknown(src_tokens)
        return self.typed_lines(lines, constraints)

    def get_interactive_tokens_and_lengths(self, lines, encode_fn):
        """As in the parent, without the byte order mark that a file may begin with."""
        return super().get_interactive_tokens_and_lengths(
            [line.lstrip(BYTE_ORDER_MARK) for line in lines], encode_fn
        )

    def _readable_line(self, source, requests: Sequence[Request]) -> TypedLine:
        """A typed line; a blank one, and its error on standard error, if it is too long."""
        self._n_lines += 1
        line = self.typed_line(source, requests)
        if self._longest_source is None or len(line) <= self._longest_source:
            return line
        print(
            f"fairseq_instr: line {self._n_lines} has {len(line)} tokens, its prompt included, and "
            f"the model reads {self._longest_source}; cut it into sentences",
            file=sys.stderr,
            flush=True,
        )
        return self.typed_line(source[-1:], requests)

    def _read_field(self, text: str) -> Tuple[Request, ...]:
        asked = compose(parse(text), self.inventory)
        self.typed_line(torch.tensor([self.src_dict.eos()]), asked)  # refused now or never
        return asked

    def typed_line(self, source, requests: Sequence[Request]) -> TypedLine:
        """What `inference_step` takes for one source that comes from no corpus.

        Args:
            source: LongTensor `(n,)`, ending in eos.
            requests: what is asked of it; `--instruct` and the direction are added.

        Raises:
            InputError: if the requests exclude each other.
        """
        direction_request = self._direction((self.cfg.source_lang, self.cfg.target_lang))
        fixed = self.instruct if direction_request is None else (*self.instruct, direction_request)
        asked = compose_requests((*fixed, *requests), self.inventory)
        self._warn_of_untrained(asked)
        return TypedLine.of(Line(source, asked), self.prompt)

    def _warn_of_unknown(self, sources) -> None:
        """Say once that what is typed is unknown to the dictionary for the most part."""
        self._n_typed += sum(len(source) - 1 for source in sources)
        self._n_unknown += sum(int((source == self.src_dict.unk()).sum()) for source in sources)
        few = self._n_unknown <= MAX_UNKNOWN * self._n_typed
        if self._told_of_unknown or self.cfg.allow_unknown or few or self._n_typed < LEAST_TYPED:
            return
        self._told_of_unknown = True
        logger.warning(
            f"{self._n_unknown} of {self._n_typed} tokens are unknown to the source dictionary: "
            "give --bpe with the subwords of the model, or lines in these subwords"
        )

    def _warn_of_untrained(self, requests: Iterable[Request]) -> None:
        """Say once which of the instructions asked for the loaded model was never trained with."""
        if self._n_known is None or self.cfg.prompt_template:
            return
        asked = {request.position for request in requests if request.position >= self._n_known}
        for position in sorted(asked - self._warned):
            logger.warning(
                f"the model was not trained with the instruction "
                f"{self.inventory[position].name!r}: its translations will not obey it"
            )
        self._warned |= asked

    def typed_lines(self, lines: Sequence[TypedLine], constraints=None) -> TypedLines:
        """A dataset of typed lines."""
        return TypedLines(lines, self.src_dict, self.tgt_dict, constraints)

    def spell_argument(self, text: str) -> List[int]:
        """Ids of an argument's tokens in the dictionary of the source.

        Raises:
            InputError: if the dictionary lacks one of them.
        """
        pieces = self.argument_subwords(text)
        ids = self.src_dict.encode_line(pieces, append_eos=False, add_if_not_exist=False).tolist()
        if self.src_dict.unk() in ids:
            raise InputError(
                f"the argument {text!r} can't be spelled with the source's dictionary: its tokens "
                f"are {pieces!r}; give --bpe with the subwords of the source, or the argument in "
                "them"
            )
        return ids

    def check_subwords(self, writers: Iterable[Writer], subwords: str) -> None:
        """Refuse subwords of another vocabulary than the dictionaries', but for `--allow-unknown`.

        Args:
            writers: subwords of the source and of the target.
            subwords: the option and its value.

        Raises:
            InputError: names both.
        """
        if self.cfg.allow_unknown:
            return
        languages = {self.cfg.target_lang: self.tgt_dict, self.cfg.source_lang: self.src_dict}
        for language, dictionary in languages.items():
            entries = list(dictionary.indices)[dictionary.nspecial :]
            check_vocabulary(writers, entries, subwords, f"dict.{language}.txt")

    def build_bpe(self, args):
        """As in the parent; what spells the sources of a user spells arguments too.

        Raises:
            InputError: if it is of another vocabulary than the dictionaries.
        """
        bpe, tokenizer = super().build_bpe(args), self._tokenizer
        if bpe is not None:
            writer, option = writer_of(bpe, args)
            if writer is not None:
                self.check_subwords([writer], option)
            self.argument_subwords = lambda text: bpe.encode(
                tokenizer.encode(text) if tokenizer else text
            )
        return bpe

    def build_tokenizer(self, args):
        """As in the parent; with `--instruct-field`, the field is taken off first."""
        self._tokenizer = super().build_tokenizer(args)  # fairseq builds it before the BPE
        return self.field.before(self._tokenizer) if self.field else self._tokenizer

    def max_positions(self):
        """Longest source and target in tokens, prompt included."""
        return self.cfg.max_source_positions, self.cfg.max_target_positions

    # -- model --------------------------------------------------------------------------

    def build_model(self, cfg, from_checkpoint=False):
        """Build a model with rows for the instructions that loads ungrown checkpoints.

        Raises:
            InputError: if the model can't grow, or training could not start from the given
                checkpoint.
        """
        if getattr(cfg, "share_all_embeddings", False) and self.src_dict != self.tgt_dict:
            raise InputError(
                f"--share-all-embeddings needs a joined dictionary; in {self.cfg.data}, "
                f"dict.{self.cfg.source_lang}.txt and dict.{self.cfg.target_lang}.txt differ"
            )
        start = None
        if from_checkpoint:
            self._n_known = self._n_known or 0
            self._check_pair()
        else:
            start = self._check_starting_point(cfg)
        refuse_architecture(cfg)
        model = super().build_model(cfg, from_checkpoint)
        if getattr(cfg, "lora_rank", None):
            leave_base_out(model, start and start.adapter_base)
        n_symbols = len(symbols_of(self.cfg, self.inventory).symbols)
        prepare_for_growth(
            model, len(self.tgt_dict), n_symbols, self._n_trained, training=not from_checkpoint
        )
        self._n_trained = 0
        if n_symbols:
            sizes = len(self.src_dict), len(self.tgt_dict)
            on_decoder = self.cfg.prompt_placement == DECODER_PREFIX
            refuse_model(model, getattr(cfg, "arch", ""), *sizes, on_decoder)
        if self.cfg.eval_off_target:
            self._language_check = self._build_language_check(model)
        for module in model.modules():
            # with torch 2, official fairseq 0.12.2 fails on padded batches in its fast path
            if hasattr(module, "can_use_fastpath"):
                module.can_use_fastpath = False
        return model

    def _check_starting_point(self, model_cfg) -> Optional[StartingPoint]:
        """Take from the checkpoint that training starts from what the model must share with it."""
        start = StartingPoint.find(self.cfg)
        if start is None:
            return None
        start.leave_if_finished(self.cfg.max_update)
        changed = self.cfg.allow_architecture_change
        trained = start.check(self._remembered, len(self.src_dict), self.cfg.store_ema, changed)
        start.settle(model_cfg, changed)
        self._n_trained = len(trained.symbols)
        take_held_out(self.inventory, trained, self.cfg.held_out_phrases)
        return start

    def begin_epoch(self, epoch, model):
        """As in the parent; on a CPU, freed memory is kept for the next step."""
        super().begin_epoch(epoch, model)
        if next(model.parameters()).device.type == "cpu":
            cpu_memory.keep_freed_memory()

    def train_step(self, sample, model, criterion, optimizer, *more, **kwargs):
        """As in the parent; `--amp` holds on a CPU too, in bfloat16."""
        if not mixed_precision.is_for_cpu(model, optimizer):
            return super().train_step(sample, model, criterion, optimizer, *more, **kwargs)
        mixed_precision.warn_of_slow_products()
        cpu_memory.bound_kernel_caches()
        compute = mixed_precision.in_bfloat16(criterion)
        with mixed_precision.unfused_attention():
            return super().train_step(sample, model, compute, optimizer, *more, **kwargs)

    # -- generation ---------------------------------------------------------------------

    def build_generator(self, models, args, *more, **kwargs):
        """As in the parent; for a prompt of the decoder, contrast or guidance, a guided one.

        Alignments are those with the bare source.

        Raises:
            InputError: if these don't go together with an option of `args`, or lack something.
        """
        self._check_search(args)
        limits = [model.max_positions() for model in models]
        self._longest_source = utils.resolve_max_positions(self.max_positions(), *limits)[0]
        prompted = self._prompts_decoder
        alignment = getattr(args, "print_alignment", None)
        if alignment and not getattr(args, "score_reference", False):
            kwargs["seq_gen_cls"] = SourceAlignmentGenerator
            others = kwargs.get("extra_gen_cls_kwargs") or {}
            kwargs["extra_gen_cls_kwargs"] = {**others, "print_alignment": alignment}
        if not self.guidance.active and (getattr(args, "score_reference", False) or not prompted):
            return super().build_generator(models, args, *more, **kwargs)
        planner = ConditionPlanner(
            self.guidance,
            self.inventory,
            self.prompt,
            self.src_dict,
            self.cfg.source_lang,
            self.cfg.seed,
            self._contrast_sources() if self.guidance.source_contrast else (),
            self.cfg.max_source_positions - self.prompt.n_source(len(self.inventory.axes)),
        )
        room = self.prompt.n_target(len(self.inventory.axes))
        guided = GuidedEnsemble(models, planner, room, self._language_boost())
        return super().build_generator(guided, args, *more, **kwargs)

    def _language_boost(self) -> Optional[torch.Tensor]:
        """What `--language-boost` adds to the scores of tokens; None for nothing."""
        weight, target = self.guidance.language_boost, self.cfg.target_lang
        if not weight:
            return None
        if self.src_dict != self.tgt_dict:
            raise InputError(
                f"--language-boost {weight} compares languages in one joined dictionary; "
                f"dict.{self.cfg.source_lang}.txt and dict.{target}.txt differ"
            )
        loader, data = self._split_loader(), utils.split_paths(self.cfg.data)[0]
        languages = {self.cfg.source_lang, target, *self.inventory.target_languages}
        try:
            counts = {
                language: count_tokens(
                    loader.sources(data, self.cfg.train_subset, language), len(self.tgt_dict)
                )
                for language in sorted(languages)
            }
        except InputError as error:
            raise InputError(f"--language-boost {weight}: {error}") from None
        return weight * language_boost(counts, target)

    @property
    def _prompts_decoder(self) -> bool:
        return self.prompt.on_decoder and bool(self.inventory or self.language_tokens)

    def _check_search(self, args) -> None:
        """Raise `InputError` for options of decoding that don't go together."""
        guided = self.guidance.active and "--guidance, contrasts and --language-boost"
        on_decoder = self._prompts_decoder and "a prompt, or a language token, of the decoder"
        scoring = getattr(args, "score_reference", False) and bool(self.inventory)
        for name, option, causes in (
            ("print_alignment", "--print-alignment", (guided, on_decoder)),
            ("print_alignment", "--print-alignment", (scoring and "--score-reference",)),
            ("sampling", "--sampling", (guided,)),
            ("score_reference", "--score-reference", (guided,)),
            # fairseq parts a line at its tabs before the field is taken off
            ("constraints", "--constraints", (self.field and "--instruct-field",)),
        ):
            cause = next(filter(None, causes), None)
            if cause and getattr(args, name, None):
                raise InputError(f"{option} does not go with {cause}; leave one of them out")

    def _contrast_sources(self) -> ConcatDataset:
        """Sources that --source-contrast draws from: token tensors without instructions."""
        data, subset = utils.split_paths(self.cfg.data)[0], self.cfg.contrast_subset
        try:
            return self._split_loader().sources(data, subset, self.cfg.source_lang)
        except InputError as error:
            raise InputError(f"--contrast-subset {subset}: {error}") from None

    def inference_step(self, generator, models, sample, prefix_tokens=None, constraints=None):
        """As in the parent, under the conditions that the generator was built for."""

        def decode(part, prefix_tokens, constraints):
            return super(TranslationWithInstructionsTask, self).inference_step(
                generator, models, part, prefix_tokens, constraints
            )

        return self.search.run(generator, decode, sample, prefix_tokens, constraints)

    # -- validation ---------------------------------------------------------------------

    def _build_language_check(self, model) -> LanguageCheck:
        pairs = (*self.pairs, *self._validated_pairs)
        languages = {language for pair in pairs for language in pair}
        return LanguageCheck(
            self,
            model,
            languages.union(self.inventory.target_languages),
            self.cfg.eval_off_target_lines,
        )

    def valid_step(self, sample, model, criterion):
        """As in the parent; with `--eval-off-target`, outputs in wrong languages are counted."""
        loss, sample_size, logging_output = super().valid_step(sample, model, criterion)
        if self._language_check is not None:
            with torch.no_grad():
                logging_output.update(self._language_check.count(sample, model))
        return loss, sample_size, logging_output

    def reduce_metrics(self, logging_outputs, criterion):
        """As in the parent; with `--eval-off-target`, `off_target` is in percent."""
        super().reduce_metrics(logging_outputs, criterion)
        if not any(LINES in log for log in logging_outputs):
            return
        for key in (LINES, WRONG):
            metrics.log_scalar(key, sum(int(log.get(key, 0)) for log in logging_outputs))
        metrics.log_derived(
            "off_target",
            lambda meters: round(100 * meters[WRONG].sum / max(meters[LINES].sum, 1), 2),
        )

    @property
    def _remembered(self) -> TaskState:
        return TaskState(
            symbols_of(self.cfg, self.inventory),
            self.cfg.prompt_placement,
            ALWAYS if self.gives_direction else NEVER,
            bool(self.cfg.prompt_template),
            {
                "source": fingerprint(base_symbols(self.src_dict)),
                "target": fingerprint(self.tgt_dict.symbols),
            },
            tuple(map("-".join, self.pairs)),
            self.language_tokens,
            self._chat_template,
        )

    def state_dict(self) -> dict:
        """What using a checkpoint must agree with goes into it."""
        return {**super().state_dict(), **self._remembered.to_dict()}

    def load_state_dict(self, state_dict: dict) -> None:
        """Compare a checkpoint with this task before its model is built.

        Under `--direction-instruction auto`, directions are given from here on if they were in
        training.

        Raises:
            InputError: if the inventories, the prompts or the dictionaries differ, or
                checkpoints of an ensemble were trained with directions and without.
        """
        remembered = TaskState.of(state_dict)
        self._remembered.check_extends(remembered)
        trained = remembered.inventory or Inventory()
        if remembered.direction is not None and (trained or remembered.in_words):
            self._take_direction(remembered.direction)
        take_held_out(self.inventory, trained, self.cfg.held_out_phrases)
        self._n_trained = len(trained.symbols)
        self._n_known, self._trained_pairs = len(trained), remembered.pairs
        super().load_state_dict(TaskState.without(state_dict))

    def _check_pair(self) -> None:
        """Refuse a direction that a model without direction instructions was not trained in.

        Raises:
            InputError: names the directions that it was trained in.
        """
        known = [split_pair(pair) or ("", "") for pair in self._trained_pairs]
        if not known or self.says_direction:
            return
        for source, target in self.pairs:
            if source not in dict(known) or target not in {pair[1] for pair in known}:
                raise InputError(
                    f"-s {source} -t {target}: the model was trained in "
                    f"{', '.join(self._trained_pairs)} alone; give one of these"
                )

    def _take_direction(self, trained: str) -> None:
        if self.cfg.direction_instruction == AUTO:
            self._trained_direction = self.cfg.direction_instruction = trained
        elif self._trained_direction not in (None, trained):
            raise InputError(
                "--direction-instruction auto: the checkpoints were trained differently, with "
                "always and with never; say which one is meant"
            )

    def _check_best_metric(self, criterion) -> None:
        """Refuse a `--best-checkpoint-metric` that validation does not measure."""
        asked = self.cfg.best_checkpoint_metric
        measured = measured_metrics(criterion)
        options = {"off_target": "eval_off_target", "bleu": "eval_bleu"}
        measured |= {name for name, option in options.items() if getattr(self.cfg, option)}
        if asked in measured:
            return
        option = options.get(asked)
        advice = f"give --{option.replace('_', '-')} too" if option else "choose another"
        raise InputError(
            f"--best-checkpoint-metric {asked} is not measured in validation; {advice}; measured: "
            f"{', '.join(sorted(measured))}"
        )

    def build_criterion(self, cfg, from_checkpoint=False):
        """As in the parent.

        Raises:
            InputError: if unlikelihood is asked for without conflicts, or the other way round.
        """
        criterion = super().build_criterion(cfg)
        self._check_best_metric(criterion)
        weight = getattr(criterion, "unlikelihood_weight", None)
        if weight and not self.cfg.conflict_axes:
            raise InputError(
                f"--unlikelihood-weight {weight} needs conflicts in the data; give "
                "--conflict-axes target-language, other axes, or all"
            )
        if weight is None and self.cfg.conflict_axes:
            raise InputError(
                f"--conflict-axes {self.cfg.conflict_axes} needs --criterion "
                "label_smoothed_cross_entropy_with_unlikelihood; others ignore conflicts"
            )
        return criterion


def measured_metrics(criterion) -> Set[str]:
    """Names of what a criterion logs of a validation."""
    sums = {"loss": 1, "nll_loss": 1, "ntokens": 1, "nsentences": 1, "sample_size": 1}
    with metrics.aggregate(new_root=True) as logged:
        criterion.__class__.reduce_metrics([sums])
    names = set(logged.get_smoothed_values())
    return names | ({"accuracy"} if getattr(criterion, "report_accuracy", False) else set())


def only_pair(data: str) -> Pair:
    """The language pair of a data-bin.

    Raises:
        InputError: if it holds none, or several.
    """
    pairs = all_pairs(data)
    if len(pairs) != 1:
        held = ", ".join(map("-".join, pairs)) or "none"
        raise InputError(
            f"-s and -t are not given, and {data} does not hold one language pair: pairs there: "
            f"{held}; give -s and -t, or --lang-pairs in training"
        )
    return pairs[0]


def symbols_of(cfg: TranslationWithInstructionsConfig, inventory: Inventory) -> Inventory:
    """The instructions that have symbols of their own: none where a template says them."""
    return Inventory() if cfg.prompt_template else inventory


def find_language_tokens(cfg: TranslationWithInstructionsConfig) -> Optional[LanguageTokens]:
    """The language tokens of the checkpoint that is translated with, or that training starts from.

    Raises:
        InputError: if the checkpoint is refused, or contradicts `--language-tokens`.
    """
    if cfg.path:
        origin = utils.split_paths(cfg.path)[0]
        state = read_checkpoint(origin, mmap=True)
    else:
        start = StartingPoint.find(cfg)
        if start is None:
            return choose_language_tokens(cfg.language_tokens, None, "")
        origin, state = start.origin, start.state
    return choose_language_tokens(cfg.language_tokens, trained_language_tokens(state), origin)


def load_inventory(cfg: TranslationWithInstructionsConfig, data: str) -> Inventory:
    """The inventory given by `--inventory`, or the data-bin's, or an empty one.

    Its class says how prompts say instructions.
    """
    kind = PhrasedInventory if cfg.prompt_rendering == PHRASES else Inventory
    if cfg.inventory:
        return kind.load(cfg.inventory)
    path = Path(data, INVENTORY_FILE)
    return kind.load(path) if path.exists() else kind()
