"""Translating many lines under many instructions with a model that is loaded once."""

from __future__ import annotations

import argparse
import shlex
import threading
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import fairseq_instr.quiet_fairseq  # first: before fairseq

# isort: split
import torch
from fairseq import tasks, utils
from fairseq.dataclass.configs import GenerationConfig
from fairseq.dataclass.utils import gen_parser_from_dataclass
from omegaconf import OmegaConf

from fairseq_instr.checkpoints.inspection import (
    read_checkpoint,
    refuse_oversized,
    trained_inventory,
)
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.checkpoints.task_state import task_state_of
from fairseq_instr.checkpoints.upgrading import load_model
from fairseq_instr.data.data_bin import all_pairs
from fairseq_instr.data.dictionary import base_symbols, load_dictionary
from fairseq_instr.errors import InputError
from fairseq_instr.generation.lines import LineTranslator, Output, check_pair
from fairseq_instr.generation.typed_lines import TypedLine
from fairseq_instr.instructions.asking import Request
from fairseq_instr.prompts.templates import TemplatePrompt
from fairseq_instr.text.pairs import Pair, parse_pairs
from fairseq_instr.text.subwords import Encoders, load_subwords

TASK = "translation_with_instructions"
MAX_POSITIONS = 1024
"""Longest source in tokens, its prompt included, unless training had a longer limit."""


