"""`fairseq-instr translate`: lines in, lines out, whatever the line ends and the channel are."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from fairseq_instr.cli.main import main
from fairseq_instr.generation.translator import Translator
from fairseq_instr.serving import loading
from fairseq_instr.serving.translator import CTranslate2Translator

LINES = ["w1 w2 w3", "", "w4", "   ", "w5 w6 w7 w8"]


@pytest.fixture(scope="module")
def translator(tuned, data_bin):
    return Translator.from_pretrained(tuned, data_bin)


@pytest.fixture
def translate(tuned, data_bin, monkeypatch, capfdbinary):
    """Run the command on bytes of standard input: (exit status, lines, error)."""

    def translate(*options, stdin=b"", model=("--model", tuned, "--data", data_bin)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main(["translate", *map(str, model), *map(str, options)])
        out, err = capfdbinary.readouterr()
        return status, out.decode().split("\n")[:-1], err.decode()

    return translate


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("buffer_size", [(), ("--buffer-size", 2)])
def test_lines_come_out_as_they_went_in(translate, translator, end, mark, buffer_size):
    stdin = mark + end.join(LINES).encode()  # the last line has no end
    status, lines, _ = translate("--instruct", "uppercase", *buffer_size, stdin=stdin)
    assert status == 0
    assert lines == translator.translate(LINES, "uppercase")


def test_a_file_goes_to_a_file(translate, translator, tmp_path):
    text, output = tmp_path / "in.txt", tmp_path / "out.txt"
    text.write_text("\n".join(LINES) + "\n")
    files = ["--input", text, "--output", output]
    assert translate(*files)[0] == 0
    assert output.read_text().split("\n")[:-1] == translator.translate(LINES)
    output.write_text("kept")
    status, _, error = translate(*files)
    assert status == 1 and "--force" in error and output.read_text() == "kept"
    assert translate(*files, "--force")[0] == 0


def test_nothing_is_half_written(translate, tmp_path):
    text, output = tmp_path / "in.txt", tmp_path / "out.txt"
    text.write_text("w1\n" + "w2 " * 100 + "\n")
    status, lines, error = translate("--input", text, "--output", output)
    assert (status, lines) == (1, []) and "line 2 " in error
    assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]


def test_n_best_are_numbered_and_scored(translate, translator):
    stdin = "\n".join(LINES).encode()
    _, lines, _ = translate("--n-best", 2, "--buffer-size", 2, stdin=stdin)
    expected = [
        [str(number), f"{score:.4f}", text]
        for number, best in enumerate(translator.translate_n_best(LINES, n_best=2), start=1)
        for text, score in best
    ]
    assert [line.split("\t") for line in lines] == expected


def test_reranking_takes_what_obeys(translate, translator):
    stdin = "\n".join(LINES).encode()
    _, lines, _ = translate("--rerank", 4, "--instruct", "uppercase", stdin=stdin)
    assert lines == translator.translate(LINES, "uppercase", rerank=4)


@pytest.mark.parametrize(
    "options, stdin, named",
    [
        (["--instruct", "loud"], b"", "'loud'"),
        (["--instruct", "uppercase, lowercase"], b"w1", "exclude each other"),
        (["--n-best", 2, "--rerank", 2], b"w1", "--rerank"),
        (["--n-best", 9], b"w1", "n_best 9"),
        (["--beam", 0], b"w1", "beam 0"),
        (["--buffer-size", 0], b"w1", "--buffer-size 0"),
        (["--input", "none.txt"], b"", "none.txt"),
        (["-t", "en", "-s", "de"], b"w1", "de-en"),
        ([], b"w1\n\xff\n", "standard input: line 2"),
        ([], b"raw text of words", "--allow-unknown"),
        (["--buffer-size", 1], b"w1\n" + b"w2 " * 90, "line 2 "),
    ],
)
def test_what_is_wrong_is_one_line(translate, options, stdin, named):
    status, _, error = translate(*options, stdin=stdin)
    (line,) = [line for line in error.splitlines() if "error" in line]
    assert status == 1 and named in line


def test_unknown_text_can_be_allowed(translate):
    assert translate("--allow-unknown", stdin=b"raw text of words")[0] == 0


def test_a_checkpoint_needs_its_data_bin(translate, tuned):
    status, _, error = translate(model=("--model", tuned))
    assert status == 1 and "--data" in error


def test_a_terminal_is_answered_line_by_line(translate, translator, monkeypatch):
    from fairseq_instr.cli import translate as command

    seen = []

    def rows(lines, buffer_size, **options):
        seen.append(buffer_size)
        return iter(())

    monkeypatch.setattr("fairseq_instr.serving.stream.translate_stream", rows)
    terminal = SimpleNamespace(buffer=io.BytesIO(b"w1\n"), isatty=lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert main(["translate"]) == 0
    assert translate()[0] == 0
    assert seen == [1, command.BUFFER_SIZE]


# -- the model that comes along ------------------------------------------------------------


def test_without_a_model_the_one_that_comes_along_translates(
    translate, tuned, data_bin, tmp_path, monkeypatch
):
    pytest.importorskip("ctranslate2")
    from fairseq_instr.serving.export import export_ctranslate2

    folder = tmp_path / "en-de-instruct"
    monkeypatch.setattr(loading, "DEFAULT_MODELS", (folder,))
    status, _, error = translate(stdin=b"w1", model=())
    assert status == 1 and "--model" in error
    export_ctranslate2(tuned, data_bin, folder)
    assert loading.default_model() == folder
    served = CTranslate2Translator.from_pretrained(folder)
    assert translate(stdin=b"w1 w2", model=())[1] == served.translate(["w1 w2"])
    status, _, error = translate("--subwords", "own.model", stdin=b"w1 w2", model=())
    assert status == 1 and "--subwords own.model" in error
