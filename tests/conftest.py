"""Shared fixtures: a tiny synthetic corpus, binarised by fairseq itself, and fairseq's commands.

A source is a sequence of the words `w0` to `w29`; its translation has the words `v0` to `v29`
in the same order, and an instruction changes how they are written (`V3`, `v3!`). Both sides
share a dictionary, whose size `fairseq-preprocess` makes a multiple of 8 by madeupwords.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import random
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest

from fairseq_instr.errors import InputError, find_input_error
from fairseq_instr.instructions import Instruction, Inventory

ROOT = Path(__file__).resolve().parents[1]
USER_DIR = str(ROOT / "fairseq_instr")
N_WORDS = 30
SIZES = {"train": 40, "valid": 6, "test": 17}
MODEL = """
    --arch transformer --encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 16
    --decoder-embed-dim 16 --encoder-ffn-embed-dim 16 --decoder-ffn-embed-dim 16
    --encoder-attention-heads 2 --decoder-attention-heads 2 --dropout 0.1
    --max-source-positions 64 --max-target-positions 64
""".split()
OPTIMISATION = """
    --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --optimizer adam --lr 0.01
    --lr-scheduler inverse_sqrt --warmup-updates 2 --max-tokens 120 --no-progress-bar
    --log-format none --cpu --num-workers 0 --data-buffer-size 0
""".split()
WITH_INSTRUCTIONS = ["--user-dir", USER_DIR, "--task", "translation_with_instructions"]
DECODING = """
    --cpu --beam 2 --max-len-a 0 --max-len-b 8 --num-workers 0 --data-buffer-size 0
""".split()

# A forked child never collects what its parent made: the destructor of a CTranslate2 model waits
# for threads that only the parent has.
os.register_at_fork(before=gc.freeze, after_in_parent=gc.unfreeze)

# no bound on time: it depends on the machine
hypothesis.settings.register_profile("tests", deadline=None, max_examples=40)
hypothesis.settings.register_profile("long", deadline=None, max_examples=5000)
hypothesis.settings.load_profile("tests")


def pytest_report_header():
    """Name what the last digits of a training depend on."""
    import torch

    return f"torch {torch.__version__}, kernels for {torch.backends.cpu.get_cpu_capability()}"


def column(printed, mark):
    """Last fields of the lines `S-0<tab>...` of fairseq-generate, by their number."""
    rows = (line.split("\t") for line in printed.splitlines() if line.startswith(f"{mark}-"))
    found = {int(name[2:]): fields[-1] for name, *fields in rows}
    return [found[number] for number in sorted(found)]


def sentences(n, seed, longest=9):
    """`n` random source sentences of 1 to `longest` words."""
    rng = random.Random(seed)
    return [
        " ".join(f"w{rng.randrange(N_WORDS)}" for _ in range(rng.randint(1, longest)))
        for _ in range(n)
    ]


def translation(source, instructions=""):
    """The translation of a source under instructions such as `"formal uppercase"`."""
    words = source.replace("w", "v").split()
    for name in instructions.split():
        words = {
            "uppercase": [word.upper() for word in words],
            "lowercase": words,
            "formal": ["Sie", *words],
            "informal": ["du", *words],
            "exclaim": [*words, "!"],
        }[name]
    return " ".join(words)


@pytest.fixture(scope="session")
def real_text():
    """`real_text("multi30k/test.de.gz")` -> its path; a test is skipped where it is missing.

    The environment variable INSTR_DATA names the folder of the data sets.
    """
    folder = Path(os.environ.get("INSTR_DATA") or ROOT.parent / "shared" / "data")

    def real_text(name):
        if not (folder / name).exists():
            pytest.skip(f"{name} is not in {folder}; INSTR_DATA names the folder of the data sets")
        return folder / name

    return real_text


@pytest.fixture(scope="session")
def inventory():
    """Five instructions on three axes; the last axis has a single member."""
    axes = {"case": "uppercase lowercase", "formality": "formal informal", "punctuation": "exclaim"}
    return Inventory(Instruction(n, axis) for axis, names in axes.items() for n in names.split())


@pytest.fixture(scope="session")
def call():
    """Run one of fairseq's commands in this process: `call("train", *arguments)` -> stdout."""
    import torch
    from fairseq.tasks import import_tasks

    torch.set_num_threads(1)
    # --user-dir does nothing where the package is imported already
    import_tasks(str(Path(USER_DIR, "tasks")), "fairseq_instr.tasks")

    def call(command, *arguments):
        module = importlib.import_module(f"fairseq_cli.{command}")
        before = sys.argv
        sys.argv = [f"fairseq-{command}", *map(str, arguments)]
        try:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                module.cli_main()
        finally:
            sys.argv = before
        return out.getvalue()

    return call


