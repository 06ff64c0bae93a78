"""What is asked of each line of a corpus, and what corpora are refused."""

import shutil

import pytest

from fairseq_instr.data.streams import load_stream
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory

LINES = (["w1 w2", "w3", "w4 w5 w6"], ["v1 v2", "v3", "v4 v5 v6"])


@pytest.fixture
def add_corpus(own_data_bin, binarise):
    """Add a corpus to a copy of the data-bin, with its dictionary."""

    def add_corpus(name, splits, **options):
        dictionary = own_data_bin / "dict.en.txt"
        binarise(own_data_bin / name, splits, dictionary=dictionary, **options)
        return own_data_bin

    return add_corpus


@pytest.mark.parametrize(
    "lines, asked",
    [
        (["", "formal formal", "exclaim"], [[], ["formal"], ["exclaim"]]),
        # in the inventory's order, however the line has them
        (
            ["informal uppercase", "exclaim,informal", "formal, uppercase"],
            [["uppercase", "informal"], ["informal", "exclaim"], ["uppercase", "formal"]],
        ),
        (None, [[], [], []]),
    ],
)
def test_each_line_gets_its_instructions(add_corpus, make_task, names_of, lines, asked):
    streams = lines and {"train": lines}
    task = make_task(
        "--mixture", "extra:1", data=add_corpus("extra", {"train": LINES}, streams=streams)
    )
    task.load_dataset("extra/train")
    assert names_of(task, "extra/train") == asked
    dataset = task.datasets["extra/train"]
    assert all(len(dataset[place]["source"]) <= dataset.size(place)[0] for place in range(3))


@pytest.mark.parametrize(
    "stream, named",
    [
        (["formal"] * 2, "stream has 2 lines, source and target have 3"),
        (["formal"] * 4, "stream has 4 lines, source and target have 3"),
        (["formal", "polite", ""], r"dict\.instr\.txt: .*'polite'; accepted: uppercase, "),
        (["formal", "uppercase", "informal exclaim formal"], "line 3: informal and formal"),
        (["formal=x", "", ""], "formal.* is not spelled in subwords"),
    ],
)
def test_a_stream_that_does_not_fit_is_refused(add_corpus, make_task, stream, named):
    data = add_corpus("extra", {"train": LINES}, streams={"train": stream})
    with pytest.raises(InputError, match=named):
        make_task("--mixture", "extra:1", data=data).load_dataset("train")


def test_sides_of_different_lengths_are_refused(add_corpus, make_task):
    data = add_corpus("extra", {"train": (LINES[0], LINES[1][:2])})
    with pytest.raises(InputError, match="extra.*aligned line by line"):
        make_task("--mixture", "extra:1", data=data).load_dataset("train")


def test_a_missing_dictionary_of_the_stream_is_named(own_data_bin, make_task):
    (own_data_bin / "task" / "case" / "dict.instr.txt").unlink()
    with pytest.raises(InputError, match=r"case/dict\.instr\.txt is missing"):
        make_task("--mixture", "task:1", data=own_data_bin).load_dataset("train")


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


def test_instruct_is_checked_against_each_line(make_task):
    make_task("--instruct", "exclaim").load_dataset("task/case/valid")
    with pytest.raises(InputError, match="line 7 and --instruct: .*axis case"):
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


# -- corpora of another data-bin --------------------------------------------------------


@pytest.mark.parametrize("name, group", [("task/case", "task"), ("more", "more")])
def test_a_corpus_with_a_dictionary_of_its_own_is_refused(add_corpus, make_task, name, group):
    data = add_corpus("more", {"train": LINES})
    own = data / name / "dict.de.txt"
    own.write_text(own.read_text().replace("v7 ", "v8x "))
    with pytest.raises(InputError) as caught:
        make_task("--mixture", f"{group}:1", data=data).load_dataset("train")
    named = (str(own), str(data / "dict.de.txt"), "'v8x'", "'v7'", "--srcdict")
    assert all(each in str(caught.value) for each in named)


