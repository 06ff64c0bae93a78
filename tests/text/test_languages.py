"""The table of languages: codes, and facts that are whole."""

import dataclasses
import re

import pytest

from fairseq_instr.text.languages import (
    facts,
    language_of,
    languages,
    languages_with,
    same_language,
)
from fairseq_instr.text.languages.language import Language

PATTERNS = ("larger_numbers", "pronouns", "folded", "misfolded", "in_latin", "formal", "informal",
            "perhaps_formal", "perhaps_informal")  # fmt: skip


@pytest.mark.parametrize(
    "code, language",
    [("de", "de"), ("de_DE", "de"), ("de-AT", "de"), ("deu_Latn", "de"), ("DE", "de"),
     ("zh-CN", "zh"), ("zho_Hans", "zh"), ("pes_Arab", "fa"), ("xx", "xx"), ("", "")],
)  # fmt: skip
def test_a_code_names_a_language_with_or_without_region_and_script(code, language):
    assert language_of(code) == language
    assert facts(code).code == language


@pytest.mark.parametrize(
    "code, other, same",
    [("pt", "pt-BR", True), ("nb", "no", True), ("nob_Latn", "nor", True), ("nb", "nn", False),
     ("hr", "sr", False), ("", "nb", False), ("xx", "yy", False)],
)  # fmt: skip
def test_a_language_may_be_part_of_another(code, other, same):
    assert same_language(code, other) == same_language(other, code) == same


def test_a_language_without_a_file_has_a_code_and_nothing_else():
    assert facts("xx_YY") == Language("xx", name="xx")
    assert not any("xx" in languages_with(fact) for fact in ("greeting", "months", "formal"))


@pytest.mark.parametrize("language", languages().values(), ids=lambda language: language.code)
def test_facts_are_whole(language):
    assert re.fullmatch("[a-z]{2}", language.code) and language.name.istitle()
    assert len(language.months.split()) in (0, 12)
    assert len(language.numbers.split()) in (0, 11)
    assert (language.greeting.split("|")[0] + language.thanks).isascii()
    assert bool(language.formal) == bool(language.informal)
    for fact in PATTERNS:
        re.compile(getattr(language, fact))
    for name, value in dataclasses.asdict(language).items():
        assert value == getattr(Language("xx", "X"), name) or name in ("code", "name") or value


def test_every_fact_is_known_of_some_language():
    optional = {field.name for field in dataclasses.fields(Language)} - {"code", "name"}
    assert all(languages_with(fact) for fact in optional)
