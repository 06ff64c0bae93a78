"""Which language a line is in: one door to langid and py3langid for the whole package."""

from __future__ import annotations

from importlib.metadata import version
from typing import Collection, List, Optional, Protocol, Sequence

import numpy as np

from fairseq_instr.errors import InputError


class LanguageIdentifier(Protocol):
    """Anything that tells languages apart.

    Attributes:
        signature: name and version, shown beside every score.
    """

    signature: str

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

    Its model is an instance of its own: a set of languages that is stated elsewhere in the
    process to `langid.set_languages` does not change what it answers.

    Args:
        package: `langid`, or `py3langid` where that is installed: the same method, a newer model.

    Raises:
        InputError: if the package is neither of the two, or not installed.
    """

    def __init__(self, package: str = "langid"):
        if package == "langid":
            from langid.langid import LanguageIdentifier, model

            self._model = LanguageIdentifier.from_modelstring(model, norm_probs=False)
            self._rank = self._rank_by_langid
        elif package == "py3langid":
            try:
                from py3langid.langid import MODEL_FILE, LanguageIdentifier
            except ImportError:
                raise InputError(
                    "language identifier 'py3langid' is not installed; "
                    "run pip install 'py3langid>=0.4', or use langid"
                ) from None
            # the order of the unnormalised scores is that of the probabilities
            self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=False)
            self._rank = lambda line: [str(code) for code, _ in self._model.rank(line)]
        else:
            raise InputError(
                f"unknown language identifier {package!r}; accepted: langid, py3langid"
            )
        self.signature = f"{package}:{version(package)}"
        self._model.set_languages(None)
        self._codes = [str(code) for code in self._model.nb_classes]
        self.languages = frozenset(self._codes)

    def rank(self, lines: Sequence[str]) -> List[Sequence[str]]:
        """All languages for each line, the likeliest first; see `LanguageIdentifier`."""
        return [self._rank(line) for line in lines]

    def _rank_by_langid(self, line: str) -> List[str]:
        # langid multiplies all 7,480 features although a sentence has about 100: the others
        # are zero, and leaving them out makes it six times faster on one thread
        counts = self._model.instance2fv(line)
        found = counts.nonzero()[0]
        scores = counts[found].astype(np.float64) @ self._model.nb_ptc[found] + self._model.nb_pc
        return [self._codes[i] for i in np.argsort(-scores, kind="stable")]


def identify(
    lines: Sequence[str],
    identifier: LanguageIdentifier,
    *sets: Optional[Collection[str]],
) -> List[List[Optional[str]]]:
    """Code of each line's language among each of several sets, in one pass over the text.

    An empty line is in no language: None. (langid would call it English.)

    Args:
        lines: raw text.
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
    ranked = [
        ranking if line.strip() else () for line, ranking in zip(lines, identifier.rank(lines))
    ]
    return [
        [
            next((code for code in ranking if languages is None or code in languages), None)
            for ranking in ranked
        ]
        for languages in sets
    ]
