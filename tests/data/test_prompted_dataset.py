"""The dataset that fairseq trains on: samples, batches, conflicts, and resuming."""

from collections import Counter

import numpy as np
import pytest
import torch

from fairseq_instr.errors import InputError
from tests.data.conftest import iterator

PLACEMENTS = ["source-prefix", "source-suffix", "decoder-prefix"]
MIXTURE = ["--mixture", "parallel:2,task:1"]
CONFLICTS = ["--conflict-axes", "all"]


def plain(value):
    """A batch as nested lists, so that `==` compares it."""
    if torch.is_tensor(value) or isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def epoch_of(task, dataset, epoch=1, **options):
    """All batches of an epoch as fairseq's trainer gets them."""
    return [plain(b) for b in iterator(task, dataset, epoch, **options).next_epoch_itr()]


def pairs_seen(dataset):
    """(corpus, index in it) of each place."""
    parts = map(dataset.part, range(dataset.n_parts))
    return [pair for p in parts for pair in zip(p.corpus_of.tolist(), p.index_in.tolist())]


# -- samples ----------------------------------------------------------------------------


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_prompt_stands_where_it_is_told_to(load, placement):
    task, dataset = load("task/formality/valid", "--prompt-placement", placement)
    _, bare = load("task/formality/valid", "--prompt-placement", "decoder-prefix")
    first = task.src_dict.first_instruction
    eos, pad = task.src_dict.eos(), task.src_dict.pad()
    for place in range(len(dataset)):
        sample, source = dataset[place], bare[place]["source"].tolist()
        prompt = [first + request.position for request in sample["requests"]]
        assert prompt, "every line of this corpus has an instruction"
        target = sample["target"].tolist()
        if placement == "source-prefix":
            assert sample["source"].tolist() == prompt + source
        elif placement == "source-suffix":
            assert sample["source"].tolist() == source[:-1] + prompt + [eos]
        else:
            # the loss falls on the translation alone
            assert target[: len(prompt)] == [pad] * len(prompt)
            target = target[len(prompt) :]
            assert sample["prev_output_tokens"].tolist() == [eos] + prompt + target[:-1]
        assert max(target) < first and target[-1] == eos


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize(
    "split, instruct", [("train", ""), ("task/valid", ""), ("test", "exclaim,formal")]
)
def test_sizes_are_those_of_the_samples(load, placement, split, instruct):
    _, dataset = load(split, "--prompt-placement", placement, "--instruct", instruct)
    for place in range(len(dataset)):
        sample = dataset[place]
        sizes = (len(sample["source"]), len(sample["target"]))
        assert dataset.size(place) == sizes
        assert dataset.num_tokens(place) == max(sizes)
    assert dataset.num_tokens_vec(np.arange(len(dataset))).tolist() == [
        dataset.num_tokens(place) for place in range(len(dataset))
    ]


def test_a_blank_source_is_a_sample(load):
    task, dataset = load("test", "--instruct", "formal")
    first, eos = task.src_dict.first_instruction, task.src_dict.eos()
    assert dataset[4]["source"].tolist() == [first + 2, eos]
    assert len(dataset) == 17
    _, bare = load("test")
    assert bare[4]["source"].tolist() == [eos]


def test_without_instructions_it_holds_what_fairseq_s_own_dataset_holds(load):
    from fairseq.tasks.translation import TranslationTask

    task, dataset = load("test")
    stock = TranslationTask.setup_task(task.cfg)
    stock.load_dataset("test")
    for indices in ([0, 1, 2], [4], range(17)):
        ours = plain(dataset.collater([dataset[i] for i in indices]))
        assert ours.pop("requests") == [[]] * len(indices)
        assert ours.pop("sources") == [stock.datasets["test"].src[i].tolist() for i in ours["id"]]
        assert sorted(ours.pop("origins")) == [[["en", "de"], i] for i in indices]
        samples = [stock.datasets["test"][i] for i in indices]
        assert ours == plain(stock.datasets["test"].collater(samples))


@pytest.mark.parametrize("placement", ["source-prefix", "source-suffix"])
def test_a_truncated_source_leaves_room_for_its_prompt(load, placement):
    _, dataset = load(
        "test", "--truncate-source", "--max-source-positions", 7, "--instruct",
        "formal,exclaim,uppercase", "--prompt-placement", placement,
    )  # fmt: skip
    places = range(len(dataset))
    assert max(len(dataset[p]["source"]) for p in places) == 7
    assert max(dataset.size(p)[0] for p in places) == 7


def test_a_prompt_that_leaves_no_room_for_a_truncated_source_is_refused(load):
    """Sources would be cut from behind, from their prompts' lengths on."""
    with pytest.raises(InputError, match="--max-source-positions 4"):
        load("test", "--truncate-source", "--max-source-positions", 4)


