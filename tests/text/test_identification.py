"""Language identification: langid's own answers, for what a line says."""

import langid
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langid.langid import LanguageIdentifier as ReferenceLangid

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Context, catalogue
from fairseq_instr.sample import generate
from fairseq_instr.text.identification import LangidIdentifier, bare_text, identify
from fairseq_instr.text.lines import read_lines

LANGUAGES = ["de", "en", "fr", "it", "nl", "ro"]
REFERENCE = ReferenceLangid.from_modelstring(langid.langid.model, norm_probs=False)
GERMAN = "ein hund schläft"


@given(text=st.text(max_size=60).filter(bare_text))
def test_one_pass_finds_what_langid_itself_finds(text):
    expected = []
    for languages in (None, LANGUAGES):
        REFERENCE.set_languages(languages)
        expected.append([REFERENCE.classify(bare_text(text))[0]])
    assert identify([text], LangidIdentifier(), None, LANGUAGES) == expected


def test_the_process_wide_langid_is_left_alone():
    lines = ["Včera jsme na nádraží dlouho čekali na vlak."]
    langid.set_languages(["de", "en"])
    try:
        assert identify(lines, LangidIdentifier(), ["cs", "nl"], None) == [["cs"], ["cs"]]
        assert langid.classify(lines[0])[0] in ("de", "en")
    finally:
        langid.set_languages(None)


def test_there_is_one_model_in_a_process():
    assert LangidIdentifier()._model is LangidIdentifier("langid")._model


@pytest.mark.parametrize(
    "line",
    [
        "Ein Hund schläft",
        "EIN HUND SCHLÄFT",
        "Ein Hund Schla\u0308ft",  # NFD
        "<B>Ein Hund</B> schläft",
        '<a href="https://example.org">Ein Hund schläft</a>',
        "<translation>Ein Hund schl&auml;ft</translation>",
        '{"translation": "Ein Hund schläft"}',
        ' ["Ein Hund", {"x": "schläft", "n": 3}]',
        "**Ein _Hund_** `schläft`",
        "# Ein Hund schläft",
        "Ein / Hund / schläft",
        "Ein_Hund_schläft",
        "Ein Hund <eol> schläft",
        "Ein Hund {name} schläft www@example.org https://example.org/the/dog?is=asleep",
    ],
)
def test_a_line_is_what_it_says(line):
    assert bare_text(line) == GERMAN


@pytest.mark.parametrize(
    "line", ["", "  ", "\u00a0", "12:30!", "<b></b>", '{"translation": ""}', "[]"]
)
def test_a_line_that_says_nothing_is_in_no_language(line):
    assert bare_text(line) == ""
    assert identify([line], LangidIdentifier(), ["de", "en"], None) == [[None], [None]]


@given(st.text(max_size=60))
@example('{"translation": "Ein')
@example("[" * 99_999)
@example("{Ein} Hund < Katze > Maus")
def test_case_and_wrappers_say_nothing(text):
    assert bare_text(bare_text(text)) == bare_text(text)
    if text.upper().lower() == text.lower():  # not so for ß
        assert bare_text(text.upper()) == bare_text(text) or "&" in text


def share(lines, language, languages):
    found = identify(lines, LangidIdentifier(), languages, None)
    return min(codes.count(language) / len(lines) for codes in found)


FORMATS = ("uppercase", "titlecase", "ascii", "word-slashes", "underscores", "json", "xml",
           "html-bold", "markdown-bold")  # fmt: skip


def check_formats(lines, language, languages):
    """References under any format are identified as well as plain ones, but for 2 lines of 100."""
    plain = share(lines, language, languages)
    for name in FORMATS:
        instruction = catalogue()[name]
        if instruction.serves(language):
            context = Context(language=language)
            formatted = [instruction.rewrite(line, context) or line for line in lines]
            assert share(formatted, language, languages) >= plain - 0.02, name


@pytest.mark.parametrize("language", ["de", "en", "fr", "it", "nl"])
def test_references_of_the_sample_corpus_are_identified_under_any_format(language):
    lines = [s.texts[language] for s in generate(200, seed=1)]
    check_formats(lines, language, LANGUAGES)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["de", "en", "fr"])
def test_references_of_multi30k_are_identified_under_any_format(language, real_text):
    lines = read_lines(real_text(f"multi30k/test_2016_flickr.{language}.gz"))
    assert share(lines, language, ["de", "en", "fr"]) >= 0.98
    check_formats(lines, language, ["de", "en", "fr"])


def test_py3langid_where_it_is_installed():
    pytest.importorskip("py3langid")
    identifier = LangidIdentifier("py3langid")
    assert identifier.signature.startswith("py3langid:")
    assert identify(["EIN GROSSER HUND SCHLÄFT AUF DEM SOFA"], identifier, LANGUAGES) == [["de"]]


@pytest.mark.parametrize(
    "call, named",
    [
        (lambda: LangidIdentifier("fasttext"), "fasttext"),
        (lambda: identify(["a"], LangidIdentifier(), []), "none"),
        (lambda: identify(["a"], LangidIdentifier(), ["de", "tlh"]), "tlh"),
    ],
)
def test_what_cannot_be_identified_is_refused(call, named):
    with pytest.raises(InputError, match=named):
        call()
