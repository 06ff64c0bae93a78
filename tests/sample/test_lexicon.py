import pytest

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.languages import REALISERS

OPTIONAL = {"particle"}


def test_every_language_has_a_realiser_and_columns():
    assert tuple(REALISERS) == lexicon.LANGUAGES == tuple(lexicon.COLUMNS)


@pytest.mark.parametrize("language", lexicon.LANGUAGES)
@pytest.mark.parametrize(
    "category, rows",
    [
        ("noun", lexicon.NOUNS),
        ("verb", lexicon.VERBS),
        ("adjective", lexicon.ADJECTIVES),
    ],
)
def test_every_row_fills_the_columns_of_its_language(language, category, rows):
    columns = lexicon.COLUMNS[language][category].split()
    for word, row in rows.items():
        given = len(row.forms[language].split())
        needed = [column for column in columns if column not in OPTIONAL]
        assert len(needed) <= given <= len(columns), (word, language)


@pytest.mark.parametrize("language", lexicon.LANGUAGES)
def test_modals_and_copulas_agree_in_as_many_persons_as_verbs(language):
    columns = lexicon.COLUMNS[language]["verb"].split()
    persons = [c for c in columns if c[0].isdigit() or c in ("base", "stem", "plural")]
    for row in {**lexicon.MODALS, **lexicon.COPULAS}.values():
        assert len(row[language].split()) == len(persons)


@pytest.mark.parametrize("language", lexicon.LANGUAGES)
def test_written_out_rows_have_every_language(language):
    rows = [row.forms for row in {**lexicon.PEOPLE, **lexicon.TIMES}.values()]
    rows += [*lexicon.PLACES.values(), *lexicon.REMARKS.values()]
    rows += [row.complement for row in lexicon.PREDICATES.values()]
    assert all(row[language] for row in rows)


@pytest.mark.parametrize("language", lexicon.LANGUAGES)
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
    rows = (lexicon.NOUNS, lexicon.VERBS, lexicon.ADJECTIVES, lexicon.PEOPLE, lexicon.TIMES)
    text = " ".join(row.forms["ro"] for table in rows for row in table.values())
    assert "ș" in text and "ț" in text
    assert not set("şţŞŢ") & set(text)
