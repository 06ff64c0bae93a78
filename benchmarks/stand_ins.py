"""Stand-ins of published pretrained models: three toy languages, learnt by stock fairseq.

A language has twelve words, and a translation says one word after the other. Each stand-in has
the shape, the language tokens and the settings of its model, and is small enough for a minute.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import commands
import torch
from commands import binarise, write_lines
from fairseq.tasks import register_task
from fairseq.tasks.translation_from_pretrained_bart import TranslationFromPretrainedBARTTask

WORDS = {
    "en": "the dog plays with two children near old houses while somebody sleeps".split(),
    "de": "der Hund spielt mit zwei Kindern neben alten Häusern während jemand schläft".split(),
    "fr": "le chien joue avec deux enfants près vieilles maisons pendant quelqu'un dort".split(),
}
BOTH_WAYS = (("en", "de"), ("de", "en"), ("en", "fr"), ("fr", "en"))
ONE_WAY = (("en", "de"),)
N_TEST = 200
"""Test lines of all directions together."""
INSTRUCTIONS = {"uppercase": str.upper, "quotes": "» {} «".format}
"""What German says under each."""
SIZE = """
    --encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 48 --decoder-embed-dim 48
    --encoder-ffn-embed-dim 96 --decoder-ffn-embed-dim 96 --encoder-attention-heads 2
    --decoder-attention-heads 2 --share-all-embeddings --max-source-positions 64
    --max-target-positions 64 --dropout 0.1
""".split()
TRAINING = """
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --optimizer adam
    --lr-scheduler inverse_sqrt --warmup-updates 40 --max-tokens 1000 --cpu --seed 1
    --no-epoch-checkpoints --no-progress-bar --log-format none --num-workers 0
    --data-buffer-size 0 --required-batch-size-multiple 1
""".split()
BILINGUAL = "--task translation"
MBART25_TASK = "translation_from_pretrained_bart"


class Family(NamedTuple):
    """How a family of models is trained and published.

    Attributes:
        codes: what it calls English, German and French.
        task: options of the task that trains it.
        arch: options of the model beside its size.
        pairs: directions that it is trained on.
        published: in Hugging Face's format, what `config.json` says; None where it has none.
        updates: of its training, until it answers right.
        lr: learning rate of its training, and of tuning.
        tuning_updates: of tuning with instructions.
    """

    codes: Dict[str, str]
    task: str
    arch: str
    pairs: Tuple[Tuple[str, str], ...] = BOTH_WAYS
    published: Optional[dict] = None
    updates: int = 700
    lr: float = 0.005
    tuning_updates: int = 500

    def pair(self, languages: Tuple[str, str]) -> Tuple[str, str]:
        """A direction in the family's codes."""
        return self.codes[languages[0]], self.codes[languages[1]]

    @property
    def task_options(self) -> List[str]:
        """Options that its task is trained and used with."""
        options = self.task.split()
        if self.task != BILINGUAL:
            options += ["--langs", ",".join(sorted(self.codes.values()))]
        if len(self.pairs) > 1:
            options += ["--lang-pairs", ",".join("-".join(self.pair(p)) for p in self.pairs)]
        return options

    @property
    def model_options(self) -> List[str]:
        """Options of its model."""
        return [*self.arch.split(), *SIZE]


def _codes(*codes: str) -> Dict[str, str]:
    return dict(zip(("en", "de", "fr"), codes))


_ISO, _MBART = _codes("en", "de", "fr"), _codes("en_XX", "de_DE", "fr_XX")
_MULTI = "--task translation_multi_simple_epoch --encoder-langtok src --decoder-langtok"
_PRE_NORM = "--encoder-normalize-before --decoder-normalize-before"
# `mbart_base` is the same model; the small weights that it starts from learn no word order here
_MBART_ARCH = (
    f"--arch transformer {_PRE_NORM} --encoder-learned-pos --decoder-learned-pos "
    "--layernorm-embedding --activation-fn gelu"
)
_M2M = {"model_type": "m2m_100", "activation_function": "relu"}
_MBART_CONFIG = {"model_type": "mbart", "activation_function": "gelu"}
_MARIAN = {"model_type": "marian", "activation_function": "swish"}
FAMILIES = {
    "m2m100": Family(_ISO, _MULTI, f"--arch transformer {_PRE_NORM}", published=_M2M),
    "nllb": Family(
        _codes("eng_Latn", "deu_Latn", "fra_Latn"),
        _MULTI,
        f"--arch transformer {_PRE_NORM}",
        published=_M2M,
    ),
    "mbart50": Family(
        _MBART,
        f"{_MULTI} --lang-tok-style mbart",
        _MBART_ARCH,
        published={**_MBART_CONFIG, "tokenizer_class": "MBart50Tokenizer"},
        updates=900,
        lr=0.003,
        tuning_updates=800,
    ),
    "mbart25": Family(
        _MBART,
        f"--task {MBART25_TASK}",
        _MBART_ARCH,
        ONE_WAY,
        _MBART_CONFIG,
        updates=900,
        lr=0.003,
    ),
    "marian": Family(_ISO, BILINGUAL, "--arch marian", ONE_WAY, _MARIAN),
    "wmt19": Family(_ISO, BILINGUAL, "--arch transformer_wmt_en_de_big", ONE_WAY),
}


