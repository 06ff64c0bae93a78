"""Language tokens: how pretrained multilingual models are told their languages. Needs no torch.

    m2m, nllb     M2M-100, NLLB    __en__ Hello . </s>     ->  </s> __de__ Hallo . </s>
    mbart50       mBART-50         [en_XX] Hello . </s>    ->  </s> [de_DE] Hallo . </s>
    mbart25       mBART-25         Hello . </s> [en_XX]    ->  [de_DE] Hallo . </s>
    tgt           Johnson et al.   __de__ Hello . </s>     ->  </s> Hallo . </s>
    marian        OPUS-MT          >>deu<< Hello . </s>    ->  <s> Hallo . </s>
    tgt-for-eos                    Hello . __de__          ->  </s> Hallo . </s>

In fairseq they are settings of a task: `translation_multi_simple_epoch`, or
`translation_from_pretrained_bart` for mBART-25.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.text.languages import language_of

SOURCE, TARGET = "src", "tgt"
MULTILINGUAL, MBART, MARIAN = "multilingual", "mbart", "marian"
STYLES = {MULTILINGUAL: "__{}__", MBART: "[{}]", MARIAN: ">>{}<<"}
IN_FRONT, FOR_EOS, BEHIND_EOS = "in-front", "for-eos", "behind-eos"
MBART_TASKS = ("translation_from_pretrained_bart", "multilingual_denoising")
MULTI_TASK = "translation_multi_simple_epoch"
MASK = "<mask>"
DATA_TAGS = ("<MINED_DATA>", "<MMT_BT_DATA>", "<SMT_BT_DATA>")
"""Symbols that NLLB's sources had behind the language token if they were mined or translated back.

A model reads text of its own domain without them, as NLLB's own translation does.
"""
DENOISED = ("mono_dae", "mono_mixed_task")
"""Kinds of further data for which fairseq's task appends `<mask>`."""


class LanguageTokens(NamedTuple):
    """Which language tokens a model was trained with, and where they stand."""

    # `src` or `tgt`, the language whose token the source has; None for no token
    encoder: Optional[str]
    decoder: bool  # whether the decoder begins with the target language's token
    style: str = MULTILINGUAL  # how a token is written, one of `STYLES`
    # where they stand. `in-front`: in front of the source, and after the decoder's first token.
    # `for-eos`: instead of the source's eos and of the decoder's first token. `behind-eos`: behind
    # the source's eos, and instead of the decoder's first token
    place: str = IN_FRONT
    # symbols that the old task appended to the dictionary, in its order
    appended: Tuple[str, ...] = ()

    def token(self, language: str) -> str:
        """The token of a language.

        Example: `LanguageTokens("src", True).token("de") == "__de__"`.
        """
        return STYLES[self.style].format(language)

    def languages(self, symbols: Sequence[str]) -> Dict[str, int]:
        """Languages that the symbols of a dictionary have a token for, and its id.

        Example: `LanguageTokens("src", True).languages(["a", "__de__"]) == {"de": 1}`.
        """
        before, after = map(re.escape, STYLES[self.style].split("{}"))
        found = (re.fullmatch(f"{before}(.+){after}", symbol) for symbol in symbols)
        return {match[1]: number for number, match in enumerate(found) if match}

    def check_known(self, symbols: Sequence[str], language: str) -> None:
        """Make sure that a dictionary has language tokens.

        Raises:
            InputError: names the missing token of `language`, or the style of other tokens there.
        """
        if self.languages(symbols):
            return
        other = next((name for name, own in PRESETS.items() if own.languages(symbols)), None)
        token = self.token(language)
        remedy = (
            "append the model's language tokens to dict.*.txt, in its own order, and "
            f"binarise again: lines such as '{token} 1'"
        )
        if other is not None:
            code = next(iter(PRESETS[other].languages(symbols)))
            remedy = f"it has {PRESETS[other].token(code)}: give --language-tokens {other}"
        raise InputError(
            f"--language-tokens: the dictionary has no token such as {token}; {remedy}"
        )

    @classmethod
    def of_list(cls, values: Optional[Sequence]) -> Optional[LanguageTokens]:
        """Language tokens of a list, as checkpoints hold them; None of None."""
        if values is None:
            return None
        encoder, decoder, style, place, appended = values
        return cls(encoder, decoder, style, place, tuple(appended))

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any]) -> Optional[LanguageTokens]:
        """What the settings of a checkpoint say; None where it was trained without.

        Args:
            settings: of the task, or those of everything in old checkpoints.

        Raises:
            InputError: if the model was pretrained with tokens that name its tasks.
        """
        task = settings.get("task") or settings.get("_name")
        codes = _listed(settings.get("langs"))
        if task in MBART_TASKS:
            if not settings.get("add_lang_token", True):
                return None  # of a pretraining that had none
            appended = (*map(STYLES[MBART].format, codes), MASK)
            return PRESETS["mbart25"]._replace(appended=appended)
        if task != MULTI_TASK:
            return None
        of_decoder = TARGET if settings.get("decoder_langtok") else None
        said = (settings.get("langtoks") or {}).get("main")
        encoder, decoder = said or (settings.get("encoder_langtok"), of_decoder)
        if not encoder and not decoder:
            return None
        if settings.get("add_ssl_task_tokens"):
            raise InputError(
                "add_ssl_task_tokens: a checkpoint that was trained with __dae__ and __lm__ is not "
                "supported; supported are NLLB's and M2M-100's without"
            )
        style = settings.get("lang_tok_style") or MULTILINGUAL
        kinds = [_ending(kind) for kind in _listed(settings.get("langtoks_specs")) or ("main",)]
        appended = tuple(STYLES[style].format(code + kind) for kind in kinds for code in codes)
        further = settings.get("extra_data") or (), settings.get("finetune_dict_specs") or ()
        if style == MBART or any(kind in data for kind in DENOISED for data in further):
            appended = (*appended, MASK)
        if settings.get("add_data_source_prefix_tags"):
            appended = (*appended, *DATA_TAGS)
        place = FOR_EOS if settings.get("lang_tok_replacing_bos_eos") else IN_FRONT
        return cls(encoder[:3] if encoder else None, bool(decoder), style, place, appended)