class Translator(LineTranslator):
    """A model, its data-bin and its subwords; `from_pretrained` makes one.

    Several threads may share one: batches are decoded one at a time.

    Args:
        task: the task, set up for a pair of languages.
        models: of the same vocabularies; their probabilities are averaged.
        subwords: as for `load_subwords`; None if lines are already in pieces.
        generation: options of the search.
        n_learned: how many instructions of the inventory the models were trained with; None for
            all of them.
    """

    def __init__(
        self, task, models, subwords, generation: GenerationConfig, n_learned: Optional[int] = None
    ):
        check_pair(task.cfg.source_lang, task.cfg.target_lang)
        self.task = task
        self.models = models
        self._subwords = subwords
        self._encoders: Optional[Encoders] = None
        if subwords is not None:
            languages = task.cfg.source_lang, task.cfg.target_lang
            self._encoders = load_subwords(subwords, *languages)
            task.check_subwords(self._encoders, f"--subwords {subwords}")
            task.spell_argument.subwords = self._encoders.source.encode
        self.generation = generation
        self.inventory = task.inventory
        self.n_learned = len(task.inventory) if n_learned is None else n_learned
        self.native = task.directions.native
        direction = task.directions.request((task.cfg.source_lang, task.cfg.target_lang))
        if direction is not None:
            self._check_learned(direction, f"target {task.cfg.target_lang!r}")
        self.target = task.cfg.target_lang
        self.beam = generation.beam
        self.max_len = generation.max_len_a, generation.max_len_b
        self.unknown = task.source_dictionary.unk()
        own = (model.max_positions() for model in models)
        self.max_source = utils.resolve_max_positions(task.max_positions(), *own)[0]
        self._pairs: List[Pair] = []  # directions that the model was trained on, if known
        self._generator = task.build_generator(models, generation)
        self._lock = threading.Lock()

    @classmethod
    def from_pretrained(
        cls,
        path,
        data,
        subwords=None,
        source: Optional[str] = None,
        target: Optional[str] = None,
        beam: int = 4,
        lenpen: float = 1.0,
        max_len_a: float = 2.5,
        max_len_b: int = 30,
        **options,
    ) -> Translator:
        """Load a checkpoint: a tuned one, or a base model that was never tuned.

        Args:
            path: fairseq checkpoint.
            data: data-bin with the dictionaries and the inventory.
            subwords: SentencePiece model, BPE codes, or folder of a Hugging Face tokenizer; None
                if lines are already in pieces.
            source: source language; None for the checkpoint's.
            target: target language; None for the checkpoint's.
            beam: beam size.
            lenpen: length penalty, as `fairseq-generate --lenpen`.
            max_len_a: with `max_len_b`, longest output: `a * source + b` tokens of each line,
                whatever its prompt and the other lines of its batch are.
            max_len_b: see `max_len_a`.
            **options: further options of the task.

        Raises:
            InputError: if a file is missing or refused, if the inventory differs from the one
                that the checkpoint was trained with, or if the checkpoint translates between
                other languages.

        Example: `Translator.from_pretrained("tuned.pt", "data-bin", "subwords.model")`.
        """
        import_task()
        state = read_checkpoint(path)
        refuse_oversized(state, path)
        trained = settings_of(state, "task")
        words = task_state_of(state).in_words or None
        shown = {}
        if trained.get("shots") and "shots" not in options:  # examples that training showed
            shown = {key: trained.get(key) for key in ("shots", "demonstrations", "seed")}
        settings = {
            "_name": TASK,
            "data": str(data),
            "path": str(path),
            "source_lang": source or trained.get("source_lang"),
            "target_lang": target or trained.get("target_lang"),
            "prompt_placement": trained.get("prompt_placement", "source-prefix"),
            "prompt_rendering": trained.get("prompt_rendering"),
            # the file may have moved, or changed
            "prompt_template": words if isinstance(words, str) else trained.get("prompt_template"),
            "prompt_subwords": str(subwords) if subwords else trained.get("prompt_subwords"),
            "direction_instruction": trained.get("direction_instruction", "auto"),
            # a shorter limit left out training text; what a model can read, it says itself
            "max_source_positions": max(trained.get("max_source_positions") or 0, MAX_POSITIONS),
            **shown,
            **options,
        }
        settings = {key: value for key, value in settings.items() if value is not None}
        task = tasks.setup_task(_complete(settings))
        pairs = _pairs_of(trained, data)
        _check_direction(task, pairs)
        model = load_model(state, task, path)
        model.eval()
        if torch.cuda.is_available():
            model.cuda()
        generation = GenerationConfig(
            beam=beam, lenpen=lenpen, max_len_a=max_len_a, max_len_b=max_len_b
        )
        learned = trained_inventory(state)
        n_learned = 0 if learned is None else len(learned)
        if isinstance(task.prompt, TemplatePrompt):  # words need no training of their own
            n_learned = len(task.inventory)
        translator = cls(task, [model], subwords or None, generation, n_learned)
        translator._pairs = pairs
        translator.allow_unknown = task.cfg.allow_unknown
        return translator

    def for_direction(self, source: str, target: str) -> Translator:
        """The same loaded model for another pair of languages; costs no memory.

        Raises:
            InputError: if the data-bin has no such languages, or other dictionaries for them; if
                the model was trained on other directions, and its prompts say none.
        """
        cfg = OmegaConf.merge(self.task.cfg, {"source_lang": source, "target_lang": target})
        task = tasks.setup_task(cfg)
        _check_direction(task, self._pairs)
        mine, other = self.task, task
        if (mine.src_dict, mine.tgt_dict) != (other.src_dict, other.tgt_dict):
            raise InputError(
                f"direction {source}-{target}: its dictionaries are not those of "
                f"{mine.cfg.source_lang}-{mine.cfg.target_lang}, which the model was loaded for; "
                "load it for this direction"
            )
        translator = Translator(task, self.models, self._subwords, self.generation, self.n_learned)
        translator._pairs = self._pairs
        translator.allow_unknown = self.allow_unknown
        translator._lock = self._lock  # one model, one batch at a time
        return translator

    def source_languages(self) -> List[str]:
        """Languages that the model can be loaded to translate from."""
        task = self.task
        if not task.directions.said:
            return [task.cfg.source_lang]
        data, own = utils.split_paths(task.cfg.data)[0], base_symbols(task.src_dict)
        appended = task.language_tokens.appended if task.language_tokens else ()
        files = sorted(Path(data).glob("dict.*.txt"))
        codes = [file.name[len("dict.") : -len(".txt")] for file in files]
        return [code for code in codes if load_dictionary(data, code, appended).symbols == own]

    def _encode(self, line: str) -> List[int]:
        text = self._encoders.source.encode(line) if self._encoders else line
        dictionary = self.task.source_dictionary
        return dictionary.encode_line(text, append_eos=False, add_if_not_exist=False).tolist()

    def _render(self, tokens: List[int], requests: Tuple[Request, ...]) -> TypedLine:
        source = torch.tensor([*tokens, self.task.source_dictionary.eos()])
        return self.task.typed_line(source, requests)

    def _decode(self, sources: Sequence[TypedLine], longest: int) -> List[List[Output]]:
        dataset = self.task.typed_lines(sources)
        sample = dataset.collater([dataset[i] for i in range(len(sources))])
        if torch.cuda.is_available():
            sample = utils.move_to_cuda(sample)
        with self._lock, torch.no_grad():
            self._generator.max_len_a, self._generator.max_len_b = 0, longest
            found = self.task.inference_step(self._generator, self.models, sample)
        outputs: List[List[Output]] = [[] for _ in sources]
        for row, hypotheses in zip(sample["id"].tolist(), found):
            outputs[row] = [Output(h["tokens"].cpu(), float(h["score"])) for h in hypotheses]
        return outputs

    def _text(self, tokens: torch.Tensor) -> str:
        text = self.task.target_dictionary.string(tokens.int())
        return self._encoders.target.decode(text) if self._encoders else text


