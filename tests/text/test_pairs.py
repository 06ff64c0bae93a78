"""Pairs of languages in options."""

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.text.pairs import parse_pairs, split_pair


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