def _ending(kind: str) -> str:
    """What fairseq appends to the code in tokens for a kind of data."""
    return next((f"_{name}" for name in ("dae", "lm", "mined") if kind.endswith(name)), "")


PRESETS = {
    "m2m": LanguageTokens(SOURCE, True),
    "nllb": LanguageTokens(SOURCE, True),
    "mbart50": LanguageTokens(SOURCE, True, MBART),
    "mbart25": LanguageTokens(SOURCE, True, MBART, BEHIND_EOS),
    "tgt": LanguageTokens(TARGET, False),
    "marian": LanguageTokens(TARGET, False, MARIAN),
    "tgt-for-eos": LanguageTokens(TARGET, False, place=FOR_EOS),
}
AUTO, NONE = "auto", "none"
LANGUAGE_TOKENS = (AUTO, NONE, *PRESETS)  # values of `--language-tokens`


def choose_language_tokens(
    option: str, trained: Optional[LanguageTokens], origin: str
) -> Optional[LanguageTokens]:
    """The language tokens that prompts say; None for none.

    Args:
        option: value of `--language-tokens`.
        trained: what the checkpoint was trained with, as far as it says; None if it does not.
        origin: the checkpoint, for the error.

    Raises:
        InputError: if the two contradict each other.
    """
    if option == NONE:
        return None
    if option == AUTO:
        return trained
    if trained is not None and trained._replace(appended=()) != PRESETS[option]:
        raise InputError(
            f"--language-tokens {option}: {origin} was trained with others, such as "
            f"{trained.token('de')} {trained.place}; leave the option out"
        )
    return trained or PRESETS[option]


def find_unsaid(symbols: Sequence[str], language: str) -> Optional[str]:
    """A value of `--language-tokens` in whose style a dictionary has a token for a language.

    Example: `find_unsaid(["a", "[de_DE]"], "de") == "mbart50"`; None where there is none.
    """
    for name in ("m2m", "mbart50", "marian"):  # one of each style
        if language_of(language) in map(language_of, PRESETS[name].languages(symbols)):
            return name
    return None


def find_language(language: str, known: Mapping[str, int]) -> str:
    """The code under which a model has a token for a language.

    Args:
        language: as the data-bin and the inventory call it.
        known: codes that have a token.

    Raises:
        InputError: if there is none, or more than one.

    Example: `find_language("de", {"deu_Latn": 4, "eng_Latn": 5}) == "deu_Latn"`.
    """
    if language in known:
        return language
    same = [code for code in known if language_of(code) == language_of(language)]
    if len(same) == 1:
        return same[0]
    accepted = ", ".join(sorted(same or known)) or "none"
    raise InputError(
        f"language {language!r} has {'several tokens' if same else 'no token'} in the dictionary; "
        f"name the language as one of: {accepted:.1000}"
    )


def _listed(languages) -> Tuple[str, ...]:
    """Codes of an option that is a list, or a text with commas."""
    if isinstance(languages, str):
        languages = languages.split(",")
    return tuple(languages or ())
