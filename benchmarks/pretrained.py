r"""Pretrained multilingual models, of stand-ins that stock fairseq trains: what of them is kept.

    python benchmarks/pretrained.py [RECIPE ...]

Three toy languages of the same twelve words each are learnt with the language tokens of M2M-100,
NLLB, mBART-50 and mBART-25, by fairseq's own tasks. The untuned model then answers here, in every
front end, and is tuned with two instructions.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import random
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

import torch
from fairseq.tasks.translation_from_pretrained_bart import TranslationFromPretrainedBARTTask
from record import record
from tiny_training import PLUGIN, load_plugin

from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Instruction, Inventory

WORDS = {
    "en": "the dog plays with two children near old houses while somebody sleeps".split(),
    "de": "der Hund spielt mit zwei Kindern neben alten Häusern während jemand schläft".split(),
    "fr": "le chien joue avec deux enfants près vieilles maisons pendant quelqu'un dort".split(),
}
DIRECTIONS = (("en", "de"), ("de", "en"), ("en", "fr"), ("fr", "en"))
N_TEST = 10
"""Lines of each of the four directions."""
MODEL = """
    --encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 48 --decoder-embed-dim 48
    --encoder-ffn-embed-dim 96 --decoder-ffn-embed-dim 96 --encoder-attention-heads 2
    --decoder-attention-heads 2 --share-all-embeddings --max-source-positions 64
    --max-target-positions 64 --dropout 0.1
""".split()
TRAINING = """
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --optimizer adam --lr 0.005
    --lr-scheduler inverse_sqrt --warmup-updates 40 --max-tokens 1000 --cpu --seed 1
    --no-epoch-checkpoints --no-progress-bar --log-format none --num-workers 0
    --data-buffer-size 0 --required-batch-size-multiple 1
""".split()
DECODING = """
    --beam 4 --max-len-b 20 --cpu --num-workers 0 --data-buffer-size 0
    --required-batch-size-multiple 1
""".split()
OURS = ["--user-dir", str(PLUGIN), "--task", "translation_with_instructions"]


class Recipe(NamedTuple):
    """How fairseq itself trains a family of models.

    Attributes:
        codes: what the family calls English, German and French.
        options: of its task.
        arch: of the model.
        pairs: directions that it is trained on.
    """

    codes: Dict[str, str]
    options: List[str]
    arch: str = "transformer"
    pairs: Tuple[Tuple[str, str], ...] = DIRECTIONS


def _codes(*codes: str) -> Dict[str, str]:
    return dict(zip(("en", "de", "fr"), codes))


_MULTI = "--task translation_multi_simple_epoch --encoder-langtok src --decoder-langtok".split()
RECIPES = {
    "m2m100": Recipe(_codes("en", "de", "fr"), _MULTI),
    "nllb": Recipe(_codes("eng_Latn", "deu_Latn", "fra_Latn"), _MULTI),
    "mbart50": Recipe(
        _codes("en_XX", "de_DE", "fr_XX"), [*_MULTI, "--lang-tok-style", "mbart"], "mbart_base"
    ),
    "mbart25": Recipe(
        _codes("en_XX", "de_DE", "fr_XX"),
        ["--task", "translation_from_pretrained_bart"],
        "mbart_base",
        (("en", "de"),),
    ),
}


def call(command: str, *arguments, stdin: str = "") -> str:
    """Run one of fairseq's commands in this process; what it prints."""
    module = importlib.import_module(f"fairseq_cli.{command}")
    before = sys.argv, sys.stdin
    sys.argv, sys.stdin = [f"fairseq-{command}", *map(str, arguments)], io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            module.cli_main()
    finally:
        sys.argv, sys.stdin = before
    return out.getvalue()


def outputs(printed: str) -> List[str]:
    """Translations that `fairseq-generate` or `-interactive` printed, in the order of the lines."""
    found = {}
    for line in printed.splitlines():
        if line.startswith("H-"):
            number, _, text = line[2:].split("\t")
            found[int(number)] = text
    return [found[i] for i in sorted(found)]


