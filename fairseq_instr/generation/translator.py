"""Translating many lines under many instructions with a model that is loaded once."""

from __future__ import annotations

import argparse
import dataclasses
import math
import shlex
import threading
from pathlib import Path
from typing import List, Optional, Sequence

import torch
from fairseq import tasks, utils
from fairseq.dataclass.configs import GenerationConfig
from fairseq.dataclass.utils import gen_parser_from_dataclass
from omegaconf import OmegaConf

from fairseq_instr.checkpoints.inspection import read_checkpoint, refuse_oversized
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.checkpoints.upgrading import load_model
from fairseq_instr.errors import InputError
from fairseq_instr.generation.interactive import TypedLine
from fairseq_instr.generation.lines import Hypothesis, LineTranslator
from fairseq_instr.instructions.composition import compose, parse
from fairseq_instr.prompts.templates import TemplatePrompt
from fairseq_instr.text.subwords import load_subwords

TASK = "translation_with_instructions"


class Translator(LineTranslator[TypedLine]):
    """A model, its data-bin and its subwords; `from_pretrained` makes one.

    Several threads may share one: batches are decoded one at a time.
    """

    def __init__(self, task, models, subwords, generation: GenerationConfig):
        self.task = task
        self.models = models
        self.subwords = subwords
        if subwords is not None:
            task.argument_subwords = subwords.encode
        self.generation = generation
        self.inventory = task.inventory
        self.target = task.cfg.target_lang
        self.beam = generation.beam
        own = (model.max_positions() for model in models)
        self.max_source = utils.resolve_max_positions(task.max_positions(), *own)[0]
        self._generator = task.build_generator(models, self._without_words(generation))
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
    ) -> "Translator":
        """Load a checkpoint: a tuned one, or a base model that was never tuned.

        Args:
            path: fairseq checkpoint.
            data: data-bin with the dictionaries and the inventory.
            subwords: SentencePiece model, or folder of a Hugging Face tokenizer; None if lines
                are already in pieces.
            source: source language; None to take the checkpoint's.
            target: target language, likewise.
            beam: beam size.
            lenpen: length penalty, as `fairseq-generate --lenpen`.
            max_len_a: with `max_len_b`, longest output: `a * source + b` tokens; a template's
                words are not counted.
            max_len_b: see `max_len_a`.
            **options: further options of the task.

        Raises:
            InputError: if a file is missing or refused, or the inventory differs from the one
                that the checkpoint was trained with.
        """
        _import_task()
        state = read_checkpoint(path)
        refuse_oversized(state, path)
        trained = settings_of(state, "task")
        settings = {
            "_name": TASK,
            "data": str(data),
            "path": str(path),
            "source_lang": source or trained.get("source_lang"),
            "target_lang": target or trained.get("target_lang"),
            "prompt_placement": trained.get("prompt_placement", "source-prefix"),
            "prompt_rendering": trained.get("prompt_rendering"),
            "prompt_template": trained.get("prompt_template"),
            "prompt_subwords": str(subwords) if subwords else trained.get("prompt_subwords"),
            "direction_instruction": trained.get("direction_instruction", "auto"),
            "language_tokens": trained.get("language_tokens", "auto"),
            **options,
        }
        settings = {key: value for key, value in settings.items() if value is not None}
        task = tasks.setup_task(_complete(settings))
        models = [load_model(state, task, path)]
        for model in models:
            model.eval()
            if torch.cuda.is_available():
                model.cuda()
        generation = GenerationConfig(
            beam=beam, lenpen=lenpen, max_len_a=max_len_a, max_len_b=max_len_b
        )
        return cls(task, models, load_subwords(subwords) if subwords else None, generation)

    def _without_words(self, generation: GenerationConfig) -> GenerationConfig:
        """Limits of the output that go by the source alone, not by a template's words."""
        if not isinstance(self.task.prompt, TemplatePrompt):
            return generation
        nothing = torch.tensor([self.task.source_dictionary.eos()])
        n_words = len(self.task.typed_line(nothing, ())) - 1
        shorter = generation.max_len_b - math.ceil(generation.max_len_a * n_words)
        return dataclasses.replace(generation, max_len_b=shorter)

    def for_direction(self, source: str, target: str) -> "Translator":
        """The same loaded model for another pair of languages; costs no memory.

        Raises:
            InputError: if the data-bin has no such languages, or other dictionaries for them.
        """
        cfg = OmegaConf.merge(self.task.cfg, {"source_lang": source, "target_lang": target})
        task = tasks.setup_task(cfg)
        mine, other = self.task, task
        if (mine.src_dict, mine.tgt_dict) != (other.src_dict, other.tgt_dict):
            raise InputError(
                f"direction {source}-{target}: its dictionaries are not those of "
                f"{mine.cfg.source_lang}-{mine.cfg.target_lang}, which the model was loaded for; "
                "load it for this direction"
            )
        translator = Translator(task, self.models, self.subwords, self.generation)
        translator._lock = self._lock  # one model, one batch at a time
        return translator

    def _render(self, line: str, instruct: str) -> TypedLine:
        task = self.task
        text = self.subwords.encode(line) if self.subwords else line
        tokens = task.source_dictionary.encode_line(text, add_if_not_exist=False).long()
        return task.typed_line(tokens, compose(parse(instruct), self.inventory, origin="instruct"))

    def _decode(self, sources: Sequence[TypedLine], n_best: int) -> List[List[Hypothesis]]:
        dataset = self.task.typed_lines(sources)
        sample = dataset.collater([dataset[i] for i in range(len(sources))])
        if torch.cuda.is_available():
            sample = utils.move_to_cuda(sample)
        with self._lock, torch.no_grad():
            found = self.task.inference_step(self._generator, self.models, sample)
        outputs: List[List[Hypothesis]] = [[] for _ in sources]
        for i, hypotheses in zip(sample["id"].tolist(), found):
            outputs[i] = [
                Hypothesis(self._text(h["tokens"]), float(h["score"])) for h in hypotheses[:n_best]
            ]
        return outputs

    def _text(self, tokens: torch.Tensor) -> str:
        text = self.task.target_dictionary.string(tokens.int().cpu())
        return self.subwords.decode(text) if self.subwords else text


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

    _import_task()
    parser = _OptionParser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    gen_parser_from_dataclass(parser, TASK_DATACLASS_REGISTRY[TASK](), delete_default=True)
    # the data-bin is the only argument of the task that is not an option
    given = vars(parser.parse_args(["data-bin", *shlex.split(text)]))
    del given["data"]
    return given


def _import_task() -> None:
    # what fairseq does for --user-dir, where a program has imported the package itself
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
        "finetune_from_model": None,
        "save_dir": "",
        "reset_optimizer": False,
        "max_update": 0,
        "store_ema": False,
    }
    return OmegaConf.merge(defaults, standalone, settings)
