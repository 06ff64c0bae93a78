"""What the commands that make training data take and print."""

import pytest

from fairseq_instr.cli.distill import read_key
from fairseq_instr.cli.main import main
from fairseq_instr.cli.options import parse_samples
from fairseq_instr.errors import InputError


@pytest.fixture
def text(tmp_path, monkeypatch):
    """A folder with 20 pairs, which commands run in."""
    monkeypatch.chdir(tmp_path)
    for name, line in (("train.en", "I see {} big dogs.\n"), ("train.de", "Ich sehe {} Große.\n")):
        content = "".join(line.format(i) for i in range(20))
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


PAIR = ["--source", "train.en", "--target", "train.de", "-s", "en", "-t", "de"]

CURATE = ["curate", *PAIR, "--instructions", "swiss", "--output", "t"]


def run(*arguments, **options):
    return main([*arguments, *(f"--{o.replace('_', '-')}={v}" for o, v in options.items())])


def test_from_raw_text_to_a_data_bin(text, capsys):
    prefix = ["--input", "train.en", "train.de"]
    assert run("subwords", *prefix, vocabulary_size=420, output="subwords") == 0
    vocabulary = {"subwords": "subwords.model", "dictionary": "dict.txt"}
    names = "swiss begin-with"
    assert run("curate", *PAIR, instructions=names, output="task", samples=5, **vocabulary) == 0
    assert run("binarise", "-s", "en", "-t", "de", input="task", output="bin", **vocabulary) == 0
    assert (text / "bin" / "swiss" / "train.en-de.de.idx").exists()
    assert run("encode", input="task", output="spm", subwords="subwords.model") == 0
    assert (text / "spm" / "begin-with" / "train.instr").exists()
    said = capsys.readouterr().out
    assert "swiss" in said and "begin-with swiss" in said


def test_the_sample_corpus_is_written_and_not_overwritten(text, capsys):
    small = {"output": "raw", "train": 5, "valid": 2, "test": 2, "languages": "en,ro"}
    assert run("sample", **small) == 0
    names = sorted(path.name for path in (text / "raw").iterdir())
    assert names == ["test.en", "test.ro", "train.en", "train.ro", "valid.en", "valid.ro"]
    assert run("sample", **small) == 1
    assert "--force" in capsys.readouterr().err
    assert run("sample", "--force", **small) == 0


def test_a_shard_names_the_next_step(text, capsys):
    options = {"instructions": "swiss", "output": "task", "samples": "3,swiss:4"}
    for shard in ("1/2", "2/2"):
        assert run("curate", *PAIR, shard=shard, **options) == 0
        assert "--merge" in capsys.readouterr().out
    assert run("curate", *PAIR, "--merge", **options) == 0
    assert "4 samples" in capsys.readouterr().out


def test_labelled_text_and_triples(text, capsys):
    assert run("label", "text", *PAIR, label="news", output="task/news") == 0
    languages = ["-s", "en", "-t", "de"]
    assert run("triples", "export", "task/news/train", *languages, output="a.jsonl") == 0
    assert run("triples", "import", "a.jsonl", *languages, output="back/train") == 0
    for extension in ("en", "de", "instr"):
        files = [text / folder / f"train.{extension}" for folder in ("task/news", "back")]
        assert files[0].read_bytes() == files[1].read_bytes()
    assert "20 triples" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, named",
    [
        ([*CURATE, "--shard", "0/3"], "--shard"),
        ([*CURATE, "--samples", "a"], "--samples"),
        (["label", "text", "--label", "Poetry", *PAIR, "--output", "t"], "Poetry"),
        (["curate", *PAIR, "--instructions", "swis", "--output", "t"], "did you mean 'swiss'"),
        (["playground", "--tuned", "nowhere"], "nowhere does not exist"),
        (["sample", "--output", "t", "--languages", "en,xx"], "--languages en,xx"),
        (["sample", "--output", "t", "--train", "-3"], "--train -3"),
    ],
)
def test_errors_are_one_line(text, capsys, arguments, named):
    assert main(arguments) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith(f"fairseq-instr {arguments[0]}: error: ") and named in said[-1]


def test_samples_are_a_number_for_all_and_for_single_ones():
    assert parse_samples("1000") == (1000, {})
    assert parse_samples("7, swiss:9,json:3") == (7, {"swiss": 9, "json": 3})
    for text in ("", "many", "7,swiss", "7,swiss:"):
        with pytest.raises(InputError, match="--samples"):
            parse_samples(text)


def test_a_key_is_read_from_the_environment_alone(monkeypatch):
    monkeypatch.setenv("A_KEY", " sk-0123456789 ")
    assert read_key("A_KEY") == "sk-0123456789"
    for variable in ("NOT_SET", "sk-0123456789"):
        with pytest.raises(InputError, match="--key-variable") as info:
            read_key(variable)
        assert "sk-" not in str(info.value)
