"""Translation that obeys instructions: fairseq's translation task, with prompts and mixtures.

The task names fairseq's hooks. What they do lives elsewhere:

    options      values that are refused           vocabulary   dictionaries, inventory
    data         corpora, conflicts, directions    prompts      how instructions are said
    generation   guidance, typed lines, checks     checkpoints  what a model was trained with
"""

import logging
from typing import Iterable, Optional, Sequence, Set, Tuple

import torch
from fairseq import utils
from fairseq.tasks import register_task
from fairseq.tasks.translation import TranslationTask
from torch.utils.data import ConcatDataset

from fairseq_instr.checkpoints.adapters import leave_base_out
from fairseq_instr.checkpoints.growth import prepare_for_growth
from fairseq_instr.checkpoints.starting_point import StartingPoint
from fairseq_instr.checkpoints.task_state import TaskState, fingerprint, take_held_out
from fairseq_instr.data.conflicts import ConflictSampler
from fairseq_instr.data.corpora import MAX_UNKNOWN, group_sizes
from fairseq_instr.data.data_bin import only_pair
from fairseq_instr.data.dictionary import base_symbols, spellable
from fairseq_instr.data.directions import ALWAYS, AUTO, NEVER, Directions
from fairseq_instr.data.mixture import Mixture
from fairseq_instr.data.part_iterator import PartIterator
from fairseq_instr.data.phrasings import PhraseSampler
from fairseq_instr.data.prompted_dataset import PART_SAMPLES, PromptedDataset
from fairseq_instr.data.split_loader import SplitLoader
from fairseq_instr.errors import InputError
from fairseq_instr.generation.conditions import Line
from fairseq_instr.generation.generators import GeneratorParts
from fairseq_instr.generation.interactive import InstructionField, TypedSources, writer_of
from fairseq_instr.generation.language_check import LanguageCheck, log_off_target
from fairseq_instr.generation.options import GuidanceOptions
from fairseq_instr.generation.prompted_search import PromptedSearch
from fairseq_instr.generation.typed_lines import TypedLine, TypedLines
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.composition import compose, compose_requests
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, Inventory, direction
from fairseq_instr.prompts.choice import ArgumentSpelling, choose_prompt
from fairseq_instr.prompts.language_tokens import LanguageTokens
from fairseq_instr.prompts.templates import TemplatePrompt
from fairseq_instr.prompts.tokens import DECODER_PREFIX
from fairseq_instr.tasks import cpu_memory, mixed_precision
from fairseq_instr.tasks.options import (
    TranslationWithInstructionsConfig,
    check_criterion,
    check_options,
)
from fairseq_instr.tasks.supported_models import refuse_architecture, refuse_model
from fairseq_instr.tasks.vocabulary import Vocabulary, symbols_of
from fairseq_instr.text.dictionary import Writer, check_vocabulary
from fairseq_instr.text.lines import BYTE_ORDER_MARK
from fairseq_instr.text.pairs import parse_pairs

logger = logging.getLogger(__name__)


