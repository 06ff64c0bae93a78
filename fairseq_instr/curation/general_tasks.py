"""General tasks, such as Stanford Alpaca's, beside translation; and outputs for AlpacaEval.

A model that is finetuned on translation alone forgets to do anything else; the group `general` of
a mixture keeps it. Each source is a whole prompt. Prompts and responses have line breaks, so that
they are written in subwords at once, a line each, ready for `fairseq-preprocess`.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.files import write_json, writing_lines
from fairseq_instr.plain_data import build, read_json
from fairseq_instr.text.lines import iterate_lines
from fairseq_instr.text.places import fill
from fairseq_instr.text.subwords import text_of

# as the template `alpaca`, with the task in the place of the direction
WITH_INPUT = """The following is a task and the text that it is about. \
Write an answer that does what the task asks.

### Instruction:
{instruction}

### Input:
{input}

### Response:
"""
WITHOUT_INPUT = """The following is a task. Write an answer that does what the task asks.

### Instruction:
{instruction}

### Response:
"""


class GeneralTask(NamedTuple):
    """A task in words, what it is about (often nothing), and the answer."""

    instruction: str
    input: Optional[str] = None
    output: Optional[str] = None

    @property
    def prompt(self) -> str:
        """What the model reads."""
        form = WITH_INPUT if self.input else WITHOUT_INPUT
        return fill(form, {"instruction": self.instruction, "input": self.input or ""})


def read_tasks(path) -> List[GeneralTask]:
    """Read a JSON list of objects with `instruction`, and `input` and `output` where they are.

    Raises:
        InputError: if the file is missing or holds something else; names the entry.
    """
    expected = f"a list of objects with {', '.join(GeneralTask._fields)}"
    content = read_json(path, f"give a JSON file, {expected}")
    if not isinstance(content, list):
        raise InputError(f"{path}: expected {expected}")
    tasks = []
    for number, entry in enumerate(content, start=1):
        task = build(GeneralTask, entry, f"{path}, entry {number}", ignore_others=True)
        if not task.instruction:
            raise InputError(f"{path}, entry {number}: instruction is empty")
        tasks.append(task)
    return tasks


def write_corpus(tasks: Sequence[GeneralTask], prefix, subwords, force: bool = False) -> int:
    """Write `prefix.prompt` and `prefix.response` in subwords, for `general/`; how many lines."""
    kept = [task for task in tasks if (task.output or "").strip()]
    with writing_lines([f"{prefix}.prompt", f"{prefix}.response"], force) as files:
        for task in kept:
            for file, text in zip(files, (task.prompt, task.output)):
                file.write(f"{' '.join(subwords.encode(text).split())}\n")
    return len(kept)


def read_hypotheses(log, subwords) -> List[str]:
    """Outputs in a log of `fairseq-generate`, in the order of their numbers, line breaks kept.

    Args:
        subwords: of the model, as `load_subwords` gives them.

    Raises:
        InputError: if there are none, or a number is missing.
    """
    found: Dict[int, str] = {}
    for line in iterate_lines(log):
        if line.startswith("H-"):
            number, _, pieces = line.split("\t", 2)
            found.setdefault(int(number[2:]), pieces)
    if not found or sorted(found) != list(range(len(found))):
        raise InputError(f"{log} has hypotheses H- of {len(found)} lines; expected all, from 0 on")
    return [text_of(subwords, found[number]) for number in range(len(found))]


def write_alpaca_eval(
    tasks: Sequence[GeneralTask], outputs: Sequence[str], generator: str, path, force: bool = False
) -> None:
    """Write outputs as AlpacaEval reads them: a JSON list of instruction, output, generator."""
    if len(tasks) != len(outputs):
        raise InputError(
            f"{len(outputs)} outputs came for {len(tasks)} tasks; translate all of them, in order"
        )
    entries = [
        {
            "instruction": "\n\n".join(filter(None, (task.instruction, task.input))),
            "output": output.strip(),
            "generator": generator,
        }
        for task, output in zip(tasks, outputs)
    ]
    write_json(path, entries, force)
