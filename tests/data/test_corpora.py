"""Finding corpora in a data-bin and reading the instructions of their lines."""

import pytest

from fairseq_instr.data.corpora import (
    find_groups,
    holds_pair,
    infer_pair,
    load_stream,
    pairs_from,
)
from fairseq_instr.errors import InputError

LINES = (["w1 w2", "w3", "w4 w5 w6"], ["v1 v2", "v3", "v4 v5 v6"])


def touch(root, *names):
    for name in names:
        path = root / f"{name}.idx"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.fixture
def add_corpus(own_data_bin, binarise):
    """Add a corpus to a copy of the data-bin, with its dictionary."""

    def add_corpus(name, splits, **options):
        dictionary = own_data_bin / "dict.en.txt"
        binarise(own_data_bin / name, splits, dictionary=dictionary, **options)
        return own_data_bin

    return add_corpus


# -- groups -----------------------------------------------------------------------------


def test_a_flat_data_bin_is_the_group_parallel(tmp_path):
    touch(tmp_path, "train.en-de.en", "train.en-de.de", "valid.en-de.en")
    assert find_groups(tmp_path, "train") == {"parallel": ["."]}
    assert find_groups(tmp_path, "test") == {}


def test_folders_are_groups_and_their_folders_corpora(tmp_path):
    touch(
        tmp_path,
        "parallel/train.en-de.en",
        "task/case/train.en-de.en",
        "task/formality/train.en-de.en",
        "task/formality/train.instr-None.instr",
        "task/empty/valid.en-de.en",
        "both/train.en-de.en",
        "both/more/train.de-en.en",
        "neither/deep/er/train.en-de.en",
    )
    assert find_groups(tmp_path, "train") == {
        "parallel": ["parallel"],
        "task": ["task/case", "task/formality"],
        "both": ["both", "both/more"],
    }
    assert find_groups(tmp_path, "valid") == {"task": ["task/empty"]}


def test_a_flat_corpus_and_the_folder_parallel_are_one_group(tmp_path):
    touch(tmp_path, "train.en-de.en", "parallel/train.en-de.en")
    assert find_groups(tmp_path, "train") == {"parallel": [".", "parallel"]}


def test_a_folder_of_instructions_alone_is_no_corpus(tmp_path):
    touch(tmp_path, "train.instr-None.instr")
    assert find_groups(tmp_path, "train") == {}
    assert infer_pair(tmp_path) is None


def test_a_missing_data_bin_is_named(tmp_path):
    with pytest.raises(InputError, match=r"data-bin .*nowhere does not exist"):
        find_groups(tmp_path / "nowhere", "train")


def test_pairs_are_found_in_both_directions_but_instructions_have_one(tmp_path):
    touch(tmp_path, "train.en-de.en", "valid.en-de.en", "valid.instr-None.instr")
    assert infer_pair(tmp_path) == ("en", "de")
    assert holds_pair(tmp_path, "train", ("de", "en"))
    assert holds_pair(tmp_path, "valid", ("en", "de"))
    assert not holds_pair(tmp_path, "valid", ("de", "en"))
    assert not holds_pair(tmp_path, "train", ("en", "it"))
    assert pairs_from(tmp_path, "train", "de") == [("de", "en")]
    assert pairs_from(tmp_path, "train", "it") == pairs_from(tmp_path, "valid", "de") == []


# -- the stream -------------------------------------------------------------------------


def test_each_line_gets_its_instructions(make_task, names_of):
    task = make_task("--mixture", "task:1")
    task.load_dataset("task/case/valid")
    assert names_of(task, "task/case/valid") == [["uppercase"]] * 6 + [["lowercase"]] * 6
    task.load_dataset("task/formality/valid")
    assert names_of(task, "task/formality/valid") == (
        # in the inventory's order, however the line has them
        [["formal"]] * 4 + [["uppercase", "informal"]] * 2 + [["exclaim"]] * 2
    )


