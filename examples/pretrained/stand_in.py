"""Stand-ins of published models: their formats and shapes, small, trained on the recipe's text."""

import io
import json
import shutil
from collections import Counter
from pathlib import Path

from recipe import PLUGIN, BilingualRecipe, tool, words, write_lines

from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import Subwords, load_subwords

WIDTH, LAYERS, HEADS, POSITIONS = 128, 2, 4, 512
SIZE = " ".join(
    f"--{side}-layers {LAYERS} --{side}-embed-dim {WIDTH} --{side}-ffn-embed-dim {2 * WIDTH} "
    f"--{side}-attention-heads {HEADS}"
    for side in ("encoder", "decoder")
)
SIZE += f" --max-source-positions {POSITIONS} --max-target-positions {POSITIONS}"
"""Options of fairseq-train, behind those of the published model."""


def make_stand_in(config: dict, work: Path, text: Path, seed: str, output: Path) -> None:
    """Train a small model on `text`, and write it as the config's family is published."""
    kind = HuggingFaceStandIn if "hugging_face" in config else FairseqStandIn
    kind(config, work / "stand-in", text, int(seed)).make(text, output)


class StandIn(BilingualRecipe):
    """What both formats do."""

    def binarise_text(self, text: Path) -> None:
        prefixes = {"train": text / "base_train", "valid": text / "valid"}
        self.binarise(self.base_data, self.languages, **prefixes)


class HuggingFaceStandIn(StandIn):
    """A folder of Hugging Face: random weights that are converted, trained and converted back."""

    @property
    def subwords(self) -> Path:
        return self.work / "tokenizer"

    def make(self, text: Path, output: Path) -> None:
        self.learn_subwords(*(text / f"base_train.{language}" for language in self.languages))
        write_folder(self.work / "random", self.work / "subwords.model", self.config)
        random = self.work / "random"
        self.subcommand("convert", "from-hugging-face", random, "--output", self.work, "--force")
        self.binarise_text(text)
        self.command(
            "base", tool("fairseq-train"), self.base_data, *PLUGIN, *self.training_options,
            "-s", self.source, "-t", self.target, "--finetune-from-model", self.work / "model.pt",
            *words(self.config["model"]), *words(self.config["base"]), "--seed", self.seed,
            "--save-dir", self.base_model.parent,
        )  # fmt: skip
        self.subcommand(
            "convert", "to-hugging-face", self.base_model, "--tokenizer", self.subwords,
            "--output", output, "--force",
        )  # fmt: skip


class FairseqStandIn(StandIn):
    """A folder as WMT19's: a checkpoint of fairseq, its dictionaries, and codes of fastBPE."""

    @property
    def subwords(self) -> Path:
        return self.work / "bpecodes"

    def make(self, text: Path, output: Path) -> None:
        files = [text / f"base_train.{language}" for language in self.languages]
        lines = [read_lines(file) for file in files]
        self.learn_codes(line for side in lines for line in side)
        encoders = load_subwords(self.subwords, *self.languages)
        characters = {*map(chr, range(33, 127)), *"".join(line for side in lines for line in side)}
        # as of much text: every character, whether it ends a word or not
        pieces = Counter(character + mark for character in characters for mark in ("@@", ""))
        for encoder, side in zip(encoders, lines):
            for line in side:
                pieces.update(encoder.encode(line).split())
        write_lines(self.work / "dict.txt", (f"{p} {n}" for p, n in pieces.most_common()))
        self.binarise_text(text)
        self.train_base()
        output.mkdir(parents=True, exist_ok=True)
        for file, name in (
            (self.base_model, "model1.pt"),
            (self.subwords, "bpecodes"),
            *((self.work / "dict.txt", f"dict.{language}.txt") for language in self.languages),
        ):
            shutil.copyfile(file, output / name)

    def learn_codes(self, lines) -> None:
        """Codes on Moses tokens, with counts behind them as fastBPE has it."""
        from sacremoses import MosesTokenizer
        from subword_nmt.learn_bpe import learn_bpe

        tokenizer, learned = MosesTokenizer(self.source), io.StringIO()
        tokens = (
            tokenizer.tokenize(line, aggressive_dash_splits=True, return_str=True) for line in lines
        )
        learn_bpe(tokens, learned, self.config["vocabulary"])
        _, *merges = learned.getvalue().splitlines()
        numbered = enumerate(merges)
        write_lines(self.subwords, (f"{merge} {len(merges) - i}" for i, merge in numbered))


def write_folder(folder: Path, subwords: Path, config: dict) -> None:
    """A randomly initialised model of a family, with the files of its tokenizer."""
    from transformers import AutoConfig, AutoModelForSeq2SeqLM

    settings = dict(config["hugging_face"])
    pieces, added = Subwords(subwords).pieces, settings.pop("tokens", [])
    if settings["model_type"] == "marian":
        pieces, files = ["</s>", "<unk>", *pieces, "<pad>"], ("source.spm", "target.spm")
        pad = len(pieces) - 1
        ids = {"eos_token_id": 0, "pad_token_id": pad, "decoder_start_token_id": pad}
        ids["decoder_vocab_size"] = len(pieces)
    else:
        pieces, files = ["<s>", "<pad>", "</s>", "<unk>", *pieces], ("sentencepiece.bpe.model",)
        ids = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    shape = {"d_model": WIDTH, "max_position_embeddings": POSITIONS, "scale_embedding": True}
    for side in ("encoder", "decoder"):
        shape[f"{side}_layers"], shape[f"{side}_attention_heads"] = LAYERS, HEADS
        shape[f"{side}_ffn_dim"] = 2 * WIDTH
    vocabulary = len(pieces) + len(added)
    model = AutoConfig.for_model(**settings, **ids, **shape, vocab_size=vocabulary)
    AutoModelForSeq2SeqLM.from_config(model).save_pretrained(folder)
    tokens = {piece: number for number, piece in enumerate(pieces)}
    (folder / "vocab.json").write_text(json.dumps(tokens), encoding="utf-8")
    tokenizer = {"additional_special_tokens": added, **config.get("tokenizer", {})}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    for name in files:
        shutil.copyfile(subwords, folder / name)