@pytest.fixture(scope="session")
def refusal(call):
    """Run a command that has to be refused, and give the one line that the user sees."""

    def refusal(command, *arguments):
        with pytest.raises(Exception) as info:  # fairseq wraps some errors in an Exception
            call(command, *arguments)
        error = find_input_error(info.value)
        if error is None:
            raise info.value
        assert isinstance(error, InputError)
        assert "\n" not in str(error)
        return str(error)

    return refusal


@pytest.fixture(scope="session")
def train_until(call):
    """Train until the likelihood of the validated split says that the model has learnt.

    `train_until(0.2, *arguments)` validates every 60 updates and stops at an `nll_loss` of at
    most 0.2 bits a token. How many updates that takes depends on the processor.
    """
    from fairseq_instr.checkpoints.inspection import read_checkpoint

    def train_until(loss, *arguments):
        path = Path(arguments[arguments.index("--save-dir") + 1], "checkpoint_last.pt")
        for updates in range(60, 1201, 60):
            call(
                "train", *arguments, "--max-update", updates,
                "--best-checkpoint-metric", "nll_loss",
            )  # fmt: skip
            reached = read_checkpoint(path)["extra_state"]["val_loss"]
            if reached <= loss:
                return path
        pytest.fail(f"nll_loss is {reached} after {updates} updates, and {loss} was to be reached")

    return train_until


@pytest.fixture(scope="session")
def run():
    """Run one of fairseq's commands as a user does, in a process of its own."""

    def run(command, *arguments, stdin="", python=sys.executable):
        line = [str(python), "-m", f"fairseq_cli.{command}", *map(str, arguments)]
        alone = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        return subprocess.run(line, input=stdin, capture_output=True, text=True, env=alone)

    return run


@pytest.fixture(scope="session")
def run_script():
    """Run one of the project's scripts as a user does, in a process of its own."""

    def run_script(name, *arguments):
        line = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
        alone = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": ""}
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=alone)

    return run_script


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window, where it and `playwright` are installed."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium is installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"], timeout=300_000
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def binarise(call, tmp_path_factory):
    """Binarise aligned lines with fairseq-preprocess.

    `binarise(folder, {"train": (sources, targets)}, pair=("en", "de"), streams={"train": lines},
    dictionary=path)`; without a dictionary one is made of all words that the tests use.
    """

    def write(path, lines):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def binarise(folder, splits, pair=("en", "de"), streams=None, dictionary=None):
        text = tmp_path_factory.mktemp("text")
        for split, sides in splits.items():
            for language, lines in zip(pair, sides):
                write(text / f"{split}.{language}", lines)
        prefixes = [f"--{split}pref={text / split}" for split in splits]
        joined = ["--srcdict", dictionary] if dictionary else []
        call(
            "preprocess", "-s", pair[0], "-t", pair[1], "--joined-dictionary", *joined, *prefixes,
            "--destdir", folder, "--workers", 1,
        )  # fmt: skip
        for split, lines in (streams or {}).items():
            write(text / f"{split}.instr", lines)
        if streams:
            # the first of them also makes the dictionary
            prefixes = [f"--{split}pref={text / split}" for split in streams]
            call(
                "preprocess", "-s", "instr", "-t", "None", "--only-source", *prefixes,
                "--destdir", folder, "--workers", 1,
            )  # fmt: skip
        return Path(folder)

    return binarise


