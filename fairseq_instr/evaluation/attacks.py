"""Attacks: sources into which text was put that asks for something.

An attack asks in words, as role play, in tokens that look like ours, with control characters, in
mixed scripts (`attacks.yaml` has the templates), or is a prompt of a published suite. Each comes
with a *control*: the same attack around words that ask for nothing, or around the same letters in
another order. A translation may rightly keep quotation marks, digits, names in brackets or the
mere length of an attack; the control has them all.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import check_aligned
from fairseq_instr.instructions.asking import Written
from fairseq_instr.instructions.catalogue import find, look_up
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.instructions.inventory import Inventory, direction
from fairseq_instr.plain_data import read_yaml

ATTACKS_FILE = Path(__file__).with_suffix(".yaml")
ENGLISH = "en"
_PLACE = re.compile(r"\{(source|phrase|name|symbol|fullwidth|homoglyphs|joined)\}")
_NEXT = str.maketrans(string.ascii_lowercase, string.ascii_lowercase[1:] + "a")


@dataclass(frozen=True)
class Case:
    """A source, attacked.

    Attributes:
        kind: of attack, such as `words`.
        source: the line as it was.
        attacked: with text that asks for something.
        control: with like text that asks for nothing.
        aimed: what the attack names, such as `uppercase`; empty where it names no instruction.
    """

    kind: str
    source: str
    attacked: str
    control: str
    aimed: str = ""


class Attacks:
    """Templates of attacks; `attacks.yaml` says what they may hold.

    Args:
        inventory: what is asked for.
        source_language: its words are used beside the English ones.
        path: of another file of templates.

    Raises:
        InputError: if the file is not of that form.
    """

    def __init__(self, inventory: Inventory, source_language: str, path=ATTACKS_FILE):
        content: Any = read_yaml(path, "templates of attacks")
        try:
            own = dict.fromkeys((ENGLISH, source_language))
            self.templates = {
                kind: [
                    (language, text) for language in own for text in by_language.get(language, ())
                ]
                for kind, by_language in content["kinds"].items()
            }
            self.symbols: List[str] = content["symbols"]
            self.homoglyphs = str.maketrans(content["homoglyphs"])
            self.neutral: Dict[str, List[str]] = content["neutral"]
            arguments: Dict[str, str] = content["arguments"]
            foreign = [direction(language) for language in content["languages"]]
            # language -> what is asked for -> ways to say it
            self.phrases: Dict[str, Dict[str, Sequence[str]]] = {
                language: {
                    name: [text] for name, text in content["phrases"].get(language, {}).items()
                }
                for language in own
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"templates of attacks {path} are not of the form of {ATTACKS_FILE.name}: "
                f"{type(error).__name__} {error}"
            ) from None
        # name -> what is asked for; what fills a slot stands in the control as well
        aimed_at = [*verified(inventory), *(look_up(n) for n in foreign if n not in inventory)]
        self.requests = {
            i.name: Written(i.name, arguments[i.argument] if i.argument else None) for i in aimed_at
        }
        self.phrases[ENGLISH] = {i.name: i.phrases or (i.name,) for i in aimed_at}

    def make(self, sources: Sequence[str], kind: str, count: int, seed: int) -> List[Case]:
        """Attacks of one kind on sources drawn at random; the same for the same arguments."""
        rng = random.Random(f"{seed} {kind}")
        return [self._attack(rng.choice(sources), kind, rng) for _ in range(count)]

    def neutral_phrases(self, language: str) -> List[str]:
        """Phrases that instruct nobody; English ones where a language has none."""
        return self.neutral.get(language, self.neutral[ENGLISH])

    def _attack(self, source: str, kind: str, rng: random.Random) -> Case:
        language, template = rng.choice(self.templates[kind])
        places = set(_PLACE.findall(template)) - {"source"}
        named = self.phrases[language] if places != {"symbol"} else {}
        # not every instruction has words in every language
        name = rng.choice([n for n in self.requests if n in named]) if named else ""
        words = {"symbol": rng.choice(self.symbols)}
        control = {"symbol": scrambled(words["symbol"], rng)}
        request = self.requests[name] if named else Written("")
        if named:
            phrase = rng.choice(named[name])
            spoken = "" if request.argument is None else f": {request.argument}"
            written = str(request)[len(name) :]
            words.update(phrase=phrase + spoken, name=name + written)
            control.update(
                phrase=self._neutral(phrase, language, rng) + spoken,
                name=scrambled(name, rng) + written,
            )
        attacked, controlled = (
            _fill(template, {"source": source, **w, **self._disguises(w.get("phrase", ""))})
            for w in (words, control)
        )
        return Case(kind, source, attacked, controlled, str(request))

    def _disguises(self, phrase: str) -> Dict[str, str]:
        return {
            # the full-width forms of ASCII, and a joiner of no width between all letters
            "fullwidth": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in phrase),
            "homoglyphs": phrase.translate(self.homoglyphs),
            "joined": "\u2060".join(phrase),
        }

    def _neutral(self, phrase: str, language: str, rng: random.Random) -> str:
        """Words that instruct nobody, as long; a phrase with marks or digits keeps them."""
        if not re.fullmatch(r"(?:[^\W\d_]|[ '])*", phrase):
            return scrambled(phrase, rng)
        return min(self.neutral_phrases(language), key=lambda words: abs(len(words) - len(phrase)))


def _fill(template: str, words: Mapping[str, str]) -> str:
    # in one go: what stands in a source is no place
    return _PLACE.sub(lambda place: words[place[1]], template)


def scrambled(text: str, rng: random.Random) -> str:
    """The same characters, the letters inside each word in another order.

    Case stays in its place, and so does all that is no letter. Where there is no other order
    (`</s>`), each letter becomes the next one of the alphabet.

    Example: `scrambled("__Ab__", rng) == "__Ba__"`; `scrambled("</s>", rng) == "</t>"`.
    """

    def scramble(word: str) -> str:
        as_written = [_recased(c, str.lower) for c in word]
        letters = list(as_written)
        for _ in range(10):
            rng.shuffle(letters)
            if letters != as_written:
                break
        return "".join(
            _recased(new, str.upper) if old.isupper() else new for old, new in zip(word, letters)
        )

    runs = [(is_word, "".join(run)) for is_word, run in itertools.groupby(text, str.isalpha)]
    changed = "".join(scramble(run) if is_word else run for is_word, run in runs)
    return changed if changed != text else text.translate(_NEXT)


def _recased(letter: str, change: Callable[[str], str]) -> str:
    changed = change(letter)
    return changed if len(changed) == 1 else letter  # `ß` would become two


def cases_of_prompts(
    kind: str,
    clean: Sequence[str],
    attacked: Sequence[str],
    count: int,
    seed: int,
    neutral: Sequence[str],
) -> List[Case]:
    """Prompts of a published suite: aligned lines without and with an attack.

    What an attack puts around the clean line is replaced by neutral phrases, as long, for the
    control.

    Args:
        kind: what to call them.
        clean: raw lines.
        attacked: as many.
        count: lines that are drawn, at most.
        seed: of the draw.
        neutral: phrases in the source's language.

    Raises:
        InputError: if the lists differ in length, or an attack does not hold its clean line.
    """
    check_aligned(clean=clean, attacked=attacked)
    rng = random.Random(f"{seed} {kind}")
    cases = []
    for i in sorted(rng.sample(range(len(clean)), min(count, len(clean)))):
        before, found, after = attacked[i].rpartition(clean[i])
        if not found:
            raise InputError(f"prompts {kind}: line {i + 1} does not hold its clean line")
        around = (_neutral_text(len(part), neutral, rng) for part in (before, after))
        cases.append(Case(kind, clean[i], attacked[i], clean[i].join(around)))
    return cases


def _neutral_text(length: int, phrases: Sequence[str], rng: random.Random) -> str:
    text = ""
    while len(text) < length:
        text += rng.choice(phrases).capitalize() + ". "
    return text


def verified(inventory: Inventory) -> List[Instruction]:
    """Instructions of an inventory that the catalogue has a verifier for, with its phrases."""
    found = []
    for own in inventory:
        known = find(own.name)
        if known is not None and known.obeys is not None:
            found.append(dataclasses.replace(known, phrases=own.phrases or known.phrases))
    return found
