"""Finding corpora and language pairs in a data-bin."""

import pytest

from fairseq_instr.data.data_bin import (
    all_pairs,
    find_groups,
    holds_pair,
    monolingual_in,
    pairs_from,
    pairs_in,
)
from fairseq_instr.errors import InputError


def touch(root, *names):
    for name in names:
        path = root / f"{name}.idx"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    "names, split, groups",
    [
        ("train.en-de.en train.en-de.de valid.en-de.en", "train", {"parallel": ["."]}),
        ("train.en-de.en parallel/train.en-de.en", "train", {"parallel": [".", "parallel"]}),
        ("task/case/train.en-de.en task/empty/valid.en-de.en", "valid", {"task": ["task/empty"]}),
        (
            "task/case/train.en-de.en task/tone/train.en-de.en task/tone/train.instr-None.instr",
            "train",
            {"task": ["task/case", "task/tone"]},
        ),
        ("both/train.en-de.en both/in/train.de-en.en", "train", {"both": ["both", "both/in"]}),
        ("neither/deep/er/train.en-de.en train.instr-None.instr", "train", {}),
    ],
)
def test_folders_are_groups_and_their_folders_corpora(tmp_path, names, split, groups):
    touch(tmp_path, *names.split())
    assert find_groups(tmp_path, split) == groups


def test_a_missing_data_bin_is_named(tmp_path):
    with pytest.raises(InputError, match=r"data-bin .*nowhere does not exist"):
        find_groups(tmp_path / "nowhere", "train")


def test_pairs_are_found_in_both_directions_but_instructions_have_one(tmp_path):
    touch(tmp_path, "train.en-de.en", "valid.en-de.en", "valid.instr-None.instr")
    assert all_pairs(tmp_path) == [("en", "de")]
    assert holds_pair(tmp_path, "train", ("de", "en"))
    assert holds_pair(tmp_path, "valid", ("en", "de"))
    assert not holds_pair(tmp_path, "valid", ("de", "en"))
    assert not holds_pair(tmp_path, "train", ("en", "it"))
    assert pairs_from(tmp_path, "train", "de") == [("de", "en")]
    assert pairs_from(tmp_path, "train", "it") == pairs_from(tmp_path, "valid", "de") == []


def test_all_pairs_are_those_of_all_groups_and_splits_each_once(tmp_path):
    touch(
        tmp_path,
        "train.en-de.en",
        "task/case/train.de-en.de",
        "zero/valid.de-fr.fr",
        "general/train.prompt-response.prompt",
        "denoise/train.it-None.it",
    )
    assert all_pairs(tmp_path) == [("en", "de"), ("de", "fr")]


@pytest.mark.parametrize(
    "pair", [("zh-CN", "en"), ("en", "zh-CN"), ("zh-CN", "zh-TW"), ("pt-BR", "pt"), ("pt", "pt-BR")]
)
def test_codes_may_have_hyphens(tmp_path, pair):
    touch(tmp_path, *(f"train.{'-'.join(pair)}.{language}" for language in pair))
    touch(tmp_path / "denoise", "train.zh-CN-None.zh-CN")
    assert pairs_in(tmp_path, "train") == [pair]
    assert monolingual_in(tmp_path / "denoise", "train") == ["zh-CN"]
