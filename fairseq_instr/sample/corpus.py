"""Aligned sentences drawn from the grammar, and corpora of them written as raw text."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Set

from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_path
from fairseq_instr.sample import content as contents
from fairseq_instr.sample.content import Content
from fairseq_instr.sample.languages import REALISERS
from fairseq_instr.sample.lexicon import LANGUAGES

FORMALITIES = ("formal", "informal")
NUMBER_STYLES = ("digits", "words")


@dataclass(frozen=True)
class Sentence:
    """A content with the way in which its hearer is addressed.

    Attributes:
        content: what is said.
        formality: "formal", "informal", or None where nobody is addressed.
    """

    content: Content
    formality: Optional[str]

    @functools.cached_property
    def texts(self) -> Mapping[str, str]:
        """The sentence by language."""
        return {
            language: realise(self.content, self.formality)
            for language, realise in REALISERS.items()
        }

    @property
    def attributes(self) -> Mapping[str, str]:
        """What there is to say about the texts.

        `form` (statement, question or request) always; `formality` (formal or informal)
        where the second person occurs; `numbers` (digits or words) where a number does.
        """
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
        asked = {"formality": (formality, FORMALITIES), "numbers": (numbers, NUMBER_STYLES)}
        for name, (value, accepted) in asked.items():
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
        InputError: if the count is negative or larger than `content.count()`.
    """
    if count < 0:
        raise InputError(f"the number of sentences is {count}; it can't be negative")
    if count > contents.count():
        raise InputError(
            f"{count:,} sentences asked, but the sample grammar has {contents.count():,}; "
            "ask for fewer"
        )
    return _generate(count, seed)


def _generate(count: int, seed: int) -> Iterator[Sentence]:
    rng = random.Random(seed)
    drawn: Set[contents.Content] = set()
    while len(drawn) < count:
        content = contents.draw(rng)
        formality = FORMALITIES[int(rng.random() * 2)]
        if content not in drawn:
            drawn.add(content)
            yield Sentence(content, formality if content.addresses else None)


def split(sizes: Mapping[str, int], seed: int) -> Dict[str, List[Sentence]]:
    """Splits that share no sentence.

    "train" is drawn last, so that a larger one leaves the others as they were.

    Args:
        sizes: sentences of each split, such as {"train": 4000, "valid": 200, "test": 200}.
        seed: of `generate`.

    Raises:
        InputError: if a size is negative, or the grammar has fewer sentences than asked.
    """
    for name, size in sizes.items():
        if size < 0:
            raise InputError(f"the size of {name} is {size}; it can't be negative")
    sentences = generate(sum(sizes.values()), seed)
    drawn = {
        name: [next(sentences) for _ in range(sizes[name])]
        for name in sorted(sizes, key=lambda name: (name == "train", name))
    }
    return {name: drawn[name] for name in sizes}


def check_languages(languages: Sequence[str]) -> None:
    """Raise `InputError` unless there are languages, each known and named once."""
    accepted = f"the sample corpus has {', '.join(LANGUAGES)}"
    if not languages:
        raise InputError(f"no language is given; {accepted}")
    for language in languages:
        if language not in LANGUAGES:
            raise InputError(f"language {language!r} is unknown; {accepted}")
        if languages.count(language) > 1:
            raise InputError(f"language {language!r} is given twice; name each once")


def write(
    folder,
    sizes: Mapping[str, int],
    languages: Sequence[str],
    seed: int,
    force: bool = False,
) -> List[Path]:
    """Write aligned raw text, `<split>.<language>`: UTF-8, one sentence a line.

    All files are written under temporary names before the first is renamed.

    Returns:
        The files' paths.

    Raises:
        InputError: on unknown languages or wrong sizes, or if a file exists and `force`
            is not set; nothing is written then.
    """
    languages = list(languages)
    check_languages(languages)
    paths = []
    with contextlib.ExitStack() as files:
        for name, sentences in split(sizes, seed).items():
            for language in languages:
                path = Path(folder) / f"{name}.{language}"
                temporary = files.enter_context(atomic_path(path, force))
                lines = "".join(f"{sentence.texts[language]}\n" for sentence in sentences)
                temporary.write_bytes(lines.encode("utf-8"))
                paths.append(path)
    return paths
