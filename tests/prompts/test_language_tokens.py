"""How pretrained multilingual models are told their languages."""

import pytest

from fairseq_instr.prompts.language_tokens import LanguageTokens

MULTI = {"task": "translation_multi_simple_epoch"}
M2M = {**MULTI, "encoder_langtok": "src", "decoder_langtok": True, "langs": ["de", "en"]}


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"task": "translation"}, None),
        ({}, None),
        (MULTI, None),
        (M2M, LanguageTokens("src", True, "multilingual", "in-front", ("de", "en"))),
        (
            {**M2M, "lang_tok_style": "mbart", "langs": "de_DE,en_XX"},
            LanguageTokens("src", True, "mbart", "in-front", ("de_DE", "en_XX")),
        ),
        ({**MULTI, "encoder_langtok": "tgt"}, LanguageTokens("tgt", False)),
        (
            {**MULTI, "encoder_langtok": "tgt", "lang_tok_replacing_bos_eos": True},
            LanguageTokens("tgt", False, place="for-eos"),
        ),
        # what a list of specifications says goes before the switches
        ({**M2M, "langtoks": {"main": ("tgt", None)}, "langs": None}, LanguageTokens("tgt", False)),
        (
            {**M2M, "langtoks": {"mined": ("src.mined", "tgt")}},
            LanguageTokens("src", True, languages=("de", "en")),
        ),
        (
            {"task": "translation_from_pretrained_bart", "langs": "ar_AR,de_DE"},
            LanguageTokens("src", True, "mbart", "behind-eos", ("ar_AR", "de_DE")),
        ),
    ],
)
def test_settings_of_fairseq_s_tasks(settings, expected):
    assert LanguageTokens.of_settings(settings) == expected


@pytest.mark.parametrize(
    "style, language, token", [("multilingual", "de", "__de__"), ("mbart", "de_DE", "[de_DE]")]
)
def test_how_tokens_are_written(style, language, token):
    assert LanguageTokens("src", True, style).token(language) == token
