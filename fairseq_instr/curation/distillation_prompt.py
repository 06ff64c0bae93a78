"""What a language model is asked, and where in what it says the answer is.

The texts are in a small YAML file, `distillation.yaml` beside this one unless users give theirs,
which says what it may hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Optional, Tuple, Union

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import split
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.plain_data import build, read_yaml
from fairseq_instr.text.languages import facts
from fairseq_instr.text.places import check_places, fill

DEFAULT = Path(__file__).with_name("distillation.yaml")
PAIR = ("source", "target", "instruction")
COMMON = ("source_language", "target_language", "begin", "end")
RESERVED = ("model", "messages", "n", "stream")
"""Parameters of a request that are not the file's to set: one whole answer comes back."""

NO_ANSWER = "answer is not where it was asked for"
CHATTER = "text around the answer"
SEVERAL_LINES = "answer has several lines"
_END_OF_REASONING = ("</think>", "</thinking>")  # the opening tag may be the server's


@dataclass(frozen=True)
class RewritingPrompt:
    """How to ask for a rewritten translation; the attributes are the file's entries."""

    user: str  # what the user says, with a place for {source}, {target} and {instruction}
    system: str = ""  # what the system says
    begin: str = ""  # stands before the answer
    end: str = ""  # stands behind the answer
    # names by code; the English name of a language that is left out
    languages: Dict[str, str] = field(default_factory=dict)
    # of the request
    parameters: Dict[str, Union[str, bool, int, float]] = field(default_factory=dict)

    @classmethod
    def load(cls, path=DEFAULT) -> "RewritingPrompt":
        """Read a file.

        Raises:
            InputError: names the entry that is wrong.
        """
        origin = f"--prompt {path}"
        prompt = build(cls, read_yaml(path, "--prompt"), origin)
        for name in set(prompt.parameters) & set(RESERVED):
            raise InputError(f"{origin}: parameters may not hold {name!r}; remove it")
        if bool(prompt.begin) != bool(prompt.end):
            raise InputError(f"{origin}: begin and end go together; give both or none")
        check_places(prompt.user, PAIR, COMMON, f"{origin}: user")
        check_places(prompt.system, (), COMMON, f"{origin}: system")
        return prompt

    def request(
        self, model: str, source: str, target: str, said: str, languages: Tuple[str, str]
    ) -> dict:
        """The body of a chat completion."""
        names = (self.languages.get(code, facts(code).name) for code in languages)
        values = dict(zip((*PAIR, *COMMON), (source, target, said, *names, self.begin, self.end)))
        texts = (("system", self.system), ("user", self.user))
        messages = [{"role": role, "content": fill(text, values)} for role, text in texts if text]
        return {"model": model, "messages": messages, **self.parameters}

    def read(self, content: str) -> Tuple[str, Optional[str]]:
        """The answer in what the model said, and the reason against it, or None.

        Reasoning in front of the answer is left out, and a code fence around it is taken off.
        """
        for tag in _END_OF_REASONING:
            content = content.rpartition(tag)[2]
        text = _unfenced(content)
        if self.begin not in text or self.end not in text:
            return "", NO_ANSWER
        whole = text.startswith(self.begin) and text.endswith(self.end)
        inner = text[len(self.begin) : len(text) - len(self.end)] if whole else ""
        if not whole or (self.begin and (self.begin in inner or self.end in inner)):
            return "", CHATTER
        inner = _unfenced(inner)
        return inner, SEVERAL_LINES if len(inner.splitlines()) > 1 else None


def say(instruction: Instruction, asked: str) -> str:
    """An instruction in words: its first phrase, with the argument where there is one."""
    phrase = (instruction.phrases or (instruction.name,))[0]
    argument = split(asked).argument
    return phrase if argument is None else f'{phrase}: "{argument}"'


def _unfenced(text: str) -> str:
    text = text.strip()
    first, _, rest = text.partition("\n")
    return rest[:-3].strip() if first.startswith("```") and rest.endswith("```") else text
