from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.off_target import (
    build_vocabulary,
    foreign_words,
    measure_off_target,
    measure_with_floor,
)
from fairseq_instr.text.identification import LangidIdentifier, identify

SENTENCES = {
    "de": [
        "Gestern haben wir am Bahnhof lange auf den Zug gewartet.",
        "Die Kinder spielen nach der Schule im Garten Fußball.",
        "Kannst du mir bitte sagen, wo ich die Schlüssel finde?",
    ],
    "en": [
        "Yesterday we waited a long time for the train at the station.",
        "The children play football in the garden after school.",
        "Could you please tell me where I can find the keys?",
    ],
    "fr": [
        "Hier, nous avons longtemps attendu le train à la gare.",
        "Les enfants jouent au football dans le jardin après l'école.",
        "Peux-tu me dire où je peux trouver les clés, s'il te plaît ?",
    ],
    "it": [
        "Ieri abbiamo aspettato a lungo il treno alla stazione.",
        "I bambini giocano a calcio nel giardino dopo la scuola.",
        "Puoi dirmi per favore dove posso trovare le chiavi?",
    ],
    "nl": [
        "Gisteren hebben we op het station lang op de trein gewacht.",
        "De kinderen spelen na school voetbal in de tuin.",
        "Kun je me alsjeblieft zeggen waar ik de sleutels kan vinden?",
    ],
    "cs": [
        "Včera jsme na nádraží dlouho čekali na vlak.",
        "Děti si po škole hrají na zahradě s míčem.",
        "Můžeš mi prosím říct, kde najdu klíče?",
    ],
}
LANGUAGES = sorted(SENTENCES)


@pytest.fixture(scope="module")
def identifier():
    return LangidIdentifier()


def measure(outputs, identifier, source="it", target="nl", **options):
    return measure_off_target(outputs, source, target, LANGUAGES, identifier, **options)


@pytest.mark.parametrize("language", LANGUAGES)
def test_real_sentences_are_on_target_in_their_own_language(language, identifier):
    source = "it" if language != "it" else "nl"
    result = measure(SENTENCES[language], identifier, source=source, target=language)
    assert result.restricted.on_target == result.unrestricted.on_target == 1.0
    assert result.restricted.off_target == result.unrestricted.off_target == 0.0


def test_each_wrong_language_is_counted_where_it_belongs(identifier):
    outputs = [*SENTENCES["nl"][:2], *SENTENCES["en"][:2], *SENTENCES["it"], SENTENCES["de"][0]]
    for shares in (
        measure(outputs, identifier).restricted,
        measure(outputs, identifier).unrestricted,
    ):
        assert shares.lines == 8
        assert shares.on_target == 2 / 8
        assert shares.in_english == 2 / 8
        assert shares.in_source == 3 / 8
        assert shares.off_target == 6 / 8


def test_the_stated_set_alone_decides_the_restricted_figures(identifier):
    # Portuguese is not in the set: among all languages it is itself, among these something else
    outputs = ["Ontem esperámos muito tempo pelo comboio na estação, não foi?"] * 4
    result = measure(outputs, identifier, target="fr")
    among_all, among_stated = identify(outputs, identifier, None, LANGUAGES)
    assert among_all == ["pt"] * 4
    assert set(among_stated) <= set(LANGUAGES)
    assert result.unrestricted.in_source == 0.0
    assert result.languages == LANGUAGES
    two = measure_off_target(SENTENCES["de"], "cs", "fr", ["fr", "cs"], identifier)
    assert two.restricted.on_target + two.restricted.in_source == pytest.approx(1.0)
    assert two.unrestricted.on_target == two.unrestricted.in_source == 0.0


def test_an_empty_output_is_never_on_target(identifier):
    result = measure(["", "  ", "\u00a0", *SENTENCES["en"]], identifier, target="en")
    assert (result.lines, result.empty, result.short) == (6, 3, 0)
    assert result.restricted.on_target == result.restricted.in_english == 0.5
    assert result.unrestricted.off_target == 0.5


def test_short_outputs_are_shown_apart(identifier):
    outputs = ["De kinderen", "Sleutels", "The children", "", SENTENCES["nl"][0], "Op de trein"]
    result = measure(outputs, identifier)
    assert (result.empty, result.short) == (1, 3)
    assert result.short_restricted.lines == result.short_unrestricted.lines == 3
    (codes,) = identify(outputs[:3], identifier, LANGUAGES)
    assert result.short_restricted.on_target == pytest.approx(codes.count("nl") / 3)
    assert result.short_restricted.in_english == pytest.approx(codes.count("en") / 3)