def _pairs_of(trained: dict, data) -> List[Pair]:
    """Directions that a model was trained on; that of the data-bin where its options name none."""
    several = parse_pairs(trained.get("lang_pairs"), "lang_pairs of the checkpoint")
    source, target = trained.get("source_lang"), trained.get("target_lang")
    held = all_pairs(str(data))
    own = [(source, target)] if source and target else held if len(held) == 1 else []
    return several or own


def _check_direction(task, pairs: Sequence[Pair]) -> None:
    """Make sure that a model whose prompts say no direction translates in one of its own."""
    pair = task.cfg.source_lang, task.cfg.target_lang
    if pairs and pair not in pairs and not task.directions.said:
        raise InputError(
            f"source and target {'-'.join(pair)}: the model was trained on "
            f"{', '.join(map('-'.join, pairs))}, and its prompts name no language; give one of "
            "these"
        )


class _OptionParser(argparse.ArgumentParser):
    def error(self, message):
        raise InputError(f"options of decoding: {message}; give options of the task {TASK}")


def parse_task_options(text: str) -> dict:
    """Options of the task as on a command line -> keywords of `Translator.from_pretrained`.

    Raises:
        InputError: if the task has no such option, or a value is not accepted.

    Example: `parse_task_options("--instruct formal") == {"instruct": "formal"}`.
    """
    from fairseq.tasks import TASK_DATACLASS_REGISTRY

    import_task()
    parser = _OptionParser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    gen_parser_from_dataclass(parser, TASK_DATACLASS_REGISTRY[TASK](), delete_default=True)
    # the data-bin is the only argument of the task that is not an option
    given = vars(parser.parse_args(["data-bin", *shlex.split(text)]))
    del given["data"]
    return given


def import_task() -> None:
    """What fairseq does for `--user-dir`, where a program has imported the package itself."""
    with fairseq_instr.quiet_fairseq.process_unchanged():
        tasks.import_tasks(str(Path(__file__).parents[1] / "tasks"), "fairseq_instr.tasks")


def _complete(settings: dict):
    """A task config from the settings that differ from the defaults."""
    from fairseq.tasks import TASK_DATACLASS_REGISTRY

    defaults = OmegaConf.structured(TASK_DATACLASS_REGISTRY[TASK])
    standalone = {
        "train_subset": "train",
        "dataset_impl": None,
        "required_seq_len_multiple": 1,
        "seed": 1,
        "restore_file": "",
        "continue_once": None,
        "finetune_from_model": None,
        "save_dir": "",
        "reset_optimizer": False,
        "max_update": 0,
        "store_ema": False,
        "best_checkpoint_metric": "loss",
    }
    return OmegaConf.merge(defaults, standalone, settings)
