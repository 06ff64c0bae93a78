"""Boosted tokens: the arithmetic, and what the search does with it."""

import math

import numpy as np
import pytest
import torch

from fairseq_instr.errors import InputError
from fairseq_instr.generation import language_boost as module
from fairseq_instr.generation.language_boost import count_tokens, language_boost
from fairseq_instr.generation.translator import Translator


def test_by_hand():
    counts = {"en": np.array([8, 0, 4, 0]), "it": np.array([0, 8, 4, 0])}
    # shares of it: 1/16, 9/16, 5/16; means: 5/16, 5/16, 5/16; the last token is in no text
    expected = [math.log(1 / 5), math.log(9 / 5), 0.0, 0.0]
    assert language_boost(counts, "it").tolist() == pytest.approx(expected)
    assert language_boost(counts, "en").tolist() == pytest.approx(
        [expected[1], expected[0], 0.0, 0.0]
    )


def test_lines_are_counted_without_their_ends(monkeypatch):
    lines = [torch.tensor(line) for line in ([4, 4, 2], [5, 2], [6, 2], [2])]
    assert count_tokens(lines, 8).tolist() == [0, 0, 0, 0, 2, 1, 1, 0]
    monkeypatch.setattr(module, "MOST_LINES", 2)
    assert count_tokens(lines, 8).tolist() == [0, 0, 0, 0, 2, 0, 0, 0]  # the first and the last


@pytest.fixture(scope="module")
def load(multilingual):
    def load(source, target, **options):
        return Translator.from_pretrained(
            multilingual.checkpoints[0], multilingual.data, None, source, target, beam=2,
            max_len_a=0, max_len_b=8, **options,
        )  # fmt: skip

    return load


def test_a_strong_boost_leaves_the_target_language_alone(multilingual, load):
    """The three languages of the text share no word."""
    lines = multilingual.valid["fr"]
    german = {word for line in multilingual.valid["de"] for word in line.split()}
    boosted = load("fr", "de", language_boost=50.0).translate(lines)
    assert {word for line in boosted for word in line.split()} <= german
    assert any(boosted)
    # of each direction its own, from the same loaded model
    back = load("fr", "de", language_boost=50.0).for_direction("de", "fr")
    french = {word for line in multilingual.valid["fr"] for word in line.split()}
    found = back.translate(multilingual.valid["de"])
    assert {word for line in found for word in line.split()} <= french


def test_scores_are_the_model_s_own(multilingual, load):
    """A boost that changes no output changes no score."""
    lines = multilingual.valid["en"]
    plain = load("en", "de").translate_n_best(lines, n_best=1)
    boosted = load("en", "de", language_boost=1e-6).translate_n_best(lines, n_best=1)
    for (one,), (other,) in zip(plain, boosted):
        assert one.text == other.text and one.score == pytest.approx(other.score, abs=1e-4)


def test_a_weight_that_makes_no_sense_is_refused(load):
    with pytest.raises(InputError, match="--language-boost -1"):
        load("en", "de", language_boost=-1.0)


def test_text_that_is_not_there_is_named(multilingual, load):
    with pytest.raises(InputError, match="--language-boost 1.0: .*'nothing'"):
        load("en", "de", language_boost=1.0, train_subset="nothing")
