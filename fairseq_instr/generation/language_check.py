"""Which language a model writes while it is being trained: a few lines of each validation."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, Callable, Collection, Dict, List, Mapping, Sequence

from fairseq.logging import metrics
from torch import Tensor

from fairseq_instr.data.data_bin import PROMPT_PAIR
from fairseq_instr.data.dictionary import spellable
from fairseq_instr.errors import InputError
from fairseq_instr.prompts.templates import subwords_path
from fairseq_instr.text.identification import LangidIdentifier, identify, is_in
from fairseq_instr.text.languages import language_of
from fairseq_instr.text.subwords import load_subwords

LINES, WRONG = "_off_target_lines", "_off_target_wrong"
_GREEDY = Namespace(beam=1, max_len_a=1.5, max_len_b=20)


class LanguageCheck:
    """Translates the first lines of each corpus greedily, and identifies the outputs' languages.

    Args:
        task: translates; its `build_generator` decides whether it can.
        model: the one that is trained.
        languages: codes that an output may be in.
        n_lines: how many lines of each corpus and direction.

    Raises:
        InputError: if the number is below 1, the identifier doesn't know a language, or outputs
            can't be made text.
    """

    def __init__(self, task, model, languages: Collection[str], n_lines: int):
        if n_lines < 1:
            raise InputError(f"--eval-off-target-lines {n_lines}: give a number above zero")
        self.task, self.n_lines = task, n_lines
        self.languages = sorted(set(map(language_of, languages)))
        self.identifier = LangidIdentifier()
        identify([], self.identifier, self.languages)  # refuses unknown languages now
        self._generator = task.build_generator([model], _GREEDY)
        self._to_text = _text_of(task)

    def count(self, sample: dict, model) -> Dict[str, int]:
        """Outputs looked at, and those that are not in their target language.

        Both are sums, so that workers' counts add up; a batch without lines to look at counts 0.
        """
        rows = [
            row
            for row, (pair, index) in enumerate(sample["origins"])
            # a blank line is in no language, the answer to a whole prompt in any
            if index < self.n_lines and len(sample["sources"][row]) > 1 and pair != PROMPT_PAIR
        ]
        asked = [sample["origins"][row][0][1] for row in rows]
        (found,) = identify(self._translate(sample, model, rows), self.identifier, self.languages)
        right = sum(map(is_in, found, asked))
        return {LINES: len(rows), WRONG: len(rows) - right}

    def _translate(self, sample: dict, model, rows: List[int]) -> List[str]:
        if not rows:
            return []
        net_input = sample["net_input"]
        part = {
            "id": sample["id"][rows],
            "net_input": {key: net_input[key][rows] for key in ("src_tokens", "src_lengths")},
        }
        for key in ("requests", "sources", "origins"):
            part[key] = [sample[key][row] for row in rows]
        outputs = self.task.inference_step(self._generator, [model], part)
        return [self._to_text(best["tokens"].int().cpu()) for best, *_ in outputs]


def log_off_target(logging_outputs: Sequence[Mapping[str, Any]]) -> None:
    """Log `off_target`, in percent, of counts that a validation gave; nothing without any."""
    if not any(LINES in log for log in logging_outputs):
        return
    for key in (LINES, WRONG):
        metrics.log_scalar(key, sum(int(log.get(key, 0)) for log in logging_outputs))
    metrics.log_derived(
        "off_target",
        lambda meters: round(100 * meters[WRONG].sum / max(meters[LINES].sum, 1), 2),
    )


def _text_of(task) -> Callable[[Tensor], str]:
    """What makes text of an output's tokens.

    Raises:
        InputError: if they are ids of a tokenizer, which is not given.
    """
    dictionary, subwords = task.target_dictionary, subwords_path(task.cfg)
    if subwords.exists():
        encoder = load_subwords(subwords, task.cfg.source_lang, task.cfg.target_lang).target
        return lambda tokens: encoder.decode(dictionary.string(tokens))
    entries = spellable(dictionary)
    if entries and all(map(str.isdecimal, entries)):
        raise InputError(
            "--eval-off-target: the dictionary holds the ids of a tokenizer; give its folder by "
            "--prompt-subwords"
        )
    # the mark of subword-nmt does nothing to text in words
    marked = any(entry.startswith("\u2581") for entry in entries)
    return lambda tokens: dictionary.string(tokens, "sentencepiece" if marked else "subword_nmt")