def test_a_corpus_without_a_stream_has_no_instructions(make_task, names_of):
    task = make_task()
    task.load_dataset("valid")
    assert names_of(task, "valid") == [[]] * 6


def test_lines_may_be_empty_or_name_an_instruction_twice(add_corpus, make_task, names_of):
    data = add_corpus(
        "extra", {"train": LINES}, streams={"train": ["", "formal formal", "exclaim"]}
    )
    task = make_task("--mixture", "extra:1", data=data)
    task.load_dataset("extra/train")
    assert names_of(task, "extra/train") == [[], ["formal"], ["exclaim"]]


@pytest.mark.parametrize("n", [2, 4])
def test_a_stream_of_another_length_is_refused(add_corpus, make_task, n):
    data = add_corpus("extra", {"train": LINES}, streams={"train": ["formal"] * n})
    with pytest.raises(InputError, match=f"stream has {n} lines, source and target have 3"):
        make_task("--mixture", "extra:1", data=data).load_dataset("train")


def test_sides_of_different_lengths_are_refused(add_corpus, make_task):
    data = add_corpus("extra", {"train": (LINES[0], LINES[1][:2])})
    with pytest.raises(InputError, match="extra.*aligned line by line"):
        make_task("--mixture", "extra:1", data=data).load_dataset("train")


def test_a_missing_dictionary_of_the_stream_is_named(own_data_bin, make_task):
    (own_data_bin / "task" / "case" / "dict.instr.txt").unlink()
    with pytest.raises(InputError, match=r"case/dict\.instr\.txt is missing"):
        make_task("--mixture", "task:1", data=own_data_bin).load_dataset("train")


def test_an_unknown_instruction_is_refused_with_what_is_known(add_corpus, make_task):
    data = add_corpus("extra", {"train": LINES}, streams={"train": ["formal", "polite", ""]})
    with pytest.raises(
        InputError, match=r"dict\.instr\.txt: unknown instruction 'polite'; accepted: uppercase, "
    ):
        make_task("--mixture", "extra:1", data=data).load_dataset("train")


def test_a_word_that_the_stream_s_dictionary_lacks_is_refused(add_corpus, make_task):
    """fairseq-preprocess makes the dictionary of the training split: others may know more."""
    data = add_corpus(
        "extra",
        {"train": LINES, "valid": LINES},
        streams={"train": ["formal"] * 3, "valid": ["formal", "", "exclaim"]},
    )
    task = make_task(data=data)
    task.load_dataset("extra/train")
    with pytest.raises(InputError, match=r"split 'valid', line 3: .* not in dict\.instr\.txt"):
        task.load_dataset("extra/valid")


def test_two_of_one_axis_are_refused_with_their_line(add_corpus, make_task):
    streams = {"train": ["formal", "uppercase", "informal exclaim formal"]}
    data = add_corpus("extra", {"train": LINES}, streams=streams)
    with pytest.raises(InputError, match="line 3: informal and formal exclude each other"):
        make_task("--mixture", "extra:1", data=data).load_dataset("train")


def test_instruct_is_checked_against_each_line(make_task):
    make_task("--instruct", "exclaim").load_dataset("task/case/valid")
    with pytest.raises(InputError, match="line 7: lowercase and uppercase exclude each other"):
        make_task("--instruct", "uppercase").load_dataset("task/case/valid")


def test_instruct_is_not_for_training(make_task, names_of):
    task = make_task("--instruct", "formal")
    task.load_dataset("train")
    task.load_dataset("valid")
    assert names_of(task, "train").count([]) == 40  # the parallel ones
    assert names_of(task, "valid") == [["formal"]] * 6


def test_madeupwords_of_the_stream_s_dictionary_are_no_instructions(data_bin, inventory):
    stream = load_stream(data_bin / "task" / "case", "train", inventory)
    assert len(stream) == 12
    named = [request.position for requests in stream.named for request in requests]
    assert sorted(named) == [0, 1]
    assert stream.pieces is None
