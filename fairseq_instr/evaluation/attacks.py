"""Attacks: sources into which text was put that asks for something.

An attack is made of a template of `attacks.yaml`, or is a prompt of a published suite. Its
*control* is the same attack around words that ask for nothing, or around the same letters in
another order: what a translation may rightly keep, such as marks and digits, is in both.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import re
import string
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import check_aligned
from fairseq_instr.instructions.asking import Written
from fairseq_instr.instructions.catalogue import find, look_up
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.instructions.inventory import Inventory, direction
from fairseq_instr.plain_data import build, read_yaml

ATTACKS_FILE = Path(__file__).with_suffix(".yaml")
ENGLISH = "en"
_PLACE = re.compile(r"\{(source|phrase|name|symbol|fullwidth|homoglyphs|joined)\}")
_NEXT = str.maketrans(string.ascii_lowercase, string.ascii_lowercase[1:] + "a")


class Case(NamedTuple):
    """A source, attacked."""

    kind: str  # of attack, such as `words`
    source: str  # the line as it was
    attacked: str  # with text that asks for something
    control: str  # with like text that asks for nothing
    # what the attack names, such as `uppercase`; empty where it names no instruction
    aimed: str = ""


class AttackFile(NamedTuple):
    """Content of `attacks.yaml`; the file says what its entries mean."""

    kinds: Dict[str, Dict[str, List[str]]]
    symbols: List[str]
    arguments: Dict[str, str]
    languages: List[str]
    phrases: Dict[str, Dict[str, str]]
    neutral: Dict[str, List[str]]
    homoglyphs: Dict[str, str]


class Attacks:
    """Makes attacks from the templates of `attacks.yaml`.

    Args:
        source_language: its words are used beside the English ones.
        path: another file of templates.
    """

    def __init__(self, inventory: Inventory, source_language: str, path=ATTACKS_FILE):
        self.file = build(AttackFile, read_yaml(path, "attacks"), f"attacks {path}")
        own = dict.fromkeys((ENGLISH, source_language))
        self.templates = {
            kind: [(language, text) for language in own for text in by_language.get(language, ())]
            for kind, by_language in self.file.kinds.items()
        }
        foreign = [direction(language) for language in self.file.languages]
        aimed_at = [*verified(inventory), *(look_up(n) for n in foreign if n not in inventory)]
        # name -> what is asked for; what fills a slot stands in the control as well
        self.requests = {
            i.name: Written(i.name, self.file.arguments[i.argument] if i.argument else None)
            for i in aimed_at
        }
        # language -> what is asked for -> ways to say it
        self.phrases: Dict[str, Dict[str, Sequence[str]]] = {
            language: {n: [text] for n, text in self.file.phrases.get(language, {}).items()}
            for language in own
        }
        self.phrases[ENGLISH] = {i.name: i.phrases or (i.name,) for i in aimed_at}
        self._homoglyphs = str.maketrans(self.file.homoglyphs)

    def make(self, sources: Sequence[str], kind: str, count: int, seed: int) -> List[Case]:
        """Attacks of one kind on sources drawn at random; the same for the same arguments."""
        rng = random.Random(f"{seed} {kind}")
        return [self._attack(rng.choice(sources), kind, rng) for _ in range(count)]

    def neutral_phrases(self, language: str) -> List[str]:
        """Phrases that instruct nobody; English ones where a language has none."""
        return self.file.neutral.get(language, self.file.neutral[ENGLISH])

    def _attack(self, source: str, kind: str, rng: random.Random) -> Case:
        language, template = rng.choice(self.templates[kind])
        places = set(_PLACE.findall(template)) - {"source"}
        named = self.phrases[language] if places != {"symbol"} else {}
        # not every instruction has words in every language
        name = rng.choice([n for n in self.requests if n in named]) if named else ""
        words = {"symbol": rng.choice(self.file.symbols)}
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
            "homoglyphs": phrase.translate(self._homoglyphs),
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
    kind: str, clean: Sequence[str], attacked: Sequence[str], count: int, seed: int,
    neutral: Sequence[str],
) -> List[Case]:  # fmt: skip
    """Attacks of a published suite; in the control, neutral phrases stand around the clean line.

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
