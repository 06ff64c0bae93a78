"""Arguments from the `.instr` stream and from `--instruct` to the tokens of a batch."""

import shutil

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory

LINES = (["w1 w2", "w3", "w4 w5 w6"], ["v1 v2", "v3", "v4 v5 v6"])
STREAM = ["uppercase begin-with =w7 =w8", "", "begin-with =v1 at-most =w9"]


@pytest.fixture
def slots(own_data_bin, inventory):
    """The data-bin with two instructions more, which have slots."""
    slots = [
        Instruction("begin-with", "opening", argument="text"),
        Instruction("at-most", "length", argument="number"),
    ]
    Inventory([*inventory, *slots]).save(own_data_bin / "instructions.yaml", force=True)
    return own_data_bin


@pytest.fixture
def with_stream(slots, binarise):
    def with_stream(stream):
        folder = slots / "task" / "opening"
        shutil.rmtree(folder, ignore_errors=True)
        dictionary = slots / "dict.en.txt"
        binarise(folder, {"train": LINES}, streams={"train": stream}, dictionary=dictionary)
        return slots

    return with_stream


def rendered(task, split):
    """(prompt and source as words and names, exact length, length it is counted with)."""
    dataset, first = task.datasets[split], task.src_dict.first_instruction
    lines = []
    for place in range(len(dataset)):
        words = [
            f"<{task.inventory[i - first].name}>" if i >= first else task.src_dict[i]
            for i in dataset[place]["source"].tolist()
        ]
        lines.append((" ".join(words), len(words), dataset.size(place)[0]))
    return lines


def test_arguments_of_a_stream_stand_in_front_of_their_sources(make_task, with_stream):
    task = make_task(data=with_stream(STREAM))
    task.load_dataset("task/opening/train")
    lines = rendered(task, "task/opening/train")
    assert [line for line, _, _ in lines] == [
        "<uppercase> <begin-with> w7 w8 <begin-with> w1 w2 </s>",
        "w3 </s>",
        "<begin-with> v1 <begin-with> <at-most> w9 <at-most> w4 w5 w6 </s>",
    ]
    assert all(exact <= counted for _, exact, counted in lines)


def test_arguments_reach_batches_and_conflicts(make_task, with_stream):
    task = make_task("--conflict-axes", "case", data=with_stream(STREAM))
    task.load_dataset("task/opening/train")
    dataset = task.datasets["task/opening/train"]
    batch = dataset.collater([dataset[place] for place in range(3)])
    asked = batch["requests"][batch["id"].tolist().index(0)]
    assert asked[-1].argument == tuple(map(task.src_dict.index, ["w7", "w8"]))
    (wrong,) = batch["conflicts"]["net_input"]["src_tokens"].tolist()
    first = task.src_dict.first_instruction
    names = [task.inventory[i - first].name for i in wrong if i >= first]
    assert names == ["lowercase", "begin-with", "begin-with"]


@pytest.mark.parametrize(
    "stream, instruct, named",
    [
        ("begin-with", "", "line 1: .*'begin-with'"),
        (" ;uppercase =w1", "", "line 2: .*'uppercase'"),
        ("begin-with =unheard", "", "'unheard'"),
        ("uppercase; =w1 begin-with =w2", "", "line 2: .*argument"),
        ("begin-wiht =w1", "", "'begin-wiht'"),
        ("uppercase lowercase;begin-with =w1", "", "line 1: .*uppercase"),
        # both are on one axis: neither may be lost without a word
        (" ; ;at-most =w9", "at-most=60", "line 3 and --instruct: at-most"),
    ],
)
def test_streams_with_wrong_arguments_are_refused(make_task, with_stream, stream, instruct, named):
    lines = [*stream.split(";"), "", ""][:3]
    task = make_task("--instruct", instruct, data=with_stream(lines))
    with pytest.raises(InputError, match=named):
        task.load_dataset("task/opening/train")


def test_instruct_takes_arguments(make_task, slots):
    task = make_task("--instruct", 'begin-with="w1 w2", uppercase', data=slots)
    task.load_dataset("valid")
    for line, exact, counted in rendered(task, "valid"):
        assert line.startswith("<uppercase> <begin-with> w1 w2 <begin-with> w")
        assert exact <= counted
    source = task.src_dict.encode_line("w5", add_if_not_exist=False).long()
    asked = task.typed_line(source, ())
    assert len(asked) == 5 + len(source)


def test_an_argument_is_spelled_as_the_user_s_sources_are(make_task, slots):
    task = make_task("--instruct", "begin-with=W1 W2", data=slots)
    task.load_dataset("valid")
    with pytest.raises(InputError, match="'W1 W2' can't be spelled with the source's dictionary"):
        task.datasets["valid"][0]
    task.spell_argument.subwords = str.lower  # what build_bpe does with a subword model
    assert rendered(task, "valid")[0][0].startswith("<begin-with> w1 w2 <begin-with>")