def write_data(folder: Path, recipe: Recipe) -> Path:
    """A data-bin of the toy languages; `task` holds German in capitals and in quotation marks."""
    rng = random.Random(1)
    words = {word for words in WORDS.values() for word in words}
    words |= {word.upper() for word in WORDS["de"]} | {"»", "«"}
    dictionary = folder / "dict.txt"
    dictionary.write_text("".join(f"{word} 1\n" for word in sorted(words)), encoding="utf-8")

    def lines(count: int) -> List[List[int]]:
        return [[rng.randrange(12) for _ in range(rng.randint(3, 7))] for _ in range(count)]

    def write(name: str, language: str, drawn: List[List[int]]) -> None:
        text = ["".join(f"{WORDS[language][i]} " for i in line).strip() for line in drawn]
        path = folder / f"{name}.{recipe.codes[language]}"
        path.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")

    splits = {"train": lines(600), "valid": lines(12), "test": lines(N_TEST)}
    for split, drawn in splits.items():
        for language in WORDS:
            write(split, language, drawn)
    data = folder / "data-bin"
    for other in ("de", "fr"):
        _preprocess(recipe.codes["en"], recipe.codes[other], folder, data, dictionary, splits)
    drawn = lines(200)
    write("tuning", "en", drawn)
    text = [[WORDS["de"][i] for i in line] for line in drawn]
    asked = ["uppercase" if i % 2 else "quotes" for i in range(len(text))]
    answers = [under(name, " ".join(line)) for name, line in zip(asked, text)]
    for language, written in ((recipe.codes["de"], answers), ("instr", asked)):
        (folder / f"tuning.{language}").write_text(
            "".join(f"{line}\n" for line in written), encoding="utf-8"
        )
    task = data / "task"
    _preprocess(recipe.codes["en"], recipe.codes["de"], folder, task, dictionary, {"train": 0})
    call("preprocess", "-s", "instr", "-t", "None", "--only-source", "--trainpref",
         folder / "tuning", "--destdir", task, "--workers", 1)  # fmt: skip
    return data


def under(name: str, text: str) -> str:
    """A translation under an instruction."""
    return {"uppercase": text.upper(), "quotes": f"» {text} «", "": text}[name]


def _preprocess(source: str, target: str, folder: Path, data: Path, dictionary, splits) -> None:
    names = {"train": "tuning"} if data.name == "task" else {split: split for split in splits}
    prefixes = [f"--{split}pref={folder / name}" for split, name in names.items()]
    with contextlib.suppress(FileNotFoundError):
        (data / f"dict.{source}.txt").unlink()
    call("preprocess", "-s", source, "-t", target, "--joined-dictionary", "--srcdict", dictionary,
         *prefixes, "--destdir", data, "--workers", 1)  # fmt: skip


def train_stock(data: Path, folder: Path, recipe: Recipe, updates: int) -> Path:
    """Train with fairseq's own task; the last checkpoint."""
    named = ",".join(recipe.codes[language] for language in ("de", "en", "fr"))
    options = [*recipe.options, "--langs", named, "--arch", recipe.arch]
    pairs = ["-".join(recipe.codes[language] for language in pair) for pair in recipe.pairs]
    if len(pairs) > 1:
        options += ["--lang-pairs", ",".join(pairs)]
    else:
        options += ["-s", pairs[0].split("-")[0], "-t", pairs[0].split("-")[1]]
    call("train", data, *options, *MODEL, *TRAINING, "--max-update", updates,
         "--save-dir", folder / "stock")  # fmt: skip
    return folder / "stock" / "checkpoint_last.pt"


