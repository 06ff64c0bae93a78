import re

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.sample import LANGUAGES, generate, split, write
from fairseq_instr.sample.corpus import MAX_SENTENCES

SENTENCES = list(generate(4000, seed=5))
SIZES = {"train": 50, "valid": 10, "test": 20}

# Words that only one of the two addresses has. At the start of a sentence German Sie and Ihre
# may be third person, so they count only inside one.
MARKS = {
    "de": (r"(?<!^)(?<![.?!] )\b(Sie|Ihr|Ihre|Ihren)\b", r"\b(du|dich|dein|deine|deinen)\b"),
    "fr": (r"\b(vous|votre|vos)\b", r"\b(tu|toi|te|ton|ta|tes)\b"),
    "nl": (r"\b(u|uw|alstublieft)\b", r"\b(je|jou|alsjeblieft)\b"),
}


def test_the_seed_decides():
    once, again, other = ([s.texts for s in generate(200, seed)] for seed in (7, 7, 8))
    assert once == again
    assert once != other


def test_fewer_sentences_are_a_prefix_of_more():
    assert list(generate(10, 3)) == list(generate(20, 3))[:10]


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_distinct_in_every_language(language):
    assert len({s.texts[language] for s in SENTENCES}) == len(SENTENCES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_look_like_sentences(language):
    for sentence in SENTENCES:
        text = sentence.texts[language]
        assert text[0].isupper() and text[-1] in ".?!", text
        assert not re.search(r"\s\s|^\s|\s$|\n|_|\||/|None", text), text
        assert 2 <= len(text.split()) <= 18, text


@pytest.mark.parametrize("pattern", [r"\d+", r"\b(?:Anna|Paul)\b", r"[.?!]"])
def test_languages_agree_in_digits_names_and_end_marks(pattern):
    for sentence in SENTENCES:
        found = {tuple(sorted(re.findall(pattern, text))) for text in sentence.texts.values()}
        assert len(found) == 1, sentence.texts


def test_form_attribute_matches_the_text():
    for sentence in SENTENCES:
        form = sentence.attributes["form"]
        for text in sentence.texts.values():
            assert ("?" in text) == (form == "question"), text
        assert sentence.texts["en"].startswith("Please ") == (form == "request")
        assert re.search(r"\bbitte\b", sentence.texts["de"]) is None or form == "request"


def test_numbers_attribute_matches_the_text():
    for sentence in SENTENCES:
        digits = re.search(r"\d", sentence.texts["en"]) is not None
        assert (sentence.attributes.get("numbers") == "digits") == digits
    styles = [sentence.attributes.get("numbers") for sentence in SENTENCES]
    assert styles.count("digits") > 100 and styles.count("words") > 100


@pytest.mark.parametrize("language", MARKS)
def test_formality_attribute_matches_the_text(language):
    """No mark of the other address, and none at all where there is no attribute."""
    formal, informal = (re.compile(pattern) for pattern in MARKS[language])
    marked = 0
    for sentence in SENTENCES:
        text, formality = sentence.texts[language], sentence.attributes.get("formality")
        assert formality == "formal" or not formal.search(text), text
        assert formality == "informal" or not re.search(informal, text.lower()), text
        marked += bool(formal.search(text))
    assert marked > 200


def test_english_second_person_is_what_gets_a_formality():
    for sentence in SENTENCES:
        english = sentence.texts["en"]
        addresses = re.search(r"\b(you|your|please)\b", english.lower()) is not None
        assert addresses == ("formality" in sentence.attributes), english


def test_variants_say_the_same_in_the_other_address():
    addressed = [s for s in SENTENCES if "formality" in s.attributes]
    for sentence in addressed[:500]:
        formal = sentence.variant(formality="formal")
        informal = sentence.variant(formality="informal")
        assert formal.attributes == {**informal.attributes, "formality": "formal"}
        assert formal.texts["en"] == informal.texts["en"]
        for language in ("de", "fr", "it", "nl", "ro"):
            assert formal.texts[language] != informal.texts[language]
        assert sentence in (formal, informal)


def test_variant_writes_the_number_otherwise():
    sentence = next(s for s in SENTENCES if s.attributes.get("numbers") == "words")
    digits = sentence.variant(numbers="digits")
    assert digits.attributes["numbers"] == "digits"
    assert all(str(sentence.content.number) in text for text in digits.texts.values())
    assert digits.variant(numbers="words") == sentence


def test_variant_refuses_what_it_cannot_vary():
    plain = next(s for s in SENTENCES if set(s.attributes) == {"form"})
    with pytest.raises(InputError, match="formality"):
        plain.variant(formality="formal")
    with pytest.raises(InputError, match="'polite'"):
        plain.variant(formality="polite")


def test_splits_share_no_sentence():
    splits = split(SIZES, seed=1)
    assert {name: len(sentences) for name, sentences in splits.items()} == SIZES
    english = [s.texts["en"] for sentences in splits.values() for s in sentences]
    assert len(set(english)) == len(english) == sum(SIZES.values())


def test_a_larger_train_split_leaves_the_others_alone():
    small, large = split(SIZES, 1), split({**SIZES, "train": 80}, 1)
    assert small["test"] == large["test"] and small["valid"] == large["valid"]
    assert small["train"] == large["train"][:50]


@pytest.mark.parametrize("count", [-1, MAX_SENTENCES + 1])
def test_wrong_sizes(count):
    for ask in (generate, lambda n, seed: split({"train": n}, seed)):
        with pytest.raises(InputError, match=str(count)):
            ask(count, 1)


def test_write_aligns_the_languages(tmp_path):
    paths = write(tmp_path / "raw", SIZES, ["en", "de"], seed=1)
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == sorted(
        path.name for path in paths
    )
    for name, sentences in split(SIZES, seed=1).items():
        for language in ("en", "de"):
            data = (tmp_path / "raw" / f"{name}.{language}").read_bytes()
            lines = [sentence.texts[language] for sentence in sentences]
            assert data == ("\n".join(lines) + "\n").encode("utf-8")


def test_write_refuses_to_overwrite_and_then_writes_nothing(tmp_path):
    (tmp_path / "test.de").write_text("mine\n")
    with pytest.raises(InputError, match="test.de.*--force"):
        write(tmp_path, SIZES, ["en", "de"], seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["test.de"]
    assert (tmp_path / "test.de").read_text() == "mine\n"
    write(tmp_path, SIZES, ["en", "de"], seed=1, force=True)
    assert (tmp_path / "test.de").read_text(encoding="utf-8").count("\n") == SIZES["test"]


@pytest.mark.parametrize("languages", [["en", "es"], ["en", "en"], []])
def test_wrong_languages(tmp_path, languages):
    with pytest.raises(InputError, match="--languages.*en, de, fr, it, nl, ro"):
        write(tmp_path / "raw", SIZES, languages, seed=1)
    assert not (tmp_path / "raw").exists()
