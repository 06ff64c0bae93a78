"""Noise on the source of monolingual text."""

import pytest
import torch
from fairseq.data import Dictionary
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.parameters import trained_parameters
from fairseq_instr.data.denoise import Noise, NoiseOptions, WordStarts
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request


def dictionary_of(*symbols):
    dictionary = Dictionary()
    for symbol in symbols:
        dictionary.add_symbol(symbol)
    return dictionary


PIECES = dictionary_of("▁a", "▁b", "c", "▁d", "e", "<0xC3>")
WORDS = dictionary_of(*(f"w{i}" for i in range(30)))


def encode(dictionary, text):
    return dictionary.encode_line(text, add_if_not_exist=False).long()


def decode(dictionary, tokens):
    return " ".join(dictionary[i] for i in tokens.tolist())


def noise(dictionary, seed=1, **options):
    return Noise(
        dictionary, NoiseOptions(**{"drop": 0.0, "mask": 0.0, "shuffle": 0, **options}), seed
    )


@pytest.mark.parametrize(
    "symbols, text, starts",
    [
        (["▁a", "▁b", "c", "<0xC3>"], "▁a ▁b c <0xC3> ▁a", [1, 1, 0, 0, 1]),
        (["▁a", "c"], "c c ▁a", [1, 0, 1]),  # the first token begins a word, whatever it is
        (["ab@@", "c", "d"], "ab@@ c d ab@@ ab@@ c", [1, 0, 1, 1, 0, 0]),
        (["a", "b"], "a b a", [1, 1, 1]),
        # a stray mark of another kind of subwords, from the text itself
        (["ab@@", "d@@", "c", "▁"], "ab@@ c c", [1, 0, 1]),
    ],
)
def test_words_are_found_by_the_marks_of_the_subwords(symbols, text, starts):
    dictionary = dictionary_of(*symbols)
    tokens = encode(dictionary, text)[:-1].numpy()
    assert WordStarts(dictionary)(tokens).tolist() == [bool(start) for start in starts]


@pytest.mark.parametrize("language, n_words", [("ja", 4), ("zh-CN", 4), ("de", 1), (None, 1)])
def test_every_token_is_a_word_in_languages_without_spaces(language, n_words):
    """A sentence of one word is never dropped or shuffled: its noise would be a copy."""
    dictionary = dictionary_of("▁犬", "が", "走", "る")
    tokens = encode(dictionary, "▁犬 が 走 る")[:-1].numpy()
    assert WordStarts(dictionary, language)(tokens).sum() == n_words


@given(st.lists(st.sampled_from(["▁a", "▁b c", "▁d e <0xC3>"]), min_size=1), st.integers(0, 99))
def test_words_move_whole_and_none_is_invented(words, place):
    noised = noise(PIECES, drop=0.3, shuffle=3)(encode(PIECES, " ".join(words)), 1, place)
    assert noised[-1] == PIECES.eos()
    left = decode(PIECES, noised[:-1]).replace(" ▁", "|▁").split("|")
    assert 1 <= len(left) <= len(words)
    for word in set(left):
        assert left.count(word) <= words.count(word)


@given(st.integers(1, 25), st.integers(0, 4), st.integers(0, 99))
def test_no_word_overtakes_one_that_is_more_than_k_places_away(n, k, place):
    tokens = encode(WORDS, " ".join(f"w{i}" for i in range(n)))
    noised = noise(WORDS, shuffle=k)(tokens, 1, place)
    order = (noised[:-1] - WORDS.index("w0")).tolist()
    assert sorted(order) == list(range(n))
    for at, word in enumerate(order):
        assert all(word <= later + k for later in order[at:])


def test_the_share_of_dropped_words_is_as_stated():
    tokens = encode(WORDS, " ".join(f"w{i}" for i in range(30)))
    draw = noise(WORDS, drop=0.2)
    dropped = sum(31 - len(draw(tokens, 1, place)) for place in range(400))
    # 12,000 words: standard deviation 44; one word in 30 can't be dropped
    assert abs(dropped - 0.2 * 12000) < 5 * 44 + 80


@pytest.mark.parametrize("span", [1, 2, 5])
@pytest.mark.parametrize("mask", [0.15, 0.5])
def test_spans_are_masked_whole_and_their_share_is_as_stated(span, mask):
    tokens = encode(WORDS, " ".join(f"w{i}" for i in range(30)))
    draw = noise(WORDS, mask=mask, span=span)
    masked, lengths = 0, []
    for place in range(400):
        noised = (draw(tokens, 1, place)[:-1] - WORDS.index("w0")).tolist()
        left = [word for word in noised if word >= 0]
        assert left == sorted(left)
        masked += 30 - len(left)
        # masked words between two that are left, away from the ends, where spans are cut
        lengths += [b - a - 1 for a, b in zip(left, left[1:]) if b - a > 1]
        assert span == 1 or not any(a < 0 > b for a, b in zip(noised, noised[1:]))
    assert min(lengths) == span
    # 12,000 words in spans: standard error of the share about sqrt(span * p * (1 - p) / 12000)
    assert abs(masked / 12000 - mask) < 5 * (2 * span * mask * (1 - mask) / 12000) ** 0.5


def test_a_sentence_keeps_something_whatever_is_masked_and_dropped():
    draw = noise(WORDS, drop=0.9, mask=0.9, span=3, shuffle=3)
    tokens = encode(WORDS, "w1 w2 w3")
    assert all(len(draw(tokens, 1, place)) > 1 for place in range(300))
    blank = encode(WORDS, "")
    assert draw(blank, 1, 0).tolist() == blank.tolist()


