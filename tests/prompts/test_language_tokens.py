"""How pretrained multilingual models are told their languages."""

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.prompts.language_tokens import (
    DATA_TAGS,
    LANGUAGE_TOKENS,
    PRESETS,
    LanguageTokens,
    choose_language_tokens,
    find_language,
    find_unsaid,
)

MULTI = {"task": "translation_multi_simple_epoch"}
M2M = {**MULTI, "encoder_langtok": "src", "decoder_langtok": True, "langs": ["de", "en"]}
APPENDED = ("__de__", "__en__")


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"task": "translation"}, None),
        ({}, None),
        (MULTI, None),
        (M2M, PRESETS["m2m"]._replace(appended=APPENDED)),
        (
            {**M2M, "lang_tok_style": "mbart", "langs": "de_DE,en_XX"},
            PRESETS["mbart50"]._replace(appended=("[de_DE]", "[en_XX]", "<mask>")),
        ),
        ({**MULTI, "encoder_langtok": "tgt"}, PRESETS["tgt"]),
        (
            {**MULTI, "encoder_langtok": "tgt", "lang_tok_replacing_bos_eos": True},
            PRESETS["tgt-for-eos"],
        ),
        # what a list of specifications says goes before the switches
        ({**M2M, "langtoks": {"main": ("tgt", None)}, "langs": None}, PRESETS["tgt"]),
        (
            {**M2M, "langtoks": {"mined": ("src.mined", "tgt")}, "langtoks_specs": "main,mined"},
            PRESETS["m2m"]._replace(appended=(*APPENDED, "__de_mined__", "__en_mined__")),
        ),
        # NLLB's: what its sources had behind the token comes last
        (
            {**M2M, "extra_data": "{'mono_dae': 'x'}", "add_data_source_prefix_tags": True},
            PRESETS["nllb"]._replace(appended=(*APPENDED, "<mask>", *DATA_TAGS)),
        ),
        (
            {"task": "translation_from_pretrained_bart", "langs": "ar_AR,de_DE"},
            PRESETS["mbart25"]._replace(appended=("[ar_AR]", "[de_DE]", "<mask>")),
        ),
        ({"task": "multilingual_denoising", "add_lang_token": False, "langs": "de_DE"}, None),
    ],
)
def test_settings_of_fairseq_s_tasks(settings, expected):
    assert LanguageTokens.of_settings(settings) == expected


def test_tokens_that_name_tasks_are_refused():
    with pytest.raises(InputError, match="add_ssl_task_tokens"):
        LanguageTokens.of_settings({**M2M, "add_ssl_task_tokens": True})


@pytest.mark.parametrize(
    "preset, symbols, message",
    [
        ("mbart50", ["de"], r"no token such as \[fr\]; append"),
        ("m2m", ["de", "[de_DE]"], "no token such as __fr__; .*--language-tokens mbart"),
        ("marian", ["__de__"], "no token such as >>fr<<; .*--language-tokens m2m"),
    ],
)
def test_a_dictionary_without_the_tokens_is_refused(preset, symbols, message):
    with pytest.raises(InputError, match=message):
        PRESETS[preset].check_known(symbols, "fr")
    PRESETS[preset].check_known([*symbols, PRESETS[preset].token("fr")], "fr")


@pytest.mark.parametrize(
    "preset, language, token",
    [("m2m", "de", "__de__"), ("mbart50", "de_DE", "[de_DE]"), ("marian", "deu", ">>deu<<")],
)
def test_how_tokens_are_written(preset, language, token):
    tokens = PRESETS[preset]
    assert tokens.token(language) == token
    assert tokens.languages(["word", token, "__", "[]"]) == {language: 1}


def test_a_list_has_it_all():
    tokens = PRESETS["mbart25"]._replace(appended=("[de_DE]",))
    assert LanguageTokens.of_list([*tokens]) == tokens
    assert LanguageTokens.of_list(None) is None


@pytest.mark.parametrize(
    "symbols, style",
    [
        (["de", "__fr__"], None),
        (["__deu_Latn__"], "m2m"),
        (["__fr__", "[de_DE]"], "mbart50"),
        ([">>de<<"], "marian"),
    ],
)
def test_tokens_that_nobody_says_are_found(symbols, style):
    assert find_unsaid(symbols, "de") == style


def test_which_tokens_are_said():
    trained = PRESETS["m2m"]._replace(appended=APPENDED)
    assert choose_language_tokens("auto", trained, "a.pt") == trained
    assert choose_language_tokens("m2m", trained, "a.pt") == trained
    assert choose_language_tokens("none", trained, "a.pt") is None
    assert choose_language_tokens("auto", None, "a.pt") is None
    assert choose_language_tokens("mbart50", None, "a.pt") == PRESETS["mbart50"]
    for option in set(LANGUAGE_TOKENS) - {"auto", "none", "m2m", "nllb"}:
        with pytest.raises(InputError, match=f"--language-tokens {option}: a.pt"):
            choose_language_tokens(option, trained, "a.pt")


@pytest.mark.parametrize(
    "language, code", [("de", "de"), ("de_DE", "de"), ("eng", "eng_Latn"), ("en", "eng_Latn")]
)
def test_a_language_is_found_under_another_code(language, code):
    assert find_language(language, {"de": 4, "eng_Latn": 5, "zho_Hans": 6, "zho_Hant": 7}) == code


@pytest.mark.parametrize("language, accepted", [("zh", "zho_Hans, zho_Hant"), ("fr", "de")])
def test_a_language_without_one_token_is_refused(language, accepted):
    with pytest.raises(InputError, match=f"'{language}'.*{accepted}"):
        find_language(language, {"de": 4, "zho_Hans": 6, "zho_Hant": 7})