@pytest.fixture(scope="session")
def data_bin(binarise, inventory, tmp_path_factory):
    """A data-bin of one flat corpus (40 training pairs) and the group task (12 and 8 pairs).

    Line 5 of the test set is empty.
    """
    root = tmp_path_factory.mktemp("data-bin")
    words = [f"{letter}{i}" for letter in "wvV" for i in range(N_WORDS)] + ["Sie", "du", "DU", "!"]
    dictionary = tmp_path_factory.mktemp("dictionary") / "dict.txt"
    dictionary.write_text("".join(f"{word} 1\n" for word in words) + "madeupword0000 0\n")
    splits = {}
    for seed, (split, size) in enumerate(SIZES.items()):
        sources = sentences(size, seed)
        if split == "test":
            sources[4] = ""
        splits[split] = (sources, list(map(translation, sources)))
    binarise(root, splits, dictionary=dictionary)
    tasks = {
        "case": ["uppercase"] * 6 + ["lowercase"] * 6,
        "formality": ["formal"] * 4 + ["informal uppercase"] * 2 + ["exclaim", "exclaim"],
    }
    for seed, (name, asked) in enumerate(tasks.items()):
        splits = {}
        for split in ("train", "valid"):
            sources = sentences(len(asked), 10 * seed + len(split))
            splits[split] = (sources, list(map(translation, sources, asked)))
        streams = dict.fromkeys(splits, asked)
        binarise(root / "task" / name, splits, streams=streams, dictionary=dictionary)
    inventory.save(root / "instructions.yaml")
    return root


@pytest.fixture
def own_data_bin(data_bin, tmp_path):
    """A copy of the data-bin that a test may change."""
    return Path(shutil.copytree(data_bin, tmp_path / "data-bin"))


@pytest.fixture(scope="session")
def base(call, data_bin, tmp_path_factory):
    """A checkpoint trained by fairseq's own translation task, embeddings all shared."""
    folder = tmp_path_factory.mktemp("base")
    call(
        "train", data_bin, "--task", "translation", *MODEL, *OPTIMISATION,
        "--share-all-embeddings", "--required-batch-size-multiple", 1,
        "--max-update", 3, "--save-dir", folder,
    )  # fmt: skip
    return folder / "checkpoint_last.pt"


@pytest.fixture(scope="session")
def finetuning(data_bin, base):
    """Arguments of a finetuning of `base` on a mixture; to be followed by others."""
    return [
        data_bin, *WITH_INSTRUCTIONS, *MODEL, *OPTIMISATION, "--share-all-embeddings",
        "--finetune-from-model", base, "--mixture", "parallel:2,task:1",
    ]  # fmt: skip


@pytest.fixture(scope="session")
def tuned(call, finetuning, tmp_path_factory):
    """`base`, finetuned for an epoch."""
    folder = tmp_path_factory.mktemp("tuned")
    call("train", *finetuning, "--max-epoch", 1, "--save-dir", folder)
    return folder / "checkpoint_last.pt"


@pytest.fixture(scope="session")
def make_task(data_bin, call):
    """Set the task up as fairseq's commands do: `make_task("--mixture", "...", data=path)`."""
    from fairseq import options, tasks
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf

    def make_task(*arguments, data=data_bin):
        parser = options.get_training_parser()
        arguments = [data, *WITH_INSTRUCTIONS, *MODEL, *OPTIMISATION, *arguments]
        args = options.parse_args_and_arch(parser, list(map(str, arguments)))
        cfg = convert_namespace_to_omegaconf(args)
        task = tasks.setup_task(cfg.task)
        task.full_cfg = cfg
        return task

    return make_task


@pytest.fixture(scope="session")
def corpus_maker():
    """`sentences` and `translation`, for tests that write corpora of their own."""
    return SimpleNamespace(sentences=sentences, translation=translation)


