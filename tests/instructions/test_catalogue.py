"""Every instruction of the catalogue: what its generator writes, its verifier accepts."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Context, catalogue
from fairseq_instr.instructions.catalogue import look_up

SENTENCES = [
    line.split("\t")
    for line in Path(__file__).with_name("sentences.tsv").read_text(encoding="utf-8").splitlines()
]
LANGUAGES = ["cs", "de", "en", "es", "fr", "it", "nl", "pt", "ro", "ja"]
INSTRUCTIONS = list(catalogue().values())

# ordinary characters beside any at all, so that rules on words, digits and marks are met
ANY_TEXT = st.one_of(
    st.text(max_size=40),
    st.text(
        alphabet="aAzß üÜéñ ßẞıİſǅⅷªº²½0127.,:;!?…-–'\"„“»«<>b/p*|{}[]\\\u00a0\u2028\n\t",
        max_size=40,
    ),
    st.lists(
        st.sampled_from(
            "die the Ein drei Drei 3 12 13 zwei nouă sei Straße größer ||| / - <b> </b> <p> "
            '** " ... Hinweis: Note: {"translation": "x"} vous du Sie 1,5 10:30'.split()
        ),
        max_size=8,
    ).map(" ".join),
)
QUICK = settings(max_examples=50, deadline=None)


def languages_of(instruction):
    return sorted(instruction.languages or LANGUAGES)


def ids(instruction):
    return instruction.name


def test_the_catalogue_has_at_least_twelve_instructions_on_eight_axes():
    assert len(INSTRUCTIONS) >= 12
    assert len({instruction.axis for instruction in INSTRUCTIONS}) >= 8


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=ids)
def test_every_instruction_has_a_verifier_and_distinct_phrases(instruction):
    assert instruction.obeys is not None
    assert len(instruction.phrases) >= 3
    assert len(set(instruction.phrases)) == len(instruction.phrases)


def test_no_phrase_means_two_instructions():
    phrases = [phrase for instruction in INSTRUCTIONS for phrase in instruction.phrases]
    assert len(set(phrases)) == len(phrases)


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=ids)
@given(text=ANY_TEXT, source=ANY_TEXT, data=st.data())
@QUICK
def test_any_text_is_rewritten_obediently_and_back_or_not_at_all(instruction, text, source, data):
    language = data.draw(st.sampled_from(languages_of(instruction)))
    context = Context(source=source, language=language)
    assert isinstance(instruction.unwrap(text, context), str)
    assert instruction.obeys(text, context) in (True, False)
    if instruction.rewrite is None:
        return
    rewritten = instruction.rewrite(text, context)
    if rewritten is None:
        return
    assert rewritten != text and instruction.obeys(rewritten, context)
    taken_off = instruction.unwrap(rewritten, context)
    assert taken_off == rewritten or taken_off.split() == text.split()


@pytest.mark.parametrize("instruction", [i for i in INSTRUCTIONS if i.rewrite is not None], ids=ids)
def test_the_generator_serves_real_sentences(instruction):
    """A generator that gives nothing would pass every property above."""
    language, column = ("de", 1) if "de" in languages_of(instruction) else ("en", 0)
    contexts = [(row[column], Context(source=row[0], language=language)) for row in SENTENCES]
    made = [instruction.rewrite(text, context) for text, context in contexts]
    assert sum(text is not None for text in made) >= 3


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=ids)
def test_plain_sentences_seldom_obey_by_chance(instruction):
    """Half of the sentences were written to be awkward; plain ones must not obey at all."""
    language, column = ("de", 1) if "de" in languages_of(instruction) else ("en", 0)
    plain = [row for row in SENTENCES if row[0].startswith(("A man", "Several", "A woman"))]
    assert len(plain) == 3
    for row in plain:
        assert not instruction.obeys(row[column], Context(source=row[0], language=language))


@pytest.mark.parametrize(
    "name, language, text, rewritten",
    [
        ("uppercase", "de", "Die Straße.", "DIE STRASSE."),
        ("lowercase", "de", "Die Straße.", "die straße."),
        ("titlecase", "de", "ein „kleiner“ Hund", "Ein „Kleiner“ Hund"),
        ("double-quotes", "de", "Ein Hund.", '"Ein Hund."'),
        ("guillemets", "de", "Ein Hund.", "»Ein Hund.«"),
        ("html-bold", "de", "Ein Hund.", "<b>Ein Hund.</b>"),
        ("markdown-bold", "de", "Ein Hund.", "**Ein Hund.**"),
        ("list-item", "de", "Ein Hund.", "- Ein Hund."),
        ("note-label", "de", "Ein Hund.", "Hinweis: Ein Hund."),
        ("bilingual", "de", "Ein Hund.", "A dog. ||| Ein Hund."),
        ("repeated", "de", "Ein Hund.", "Ein Hund. ||| Ein Hund."),
        ("json", "de", 'Der „"Hund".', '{"translation": "Der „\\"Hund\\"."}'),
        ("digits", "de", "Drei von zwölf.", "3 von 12."),
        ("number-words", "de", "2 von 12.", "Zwei von zwölf."),
        ("no-punctuation", "de", "Ja, ein Rock-'n'-Roll-Hund!", "Ja ein Rock n Roll-Hund"),
        ("no-punctuation", "de", "1.200,50 und/oder mehr?", "1.200,50 und oder mehr"),
        ("exclamation", "de", "Ein Hund ...", "Ein Hund!"),
        ("ellipsis", "de", "Ein Hund?!", "Ein Hund..."),
        ("word-slashes", "de", "Ein  Hund.", "Ein / Hund."),
        ("ascii", "de", "Ein größerer Café.", "Ein groesserer Cafe."),
        ("ascii", "ro", "Șapte țări", "Sapte tari"),
        ("swiss", "de", "Die Straße.", "Die Strasse."),
        ("telegraphic", "de", "Der Hund sieht eine Katze.", "Hund sieht Katze."),
    ],
)
def test_generators_on_literal_text(name, language, text, rewritten):
    context = Context(source="A dog.", language=language)
    assert look_up(name).rewrite(text, context) == rewritten


@pytest.mark.parametrize(
    "name, language, text",
    [
        ("digits", "de", "Ein Hund."),  # no number
        ("number-words", "de", "13 von 12."),  # no word known for 13
        ("number-words", "de", "Um 10:30 Uhr."),  # a time is no number
        ("swiss", "de", "Ein Hund."),
        ("ascii", "de", "Ein Hund."),
        ("exclamation", "de", "Ein Hund!"),
        ("uppercase", "de", "HALT!"),
        ("html-bold", "de", "..."),  # nothing to make bold
        ("word-slashes", "de", "Halt!"),
    ],
)
def test_generators_leave_out_what_they_do_not_apply_to(name, language, text):
    assert look_up(name).rewrite(text, Context(source="A dog.", language=language)) is None


@pytest.mark.parametrize(
    "name, language, output, obeyed",
    [
        ("formal", "de", "Könnten Sie mir Ihren Pass zeigen?", True),
        ("formal", "de", "Kannst du mir deinen Pass zeigen?", False),
        ("informal", "de", "Kannst du mir deinen Pass zeigen?", True),
        ("informal", "de", "KANNST DU MIR DEINEN PASS ZEIGEN?", True),
        ("formal", "de", "Es regnet.", False),
        ("formal", "fr", "Montrez-moi votre passeport.", True),
        ("informal", "fr", "Montre-moi ton passeport.", True),
        ("repeated", "de", "Ein Hund. ||| Ein Hund.", True),
        ("repeated", "de", "Ein Hund. ||| Eine ganz andere Katze schläft.", False),
        ("bilingual", "de", "A dog. ||| A dog.", False),
        ("json", "de", '{"translation": ""}', False),
        ("json", "de", '{"translation": "Ein Hund."', False),
        ("titlecase", "de", "EIN HUND", False),
        ("ascii", "de", "Ein Hund", False),  # nothing shows that it was folded
    ],
)
def test_verifiers_on_literal_text(name, language, output, obeyed):
    assert look_up(name).obeys(output, Context(source="A dog.", language=language)) is obeyed


def test_a_direction_is_made_for_any_language_and_judged_in_any_case():
    german = "Ein Mann steht vor dem großen Haus und wartet auf den Bus."
    into_german = look_up("to:de")
    assert into_german.axis == "target-language"
    assert into_german.obeys(german, Context(language="de"))
    assert into_german.obeys(german.upper(), Context(language="de"))
    assert not look_up("to:nl").obeys(german, Context(language="nl"))
    assert not look_up("to:en").obeys("", Context(language="en"))


@given(name=st.text(max_size=30))
@example("")
@example("to:")
@example("to:DE ; rm")
@QUICK
def test_an_unknown_name_is_refused_in_one_sentence(name):
    if name in catalogue():
        return
    try:
        instruction = look_up(name)
    except InputError as error:
        assert "\n" not in str(error)
        assert "accept" in str(error) or "uppercase" in str(error)
    else:
        assert instruction.name == name and name.startswith("to:")
