"""Codes of languages and pairs of them."""

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.text.languages import language_of, parse_pairs, split_pair


@pytest.mark.parametrize(
    "code, language",
    [
        ("de", "de"), ("de_DE", "de"), ("deu_Latn", "de"), ("deu", "de"), ("en_XX", "en"),
        ("zh-CN", "zh"), ("zho_Hans", "zh"), ("cmn", "zh"), ("pt_BR", "pt"), ("iw", "he"),
        ("arb_Arab", "ar"), ("srp_Cyrl", "sr"), ("tgl_Latn", "tl"), ("ace_Latn", "ace"),
        ("prompt", "prompt"), ("__de__", "__de__"), ("", ""),
    ],
)  # fmt: skip
def test_the_language_of_a_code(code, language):
    assert language_of(code) == language


@pytest.mark.parametrize(
    "text, pair",
    [
        ("en-de", ("en", "de")), ("zh-CN-en", ("zh-CN", "en")), ("en-zh-CN", ("en", "zh-CN")),
        ("zh-CN-zh-TW", ("zh-CN", "zh-TW")), ("de_DE-en_XX", ("de_DE", "en_XX")),
        ("deu_Latn-zho_Hans", ("deu_Latn", "zho_Hans")),
        ("prompt-response", ("prompt", "response")),
        ("en", None), ("en-", None), ("-de", None), ("", None),
    ],
)  # fmt: skip
def test_a_pair_is_split_between_two_codes(text, pair):
    assert split_pair(text) == pair


def test_pairs_of_an_option():
    assert parse_pairs(" en-de, de-en ,", "--lang-pairs") == [("en", "de"), ("de", "en")]
    assert parse_pairs(None, "--lang-pairs") == []
    for text in ("en", "en-de,en-de"):
        with pytest.raises(InputError, match="--lang-pairs"):
            parse_pairs(text, "--lang-pairs")
