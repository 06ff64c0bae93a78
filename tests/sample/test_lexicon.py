import pytest

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.lexicon import LANGUAGES, TABLES

OPTIONAL = {"particle"}
SECTIONS = ("nouns", "verbs", "modals", "copulas", "adjectives", "people", "places", "times",
            "predicates", "remarks")  # fmt: skip


@pytest.mark.parametrize("section", SECTIONS)
def test_every_row_has_every_language(section):
    for word, row in TABLES[section].items():
        assert set(LANGUAGES) <= set(row), word
    assert tuple(TABLES["columns"]) == tuple(TABLES["numbers"]) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("category", ["noun", "verb", "adjective"])
def test_every_row_fills_the_columns_of_its_language(language, category):
    columns = TABLES["columns"][language][category].split()
    needed = [column for column in columns if column not in OPTIONAL]
    for word, row in TABLES[f"{category}s"].items():
        assert len(needed) <= len(row[language].split()) <= len(columns), word


@pytest.mark.parametrize("language", LANGUAGES)
def test_modals_and_copulas_agree_in_as_many_persons_as_verbs(language):
    columns = TABLES["columns"][language]["verb"].split()
    persons = [c for c in columns if c[0].isdigit() or c in ("base", "stem", "plural")]
    for row in {**TABLES["modals"], **TABLES["copulas"]}.values():
        assert len(row[language].split()) == len(persons)


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_distinct_words_for_every_value(language):
    values = range(lexicon.SMALLEST_NUMBER, lexicon.LARGEST_NUMBER + 1)
    assert len({lexicon.number(language, value, False) for value in values}) == len(values)
    assert [lexicon.number(language, value, True) for value in values] == [str(v) for v in values]


def test_romanian_two_and_twelve_have_a_feminine():
    assert [lexicon.number("ro", 2, False, f) for f in (False, True)] == ["doi", "două"]
    assert lexicon.number("ro", 12, False, feminine=True) == "douăsprezece"
    assert lexicon.number("ro", 3, False, feminine=True) == "trei"


@pytest.mark.parametrize(
    "text, formality, after_preposition, expected",
    [
        ("du | dich / Sie", "informal", False, "du"),
        ("du | dich / Sie", "informal", True, "dich"),
        ("du | dich / Sie", "formal", True, "Sie"),
        ("im Park", "formal", False, "im Park"),
        ("- | te / Lei", "informal", False, ""),
    ],
)
def test_phrase_notation(text, formality, after_preposition, expected):
    assert lexicon.phrase(text, formality, after_preposition) == expected


def test_romanian_is_written_with_comma_below_not_cedilla():
    text = " ".join(row["ro"] for section in SECTIONS for row in TABLES[section].values())
    assert "ș" in text and "ț" in text
    assert not set("şţŞŢ") & set(text)