def test_words_are_replaced_by_words_of_the_text():
    text = [encode(PIECES, line) for line in ("▁d e ▁d e", "▁d e", "", "▁b c <0xC3>")]
    draw = noise(PIECES, replace=0.5)
    tokens = encode(PIECES, " ".join(["▁b c"] * 20))
    found = []
    for place in range(100):
        noised = draw(tokens, 1, place, text)
        assert len(noised) <= len(tokens)
        found += decode(PIECES, noised[:-1]).replace(" ▁", "|▁").split("|")
    # a blank line replaces nothing, and neither does a word that is longer
    assert set(found) == {"▁b c", "▁d e"}
    assert abs(found.count("▁d e") / len(found) - 0.5 * 2 / 4) < 0.05
    assert draw(tokens, 1, 3, text).tolist() == draw(tokens, 1, 3, text).tolist()
    assert draw(tokens, 1, 3).tolist() == tokens.tolist()  # without a text there is none to take


def test_further_noise_leaves_the_earlier_draws():
    tokens = encode(WORDS, " ".join(f"w{i}" for i in range(30)))
    plain = noise(WORDS, drop=0.2, mask=0.2, shuffle=3)(tokens, 1, 7).tolist()
    text = [encode(WORDS, "w0")]
    replaced = noise(WORDS, drop=0.2, mask=0.2, shuffle=3, replace=0.5)(tokens, 1, 7, text)
    assert len(replaced) == len(plain)
    differ = [b for a, b in zip(plain, replaced.tolist()) if a != b]
    assert differ and set(differ) == {WORDS.index("w0")}


def test_the_draw_depends_on_seed_epoch_and_place_alone():
    tokens = encode(WORDS, " ".join(f"w{i}" for i in range(30)))

    def draw(epoch, place, seed=1):
        return noise(WORDS, seed, drop=0.2, shuffle=3)(tokens, epoch, place).tolist()

    first = draw(1, 7)
    assert first == draw(1, 7)
    assert first not in (draw(2, 7), draw(1, 8), draw(1, 7, seed=2))


@pytest.mark.parametrize(
    "name, value",
    [("drop", 1.0), ("mask", -0.1), ("shuffle", -1), ("replace", 1.0), ("span", 0)],
)
def test_bad_options_are_refused(name, value):
    with pytest.raises(InputError, match=f"--denoise-{name} {value}"):
        NoiseOptions(**{name: value})


# -- as a group of a mixture ------------------------------------------------------------


@pytest.fixture
def denoise_bin(own_data_bin, call, tmp_path, corpus_maker):
    """The data-bin with directions, and a group of text in the target language."""
    from fairseq_instr.instructions import Instruction, Inventory

    names = [Instruction(f"to:{language}", "target-language") for language in ("en", "de")]
    old = Inventory.load(own_data_bin / "instructions.yaml")
    Inventory([*old, *names]).save(own_data_bin / "instructions.yaml", force=True)
    lines = [corpus_maker.translation(s) for s in corpus_maker.sentences(20, seed=5)]
    (tmp_path / "mono.de").write_text("".join(f"{line}\n" for line in lines))
    call(
        "preprocess", "-s", "de", "--only-source", "--trainpref", tmp_path / "mono",
        "--srcdict", own_data_bin / "dict.de.txt", "--destdir", own_data_bin / "denoise",
    )  # fmt: skip
    return own_data_bin


def test_a_group_of_plain_text_is_denoised_into_itself(make_task, denoise_bin):
    task = make_task("--mixture", "parallel:2,denoise:1", data=denoise_bin)
    task.load_dataset("train")
    dataset = task.datasets["train"]
    assert not dataset.can_reuse_epoch_itr_across_epochs
    (corpus,) = dataset.groups["denoise"]
    to_de = task.inventory.position("to:de")
    corpus_of = dataset.part(0).corpus_of
    places = [p for p in range(len(dataset)) if dataset.corpora[corpus_of[p]] is corpus]
    assert len(places) == 20
    differing = 0
    for place in places:
        item = dataset[place]
        assert item["requests"] == (Request(to_de),)
        source = item["source"]
        assert source[0] == task.src_dict.first_instruction + to_de
        assert len(source) <= dataset.size(place)[0]
        target = item["target"]
        assert set(source[1:].tolist()) <= {*target.tolist(), task.src_dict.unk()}
        differing += source[1:].tolist() != target.tolist()
    assert differing > 5
    sources = [dataset[place]["source"].tolist() for place in places]
    dataset.set_epoch(2)
    dataset.set_epoch(1)
    assert sources == [dataset[place]["source"].tolist() for place in places]


def test_training_with_denoising_resumes_as_if_never_stopped(
    call, denoise_bin, finetuning, tmp_path
):
    arguments = [denoise_bin, *finetuning[1:], "--mixture", "parallel:2,denoise:1"]
    arguments += ["--save-interval-updates", 1]
    for name, stops in {"whole": [5], "stopped": [2, 5]}.items():
        for updates in stops:
            call("train", *arguments, "--max-update", updates, "--save-dir", tmp_path / name)
    whole, stopped = (
        trained_parameters(read_checkpoint(tmp_path / name / "checkpoint_last.pt"))
        for name in ("whole", "stopped")
    )
    assert all(torch.equal(whole[key], stopped[key]) for key in whole)


def test_text_is_denoised_where_the_mixture_says_so_and_its_language_is_known(
    make_task, denoise_bin, inventory
):
    task = make_task(data=denoise_bin)
    task.load_dataset("train")
    assert "denoise" not in task.datasets["train"].groups
    inventory.save(denoise_bin / "instructions.yaml", force=True)
    task = make_task("--mixture", "parallel:2,denoise:1", data=denoise_bin)
    with pytest.raises(InputError, match="'to:de' is not in the inventory"):
        task.load_dataset("train")
