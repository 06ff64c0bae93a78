"""Aligned sentences drawn from the grammar, and corpora of them written as raw text."""

from __future__ import annotations

import dataclasses
import functools
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Set

from fairseq_instr.errors import InputError
from fairseq_instr.files import writing_lines
from fairseq_instr.sample.content import Content, draw
from fairseq_instr.sample.languages import GRAMMARS
from fairseq_instr.sample.lexicon import LANGUAGES

FORMALITIES = ("formal", "informal")
NUMBER_STYLES = ("digits", "words")
MAX_SENTENCES = 10_000_000
"""Most sentences that are drawn; the grammar has 943 million in each language."""


@dataclass(frozen=True)
class Sentence:
    """A content with the way in which its hearer is addressed."""

    content: Content  # what is said
    formality: Optional[str]  # "formal", "informal", or None where nobody is addressed

    @functools.cached_property
    def texts(self) -> Mapping[str, str]:
        """The sentence by language."""
        return {code: say(self.content, self.formality).say() for code, say in GRAMMARS.items()}

    @property
    def attributes(self) -> Mapping[str, str]:
        """`form`, `formality` where the hearer is addressed, `numbers` where there is one."""
        form = self.content.form
        found = {"form": form if form in ("statement", "request") else "question"}
        if self.formality is not None:
            found["formality"] = self.formality
        if self.content.number is not None:
            found["numbers"] = "digits" if self.content.in_digits else "words"
        return found

    def variant(self, formality: Optional[str] = None, numbers: Optional[str] = None) -> Sentence:
        """The same content in the other address, or with its number written otherwise.

        Args:
            formality: "formal" or "informal"; English stays as it is.
            numbers: "digits" or "words"; changes the text in every language.

        Raises:
            InputError: if a value is unknown, or the sentence has no such attribute.

        Example: sentence.variant(formality="formal").texts["de"] -> "Kaufen Sie bitte ..."
        """
        asked = ("formality", formality, FORMALITIES), ("numbers", numbers, NUMBER_STYLES)
        for name, value, accepted in asked:
            if value is not None and value not in accepted:
                raise InputError(f"{name} is {value!r}; it is one of {', '.join(accepted)}")
            if value is not None and name not in self.attributes:
                raise InputError(f"the sentence has no {name} to vary: {self.texts['en']!r}")
        content = self.content
        if numbers is not None:
            content = dataclasses.replace(content, in_digits=numbers == "digits")
        return Sentence(content, formality or self.formality)


def generate(count: int, seed: int) -> Iterator[Sentence]:
    """Distinct sentences, distinct in English too, in an order that the seed decides.

    The first n sentences of a seed are the same whatever the count.

    Raises:
        InputError: if the count is negative or larger than `MAX_SENTENCES`.
    """
    if not 0 <= count <= MAX_SENTENCES:
        raise InputError(f"{count} sentences can't be drawn; ask for 0 to {MAX_SENTENCES}")
    return _generate(count, seed)


def _generate(count: int, seed: int) -> Iterator[Sentence]:
    rng = random.Random(seed)
    drawn: Set[Content] = set()
    while len(drawn) < count:
        content = draw(rng)
        formality = FORMALITIES[int(rng.random() * 2)]
        if content not in drawn:
            drawn.add(content)
            yield Sentence(content, formality if content.addresses else None)


def split(sizes: Mapping[str, int], seed: int) -> Dict[str, List[Sentence]]:
    """Splits that share no sentence.

    "train" is drawn last, so that a larger one leaves the others as they were.

    Args:
        sizes: sentences of each split, such as {"train": 4000, "valid": 200, "test": 200}.

    Raises:
        InputError: if a size is negative, or more sentences are asked for than are drawn.
    """
    for name, size in sizes.items():
        if size < 0:
            raise InputError(f"--{name} {size}: the size of a split can't be negative")
    sentences = generate(sum(sizes.values()), seed)
    drawn = {
        name: [next(sentences) for _ in range(sizes[name])]
        for name in sorted(sizes, key=lambda name: (name == "train", name))
    }
    return {name: drawn[name] for name in sizes}


def write(
    folder,
    sizes: Mapping[str, int],
    languages: Sequence[str],
    seed: int,
    force: bool = False,
) -> List[Path]:
    """Write aligned raw text, `<split>.<language>`: UTF-8, one sentence a line.

    Raises:
        InputError: on unknown languages or wrong sizes, or if a file exists and `force`
            is not set; nothing is written then.
    """
    languages = list(languages)
    unknown = [language for language in languages if language not in LANGUAGES]
    if unknown or not languages or len(set(languages)) < len(languages):
        raise InputError(
            f"--languages {','.join(languages)} is not accepted: name some of "
            f"{', '.join(LANGUAGES)}, each once"
        )
    splits = split(sizes, seed)
    paths = [Path(folder, f"{name}.{language}") for name in splits for language in languages]
    with writing_lines(paths, force) as files:
        for path, file in zip(paths, files):
            for sentence in splits[path.stem]:
                file.write(f"{sentence.texts[path.suffix[1:]]}\n")
    return paths