def measure(name: str, folder: Path, updates: int) -> Dict[str, float]:
    """Train a stand-in by stock fairseq; compare its answers with the plugin's."""
    recipe = RECIPES[name]
    data = write_data(folder, recipe)
    base = train_stock(data, folder, recipe, updates)
    named = ",".join(recipe.codes[language] for language in ("de", "en", "fr"))
    pairs = ["-".join(recipe.codes[language] for language in pair) for pair in recipe.pairs]
    compared: List[bool] = []
    right: List[bool] = []
    for source, target in recipe.pairs:
        codes = ["-s", recipe.codes[source], "-t", recipe.codes[target]]
        stock = [*recipe.options, "--langs", named]
        if len(pairs) > 1:
            stock += ["--lang-pairs", ",".join(pairs)]
        decoding = [*codes, "--path", base, *DECODING]
        expected = outputs(call("generate", data, *stock, *decoding))
        text, reference = (
            (folder / f"test.{recipe.codes[side]}").read_text(encoding="utf-8")
            for side in (source, target)
        )
        translator = Translator.from_pretrained(
            base, data, None, codes[1], codes[3], beam=4, max_len_a=0, max_len_b=20
        )
        found = [
            outputs(call("generate", data, *OURS, *decoding)),
            outputs(call("interactive", data, *OURS, *decoding, stdin=text)),
            translator.translate(text.splitlines()),
        ]
        compared += [got == want for got, want in zip(zip(*found), zip(*[expected] * 3))]
        right += [got == want for got, want in zip(expected, reference.splitlines())]
    tuned = tune(data, folder, recipe, base)
    return {
        "stock_right": sum(right) / len(right),
        "untuned_identical": sum(compared) / len(compared),
        **answers(data, folder, recipe, tuned),
    }


def tune(data: Path, folder: Path, recipe: Recipe, base: Path) -> Path:
    """Finetune with two instructions and the directions; the last checkpoint."""
    directions = [Instruction(f"to:{code}", "target-language") for code in recipe.codes.values()]
    others = [Instruction("uppercase", "case"), Instruction("quotes", "quotation")]
    Inventory([*directions, *others]).save(data / "instructions.yaml", force=True)
    pairs = ["-".join(recipe.codes[language] for language in pair) for pair in recipe.pairs]
    call("train", data, *OURS, "--arch", recipe.arch, *MODEL, *TRAINING, "--lang-pairs",
         ",".join(pairs), "--mixture", "parallel:2,task:1", "--finetune-from-model", base,
         "--max-update", 150, "--save-dir", folder / "tuned")  # fmt: skip
    return folder / "tuned" / "checkpoint_last.pt"


def answers(data: Path, folder: Path, recipe: Recipe, tuned: Path) -> Dict[str, float]:
    """How many lines are as they should be, under the two instructions and without."""
    source, target = recipe.codes["en"], recipe.codes["de"]
    translator = Translator.from_pretrained(tuned, data, None, source, target, beam=4)
    text = (folder / f"test.{source}").read_text(encoding="utf-8").splitlines()
    reference = (folder / f"test.{target}").read_text(encoding="utf-8").splitlines()
    obeyed = [
        got == under(name, plain)
        for name in ("uppercase", "quotes")
        for got, plain in zip(translator.translate(text, name), reference)
    ]
    plain = [got == want for got, want in zip(translator.translate(text), reference)]
    return {
        "obeyed_after_tuning": sum(obeyed) / len(obeyed),
        "plain_right_after_tuning": sum(plain) / len(plain),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", default=list(RECIPES), metavar="RECIPE")
    parser.add_argument("--updates", type=int, default=400, help="of stock fairseq's training")
    args = parser.parse_args()
    load_plugin()
    # this fairseq's task for mBART reads its options under a name that it has no more
    TranslationFromPretrainedBARTTask.args = property(lambda task: task.cfg)
    torch.set_num_threads(1)
    for name in args.recipes:
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(name, Path(folder), args.updates)
        print(name, figures)
        record(f"pretrained.{name}", figures)


if __name__ == "__main__":
    main()
