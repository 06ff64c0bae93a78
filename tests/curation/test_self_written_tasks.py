"""Tasks written by a real, tiny, untrained chat model: its words are drawn at random."""

import itertools
import json

import pytest

pytest.importorskip("transformers")
from fairseq_instr.cli.main import main
from fairseq_instr.curation.general_tasks import read_tasks
from fairseq_instr.curation.self_written_tasks import self_written_tasks
from fairseq_instr.errors import InputError

CHAT = (
    "{% for m in messages %}<{{ m.role }}> {{ m.content }} <end> {% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)
WORDS = ["<end>", "<pad>", "<system>", "<user>", "<assistant>", *"abcdefgh"]
N_TOKENS = {"instruction_tokens": 24, "answer_tokens": 24, "batch_size": 8, "dtype": "float32"}


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("chat")
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="a"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<end>", pad_token="<pad>",
        additional_special_tokens=WORDS[2:5],
    )  # fmt: skip
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(WORDS), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, eos_token_id=0, pad_token_id=1, bos_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def first_batches(folder, n=2, **options):
    return list(itertools.islice(self_written_tasks(folder, **{**N_TOKENS, **options}), n))


def test_tasks_are_new_and_whole(chat_model):
    """No instruction comes twice, nothing is empty, and no mark of the chat is in a text."""
    tasks = [task for batch in first_batches(chat_model, 4) for task in batch]
    assert len(tasks) > 8 and len({task.instruction for task in tasks}) == len(tasks)
    for task in tasks:
        assert task.instruction and task.output and task.input is None
        assert "<" not in task.instruction + task.output


def test_seed(chat_model):
    """Equal seeds give equal tasks, whatever was drawn before; other seeds give others."""
    import torch

    written = first_batches(chat_model)
    state = torch.random.get_rng_state()
    torch.rand(3)
    assert first_batches(chat_model) == written
    assert first_batches(chat_model, seed=2) != written
    torch.random.set_rng_state(state)


def test_draws_leave_the_generator_alone(chat_model):
    import torch

    state = torch.random.get_rng_state()
    first_batches(chat_model, 1)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 0}, {"answer_tokens": 0}, {"temperature": 0.0}, {"top_p": 0.0}, {"top_p": 1.5}],
)
def test_number_out_of_range(chat_model, options):
    (name,) = options
    with pytest.raises(InputError, match="--" + name.replace("_", "-")):
        first_batches(chat_model, **options)


def test_nothing_ends(chat_model):
    """With one token a text that ends is empty: the writing stops, it does not go on for ever."""
    with pytest.raises(InputError, match="--instruction-tokens 1 "):
        first_batches(chat_model, 99, instruction_tokens=1)


def test_not_a_chat_model(chat_model, tmp_path):
    with pytest.raises(InputError, match="is not the Hugging Face folder"):
        first_batches(tmp_path)
    for file in chat_model.iterdir():
        if file.name != "chat_template.jinja":
            content = file.read_bytes()
            if file.name == "tokenizer_config.json":
                entries = json.loads(content)
                entries.pop("chat_template", None)
                content = json.dumps(entries).encode()
            (tmp_path / file.name).write_bytes(content)
    with pytest.raises(InputError, match="chat template"):
        first_batches(tmp_path)


def test_command(chat_model, tmp_path):
    """The file holds as many tasks as asked for, and is not overwritten unless asked for."""
    output = tmp_path / "own.json"
    command = ["general-tasks", "write", str(chat_model), "--tasks", "10", "--output", str(output)]
    for name, value in N_TOKENS.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    assert not main(command)
    assert len(read_tasks(output)) == 10
    before = output.read_text()
    assert main(command)
    assert output.read_text() == before