@register_task("translation_with_instructions", dataclass=TranslationWithInstructionsConfig)
class TranslationWithInstructionsTask(TranslationTask):
    """Translate under instructions; without an inventory, fairseq's `translation`.

    Args:
        src_dict: source dictionary, grown by the inventory's symbols.
        tgt_dict: target dictionary as it is in the data-bin.
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
        native = language_tokens is not None
        self.spell_argument = ArgumentSpelling(src_dict)
        self.prompt, self._chat_template = choose_prompt(
            cfg, inventory, src_dict, language_tokens, self.spell_argument
        )
        self.directions = Directions(cfg, inventory, native)
        self.instruct = compose(cfg.instruct or "", inventory, "--instruct")
        self.field = InstructionField(self._read_field, cfg.strict) if cfg.instruct_field else None
        most_unknown = 1.0 if cfg.allow_unknown else MAX_UNKNOWN
        self.typed = TypedSources(src_dict.unk(), most_unknown, self.typed_line, self.field)
        self.search = PromptedSearch(self.prompt, src_dict.pad())
        guidance = GuidanceOptions.of(cfg)
        self.generators = GeneratorParts(
            cfg, guidance, self.prompt, inventory, src_dict, tgt_dict, native, self._text
        )
        self._tokenizer = None  # of fairseq's --tokenizer
        self._one_pair = False  # whether -s and -t were both given
        self._language_check: Optional[LanguageCheck] = None
        self._longest_together: Optional[int] = None  # prompt and target, of a decoder-only model
        self._n_known: Optional[int] = None  # instructions of the checkpoint that was loaded
        self._n_trained = 0  # symbols of the checkpoint that the next model takes
        self._warned: Set[int] = set()

    # -- set-up -------------------------------------------------------------------------

    @classmethod
    def setup_task(cls, cfg: TranslationWithInstructionsConfig, **kwargs):
        """Read inventory and dictionaries; `InputError` for a wrong option or a missing file."""
        check_options(cfg)
        one_pair = cfg.source_lang is not None and cfg.target_lang is not None
        if not one_pair:
            pairs = parse_pairs(cfg.lang_pairs, "--lang-pairs")
            source, target = pairs[0] if pairs else only_pair(utils.split_paths(cfg.data)[0])
            cfg.source_lang = cfg.source_lang or source
            cfg.target_lang = cfg.target_lang or target
        task = cls(cfg, *Vocabulary.read(cfg))
        task._one_pair = one_pair
        return task

    # -- corpora ------------------------------------------------------------------------

    def load_dataset(self, split, epoch=1, combine=False, **kwargs):
        """Load a split, as `SplitLoader.load` says, with its errors; `train` is the mixture."""
        shards = utils.split_paths(self.cfg.data)
        training = split == self.cfg.train_subset
        # fairseq-generate and fairseq-validate, which name the pair, say how the model was trained
        self.directions.one_pair = self._one_pair and "task_cfg" in kwargs
        data = shards[(epoch - 1) % len(shards)] if training else shards[0]
        loaded = self._split_loader(combine).load(data, split, training)
        joined = self.src_dict == self.tgt_dict
        conflicts = ConflictSampler.of(self.cfg, self.inventory, joined)
        mixture = phrasings = None
        if training:
            mixture = Mixture.of(self.cfg, group_sizes(loaded), PART_SAMPLES)
            phrasings = PhraseSampler.of(self.cfg, self.inventory)
        self.datasets[split] = PromptedDataset(
            loaded, self.prompt, self.src_dict, mixture, conflicts, training,
            self.cfg.left_pad_source, self.cfg.left_pad_target, self.cfg.required_seq_len_multiple,
            n_shards=len(shards) if training else 1, phrasings=phrasings,
        )  # fmt: skip
        corpora = [corpus for group in loaded.values() for corpus in group]
        asked = [request for c in corpora for request in (*c.fixed, *c.named)]
        if conflicts is not None:
            conflicts.log_left_out(split, (c.stream.compositions for c in corpora if c.stream))
            conflicts.check_prompts(self.prompt)
            if training:
                conflicts.check_applies(asked)
        if not training:
            self._warn_of_untrained(asked)
        elif self.cfg.prompt_template and self.cfg.direction_instruction == AUTO:
            self._warn_of_unsaid_target()

    def _warn_of_unsaid_target(self) -> None:
        if not self.directions.given:
            name = direction(self.cfg.target_lang)
            logger.warning(
                f"--prompt-template {self.cfg.prompt_template:.80}: prompts don't say the target "
                f"language, since the inventory has fewer than two; name {name} there, and give "
                "--direction-instruction always, or never to leave it so"
            )

    def _split_loader(self, combine: bool = False) -> SplitLoader:
        # a truncated source leaves room for its prompt, which has one symbol an axis at most
        room = self.prompt.n_source(len(self.inventory.axes))
        return SplitLoader(
            self.cfg, self.src_dict, self.tgt_dict, self.inventory, self.directions,
            self.instruct, room, combine,
        )  # fmt: skip

    def filter_indices_by_size(
        self, indices, dataset, max_positions=None, ignore_invalid_inputs=False
    ):
        """As in the parent; `InputError` for a sample that is too long and not to be left out."""
        try:
            return super().filter_indices_by_size(
                indices, dataset, max_positions, ignore_invalid_inputs
            )
        except Exception as error:
            if type(error) is not Exception:
                raise
            raise InputError(error) from None  # one sentence, with the option that helps

    def get_batch_iterator(self, dataset, *args, **options):
        """As in the parent; an epoch of several parts is batched part by part.

        Training leaves out samples for which the model has too few positions.
        """
        if isinstance(dataset, PromptedDataset):
            dataset.longest_together = self._longest_together if dataset.shuffle else None
        if args or not isinstance(dataset, PromptedDataset) or dataset.n_parts == 1:
            return super().get_batch_iterator(dataset, *args, **options)
        return PartIterator.of(dataset, options)

    def max_positions(self):
        """Longest source and target in tokens, prompt included."""
        return self.cfg.max_source_positions, self.cfg.max_target_positions

    # -- typed lines --------------------------------------------------------------------

    def build_dataset_for_inference(self, src_tokens, src_lengths, constraints=None):
        """Sources typed into `fairseq-interactive`, with their instructions."""
        lines = self.typed.lines(src_tokens)
        self.search.remember(lines)
        return self.typed_lines(lines, constraints)

    def get_interactive_tokens_and_lengths(self, lines, encode_fn):
        """As in the parent, without the byte order mark that a file may begin with."""
        return super().get_interactive_tokens_and_lengths(
            [line.lstrip(BYTE_ORDER_MARK) for line in lines], encode_fn
        )

    def _read_field(self, text: str) -> Tuple[Request, ...]:
        asked = compose(text, self.inventory)
        eos = torch.tensor([self.src_dict.eos()])
        self.typed_line(eos, asked, origin="")  # refused now or never
        return asked

    def typed_line(
        self, source, requests: Sequence[Request], origin: str = "--instruct"
    ) -> TypedLine:
        """What `inference_step` takes for one source that comes from no corpus.

        Args:
            source: LongTensor `(n,)`, ending in eos.
            requests: what is asked of it; `--instruct` and the direction are added. `InputError`
                if they exclude each other.
            origin: option that an error begins with.
        """
        pair = self.cfg.source_lang, self.cfg.target_lang
        direction = self.directions.request(pair)
        fixed = self.instruct if direction is None else (*self.instruct, direction)
        asked = compose_requests((*fixed, *requests), self.inventory, origin)
        self._warn_of_untrained(asked)
        return TypedLine.of(Line(source, asked), self.prompt)

    def _warn_of_untrained(self, requests: Iterable[Request]) -> None:
        if self._n_known is None or self.cfg.prompt_template:
            return
        asked = {request.position for request in requests if request.position >= self._n_known}
        if self.language_tokens is not None:  # they say the direction
            asked -= set(self.inventory.members(TARGET_LANGUAGE))
        for position in sorted(asked - self._warned):
            logger.warning(
                f"the model was not trained with the instruction "
                f"{self.inventory[position].name!r}: its translations will not obey it"
            )
        self._warned |= asked

    def typed_lines(self, lines: Sequence[TypedLine], constraints=None) -> TypedLines:
        """A dataset of typed lines."""
        return TypedLines(lines, self.src_dict, self.tgt_dict, constraints)

    def check_subwords(self, writers: Iterable[Writer], subwords: str) -> None:
        """Refuse subwords of another vocabulary than the dictionaries', but for `--allow-unknown`.

        Args:
            writers: subwords of the source and of the target.
            subwords: the option and its value, for the `InputError`.
        """
        if self.cfg.allow_unknown:
            return
        languages = {self.cfg.target_lang: self.tgt_dict, self.cfg.source_lang: self.src_dict}
        for language, dictionary in languages.items():
            check_vocabulary(writers, spellable(dictionary), subwords, f"dict.{language}.txt")

    def build_bpe(self, args):
        """As in the parent; what spells the sources of a user spells arguments too.

        `InputError` if it is of another vocabulary than the dictionaries.
        """
        bpe, tokenizer = super().build_bpe(args), self._tokenizer
        if bpe is not None:
            writer, option = writer_of(bpe, args)
            if writer is not None:
                self.check_subwords([writer], option)
            self.spell_argument.subwords = lambda text: bpe.encode(
                tokenizer.encode(text) if tokenizer else text
            )
        return bpe

    def build_tokenizer(self, args):
        """As in the parent; with `--instruct-field`, the field is taken off first."""
        self._tokenizer = super().build_tokenizer(args)  # fairseq builds it before the BPE
        return self.field.before(self._tokenizer) if self.field else self._tokenizer

    # -- model --------------------------------------------------------------------------

    def build_model(self, cfg, from_checkpoint=False):
        """Build a model with rows for the instructions that loads ungrown checkpoints.

        `InputError` if it can't grow, or training could not start from the given checkpoint.
        """
        if getattr(cfg, "share_all_embeddings", False) and self.src_dict != self.tgt_dict:
            raise InputError(
                f"--share-all-embeddings needs a joined dictionary; in {self.cfg.data}, "
                f"dict.{self.cfg.source_lang}.txt and dict.{self.cfg.target_lang}.txt differ"
            )
        start = None
        if from_checkpoint:
            self._n_known = self._n_known or 0
            self.directions.check_trained()
        else:
            start = self._check_starting_point(cfg)
        refuse_architecture(cfg)
        model = super().build_model(cfg, from_checkpoint)
        self._longest_together = getattr(model, "longest_together", None)
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
            languages, n_lines = self.directions.languages, self.cfg.eval_off_target_lines
            self._language_check = LanguageCheck(self, model, languages, n_lines)
        for module in model.modules():
            # with torch 2, official fairseq 0.12.2 fails on padded batches in its fast path
            if hasattr(module, "can_use_fastpath"):
                module.can_use_fastpath = False
        return model

    def _check_starting_point(self, model_cfg) -> Optional[StartingPoint]:
        start = StartingPoint.find(self.cfg)
        if start is None:
            StartingPoint.refuse_missing(self.cfg)
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
        """As in the parent, of the parts that `GeneratorParts` chooses, with its errors."""
        models_or_guided, options = self.generators.choose(models, args, kwargs)
        limits = [model.max_positions() for model in models]
        self.typed.longest = utils.resolve_max_positions(self.max_positions(), *limits)[0]
        return super().build_generator(models_or_guided, args, *more, **options)

    def _text(self, split: str, language: str) -> ConcatDataset:
        data = utils.split_paths(self.cfg.data)[0]
        return self._split_loader().sources(data, split, language)

    def inference_step(self, generator, models, sample, prefix_tokens=None, constraints=None):
        """As in the parent, under the conditions that the generator was built for."""

        def decode(part, prefix_tokens, constraints):
            return super(TranslationWithInstructionsTask, self).inference_step(
                generator, models, part, prefix_tokens, constraints
            )

        return self.search.run(generator, decode, sample, prefix_tokens, constraints)

    # -- validation ---------------------------------------------------------------------

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
        log_off_target(logging_outputs)

    # -- checkpoints --------------------------------------------------------------------

    @property
    def _remembered(self) -> TaskState:
        return TaskState(
            symbols_of(self.cfg, self.inventory),
            self.cfg.prompt_placement,
            ALWAYS if self.directions.given else NEVER,
            isinstance(self.prompt, TemplatePrompt) and self.prompt.template.to_text(),
            {
                "source": fingerprint(base_symbols(self.src_dict)),
                "target": fingerprint(self.tgt_dict.symbols),
            },
            tuple(map("-".join, self.directions.pairs)),
            self.language_tokens,
            self._chat_template,
        )

    def state_dict(self) -> dict:
        """What using a checkpoint must agree with goes into it."""
        return {**super().state_dict(), **self._remembered.to_dict()}

    def load_state_dict(self, state_dict: dict) -> None:
        """Compare a checkpoint with this task before its model is built.

        Under `--direction-instruction auto`, directions are given from here on if they were in
        training. `InputError` if the inventories, the prompts or the dictionaries differ, or
        checkpoints of an ensemble were trained with directions and without.
        """
        remembered = TaskState.of(state_dict)
        own = self._remembered
        own.check_extends(remembered)
        if remembered.in_words not in (True, False, own.in_words):
            logger.warning(
                "--prompt-template %s: the checkpoint was trained with other words",
                self.cfg.prompt_template,
            )
        trained = remembered.inventory or Inventory()
        if remembered.direction is not None and (trained or remembered.in_words):
            self.directions.take(remembered.direction)
        take_held_out(self.inventory, trained, self.cfg.held_out_phrases)
        self._n_trained = len(trained.symbols)
        self._n_known, self.directions.trained = len(trained), remembered.pairs
        super().load_state_dict(TaskState.without(state_dict))

    def build_criterion(self, cfg, from_checkpoint=False):
        """As in the parent; `InputError` if it and the options of the task don't go together."""
        criterion = super().build_criterion(cfg)
        check_criterion(self.cfg, criterion)
        return criterion
