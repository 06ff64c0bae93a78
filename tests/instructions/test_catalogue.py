"""Every instruction of the catalogue: what its rule writes, its verifier accepts, on any text."""

import random
import types
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Context, catalogue
from fairseq_instr.instructions.catalogue import find, look_up

SENTENCES = [
    line.split("\t")
    for line in Path(__file__).with_name("sentences.tsv").read_text(encoding="utf-8").splitlines()
]
LANGUAGES = ["cs", "de", "en", "es", "fr", "it", "nl", "pt", "ro", "ja"]
INSTRUCTIONS = list(catalogue().values())
VERIFIED = [i for i in INSTRUCTIONS if i.obeys is not None]
BY_RULE = [i for i in INSTRUCTIONS if i.rewrite is not None]
NATURAL = [i for i in INSTRUCTIONS if i.natural]
CYRILLIC = "Мама мыла раму. Їжак з'їв ґаву!"

# ordinary characters beside any at all, so that rules on words, digits and marks are met
ANY_TEXT = st.one_of(
    st.text(max_size=40),
    st.text(
        alphabet="aAzß üÜéñ ßẞıİſǅⅷªº²½0127.,:;!?…-–'\"„“»«<>b/p*|{}[]\\\u00a0\u0308\u2028\n\t",
        max_size=40,
    ),
    st.lists(
        st.sampled_from(
            "die the Ein drei Drei 3 12 13 zwei nouă sei Straße größer ||| / - <b> </b> <p> "
            '** " ... Hinweis: Note: {"translation": "x"} vous du Sie 1,5 10:30 1. März 2019 '
            "03.04.2001 2001-04-03 May 3, 12 Meilen miles km <eol> Guten Tag! Vielen Dank. grey "
            "Colour gray ` ( ) [ ] ' „ “ <translation> &amp; < Привет їжак {name} %s $x şapte "
            "dix-sept , der das ist http://a.b a@b.org".split()
        ),
        max_size=8,
    ).map(" ".join),
)
QUICK = settings(max_examples=50, deadline=None)


def languages_of(instruction):
    return sorted(instruction.languages or LANGUAGES)


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda i: i.name)
def test_every_instruction_says_where_its_samples_come_from(instruction):
    assert instruction.source_of_data in ("rule", "natural", "labelled")
    assert not (instruction.rewrite and instruction.natural)
    if instruction.source_of_data != "labelled":
        assert instruction.obeys is not None
    # what is found under an argument needs to draw one
    assert (instruction.draw is not None) == (instruction.natural and bool(instruction.argument))


def test_no_phrase_means_two_instructions_or_stands_twice():
    phrases = [phrase.lower() for i in INSTRUCTIONS for phrase in i.phrases]
    assert len(set(phrases)) == len(phrases)
    assert all(
        len(instruction.phrases) >= 6 and all(instruction.phrases) for instruction in INSTRUCTIONS
    )
    # a name is never another instruction's phrase
    for instruction in INSTRUCTIONS:
        others = [p for i in INSTRUCTIONS if i is not instruction for p in i.phrases]
        assert instruction.name not in others


@pytest.mark.parametrize("instruction", VERIFIED, ids=lambda i: i.name)
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


@pytest.mark.parametrize("instruction", NATURAL, ids=lambda i: i.name)
def test_natural_instructions_are_found_among_real_sentences(instruction):
    """How many obey is not told here: most do where an instruction forbids something."""
    found = 0
    for source, target in SENTENCES:
        if instruction.name in ("keep-placeholders", "keep-tags"):
            source += " {name} <b>x</b>"
            target += " {name} <b>x</b>" * ("t" in source)
        context = Context(source=source, language="de")
        if instruction.draw is None:
            found += instruction.obeys(target, context)
        else:
            argument = instruction.draw(target, context, random.Random(1))
            if argument is not None:
                filled = instruction.bind(argument)
                assert filled.obeys(target, context)
                found += 1
    assert found > 0


@pytest.mark.parametrize("instruction", BY_RULE, ids=lambda i: i.name)
def test_plain_sentences_that_obey_are_not_rewritten(instruction):
    if instruction.name == "latin-script":
        assert not instruction.obeys(CYRILLIC, Context(language="uk"))
        return
    language, column = ("de", 1) if instruction.serves("de") else ("en", 0)
    plain = [row for row in SENTENCES if row[0].startswith(("A man", "Several", "A woman"))]
    assert len(plain) == 3
    for row in plain:
        context = Context(source=row[0], language=language)
        if instruction.obeys(row[column], context):
            assert instruction.rewrite(row[column], context) is None


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
    else:
        assert instruction.name == name and name.startswith("to:")


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="'lowercas'.*'lowercase'.*--list"):
        look_up("lowercas")


def test_what_the_catalogue_knows_and_what_has_a_verifier():
    assert find("uppercase") is look_up("uppercase") is catalogue()["uppercase"]
    assert find("to:de").obeys is not None
    assert find("feminine").obeys is None
    assert find('begin-with="Heute"').obeys("Heute Abend", Context())
    assert find("our-style") is None
    with pytest.raises(InputError, match="our-style.*--list"):
        look_up("our-style")
    with pytest.raises(InputError, match="at-most"):
        find("at-most=many")


def test_a_family_without_its_list_or_with_a_name_twice_is_an_error(monkeypatch):
    families = [types.SimpleNamespace(INSTRUKTIONS=[]), types.SimpleNamespace(INSTRUCTIONS=[
        look_up("uppercase"), look_up("uppercase")
    ], __name__="family")]  # fmt: skip
    for family, error in zip(families, (AttributeError, ValueError)):
        catalogue.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr("importlib.import_module", lambda name, family=family: family)
            with pytest.raises(error):
                catalogue()
    catalogue.cache_clear()


@pytest.mark.parametrize(
    "asked, named",
    [
        ('begin-with=""', "begin-with"),
        ("uppercase=x", "uppercase"),
        ("at-most=many", "number"),
        ("at-most=0", "number"),
        ("use-term=cough", "SOURCE WORDS=TARGET WORDS"),
        ("begin-with=" + "x" * 201, "201"),
        ('begin-with="a\u202eb"', r"U\+202E"),
        ('begin-with="a\nb"', r"U\+000A"),
        ('begin-with="a\u2028b"', r"U\+2028"),
    ],
)
def test_arguments_that_are_not_accepted(asked, named):
    with pytest.raises(InputError, match=named):
        look_up(asked)
