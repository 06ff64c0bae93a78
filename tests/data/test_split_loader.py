"""Which corpora a split is made of, through the task: pairs, directions, shards, subsets."""

import shutil

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory

# -- pairs ------------------------------------------------------------------------------


@pytest.fixture
def directions():
    return Inventory(Instruction(f"to:{code}", "target-language") for code in ("de", "en"))


@pytest.fixture
def both_ways(own_data_bin, directions):
    shutil.rmtree(own_data_bin / "task")
    directions.save(own_data_bin / "instructions.yaml", force=True)
    return own_data_bin


def test_a_pair_is_read_from_the_files_of_its_reverse(make_task):
    task = make_task("-s", "de", "-t", "en")
    task.load_dataset("valid")
    there = make_task("-s", "en", "-t", "de")
    there.load_dataset("valid")
    for place in range(6):
        back, forth = task.datasets["valid"][place], there.datasets["valid"][place]
        assert back["source"].equal(forth["target"]) and back["target"].equal(forth["source"])


@pytest.mark.parametrize(
    "arguments, split, asked",
    [
        (["--lang-pairs", "en-de,de-en"], "train", [["to:de"]] * 40 + [["to:en"]] * 40),
        (["--lang-pairs", "en-de,de-en"], "valid", [["to:de"]] * 6 + [["to:en"]] * 6),
        (["-s", "de", "-t", "en"], "test", [["to:en"]] * 17),
        (["--direction-instruction", "never"], "test", [[]] * 17),
    ],
)
def test_pairs_get_their_direction(both_ways, make_task, names_of, arguments, split, asked):
    task = make_task(*arguments, data=both_ways)
    task.load_dataset(split)
    assert names_of(task, split) == asked
    with pytest.raises(InputError, match=r"--instruct, .*to:en and to:de"):
        make_task("--instruct", "to:en", data=both_ways).load_dataset("test")


def test_lines_of_a_stream_get_their_direction_unless_they_name_one(
    both_ways, directions, binarise, make_task, names_of
):
    lines = ["formal", "", "formal to:de", "to:de"]
    text = (["a b", "c d", "e f", "g h"], ["A B", "C D", "E F", "G H"])
    dictionary = both_ways / "dict.en.txt"
    binarise(both_ways / "extra", {"train": text}, streams={"train": lines}, dictionary=dictionary)
    formality = [Instruction(name, "formality") for name in ("formal", "informal")]
    inventory = Inventory([*directions, *formality])
    inventory.save(both_ways / "instructions.yaml", force=True)
    task = make_task("--mixture", "extra:1", data=both_ways)
    task.load_dataset("extra/train")
    asked = [["to:de", "formal"], ["to:de"], ["to:de", "formal"], ["to:de"]]
    assert names_of(task, "extra/train") == asked
    dataset = task.datasets["extra/train"]
    for place in range(4):  # the bound that batches are made by holds
        assert dataset.size(place)[0] >= len(dataset[place]["source"])
    task = make_task("--mixture", "extra:1", "--direction-instruction", "never", data=both_ways)
    task.load_dataset("extra/train")
    assert names_of(task, "extra/train") == [["formal"], [], ["to:de", "formal"], ["to:de"]]


def test_several_pairs_need_one_dictionary(both_ways, make_task):
    with open(both_ways / "dict.de.txt", "a") as out:
        out.write("another 1\n")
    with pytest.raises(InputError, match="--lang-pairs: dict.*one joined dictionary"):
        make_task("--lang-pairs", "en-de,de-en", data=both_ways)


# -- shards and subsets -----------------------------------------------------------------


def test_epochs_go_through_the_shards_in_turn(own_data_bin, binarise, make_task, tmp_path):
    second = tmp_path / "second"
    binarise(second, {"train": (["w1"], ["v1"])}, dictionary=own_data_bin / "dict.en.txt")
    shutil.rmtree(own_data_bin / "task")
    task = make_task(data=f"{own_data_bin}:{second}")
    sizes = []
    for epoch in (1, 2, 3):
        task.load_dataset("train", epoch=epoch)
        sizes.append(len(task.datasets["train"]))
    assert sizes == [40, 1, 40]
    # other splits, dictionaries and inventory are the first one's
    task.load_dataset("valid", epoch=2)
    assert len(task.datasets["valid"]) == 6 and len(task.inventory) == 5


def test_every_shard_goes_on_where_it_was(data_bin, make_task):
    """Four epochs over two shards are two of each, and together one pass over its group."""
    task = make_task(
        "--mixture", "parallel:1", "--epoch-samples", 20, data=f"{data_bin}:{data_bin}"
    )
    seen = {0: [], 1: []}
    for epoch in (1, 2, 3, 4):
        task.load_dataset("train", epoch=epoch)
        dataset = task.datasets["train"]
        dataset.set_epoch(epoch)
        seen[(epoch - 1) % 2] += dataset.part(0).index_in.tolist()
    assert sorted(seen[0]) == sorted(seen[1]) == list(range(40))


def test_subsets_of_a_corpus_of_a_group_and_of_the_top(make_task):
    task = make_task()
    for split, size in [("valid", 6), ("task/case/valid", 12), ("task/valid", 20)]:
        task.load_dataset(split)
        assert len(task.datasets[split]) == size


@pytest.mark.parametrize(
    "arguments, split, named",
    [
        *(([], split, f"split '{split}' was not found in .*; corpora with")
          for split in ("dev", "task/case/test", "task/missing/valid", "missing/valid")),
        (["--mixture", "parallel:1,general:1"], "train", "'general'.*groups there: parallel, task"),
        (["--lang-pairs", "en-de,de-en"], "train", "--lang-pairs en-de,de-en"),
        (["--direction-instruction", "always"], "train", "'de' has no instruction 'to:de'"),
        (["-s", "en", "-t", "it"], None, r"dict\.it\.txt does not exist"),
        *(([f"--lang-pairs={pairs}"], None, "as SOURCE-TARGET")
          for pairs in ("en", "en-", "-de", "en-de,en-de")),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(make_task, arguments, split, named):
    with pytest.raises(InputError, match=named):
        make_task(*arguments).load_dataset(split)


def test_a_pair_without_data_is_named(own_data_bin, make_task):
    shutil.copy(own_data_bin / "dict.en.txt", own_data_bin / "dict.it.txt")
    task = make_task("-s", "en", "-t", "it", data=own_data_bin)
    for split in ("train", "test"):
        with pytest.raises(InputError, match=f"pair en-it was not found in split '{split}'"):
            task.load_dataset(split)