@register_task("mbart25_with_args")
class MBart25Task(TranslationFromPretrainedBARTTask):
    """mBART-25's task, which reads its options under a name that this fairseq has no more."""

    @property
    def args(self):
        """Options of the task."""
        return self.cfg


def call(command: str, *arguments, stdin: str = "") -> str:
    """As `commands.call`, mBART-25's task by the name under which it works."""
    named = ("mbart25_with_args" if each == MBART25_TASK else each for each in arguments)
    return commands.call(command, *named, stdin=stdin)


def dictionary_entries() -> List[str]:
    """All words that a stand-in can write."""
    words = {word for words in WORDS.values() for word in words}
    return sorted(words | {word.upper() for word in WORDS["de"]} | {"»", "«"})


def write_data(folder: Path, family: Family) -> Path:
    """Write text and a data-bin; `task` in it holds German in capitals and in quotation marks."""
    rng = random.Random(1)
    dictionary = folder / "dict.txt"
    write_lines(dictionary, (f"{word} 1" for word in dictionary_entries()))
    data, english, german = folder / "data-bin", family.codes["en"], family.codes["de"]
    splits = {"train": 600, "valid": 12, "test": N_TEST // len(family.pairs)}
    for split, count in splits.items():
        drawn = [[rng.randrange(12) for _ in range(rng.randint(3, 7))] for _ in range(count)]
        for language, words in WORDS.items():
            lines = (" ".join(words[i] for i in line) for line in drawn)
            write_lines(folder / f"{split}.{family.codes[language]}", lines)
    prefixes = {split: folder / split for split in splits}
    for other in ("de", "fr"):
        binarise(english, family.codes[other], data, dictionary, **prefixes)
    sources, targets = (
        (folder / f"train.{code}").read_text(encoding="utf-8").splitlines()[:200]
        for code in (english, german)
    )
    asked = [list(INSTRUCTIONS)[i % 2] for i in range(len(sources))]
    write_lines(folder / f"task.{english}", sources)
    write_lines(folder / f"task.{german}", (INSTRUCTIONS[n](t) for n, t in zip(asked, targets)))
    write_lines(folder / "task.instr", asked)
    for pair in ((english, german), ("instr", "None")):
        binarise(*pair, data / "task", dictionary, train=folder / "task")
    return data


def train(data: Path, folder: Path, family: Family) -> Path:
    """Train by fairseq's own task; the last checkpoint."""
    options: List[Any] = [*family.task_options, *family.model_options, *TRAINING]
    if len(family.pairs) == 1:
        source, target = family.pair(family.pairs[0])
        options += ["-s", source, "-t", target]
    options += ["--lr", family.lr, "--max-update", family.updates]
    call("train", data, *options, "--save-dir", folder)
    path = folder / "checkpoint_last.pt"
    if MBART25_TASK in options:
        state = torch.load(path)
        vars(state["cfg"]["task"]).update(task=MBART25_TASK, _name=MBART25_TASK)
        torch.save(state, path)
    return path


def write_hugging_face(folder: Path, family: Family) -> None:
    """Write a randomly initialised model of the family in Hugging Face's format.

    Its pieces are the words; the SentencePiece models are empty files.
    """
    from transformers import AutoConfig, AutoModelForSeq2SeqLM

    settings = dict(family.published or {})
    pieces: Sequence[str] = ["<s>", "<pad>", "</s>", "<unk>", *dictionary_entries()]
    ids = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    codes = sorted(family.codes.values())
    if settings["model_type"] == "marian":
        pieces, codes = ["</s>", "<unk>", *dictionary_entries(), "<pad>"], []
        pad = len(pieces) - 1
        ids = {"eos_token_id": 0, "pad_token_id": pad, "decoder_start_token_id": pad}
        settings["decoder_vocab_size"] = len(pieces)
    elif settings["model_type"] == "mbart":
        codes.append("<mask>")
    elif family.codes == _ISO:
        codes = [f"__{code}__" for code in codes]
    config = AutoConfig.for_model(
        **settings, **ids, vocab_size=len(pieces) + len(codes), d_model=48, encoder_layers=1,
        decoder_layers=1, encoder_ffn_dim=96, decoder_ffn_dim=96, encoder_attention_heads=2,
        decoder_attention_heads=2, max_position_embeddings=64, scale_embedding=True,
    )  # fmt: skip
    AutoModelForSeq2SeqLM.from_config(config).save_pretrained(folder)
    numbered = {piece: number for number, piece in enumerate(pieces)}
    (folder / "vocab.json").write_text(json.dumps(numbered), encoding="utf-8")
    tokens = json.dumps({"additional_special_tokens": codes})
    (folder / "tokenizer_config.json").write_text(tokens, encoding="utf-8")
    for name in ("sentencepiece.bpe.model", "source.spm", "target.spm"):
        (folder / name).touch()