def test_text_to_be_denoised_needs_the_dictionary_too(own_data_bin, call, make_task, tmp_path):
    """The line that people type: without --srcdict it makes a dictionary of its own."""
    (tmp_path / "text.de").write_text("v1 v2 v3\n" * 9)
    call("preprocess", "-s", "de", "-t", "None", "--only-source", "--trainpref", tmp_path / "text",
         "--destdir", own_data_bin / "denoise", "--workers", 1)  # fmt: skip
    directions = [Instruction(f"to:{code}", "target-language") for code in ("de", "en")]
    old = Inventory.load(own_data_bin / "instructions.yaml")
    Inventory([*old, *directions]).save(own_data_bin / "instructions.yaml", force=True)
    with pytest.raises(InputError, match="denoise/dict.de.txt .* line 1 "):
        make_task("--mixture", "parallel:1,denoise:1", data=own_data_bin).load_dataset("train")


def test_counts_of_a_dictionary_do_not_matter(own_data_bin, make_task):
    path = own_data_bin / "task" / "case" / "dict.de.txt"
    path.write_text(path.read_text().replace(" 1\n", " 2\n"))
    make_task("--mixture", "task:1", data=own_data_bin).load_dataset("train")
    path.unlink()  # nothing to compare
    make_task("--mixture", "task:1", data=own_data_bin).load_dataset("train")


def test_text_without_its_subwords_is_refused(add_corpus, make_task, caplog):
    data = add_corpus(
        "extra", {"train": (["a man runs"] * 3, LINES[1]), "valid": (["a b"], ["v1"])}
    )
    task = make_task("--mixture", "extra:1", data=data)
    with pytest.raises(InputError, match="extra.* 100% .* in en .*--allow-unknown"):
        task.load_dataset("train")
    task.load_dataset("extra/valid")  # not trained on: said, not refused
    assert "--allow-unknown" in caplog.text
    make_task("--mixture", "extra:1", "--allow-unknown", data=data).load_dataset("train")


def test_a_task_that_asks_for_nothing_is_refused(own_data_bin, make_task):
    for path in (own_data_bin / "task" / "case").glob("*instr*"):
        path.unlink()
    arguments = ["--mixture", "parallel:1,task:1"]
    with pytest.raises(InputError, match="task/case.*--allow-plain-task"):
        make_task(*arguments, data=own_data_bin).load_dataset("train")
    task = make_task(*arguments, "--allow-plain-task", data=own_data_bin)
    task.load_dataset("train")
    task.load_dataset("task/case/valid")


@pytest.mark.parametrize("kept", [None, 0, 40])
@pytest.mark.parametrize("file", ["train.en-de.en.bin", "train.en-de.de.bin", "train.en-de.de.idx"])
def test_text_that_is_missing_or_cut_short_is_refused(own_data_bin, make_task, file, kept):
    path = own_data_bin / file
    content = path.read_bytes()
    path.unlink()
    if kept is not None:
        path.write_bytes(content[:kept])
    with pytest.raises(InputError, match="data-bin.*binarise"):
        make_task(data=own_data_bin).load_dataset("train")


@pytest.mark.parametrize("kept", [None, 40])
def test_text_of_one_language_that_is_cut_short_is_refused(own_data_bin, make_task, kept):
    shutil.rmtree(own_data_bin / "task")
    Inventory([Instruction(f"to:{code}", "target-language") for code in ("en", "de")]).save(
        own_data_bin / "instructions.yaml", force=True
    )
    (own_data_bin / "denoise").mkdir()
    for ending in ("bin", "idx"):
        text = (own_data_bin / f"train.en-de.de.{ending}").read_bytes()
        if ending == "idx" or kept is not None:
            path = own_data_bin / "denoise" / f"train.de-None.de.{ending}"
            path.write_bytes(text if ending == "idx" else text[:kept])
    with pytest.raises(InputError, match="denoise.*binarise"):
        make_task("--mixture", "parallel:1,denoise:1", data=own_data_bin).load_dataset("train")
