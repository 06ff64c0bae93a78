"""Which language a line is in: one door to langid and py3langid for the whole package.

A line is identified by its `bare_text`: langid knows hardly any capitals (it calls 84 % of German
captions in capitals another language), and the words of a tag or a JSON key are English.
"""

from __future__ import annotations

import functools
import html
import json
import re
import unicodedata
from importlib.metadata import version
from typing import Any, Collection, List, Optional, Protocol, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.text.languages import same_language

# tags and `<eol>`, addresses, placeholders; marks of Markdown, and slashes between words. Addresses
# are looked for where a word begins: from each letter, a long word would take its length squared.
_MARKUP = re.compile(
    r"</?\w[^<>]*>|\b\w+://\S+|(?<![^\s>}])\S+@\S+|\{[^{}]*\}|[*_`#|~]+|(?<!\S)/(?!\S)"
)


class LanguageIdentifier(Protocol):
    """Anything that tells languages apart."""

    signature: str  # name and version, shown beside every score

    @property
    def languages(self) -> Collection[str]:
        """Codes that it knows."""
        ...

    def rank(self, lines: Sequence[str]) -> List[Sequence[str]]:
        """Codes of the languages that each line may be in, the likeliest first.

        Languages that are left out are never found; among a stated set, a line is in the first
        that belongs to it. So one pass over the text serves every set.
        """
        ...


class LangidIdentifier:
    """langid (Lui and Baldwin, 2012): 97 languages, naive Bayes over byte n-grams.

    All instances in a process share one model, which `langid.set_languages` does not change.

    Args:
        package: `langid`, or `py3langid`, the same method with a newer model.

    Raises:
        InputError: if the package is neither of the two, or not installed.
    """

    def __init__(self, package: str = "langid"):
        self._model, self._codes = _load(package)
        self._rank = self._rank_by_langid if package == "langid" else self._rank_by_py3langid
        self.signature = f"{package}:{version(package)}|text:bare"
        self.languages = frozenset(self._codes)

    def rank(self, lines: Sequence[str]) -> List[Sequence[str]]:
        """All languages for each line, the likeliest first."""
        return [self._rank(line) for line in lines]

    def _rank_by_langid(self, line: str) -> List[str]:
        import numpy as np

        # langid multiplies all 7,480 features although a sentence has about 100: the others
        # are zero, and leaving them out makes it six times faster on one thread
        counts = self._model.instance2fv(line)
        found = counts.nonzero()[0]
        scores = counts[found].astype(np.float64) @ self._model.nb_ptc[found] + self._model.nb_pc
        return [self._codes[i] for i in np.argsort(-scores, kind="stable")]

    def _rank_by_py3langid(self, line: str) -> List[str]:
        return [str(code) for code, _ in self._model.rank(line)]


@functools.lru_cache(maxsize=None)
def _load(package: str) -> Tuple[Any, List[str]]:
    # the order of the unnormalised scores is that of the probabilities
    if package == "langid":
        from langid.langid import LanguageIdentifier, model

        loaded = LanguageIdentifier.from_modelstring(model, norm_probs=False)
    elif package == "py3langid":
        try:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier
        except ImportError:
            raise InputError(
                "language identifier 'py3langid' is not installed; "
                "run pip install 'py3langid>=0.4', or use langid"
            ) from None
        loaded = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=False)
    else:
        raise InputError(f"unknown language identifier {package!r}; accepted: langid, py3langid")
    return loaded, [str(code) for code in loaded.nb_classes]


def is_in(found: Optional[str], language: str) -> bool:
    """Whether a line is in a language, by the code that was found for it; None is in no language.

    Example: langid calls most of Bokmål `no`, Norwegian: `is_in("no", "nb")`.
    """
    return found is not None and same_language(found, language)


def bare_text(line: str) -> str:
    """What a line says: without markup and addresses, in lower case, single spaces.

    Of JSON, the strings that are values. A line without letters says nothing: "".

    Example: `bare_text('{"translation": "<b>EIN / HUND</b>"}') == "ein hund"`.
    """
    text = html.unescape(_MARKUP.sub(" ", " ".join(_json_strings(line))))
    text = unicodedata.normalize("NFC", text).lower()
    return " ".join(text.split()) if any(map(str.isalpha, text)) else ""


def _json_strings(line: str) -> List[str]:
    """Values of a JSON object or array that are strings; of any other line, the line itself."""
    if not line.lstrip().startswith(("{", "[")):
        return [line]
    try:
        pending, found = [json.loads(line)], []
    except (ValueError, RecursionError):
        return [line]
    while pending:
        value = pending.pop(0)
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, (dict, list)):
            pending += value.values() if isinstance(value, dict) else value
    return found


def identify(
    lines: Sequence[str],
    identifier: LanguageIdentifier,
    *sets: Optional[Collection[str]],
) -> List[List[Optional[str]]]:
    """Code of each line's language among each of several sets, in one pass over the text.

    A line that says nothing, such as an empty one, is in no language: None.

    Args:
        lines: raw text; the identifier sees the `bare_text` of each.
        identifier: such as `LangidIdentifier()`.
        *sets: codes to choose from; None for all that the identifier knows.

    Returns:
        One list a set, each as long as the lines.

    Raises:
        InputError: if there is no language to choose, or one that the identifier doesn't know.
    """
    for languages in sets:
        if languages is None:
            continue
        unknown = sorted(set(languages) - set(identifier.languages))
        if unknown or not languages:
            raise InputError(
                f"languages {', '.join(unknown) or '(none)'} can't be identified by "
                f"{identifier.signature}; accepted: {', '.join(sorted(identifier.languages))}"
            )
    bare = [bare_text(line) for line in lines]
    ranked = [ranking if line else () for line, ranking in zip(bare, identifier.rank(bare))]
    return [
        [
            next((code for code in ranking if languages is None or code in languages), None)
            for ranking in ranked
        ]
        for languages in sets
    ]