# the words are real, for identification to tell the languages apart
LANGUAGES = {
    "en": "the dog plays with two children near old houses while somebody sleeps".split(),
    "de": "der Hund spielt mit zwei Kindern neben alten Häusern während jemand schläft".split(),
    "fr": "le chien joue avec deux enfants près vieilles maisons pendant quelqu'un dort".split(),
}
ENGLISH_CENTRIC = ("en-de", "de-en", "en-fr", "fr-en")


def multilingual_lines(n, seed):
    """`n` aligned lines in each language: language -> lines."""
    rng = random.Random(seed)
    drawn = [[rng.randrange(12) for _ in range(rng.randint(4, 8))] for _ in range(n)]
    return {
        language: [" ".join(words[i] for i in line) for line in drawn]
        for language, words in LANGUAGES.items()
    }


@pytest.fixture(scope="session")
def multilingual(call, binarise, tmp_path_factory):
    """A tiny model of English, German and French, trained on pairs with English alone.

    A data-bin, raw text, the arguments of a training, and two checkpoints of it.

    The corpus `zero` of the data-bin holds the zero-shot direction de-fr for validation.
    """
    root = tmp_path_factory.mktemp("multilingual")
    dictionary = root / "dict.txt"
    words = dict.fromkeys(word for words in LANGUAGES.values() for word in words)
    dictionary.write_text("".join(f"{word} 1\n" for word in words), encoding="utf-8")
    data = root / "data-bin"
    train, valid = multilingual_lines(200, 1), multilingual_lines(12, 2)
    for other in ("de", "fr"):
        splits = {"train": (train["en"], train[other]), "valid": (valid["en"], valid[other])}
        (data / "dict.en.txt").unlink(missing_ok=True)
        binarise(data, splits, pair=("en", other), dictionary=dictionary)
    binarise(
        data / "zero", {"valid": (valid["de"], valid["fr"])}, pair=("de", "fr"),
        dictionary=dictionary,
    )  # fmt: skip
    Inventory(Instruction(f"to:{language}", "target-language") for language in LANGUAGES).save(
        data / "instructions.yaml"
    )
    for split, texts in (("test", multilingual_lines(9, 3)), ("train", train)):
        for language, text in texts.items():
            Path(root, f"{split}.{language}").write_text("\n".join(text) + "\n", encoding="utf-8")
    task = [data, *WITH_INSTRUCTIONS, "--lang-pairs", ",".join(ENGLISH_CENTRIC)]
    training = [
        *task, *"""
        --arch transformer --encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 32
        --decoder-embed-dim 32 --encoder-ffn-embed-dim 64 --decoder-ffn-embed-dim 64
        --encoder-attention-heads 2 --decoder-attention-heads 2 --share-all-embeddings
        --criterion label_smoothed_cross_entropy --optimizer adam --lr 0.01
        --lr-scheduler inverse_sqrt --warmup-updates 20 --max-tokens 800 --no-progress-bar
        --log-format none --cpu --num-workers 0 --data-buffer-size 0
        """.split(),
    ]  # fmt: skip
    checkpoints = []
    for seed in (1, 2):
        call("train", *training, "--max-update", 60, "--seed", seed, "--save-dir",
             root / f"model{seed}", "--no-epoch-checkpoints")  # fmt: skip
        checkpoints.append(root / f"model{seed}" / "checkpoint_last.pt")
    return SimpleNamespace(
        root=root, data=data, valid=valid, task=task, training=training, checkpoints=checkpoints
    )


@pytest.fixture
def names_of():
    """Names of the instructions of each line of a split, in the order of the dataset."""

    def names_of(task, split):
        dataset = task.datasets[split]
        return [
            [task.inventory[request.position].name for request in dataset[place]["requests"]]
            for place in range(len(dataset))
        ]

    return names_of


@pytest.fixture(scope="session")
def load_example():
    """`(script of an example) -> its names`, with its folder on the path while it is imported."""

    def load(script: Path) -> dict:
        sys.path.insert(0, str(script.parent))
        try:
            return runpy.run_path(str(script))
        finally:
            sys.path.remove(str(script.parent))
            sys.modules.pop("run", None)  # each example has one

    return load
