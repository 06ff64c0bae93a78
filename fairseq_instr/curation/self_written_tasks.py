"""General tasks that an instruction-tuned model writes and answers itself.

After the beginning of a user's turn, such a model writes what a user may ask (Magpie, Xu et al.,
arXiv 2406.08464). Its own answers keep a finetuned model close to what the model was (Yang et al.,
arXiv 2402.13669), where nobody has the tasks that it was tuned on.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Iterator, List, NamedTuple, Sequence, Set

from fairseq_instr.curation.general_tasks import GeneralTask
from fairseq_instr.errors import InputError, check_at_least
from fairseq_instr.text.hugging_face import CONFIG_FILE

_PLACE = "\N{SNOWMAN}"  # of the user's text in a rendered chat
_FRUITLESS = 8
"""Batches in a row without a task before the writing stops."""


def self_written_tasks(
    model,
    *,
    instruction_tokens: int = 64,
    answer_tokens: int = 128,
    answer_system: str = "Answer in one or two short sentences.",
    temperature: float = 1.0,
    top_p: float = 0.95,
    batch_size: int = 64,
    dtype: str = "bfloat16",
    seed: int = 1,
) -> Iterator[List[GeneralTask]]:
    """Batches of tasks without end, some of them empty; equal arguments give equal tasks.

    A text that does not end within its tokens is left out, an instruction that came before too.

    Args:
        model: folder of a Hugging Face causal language model with a chat template.
        instruction_tokens: longest instruction in tokens.
        answer_tokens: longest answer in tokens.
        answer_system: system message under which the model answers; empty for its own. The tasks
            do not have it.
        temperature: temperature of the softmax; tasks are more alike below 1.
        top_p: probability mass that a token is drawn from, at most 1.
        batch_size: instructions that are written together.
        dtype: type of the weights, bfloat16 or float32.
        seed: random seed of the draws.

    Raises:
        InputError: if transformers is not installed, the folder has no such model, an argument is
            out of range, or eight batches in a row give no task.
    """
    check_at_least(
        1, instruction_tokens=instruction_tokens, answer_tokens=answer_tokens, batch_size=batch_size
    )
    if not temperature > 0:
        raise InputError(f"--temperature {temperature} is not accepted: give more than 0")
    if not 0 < top_p <= 1:
        raise InputError(f"--top-p {top_p} is not accepted: give more than 0, at most 1")
    writer = _ChatModel(model, dtype, temperature, top_p)
    asked, answered = writer.turn(), writer.turn(answer_system)
    seen: Set[str] = set()
    fruitless = 0
    for batch in itertools.count():
        opening = [asked.before] * batch_size
        instructions = writer.finish(opening, instruction_tokens, (seed, batch, 0))
        new = [text for text in dict.fromkeys(instructions) if text and text not in seen]
        seen.update(new)
        prompts = [answered.before + text + answered.after for text in new]
        answers = writer.finish(prompts, answer_tokens, (seed, batch, 1)) if new else []
        tasks = [GeneralTask(task, output=answer) for task, answer in zip(new, answers) if answer]
        yield tasks
        fruitless = 0 if tasks else fruitless + 1
        if fruitless == _FRUITLESS:
            raise InputError(
                f"{model} wrote no task that ends within --instruction-tokens "
                f"{instruction_tokens} and --answer-tokens {answer_tokens}; raise them, or give an "
                "instruction-tuned model"
            )


class _Turn(NamedTuple):
    before: str
    after: str


class _ChatModel:
    """A causal language model that continues turns of a chat."""

    def __init__(self, folder, dtype: str, temperature: float, top_p: float):
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise InputError(
                f"the Python package {error.name} is not installed: pip install {error.name}"
            ) from None
        if not Path(folder, CONFIG_FILE).is_file():  # a name would be looked up on the network
            raise InputError(
                f"{folder} is not the Hugging Face folder of a causal language model: it has no "
                f"{CONFIG_FILE}"
            )
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
            self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{folder} is not the Hugging Face folder of a causal language model: {error}"
            ) from None
        if not self._tokenizer.chat_template:
            raise InputError(
                f"the tokenizer of {folder} has no chat template; give an instruction-tuned model"
            )
        self._tokenizer.pad_token = self._tokenizer.pad_token or self._tokenizer.eos_token
        self._model.generation_config.update(
            do_sample=True, temperature=temperature, top_p=top_p, top_k=0,
            pad_token_id=self._tokenizer.pad_token_id,
        )  # fmt: skip

    def turn(self, system: str = "") -> _Turn:
        """What the chat template writes around a user's text."""
        messages = [{"role": "system", "content": system}] if system else []
        chat = self._tokenizer.apply_chat_template(
            [*messages, {"role": "user", "content": _PLACE}],
            tokenize=False,
            add_generation_prompt=True,
        )
        before, _, after = str(chat).partition(_PLACE)
        return _Turn(before, after)

    def finish(self, prompts: List[str], tokens: int, seed: Sequence[int]) -> List[str]:
        """What comes after each prompt; empty where it does not end within so many tokens."""
        import numpy
        import torch

        inputs = self._tokenizer(
            prompts, return_tensors="pt", padding=True, add_special_tokens=False
        )
        with torch.random.fork_rng():
            torch.manual_seed(int(numpy.random.SeedSequence(seed).generate_state(1)[0]))
            outputs = self._model.generate(
                inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                max_new_tokens=tokens,
            )
        ends = self._model.generation_config.eos_token_id
        ends = torch.tensor(ends if isinstance(ends, list) else [ends])
        continuations = outputs[:, inputs["input_ids"].shape[1] :]
        ended = torch.isin(continuations, ends).any(dim=1).tolist()
        texts = self._tokenizer.batch_decode(continuations, skip_special_tokens=True)
        return [text.strip() if end else "" for text, end in zip(texts, ended)]