# -- batches ----------------------------------------------------------------------------


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_batch_keeps_samples_and_their_instructions_together(load, placement):
    task, dataset = load("task/valid", "--prompt-placement", placement)
    pad = task.src_dict.pad()
    batch = dataset.collater([dataset[place] for place in range(len(dataset))])
    for row, place in enumerate(batch["id"].tolist()):
        sample = dataset[place]
        source = batch["net_input"]["src_tokens"][row]
        assert source[source != pad].equal(sample["source"])
        assert batch["net_input"]["src_lengths"][row] == len(sample["source"])
        assert batch["requests"][row] == sample["requests"]
        assert batch["sources"][row].tolist() == sample["bare"].tolist()
        assert batch["target"][row, : len(sample["target"])].equal(sample["target"])
        assert (batch["target"][row, len(sample["target"]) :] == pad).all()
    assert batch["ntokens"] == int((batch["target"] != pad).sum())
    assert dataset.collater([]) == {}


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_padding_does_not_change_what_the_model_says(load, placement):
    task, dataset = load(
        "task/formality/valid", "--prompt-placement", placement, "--share-all-embeddings"
    )
    model = task.build_model(task.full_cfg.model).eval()
    pad = task.src_dict.pad()

    def logits(places, multiple):
        dataset.pad_to_multiple = multiple
        batch = dataset.collater([dataset[place] for place in places])
        with torch.no_grad():
            out = model(**batch["net_input"])[0]
        return {
            place: out[row][batch["target"][row] != pad]
            for row, place in enumerate(batch["id"].tolist())
        }

    together = logits(range(len(dataset)), 16)
    for place in range(len(dataset)):
        (alone,) = logits([place], 1).values()
        torch.testing.assert_close(together[place], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("arguments", [[], CONFLICTS, [*CONFLICTS, "--conflict-rate", 0.5]])
def test_every_index_is_in_a_batch(load, arguments):
    """For every N from 1 to 17: fairseq-fixed drops a tail that is no multiple of 8."""
    _, dataset = load("task/train", *arguments)
    for n in range(18):
        indices = dataset.ordered_indices()[:n]
        for multiple in (1, 2, 8):
            for limits in ({"max_tokens": 40}, {"max_sentences": 3}, {"max_sentences": 100}):
                batches = dataset.batch_by_size(
                    indices, required_batch_size_multiple=multiple, **limits
                )
                assert np.concatenate([[], *batches]).tolist() == indices.tolist()
                assert all(len(batch) for batch in batches)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_max_tokens_bounds_samples_and_conflicts_together(load, placement, rate):
    max_tokens = 64
    task, dataset = load(
        "train", *MIXTURE, *CONFLICTS, "--conflict-rate", rate, "--prompt-placement", placement
    )
    conflicting = 0
    for epoch in (1, 2):
        dataset.set_epoch(epoch)
        for batch in dataset.batch_by_size(dataset.ordered_indices(), max_tokens=max_tokens):
            collated = dataset.collater([dataset[place] for place in batch])
            rows = len(batch)
            if "conflicts" in collated:
                rows += len(collated["conflicts"]["positive"])
                conflicting += len(collated["conflicts"]["positive"])
            width = max(collated["net_input"]["src_tokens"].size(1), collated["target"].size(1))
            assert rows * width <= max_tokens or len(batch) == 1
    assert (conflicting > 0) == (rate > 0)


@pytest.mark.parametrize("arguments", [[], CONFLICTS])
def test_a_sentence_may_fill_max_tokens_and_no_more(load, arguments):
    """A conflict must not make a sentence too long for a batch that held it before."""
    _, dataset = load("task/train", *arguments)
    order = dataset.ordered_indices()
    longest = int(dataset.num_tokens_vec(order).max())
    batches = dataset.batch_by_size(order, max_tokens=longest)
    assert sum(map(len, batches)) == len(dataset)
    with pytest.raises(InputError, match=f"--max-tokens {longest - 1}: .* {longest} tokens"):
        dataset.batch_by_size(order, max_tokens=longest - 1)


def test_batches_hold_sentences_of_like_length(load):
    _, dataset = load("train", *MIXTURE)
    order = dataset.ordered_indices()
    assert sorted(order.tolist()) == list(range(len(dataset)))
    keys = [dataset.size(i) for i in order]
    assert keys == sorted(keys)


# -- the mixture ------------------------------------------------------------------------


def test_an_epoch_has_the_ratio_and_three_see_everything(load):
    """40 parallel and 20 task samples, 10 in an epoch at 1:1: 5 and 5, a pass of task in 4."""
    _, dataset = load("train", "--mixture", "parallel:1,task:1", "--epoch-samples", 10)
    seen, epochs = Counter(), []
    for epoch in range(1, 9):
        dataset.set_epoch(epoch)
        here = pairs_seen(dataset)
        assert sum(corpus == 0 for corpus, _ in here) == 5 == len(here) - 5
        seen.update(here)
        epochs.append(here)
        if epoch == 4:
            assert all(seen[1, i] == 1 for i in range(12))  # task/case
            assert all(seen[2, i] == 1 for i in range(8))  # task/formality
    assert all(seen[0, i] == 1 for i in range(40))
    assert epochs[0] != epochs[4]


# -- conflicts --------------------------------------------------------------------------


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_conflict_has_its_sample_s_row_and_widths(load, placement):
    task, dataset = load(
        "task/formality/train", *CONFLICTS, "--conflict-rate", 0.6, "--prompt-placement", placement
    )
    first, pad = task.src_dict.first_instruction, task.src_dict.pad()
    samples = [dataset[place] for place in range(len(dataset))]
    batch = dataset.collater(samples)
    conflicts = batch["conflicts"]
    assert 0 < len(conflicts["positive"]) < len(samples)
    assert conflicts["target"].size(1) == batch["target"].size(1)
    for key, tensor in conflicts["net_input"].items():
        assert tensor.shape[1:] == batch["net_input"][key].shape[1:]
    if placement == "decoder-prefix":
        assert set(conflicts["net_input"]) == {"prev_output_tokens"}
    for row, positive in enumerate(conflicts["positive"].tolist()):
        side = "prev_output_tokens" if placement == "decoder-prefix" else "src_tokens"
        right = batch["net_input"][side][positive]
        wrong = conflicts["net_input"][side][row]

        def words(tokens):
            return tokens[(tokens != pad) & (tokens < first)].tolist()

        assert words(right) == words(wrong)
        own = {request.position for request in batch["requests"][positive]}
        other = {int(i) - first for i in wrong[wrong >= first]}
        assert len({task.inventory[i].axis for i in own ^ other}) == 1
        target, expected = conflicts["target"][row], batch["target"][positive]
        assert target[target != pad].equal(expected[expected != pad])


def test_conflicts_are_fresh_in_each_epoch(load):
    task, dataset = load("train", *MIXTURE, *CONFLICTS, "--conflict-rate", 0.5)

    def drawn(epoch):
        dataset.set_epoch(epoch)
        return {
            pair: plain(dataset[place].get("conflict"))
            for place, pair in enumerate(pairs_seen(dataset))
        }

    first, second, again = drawn(1), drawn(2), drawn(1)
    assert first == again
    for pair in first.keys() & second.keys():
        for conflict in filter(None, (first[pair], second[pair])):
            del conflict["id"]
    assert any(first[pair] != second[pair] for pair in first.keys() & second.keys())
    assert any(first.values()) and not all(first.values())  # none without an instruction


# -- resuming, workers, shards ----------------------------------------------------------


EPOCHS = pytest.mark.parametrize("part_samples", [16, 1000], ids=["parts", "one part"])


@EPOCHS
@pytest.mark.parametrize("arguments", [MIXTURE, [*MIXTURE, *CONFLICTS, "--conflict-rate", 0.5], []])
def test_workers_and_shards_don_t_change_batches(load_parts, arguments, part_samples):
    def epoch(**options):
        return epoch_of(*load_parts(*arguments, part_samples=part_samples), **options)

    whole = epoch()
    assert whole == epoch(num_workers=2)
    assert sorted(i for batch in whole for i in batch["id"]) == list(range(60))
    shards = [epoch(num_shards=3, shard_id=shard) for shard in range(3)]
    assert len({len(shard) for shard in shards}) == 1
    # the last batch of a shorter shard is an empty one
    assert [batch for step in zip(*shards) for batch in step if batch] == whole


@EPOCHS
@pytest.mark.parametrize("after", [1, 7])
@pytest.mark.parametrize("arguments", [MIXTURE, [*MIXTURE, *CONFLICTS, "--conflict-rate", 0.5]])
def test_resuming_in_the_middle_of_an_epoch_is_exact(load_parts, arguments, after, part_samples):
    task, dataset = load_parts(*arguments, part_samples=part_samples)
    first, second, third = (epoch_of(task, dataset, epoch) for epoch in (1, 2, 3))
    assert len(second) > after and first != second
    batches = iterator(task, dataset, epoch=2)
    itr = batches.next_epoch_itr()
    for _ in range(after):
        next(itr)
    state = batches.state_dict()
    assert (state["epoch"], state["iterations_in_epoch"]) == (2, after)
    # as after a restart: nothing is left of the earlier run but this state
    task, dataset = load_parts(*arguments, part_samples=part_samples)
    resumed = iterator(task, dataset, epoch=2)
    resumed.load_state_dict(state)
    assert [plain(batch) for batch in resumed.next_epoch_itr()] == second[after:]
    assert epoch_of(task, dataset, 3) == third