def test_no_output_at_all_is_no_error(identifier):
    result = measure([], identifier)
    assert result.lines == 0
    assert result.restricted.off_target == result.short_restricted.off_target == 0.0


@given(outputs=st.lists(st.text(max_size=30), max_size=6), seed=st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_any_text_in_any_order_gives_shares_that_add_up(outputs, seed):
    identifier = LangidIdentifier()
    result = measure(outputs, identifier, source="it", target="nl")
    shuffled = list(outputs)
    seed.shuffle(shuffled)
    assert measure(shuffled, identifier, source="it", target="nl") == result
    for shares in (result.restricted, result.unrestricted):
        assert shares.on_target + shares.off_target == (1.0 if outputs else 0.0)
        assert shares.on_target + shares.in_source + shares.in_english <= 1.0 + 1e-9
    assert result.empty + result.short <= result.lines == len(outputs)


class FirstWordIdentifier:
    """Takes the first word of a line for its code, and knows no second choice."""

    signature = "first-word:1"
    languages = {*LANGUAGES, "xx"}

    def rank(self, lines):
        return [line.split()[:1] for line in lines]


def test_the_identifier_is_replaceable_and_signs_the_score():
    result = measure(["nl a b", "it a b", "en a b", "xx a b", ""], FirstWordIdentifier())
    assert (result.restricted.on_target, result.restricted.in_source) == (0.2, 0.2)
    assert result.restricted.in_english == 0.2
    assert result.signature == "lid:first-word:1|set:cs+de+en+fr+it+nl|lines:5"


def test_the_floor_is_what_the_references_score(identifier):
    references = [*SENTENCES["nl"][:2], "OK"]
    scores = measure_with_floor(SENTENCES["en"], references, "it", "nl", LANGUAGES, identifier)
    assert scores["outputs"].restricted.off_target == 1.0
    assert scores["floor"] == measure(references, identifier)
    assert scores["floor"].short == 1


def test_results_are_json(identifier):
    vocabularies = {language: build_vocabulary(lines) for language, lines in SENTENCES.items()}
    result = measure(SENTENCES["nl"], identifier, vocabularies=vocabularies).to_dict()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["restricted"]["on_target"] == 1.0
    assert result["foreign_words"]["share"] == 0.0


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
    result = foreign_words(["Der Hund", "The DOG in Berlin Xylo 42"], "de", vocabularies)
    assert result.words == 7
    assert result.share == pytest.approx(2 / 7)
    assert result.by_language == {"en": pytest.approx(2 / 7), "nl": pytest.approx(1 / 7)}


def test_identification_misses_mixed_sentences_that_the_words_show(identifier):
    vocabularies = {language: build_vocabulary(lines) for language, lines in SENTENCES.items()}
    mixed = ["Die Kinder spielen nach der Schule im garden Fußball."]
    result = measure(mixed, identifier, source="en", target="de", vocabularies=vocabularies)
    assert result.restricted.off_target == 0.0
    assert result.foreign_words.share == pytest.approx(1 / 9)
    assert result.foreign_words.by_language["en"] == pytest.approx(1 / 9)


def test_no_words_no_share():
    result = foreign_words(["", "42 !"], "de", {"de": {"der"}})
    assert (result.words, result.share, result.by_language) == (0, 0.0, {})


# -- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda i: measure_off_target(["a"], "it", "nl", ["en", "it"], i), "en, it lack nl"),
        (lambda i: measure_off_target(["a"], "it", "nl", [], i), r"\(none\) lack it, nl"),
        (
            lambda i: measure_off_target(["a"], "it", "tlh", ["it", "tlh"], i),
            "languages tlh can't be identified by langid:.*accepted: af, am",
        ),
        (
            lambda i: measure_with_floor(["a"], ["b", "c"], "it", "nl", ["it", "nl"], i),
            "outputs 1, references 2",
        ),
        (lambda i: foreign_words(["a"], "nl", {"en": {"a"}}), "'nl'; there are en"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(call, message, identifier):
    with pytest.raises(InputError, match=message) as caught:
        call(identifier)
    assert "\n" not in str(caught.value)
