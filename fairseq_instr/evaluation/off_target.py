"""Off-target ratio: the share of outputs that are not in the language asked for.

Decided by language identification, once among a stated set of languages and once among all
that the identifier knows; neither figure means much without the same figure on the references
(the floor), nor without BLEU: a model may copy or babble in the right language. Identifiers
judge a line by what most of it is in, so `foreign_words` counts the words of other languages
inside it.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Collection, Dict, Iterable, List, Mapping, Optional, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.response import check_aligned
from fairseq_instr.text.identification import LanguageIdentifier, identify

SHORT_WORDS = 3
"""An output of fewer words is short: identification is little better than a guess there."""

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class LanguageShares:
    """Which languages some lines are in.

    An empty line counts, but is in no language: it is off target.

    Attributes:
        lines: how many there are.
        on_target: share in the language asked for, 0..1; as every share, 0 without lines.
        in_source: share in the source's language.
        in_english: share in English, whether or not that is the source or the target.
        off_target: share that is not on target, the off-target ratio.
    """

    lines: int
    on_target: float
    in_source: float
    in_english: float
    off_target: float


@dataclass(frozen=True)
class ForeignWords:
    """Words that only other languages' text has.

    Attributes:
        words: running words looked at.
        share: share of them that are foreign, 0..1; 0 without words.
        by_language: the same for each language; a word of several counts for each of them.
    """

    words: int
    share: float
    by_language: Mapping[str, float]


@dataclass(frozen=True)
class OffTarget:
    """How far outputs keep to the language asked for.

    Attributes:
        source_language: code of the sources' language.
        target_language: code of the language asked for.
        languages: codes of the stated set, sorted.
        lines: number of outputs.
        empty: outputs without any character but spaces.
        short: outputs of one or two words.
        restricted: all lines, identified among `languages`.
        unrestricted: all lines, identified among all that the identifier knows.
        short_restricted: the short lines apart, among `languages`.
        short_unrestricted: the short lines apart, among all.
        foreign_words: see `foreign_words`; None where no vocabularies are given.
        signature: identifier, stated set, number of lines.
    """

    source_language: str
    target_language: str
    languages: Sequence[str]
    lines: int
    empty: int
    short: int
    restricted: LanguageShares
    unrestricted: LanguageShares
    short_restricted: LanguageShares
    short_unrestricted: LanguageShares
    foreign_words: Optional[ForeignWords]
    signature: str

    def to_dict(self) -> dict:
        """Plain dicts, lists, numbers and strings, for JSON."""
        return {**asdict(self), "languages": list(self.languages)}


def measure_off_target(
    outputs: Sequence[str],
    source_language: str,
    target_language: str,
    languages: Collection[str],
    identifier: LanguageIdentifier,
    vocabularies: Optional[Mapping[str, Collection[str]]] = None,
) -> OffTarget:
    """Identify the language of every output of one direction.

    Args:
        outputs: translations, raw text.
        source_language: code such as `it`.
        target_language: code of the language asked for.
        languages: the stated set for the restricted figures; holds both of the above.
        identifier: such as `LangidIdentifier()`; loading one takes a second, so share it.
        vocabularies: language -> its words (`build_vocabulary`), for `foreign_words`.

    Raises:
        InputError: if the stated set lacks the source or the target language, the identifier
            doesn't know one of its languages, or the vocabularies lack the target's.
    """
    missing = sorted({source_language, target_language} - set(languages))
    if missing:
        raise InputError(
            f"languages {', '.join(sorted(languages)) or '(none)'} lack {', '.join(missing)}: "
            "the stated set must hold the source and the target language, add them"
        )
    n_words = [len(line.split()) for line in outputs]
    short = [0 < n < SHORT_WORDS for n in n_words]

    def shares(codes: Sequence[Optional[str]]) -> LanguageShares:
        def share(language: str) -> float:
            return codes.count(language) / len(codes) if codes else 0.0

        on_target = share(target_language)
        return LanguageShares(
            lines=len(codes),
            on_target=on_target,
            in_source=share(source_language),
            in_english=share("en"),
            off_target=1.0 - on_target if codes else 0.0,
        )

    stated = sorted(set(languages))
    restricted, unrestricted = identify(outputs, identifier, stated, None)
    return OffTarget(
        source_language=source_language,
        target_language=target_language,
        languages=stated,
        lines=len(outputs),
        empty=n_words.count(0),
        short=sum(short),
        restricted=shares(restricted),
        unrestricted=shares(unrestricted),
        short_restricted=shares([code for code, is_short in zip(restricted, short) if is_short]),
        short_unrestricted=shares(
            [code for code, is_short in zip(unrestricted, short) if is_short]
        ),
        foreign_words=None
        if vocabularies is None
        else foreign_words(outputs, target_language, vocabularies),
        signature=f"lid:{identifier.signature}|set:{'+'.join(stated)}|lines:{len(outputs)}",
    )


def measure_with_floor(
    outputs: Sequence[str],
    references: Sequence[str],
    source_language: str,
    target_language: str,
    languages: Collection[str],
    identifier: LanguageIdentifier,
    vocabularies: Optional[Mapping[str, Collection[str]]] = None,
) -> Dict[str, OffTarget]:
    """`{"outputs": ..., "floor": ...}`: `measure_off_target` on the outputs and the references.

    What the references score is the identifier's own error, below which no system can be told
    from a perfect one. Vocabularies that were built from these references give no floor for
    foreign words: build them from other text.

    Raises:
        InputError: as `measure_off_target`, or if the lists differ in length.
    """
    check_aligned(outputs=outputs, references=references)
    return {
        name: measure_off_target(
            lines, source_language, target_language, languages, identifier, vocabularies
        )
        for name, lines in (("outputs", outputs), ("floor", references))
    }


def build_vocabulary(lines: Iterable[str], min_count: int = 1) -> Dict[str, int]:
    """Words of a language's reference text with their counts, case folded.

    Args:
        lines: raw text.
        min_count: words seen less often are left out: text in one language quotes others.

    Example: `build_vocabulary(["Der Hund, der bellt"]) == {"der": 2, "hund": 1, "bellt": 1}`.
    """
    counts: Dict[str, int] = {}
    for line in lines:
        for word in _words(line):
            counts[word] = counts.get(word, 0) + 1
    return {word: count for word, count in counts.items() if count >= min_count}


def foreign_words(
    outputs: Sequence[str],
    target_language: str,
    vocabularies: Mapping[str, Collection[str]],
) -> ForeignWords:
    """Share of running words that other languages' text has and the target's has not.

    Names and words that languages share are in the target's text too, and words in no text at
    all may be new compounds: neither counts.

    Args:
        outputs: translations, raw text.
        target_language: code of the language asked for.
        vocabularies: language -> its words, case folded; text of similar size for each, parallel
            text at best.

    Raises:
        InputError: if the target language has no vocabulary.
    """
    if target_language not in vocabularies:
        raise InputError(
            f"no vocabulary for the target language {target_language!r}; there are "
            f"{', '.join(sorted(vocabularies)) or 'none'}: add one made from its reference text"
        )
    own = set(vocabularies[target_language])
    others = {
        language: set(words) - own
        for language, words in vocabularies.items()
        if language != target_language
    }
    foreign = set().union(*others.values())
    words = [word for line in outputs for word in _words(line)]

    def share(vocabulary: Collection[str]) -> float:
        return sum(word in vocabulary for word in words) / len(words) if words else 0.0

    return ForeignWords(
        words=len(words),
        share=share(foreign),
        by_language={language: share(vocabulary) for language, vocabulary in others.items()},
    )


def _words(line: str) -> List[str]:
    return _WORD.findall(line.casefold())
