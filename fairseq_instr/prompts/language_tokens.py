"""Language tokens: how pretrained multilingual models are told their languages. Needs no torch.

    M2M-100, NLLB     __en__ Hello . </s>       ->  </s> __de__ Hallo . </s>
    mBART-50          [en_XX] Hello . </s>      ->  </s> [de_DE] Hallo . </s>
    mBART-25          Hello . </s> [en_XX]      ->  [de_DE] Hallo . </s>
    token for eos     Hello . __de__            ->  __de__ Hallo . </s>

Each is a setting of a task of fairseq: `translation_multi_simple_epoch`, or
`translation_from_pretrained_bart` for mBART-25.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Optional, Tuple

from fairseq_instr.errors import InputError

AUTO, NONE = "auto", "none"
LANGUAGE_TOKENS = (AUTO, NONE)
"""Values of `--language-tokens`."""
SOURCE, TARGET = "src", "tgt"
STYLES = {"multilingual": "__{}__", "mbart": "[{}]"}
IN_FRONT, FOR_EOS, BEHIND_EOS = "in-front", "for-eos", "behind-eos"
MBART_TASKS = ("translation_from_pretrained_bart", "multilingual_denoising")
MULTI_TASK = "translation_multi_simple_epoch"


class LanguageTokens(NamedTuple):
    """Which language tokens a model was trained with, and where they stand.

    Attributes:
        encoder: `src` or `tgt`, the language whose token the source has; None for no token.
        decoder: whether the decoder begins with the target language's token.
        style: how a token is written, one of `STYLES`.
        place: where they stand. `in-front`: in front of the source, and after the decoder's
            first token. `for-eos`: instead of the source's eos and of the decoder's first token.
            `behind-eos`: behind the source's eos, and instead of the decoder's first token.
        languages: codes whose tokens the old task appended to the dictionary, in its order.
    """

    encoder: Optional[str]
    decoder: bool
    style: str = "multilingual"
    place: str = IN_FRONT
    languages: Tuple[str, ...] = ()

    def token(self, language: str) -> str:
        """The token of a language.

        Example: `LanguageTokens("src", True).token("de") == "__de__"`.
        """
        return STYLES[self.style].format(language)

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any]) -> Optional[LanguageTokens]:
        """What the settings of a checkpoint say; None where it was trained without.

        Args:
            settings: of the task, or those of everything in old checkpoints.
        """
        task = settings.get("task") or settings.get("_name")
        if task in MBART_TASKS:
            if not settings.get("add_lang_token", True):
                return None  # of a pretraining that had none
            languages = _listed(settings.get("langs"))
            return cls(SOURCE, True, "mbart", BEHIND_EOS, languages)
        if task != MULTI_TASK:
            return None
        langtoks = settings.get("langtoks") or {}
        of_decoder = TARGET if settings.get("decoder_langtok") else None
        encoder, decoder = langtoks.get("main") or (settings.get("encoder_langtok"), of_decoder)
        if not encoder and not decoder:
            return None
        replaced = settings.get("lang_tok_replacing_bos_eos")
        return cls(
            encoder[:3] if encoder else None,
            bool(decoder),
            settings.get("lang_tok_style") or "multilingual",
            FOR_EOS if replaced else IN_FRONT,
            _listed(settings.get("langs")),
        )


def refuse_language_tokens(settings: Mapping[str, Any], option: str, origin: str) -> None:
    """Refuse a checkpoint whose language tokens the prompts would not say.

    Args:
        settings: of the checkpoint's task.
        option: value of `--language-tokens`.
        origin: the checkpoint, for the error.

    Raises:
        InputError: unless there are none, or the texts hold them already.
    """
    tokens = LanguageTokens.of_settings(settings)
    if tokens is not None and option != NONE:
        raise InputError(
            f"{origin} was trained with language tokens such as {tokens.token('de')}, and prompts "
            "can't say them yet; put them into the texts, and give --language-tokens none"
        )


def _listed(languages) -> Tuple[str, ...]:
    """Codes of an option that is a list, or a text with commas."""
    if isinstance(languages, str):
        languages = languages.split(",")
    return tuple(languages or ())
