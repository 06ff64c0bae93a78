import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.errors import InputError
from fairseq_instr.text.dictionary import read_entries
from fairseq_instr.text.hugging_face import HuggingFaceSubwords


@pytest.fixture(scope="module", params=["llama-2", "llama-3", "qwen-2"])
def subwords(request, converted):
    return HuggingFaceSubwords(converted(request.param)[1] / "tokenizer")


class TestSubwords:
    @given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=40))
    def test_any_line_comes_back(self, subwords, line):
        pieces = subwords.encode(line)
        assert all(piece.isdigit() for piece in pieces.split())
        assert subwords.decode(pieces) == line

    def test_special_tokens_are_spelled(self, subwords):
        """Nobody ends a text, or begins another, by typing it."""
        for token in ("</s>", "<s>", "<|end_of_text|>", "<|endoftext|>", "<unk>"):
            assert len(subwords.encode(token).split()) > 1
            assert subwords.decode(subwords.encode(token)) == token

    def test_line_breaks(self, subwords):
        """A line of output stays a line, and the text itself can be had."""
        pieces = subwords.encode("one\n\ntwo")
        assert subwords.text(pieces.split()) == "one\n\ntwo"
        assert subwords.decode(pieces) == "one  two"
        assert subwords.decode(pieces + " <unk>") == "one  two"

    def test_rows_beyond_the_tokens(self, converted):
        """Qwen's dictionary has entries for rows that round up their number."""
        last = read_entries(converted("qwen-2")[1] / "dict.txt")[-1]
        subwords = HuggingFaceSubwords(converted("qwen-2")[1] / "tokenizer")
        assert subwords.can_write(last) and not subwords.can_write(str(int(last) + 1))

    def test_missing(self, tmp_path):
        pytest.importorskip("tokenizers")
        with pytest.raises(InputError, match="tokenizer.json does not exist"):
            HuggingFaceSubwords(tmp_path)
        (tmp_path / "tokenizer.json").write_text("{}")
        with pytest.raises(InputError, match="is not a tokenizer"):
            HuggingFaceSubwords(tmp_path)


class TestCommands:
    """A converted model in fairseq's own commands: preprocess, train, generate, interactive."""

    @pytest.fixture(scope="class")
    def folder(self, converted):
        return converted("llama-3")[1]

    @pytest.fixture(scope="class")
    def data(self, folder, binarise, tmp_path_factory):
        subwords = HuggingFaceSubwords(folder / "tokenizer")
        rng = random.Random(1)
        # fairseq-interactive takes spaces off both ends of a line
        lines = [f"a{''.join(rng.choices(string.ascii_lowercase + ' ', k=20))}z" for _ in range(16)]
        encoded = [subwords.encode(line) for line in lines]
        splits = dict.fromkeys(("train", "valid", "test"), (encoded, encoded[::-1]))
        destination = tmp_path_factory.mktemp("data")
        return binarise(destination, splits, dictionary=folder / "dict.txt")

    @staticmethod
    def plugin():
        from pathlib import Path

        user_dir = Path(__file__).resolve().parents[2] / "fairseq_instr"
        return ["--user-dir", user_dir, "--task", "translation_with_instructions"]

    def test_train(self, folder, data, call, tmp_path):
        call(
            "train", data, *self.plugin(), "--arch", "decoder_only", "--decoder-embed-dim", 32,
            "--decoder-ffn-embed-dim", 48, "--decoder-layers", 2, "--decoder-attention-heads", 4,
            "--decoder-key-value-heads", 2, "--share-decoder-input-output-embed",
            "--max-positions", 256, "--criterion", "label_smoothed_cross_entropy",
            "--optimizer", "adam", "--max-update", 1, "--max-tokens", 200, "--cpu",
            "--num-workers", 0, "--data-buffer-size", 0, "--log-format", "none",
            "--finetune-from-model", folder / "model.pt", "--save-dir", tmp_path,
        )  # fmt: skip
        assert (tmp_path / "checkpoint_last.pt").exists()

    def test_generate_and_interactive_agree(self, folder, data, call, tmp_path):
        options = [
            data, *self.plugin(), "-s", "en", "-t", "de", "--path", folder / "model.pt",
            "--max-len-b", 8, "--beam", 2, "--cpu", "--num-workers", 0, "--max-tokens", 500,
        ]  # fmt: skip
        bpe = ["--bpe", "hugging_face", "--tokenizer-folder", folder / "tokenizer"]
        generated = call("generate", *options, *bpe)
        sources = {}
        outputs = {}
        for line in generated.splitlines():
            kind, _, number = line.split("\t")[0].partition("-")
            if kind == "S":
                sources[int(number)] = line.split("\t")[1]
            elif kind == "H":
                outputs[int(number)] = line.split("\t")[2]
        assert len(outputs) == 16
        lines = tmp_path / "lines.txt"
        lines.write_text("".join(sources[i] + "\n" for i in range(16)))
        typed = call("interactive", *options, *bpe, "--input", lines, "--buffer-size", 16)
        again = [line.split("\t")[2] for line in typed.splitlines() if line.startswith("H-")]
        assert again == [outputs[i] for i in range(16)]

    def test_folder_is_asked_for(self, folder, data, refusal):
        error = refusal(
            "interactive", data, *self.plugin(), "-s", "en", "-t", "de", "--cpu",
            "--path", folder / "model.pt", "--bpe", "hugging_face",
        )  # fmt: skip
        assert "--tokenizer-folder" in error
