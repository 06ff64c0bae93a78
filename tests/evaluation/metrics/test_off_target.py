from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics import Languages, Translations
from fairseq_instr.evaluation.metrics.off_target import build_vocabulary, foreign_words, measure
from fairseq_instr.sample import LANGUAGES, generate
from fairseq_instr.text.identification import LangidIdentifier, identify

SENTENCES = {code: [s.texts[code] for s in generate(3, seed=3)] for code in LANGUAGES}
IDENTIFIER = LangidIdentifier()


def figures(outputs, source="it", target="nl", languages=LANGUAGES, **more):
    knows = Languages(more.pop("identifier", IDENTIFIER), languages, **more)
    return measure(Translations(outputs, outputs, target, source, knows))[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_real_sentences_are_on_target_in_their_own_language(language):
    found = figures(SENTENCES[language], "it" if language != "it" else "nl", language)
    assert found["on_target"] == found["on_target_unrestricted"] == 100
    assert found["off_target"] == found["off_target_unrestricted"] == 0


def test_each_wrong_language_is_counted_where_it_belongs():
    outputs = [*SENTENCES["nl"][:2], *SENTENCES["en"][:2], *SENTENCES["it"], SENTENCES["de"][0]]
    found = figures(outputs)
    for ending in ("", "_unrestricted"):
        assert found["on_target" + ending] == found["in_english" + ending] == 25
        assert found["in_source" + ending] == 37.5
        assert found["off_target" + ending] == 75
    assert found["lines"] == 8


def test_the_stated_set_alone_decides_the_restricted_figures():
    # Portuguese is not in the set: among all languages it is itself, among these something else
    outputs = ["Ontem esperámos muito tempo pelo comboio na estação, não foi?"] * 4
    among_all, among_stated = identify(outputs, IDENTIFIER, None, LANGUAGES)
    assert among_all == ["pt"] * 4
    assert set(among_stated) <= set(LANGUAGES)
    assert figures(outputs, target="fr")["in_source_unrestricted"] == 0
    two = figures(SENTENCES["de"], "ro", "fr", ["fr", "ro"])
    assert two["on_target"] + two["in_source"] == 100
    assert two["on_target_unrestricted"] == two["in_source_unrestricted"] == 0


@pytest.mark.parametrize("target", ["nb", "no"])
def test_a_language_that_the_identifier_calls_by_the_code_of_the_whole_is_on_target(target):
    outputs = [
        "Jeg har ikke sett filmen ennå, men jeg gleder meg til helgen.",
        "Eg har ikkje sett filmen enno, men eg gler meg til helga.",
    ]
    assert identify(outputs, IDENTIFIER, None) == [["no", "nb"]]
    found = figures(outputs, "en", target, ["en", target])
    assert found["on_target"] == found["on_target_unrestricted"] == 100
    assert figures(outputs, "en", "nn", ["en", "nn"])["on_target_unrestricted"] == 50


def test_an_empty_output_is_never_on_target():
    found = figures(["", "  ", "\u00a0", *SENTENCES["en"]], target="en")
    assert (found["lines"], found["empty"], found["short"]) == (6, 3, 0)
    assert found["on_target"] == found["in_english"] == found["off_target_unrestricted"] == 50


def test_short_outputs_are_counted():
    outputs = ["De kinderen", "Sleutels", "The children", "", SENTENCES["nl"][0], "Op de trein"]
    assert (figures(outputs)["empty"], figures(outputs)["short"]) == (1, 3)


@given(outputs=st.lists(st.text(max_size=30), max_size=6), seed=st.randoms(use_true_random=False))
def test_any_text_in_any_order_gives_shares_that_add_up(outputs, seed):
    found = figures(outputs)
    shuffled = list(outputs)
    seed.shuffle(shuffled)
    assert figures(shuffled) == found
    for ending in ("", "_unrestricted"):
        whole = found["on_target" + ending] + found["off_target" + ending]
        assert whole == pytest.approx(100 if outputs else 0, abs=0.011)
    assert found["empty"] + found["short"] <= found["lines"] == len(outputs)


class FirstWordIdentifier:
    """Takes the first word of a line for its code, and knows no second choice."""

    signature = "first-word:1"
    languages = {*LANGUAGES, "xx"}

    def rank(self, lines):
        return [line.split()[:1] for line in lines]


def test_the_identifier_is_replaceable_and_signs_the_score():
    knows = Languages(FirstWordIdentifier(), LANGUAGES)
    outputs = ["nl a b", "it a b", "en a b", "xx a b", ""]
    found, signed = measure(Translations(outputs, outputs, "nl", "it", knows))
    assert found["on_target"] == found["in_source"] == found["in_english"] == 20
    assert signed == {"language identification": "lid:first-word:1|set:de+en+fr+it+nl+ro|lines:5"}


# -- words of other languages -----------------------------------------------------------------


def test_a_vocabulary_counts_folded_words():
    lines = ["Der Hund, der bellt: 2-mal!", "DER Straße_1"]
    assert build_vocabulary(lines) == {
        "der": 3, "hund": 1, "bellt": 1, "mal": 1, "strasse": 1,
    }  # fmt: skip
    assert build_vocabulary(lines, min_count=2) == {"der": 3}


def test_only_words_that_the_target_lacks_and_another_has_are_foreign():
    vocabularies = {
        "de": build_vocabulary(["Der Hund bellt in Berlin"]),
        "en": build_vocabulary(["The dog barks in Berlin"]),
        "nl": build_vocabulary(["De hond blaft in Berlin, the end"]),
    }
    # der: own; the: en and nl; dog: en; in, Berlin: shared; Xylo: nobody's; 42: no word
    assert foreign_words(["Der Xylo"], "de", vocabularies) == 0
    assert foreign_words(["", "42 !"], "de", vocabularies) is None
    assert "foreign_words" not in figures([""], "en", "de", vocabularies=vocabularies)
    found = foreign_words(["Der Hund", "The DOG in Berlin Xylo 42"], "de", vocabularies)
    assert found == round(100 * 2 / 7, 2)


def test_identification_misses_mixed_sentences_that_the_words_show():
    vocabularies = {language: build_vocabulary(lines) for language, lines in SENTENCES.items()}
    mixed = ["Die Kinder bringen für mich 7 chairs mit."]
    found = figures(mixed, "en", "de", vocabularies=vocabularies)
    assert found["off_target"] == 0
    assert found["foreign_words"] == round(100 / 7, 2)


@pytest.mark.parametrize(
    "call, named",
    [
        (lambda: figures(["a"], languages=["en", "it"]), "--languages"),
        (lambda: figures(["a"], languages=[]), "--languages"),
        (lambda: figures(["a"], "it", "tlh", ["it", "tlh"]), "tlh"),
        (lambda: foreign_words(["a"], "nl", {"en": {"a"}}), "--training-text"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(call, named):
    with pytest.raises(InputError, match=named) as caught:
        call()
    assert "\n" not in str(caught.value)
