"""What a language model is asked, and where in what it says the answer is.

The texts are in a small YAML file, `distillation.yaml` beside this one unless users give theirs,
which says what it may hold.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Dict, Mapping, Optional, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import split
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.plain_yaml import read_yaml

DEFAULT = Path(__file__).with_name("distillation.yaml")
PAIR = ("source", "target", "instruction")
COMMON = ("source_language", "target_language", "begin", "end")
KINDS = {
    "system": str,
    "user": str,
    "begin": str,
    "end": str,
    "languages": dict,
    "parameters": dict,
}
RESERVED = ("model", "messages", "n", "stream")
"""Parameters of a request that are not the file's to set: one whole answer comes back."""

NO_ANSWER = "answer is not where it was asked for"
CHATTER = "text around the answer"
SEVERAL_LINES = "answer has several lines"


@dataclass(frozen=True)
class RewritingPrompt:
    """How to ask for a rewritten translation; the attributes are the file's entries."""

    user: str
    system: str = ""
    begin: str = ""
    end: str = ""
    languages: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def load(cls, path=DEFAULT) -> "RewritingPrompt":
        """Read a file.

        Raises:
            InputError: names the entry that is wrong.
        """
        content, origin = read_yaml(path, "--prompt"), f"--prompt {path}"
        if not isinstance(content, dict) or "user" not in content:
            raise InputError(f"{origin}: expected 'user', a text with {{source}}, and others")
        for key, value in content.items():
            kind = KINDS.get(key) if isinstance(key, str) else None
            if kind is None:
                raise InputError(
                    f"{origin}: unknown entry {key!r:.80}; accepted: {', '.join(KINDS)}"
                )
            if not isinstance(value, kind):
                raise InputError(f"{origin}: {key} is {value!r:.80}; expected {kind.__name__}")
        if not all(isinstance(name, str) for name in content.get("languages", {}).values()):
            raise InputError(f"{origin}: languages holds something else than texts")
        for name, value in content.get("parameters", {}).items():
            if name in RESERVED or not isinstance(name, str):
                raise InputError(f"{origin}: parameters may not hold {name!r:.80}; remove it")
            if not isinstance(value, (str, int, float, bool)):
                raise InputError(
                    f"{origin}: parameter {name} is {value!r:.80}; expected a text or a number"
                )
        if bool(content.get("begin")) != bool(content.get("end")):
            raise InputError(f"{origin}: begin and end go together; give both or none")
        _check_places(content["user"], "user", PAIR, origin)
        _check_places(content.get("system", ""), "system", (), origin)
        return cls(**content)

    def request(
        self, model: str, source: str, target: str, said: str, languages: Tuple[str, str]
    ) -> dict:
        """The body of a chat completion.

        Args:
            model: its name at the endpoint.
            source: sentence.
            target: its plain translation.
            said: the instruction in words, see `say`.
            languages: codes of both sides.
        """
        source_language, target_language = (self.languages.get(code, code) for code in languages)
        values = {
            "source": source,
            "target": target,
            "instruction": said,
            "source_language": source_language,
            "target_language": target_language,
            "begin": self.begin,
            "end": self.end,
        }
        texts = (("system", self.system), ("user", self.user))
        messages = [{"role": role, "content": _fill(text, values)} for role, text in texts if text]
        return {"model": model, "messages": messages, **self.parameters}

    def read(self, content: str) -> Tuple[str, Optional[str]]:
        """The answer in what the model said, and the reason against it, or None."""
        text = content.strip()
        if self.begin not in text or self.end not in text:
            return "", NO_ANSWER
        whole = text.startswith(self.begin) and text.endswith(self.end)
        inner = text[len(self.begin) : len(text) - len(self.end)].strip() if whole else ""
        if not whole or (self.begin and (self.begin in inner or self.end in inner)):
            return "", CHATTER
        return inner, SEVERAL_LINES if len(inner.splitlines()) > 1 else None

    def to_dict(self) -> Dict[str, object]:
        """The entries, to compare two prompts by."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def say(instruction: Instruction, asked: str) -> str:
    """An instruction in words: its first phrase, with the argument where there is one."""
    phrase = (instruction.phrases or (instruction.name,))[0]
    argument = split(asked).argument
    return phrase if argument is None else f'{phrase}: "{argument}"'


def _check_places(text: str, entry: str, required: Tuple[str, ...], origin: str) -> None:
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise InputError(f"{origin}: {entry}: {error}; write {{{{ for a brace") from None
    accepted = (*required, *COMMON)
    places = []
    for _, place, form, conversion in parsed:
        if place is None:
            continue
        if place not in accepted or form or conversion:
            raise InputError(
                f"{origin}: {entry} has the place {{{place}}}; accepted, as they are: "
                + ", ".join(f"{{{name}}}" for name in accepted)
            )
        places.append(place)
    for name in required:
        if places.count(name) != 1:
            raise InputError(
                f"{origin}: {entry} has {places.count(name)} places for {{{name}}}; it needs one"
            )


def _fill(text: str, values: Mapping[str, str]) -> str:
    # not str.format: what is put in is never looked at for places of its own
    return "".join(
        literal + ("" if place is None else values[place])
        for literal, place, _, _ in string.Formatter().parse(text)
    )
