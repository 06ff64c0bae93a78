import pytest

from fairseq_instr.sample.__main__ import main
from fairseq_instr.sample.content import count


def run(tmp_path, *more):
    small = ["--train", "5", "--valid", "2", "--test", "2"]
    return main(["--output", str(tmp_path / "raw"), *small, *more])


def test_writes_what_was_asked(tmp_path, capsys):
    assert run(tmp_path, "--languages", "en,ro") == 0
    names = sorted(path.name for path in (tmp_path / "raw").iterdir())
    assert names == ["test.en", "test.ro", "train.en", "train.ro", "valid.en", "valid.ro"]
    assert "wrote 6 files" in capsys.readouterr().out


@pytest.mark.parametrize(
    "more, message",
    [
        (["--languages", "en,xx"], "'xx' is unknown; the sample corpus has en, de"),
        (["--train", "-3"], "the size of train is -3; it can't be negative"),
        (["--train", str(count())], f"the sample grammar has {count():,}; ask for fewer"),
    ],
)
def test_one_line_errors(tmp_path, capsys, more, message):
    assert run(tmp_path, *more) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "raw").exists()


def test_overwrites_only_with_force(tmp_path, capsys):
    assert run(tmp_path) == 0
    assert run(tmp_path) == 1
    assert "give --force" in capsys.readouterr().err
    assert run(tmp_path, "--force") == 0


def test_output_that_is_a_file(tmp_path, capsys):
    (tmp_path / "raw").write_text("")
    assert run(tmp_path) == 1
    assert "can't be written" in capsys.readouterr().err
