"""Hostile input: every case is accepted or refused in one sentence, or it is a crash.

    python benchmarks/fuzz.py --cases 5000 --seed 1

runs two series over each kind of input: a property-based one (hypothesis draws what is nearly
right) and a mutating one (bytes of valid input are flipped, cut, repeated and spliced). Cases
run in forked processes with bounds on time and memory, so that a hang, an unbounded allocation
and a crash of the interpreter count as crashes too. Records `fuzz.cases` and `fuzz.crashes`
after each kind, so that kinds may be run one by one (`--kinds stream`).

A case is a crash if anything but an `InputError` of one bounded line comes out, if what is
accepted breaks the promise that its kind makes, or if anything in it is executed.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import itertools
import json
import logging
import multiprocessing
import os
import pickle
import random
import resource
import signal
import sys
import tempfile
import traceback
import warnings
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import hypothesis
import numpy as np
import torch
import yaml
from fairseq.data import Dictionary
from fairseq.data.indexed_dataset import MMapIndexedDatasetBuilder
from hypothesis import strategies as st

from fairseq_instr.checkpoints.inspection import (
    read_checkpoint,
    refuse_oversized,
    trained_inventory,
)
from fairseq_instr.checkpoints.task_state import INVENTORY_KEY
from fairseq_instr.curation.triples import export_triples, import_triples, read_triple
from fairseq_instr.data.corpora import Corpus, check_stream, load_stream
from fairseq_instr.errors import InputError
from fairseq_instr.generation.lines import check_text
from fairseq_instr.instructions import Inventory, catalogue, compose
from fairseq_instr.instructions.asking import (
    ARGUMENT_MARK,
    group_tokens,
    parse,
    parse_line,
    spell_line,
)
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.prompts.templates import Template, library

SECONDS = 10  # processor time of a case
STILL = 300  # seconds in which no case ends: a process that waits takes no processor time
MEBIBYTES = 2048  # that the cases of a process may take beside what is there
LONGEST_MESSAGE = 4000  # an error may list what is accepted
CHUNK = 500  # cases of a process
NAMES = ("to:de", "to:fr", "uppercase", "lowercase", "formal", "informal", "begin-with", "at-most")
INVENTORY = Inventory(look_up(name) for name in NAMES)
WORDS = ("w1", "w2", "▁Heu", "te")


class Kind(NamedTuple):
    """A kind of input.

    Attributes:
        check: takes a case; raises `InputError` to refuse it, and anything else is a crash.
        strategy: hypothesis' strategy of cases that are nearly right.
        mutate: a case made from valid input at random.
    """

    check: Callable[[Any], None]
    strategy: st.SearchStrategy
    mutate: Callable[[random.Random], Any]


class Crash(NamedTuple):
    """A case that was neither accepted nor refused."""

    kind: str
    case: str
    error: str


# -- mutation ---------------------------------------------------------------------------

ODD_BYTES = [b"\x00", b"\xff", b"\xed\xa0\x80", b"\n", b"\t", b"\xe2\x80\xa8", b"\xe2\x80\xae",
             b'"', b"\\", b"=", b",", b"{", b"[", b"&a ", b"*a", b"!!python/name:os.system ",
             b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00"]  # fmt: skip
ODD_TEXT = ["\x00", "\u2028", "\u2029", "\x85", "\ud800", "\udfff", "\u202e", "\u200b", "\ufeff",
            "\n", "\r", "\t", '"', "\\", "=", ",", "\U0010ffff", "İ", "ﬁ", "</s>", "<pad>",
            "<instruction formal>", "▁", "<0x0A>"]  # fmt: skip


def mutate(sequence: Sequence, odd: Sequence, rng: random.Random):
    """A sequence (bytes or text) with one to four changes."""
    for _ in range(rng.randint(1, 4)):
        at, other = sorted(rng.randrange(len(sequence) + 1) for _ in range(2))
        change = rng.randrange(6)
        if change == 0:  # cut off
            sequence = sequence[:at]
        elif change == 1:  # cut out
            sequence = sequence[:at] + sequence[other:]
        elif change == 2:  # say again
            part = sequence[at : min(other, at + 64)]
            sequence = sequence[:at] + part * rng.choice([2, 2, 3, 50]) + sequence[other:]
        elif change == 3 and isinstance(sequence, bytes):  # flip bits
            flipped = bytearray(sequence)
            for _ in range(min(len(flipped), rng.choice([1, 1, 2, 8]))):
                flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            sequence = bytes(flipped)
        elif change == 4:  # put another part here
            sequence = sequence[:at] + sequence[other : other + 32] + sequence[at:]
        else:
            sequence = sequence[:at] + rng.choice(odd) + sequence[at:]
    return sequence


class _Scratch:
    """A folder for the files of cases; a process has its own."""

    def __init__(self, folder: Path):
        self.folder = folder

    def write(self, name: str, content: bytes) -> Path:
        folder = self.folder / str(os.getpid())
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(content)
        return path


# -- YAML: inventories and templates ------------------------------------------------------

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.sampled_from([*NAMES, "name", "axis", "case", "{source}", "{instructions}"]),
)  # fmt: skip


def _nested(keys: Sequence[str]) -> st.SearchStrategy:
    return st.recursive(
        _SCALARS,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(keys) | st.text(max_size=4), inner, max_size=4)
        ),
        max_leaves=12,
    )


def _yaml_bytes(contents: st.SearchStrategy) -> st.SearchStrategy:
    dumped = contents.map(lambda content: yaml.safe_dump(content, allow_unicode=True))
    return st.one_of(
        dumped.map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text(alphabet="ab:-[]{}&*!|>'\"#%@\n\t ,?0.~=<", max_size=60).map(str.encode),
        st.binary(max_size=60),
    )


def inventory_kind(scratch: _Scratch) -> Kind:
    """Inventory files; what is accepted comes back from what it is saved as."""

    def check(case: bytes) -> None:
        path = scratch.write("instructions.yaml", case)
        inventory = Inventory.load(path)
        inventory.save(path, force=True)
        assert Inventory.load(path) == inventory
        assert len(set(inventory.symbols)) == len(inventory)

    valid = yaml.safe_dump(
        Inventory([look_up("to:de"), *list(catalogue().values())[:20]]).to_dict()
    )
    entry = st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(NAMES) | _SCALARS,
            "axis": st.sampled_from(["case", "formality"]) | _SCALARS,
            "phrases": st.lists(_SCALARS, max_size=3) | _SCALARS,
            "argument": st.sampled_from(["text", "number", "pair"]) | _SCALARS,
        },
    )
    nearly = st.fixed_dictionaries({"instructions": st.lists(entry, max_size=4)})
    nested = _nested(["instructions", "name", "axis", "phrases", "argument"])
    return Kind(
        check,
        _yaml_bytes(nearly | nested),
        lambda rng: mutate(valid.encode(), ODD_BYTES, rng),
    )


def template_kind(scratch: _Scratch) -> Kind:
    """Template files."""

    def check(case: bytes) -> None:
        Template.load(scratch.write("template.yaml", case)).for_target("de")

    folder = Path(sys.modules[Template.__module__].__file__).parent / "library"
    valid = [(folder / f"{name}.yaml").read_bytes() for name in library()]
    keys = ["prompt", "demonstration", "separator", "lead", "joiner", "languages", "phrases"]
    nearly = st.fixed_dictionaries(
        {"prompt": st.sampled_from(["{source}{instructions}", "{source"]) | st.text(max_size=12)},
        optional={key: _SCALARS | _nested(keys) for key in [*keys[1:], "by_target"]},
    )
    return Kind(
        check,
        _yaml_bytes(nearly | _nested(keys)),
        lambda rng: mutate(rng.choice(valid), ODD_BYTES, rng),
    )


# -- what users ask for -------------------------------------------------------------------


def request_kind() -> Kind:
    """Strings of `--instruct` and lines of `.instr` files; order says nothing."""

    def check(case: str) -> None:
        names = parse(case)
        positions = compose(names, INVENTORY, origin="--instruct")
        assert compose(reversed(names), INVENTORY) == positions
        axes = [INVENTORY[position].axis for position in positions]
        assert len(set(axes)) == len(axes)
        line = parse_line(case)
        groups = group_tokens(spell_line(case, lambda text: " ".join(text)).split())
        # no argument is taken for an instruction, and none gets lost
        assert len(groups) == sum(not word.startswith(ARGUMENT_MARK) for word in line)
        compose(line, INVENTORY, origin="line 1")

    pieces = st.sampled_from([*NAMES, ",", " ", "=", '"', "\\", "Heute", "40", "1=2", *ODD_TEXT])
    valid = [
        "to:de, uppercase, formal",
        'begin-with="Heute, am Montag", at-most=40, lowercase',
        r'begin-with="a \"b\" \\", informal',
    ]
    return Kind(
        check,
        st.lists(pieces, max_size=14).map("".join) | st.text(max_size=60),
        lambda rng: mutate(rng.choice(valid), [*ODD_TEXT, *NAMES, "a" * 5000], rng),
    )


def triple_kind(scratch: _Scratch) -> Kind:
    """Triples as JSON lines; aligned files of what is accepted give the same triples back."""

    def check(case: bytes) -> None:
        path = scratch.write("triples.jsonl", case)
        outputs = [path.with_name(f"train.{suffix}") for suffix in ("en", "de", "instr")]
        count = import_triples(path, outputs, INVENTORY, force=True)
        again = path.with_name("again.jsonl")
        assert export_triples(outputs, again, INVENTORY, force=True) == count
        written = again.read_text(encoding="utf-8", errors="strict").split("\n")[:-1]
        lines = [line for line in case.split(b"\n") if line]
        assert len(written) == count == len(lines)
        for line, own in zip(lines, written):
            assert read_triple(line.rstrip(b"\r").decode(), "line") == read_triple(own, "own line")

    asked = [["to:de", "uppercase"], [], ['begin-with="Heute, am"', "at-most=40"]]
    rows = [("Come in!", "w1", asked[0]), ("Two men.", "Ja.", asked[1]), ("w1 w2", "w", asked[2])]

    def dump(rows) -> bytes:
        objects = (dict(zip(("source", "target", "instructions"), row)) for row in rows)
        return "".join(f"{json.dumps(content)}\n" for content in objects).encode()

    def mutated(rng: random.Random) -> bytes:
        if rng.random() < 0.5:
            return mutate(dump(rows), ODD_BYTES, rng)
        source, target, names = rng.choice(rows)
        return dump([*rows, (mutate(source, ODD_TEXT, rng), mutate(target, ODD_TEXT, rng), names)])

    text = st.sampled_from(["w1", "Ja.", '"', *ODD_TEXT]) | st.text(max_size=8) | _SCALARS
    entry = st.fixed_dictionaries(
        {
            "source": text,
            "target": text,
            "instructions": st.lists(st.sampled_from([*NAMES, "at-most=3"]) | text, max_size=3)
            | _SCALARS,
        },
        optional={"name": _SCALARS},
    )
    lines = st.lists(entry | _nested(["source", "target", "instructions"]), max_size=3)
    dumped = st.builds(
        lambda rows, plain: "".join(f"{json.dumps(row, ensure_ascii=plain)}\n" for row in rows),
        lines,
        st.booleans(),
    )
    nearly = dumped.map(lambda text: text.encode("utf-8", "surrogatepass"))
    return Kind(check, nearly, mutated)


# -- streams ------------------------------------------------------------------------------


class Stream(NamedTuple):
    """The three files of a binarised stream."""

    idx: bytes
    bin: bytes
    dictionary: bytes


def _binarise(folder: Path, lines: Sequence[Sequence[int]], symbols: Sequence[str]) -> Stream:
    prefix = folder / f"valid{os.getpid()}"
    builder = MMapIndexedDatasetBuilder(f"{prefix}.bin", dtype=np.int32)
    for line in lines:
        builder.add_item(torch.tensor(line, dtype=torch.int32))
    builder.finalize(f"{prefix}.idx")
    dictionary = "".join(f"{symbol} 1\n" for symbol in symbols).encode("utf-8", "surrogatepass")
    read = (Path(f"{prefix}.{suffix}").read_bytes() for suffix in ("idx", "bin"))
    return Stream(*read, dictionary)


def stream_kind(scratch: _Scratch) -> Kind:
    """Binarised `.instr` streams; every line that is accepted composes."""
    source = Dictionary()
    for word in WORDS:
        source.add_symbol(word)

    def check(case: Stream) -> None:
        folder = scratch.write("dict.instr.txt", case.dictionary).parent
        scratch.write("train.instr-None.instr.idx", case.idx)
        scratch.write("train.instr-None.instr.bin", case.bin)
        stream = load_stream(folder, "train", INVENTORY, source_dictionary=source)
        corpus = Corpus("task", ("en", "de"), _Sized(len(stream)), stream)
        check_stream(corpus, INVENTORY, "corpus")
        for index in range(len(stream)):
            asked = corpus.instructions(index)
            axes = [INVENTORY[position].axis for position in asked]
            assert len(set(axes)) == len(axes)

    first = Dictionary().nspecial
    symbols = ["to:de", "uppercase", "begin-with", "=▁Heu", "=te", "formal", "madeupword0000"]
    lines = [[first, first + 1, 2], [first + 2, first + 3, first + 4, 2], [2], [first + 5, 2]]
    valid = _binarise(scratch.folder, lines, symbols)
    drawn = st.builds(
        lambda lines, symbols: _binarise(scratch.folder, lines, symbols),
        st.lists(st.lists(st.integers(-2, first + 9), min_size=1, max_size=5), max_size=5),
        st.lists(st.sampled_from([*symbols, "loud", "=", "=x", "#fairseq:overwrite"])
                 | st.text(max_size=5), max_size=7),
    )  # fmt: skip

    def mutated(rng: random.Random) -> Stream:
        which = rng.choice(Stream._fields)
        return valid._replace(**{which: mutate(getattr(valid, which), ODD_BYTES, rng)})

    return Kind(check, drawn, mutated)


class _Sized:
    """Only the length of a corpus' sources and targets is looked at."""

    def __init__(self, length: int):
        self.length = length

    def __len__(self) -> int:
        return self.length


# -- checkpoints --------------------------------------------------------------------------


class Foreign:
    """An object that would do something when it is unpickled."""

    executed: List[str] = []

    def __reduce__(self):
        return Foreign.executed.append, ("executed",)


def checkpoint_kind(scratch: _Scratch, valid: Optional[bytes] = None) -> Kind:
    """Checkpoints; nothing is executed, and no parameter is larger than the file."""

    def check(case: bytes) -> None:
        path = scratch.write("model.pt", case)
        try:
            state = read_checkpoint(path)
            refuse_oversized(state, path)
            trained_inventory(state)
            size = sum(t.numel() for t in state["model"].values() if torch.is_tensor(t))
            assert size <= len(case) * len(state["model"])
        finally:
            assert not Foreign.executed

    content = {
        "args": argparse.Namespace(encoder_layers=1, encoder_embed_dim=4, arch="transformer"),
        "cfg": None,
        "model": {"encoder.embed_tokens.weight": torch.ones(9, 4), "version": torch.ones(1)},
        "task_state": {INVENTORY_KEY: INVENTORY.to_dict()},
        "extra_state": {"val_loss": 1.5, "iterator": {"epoch": 2}},
    }
    valid = valid or _saved(content)
    sizes = st.integers(-1, 3) | st.sampled_from([10**6, 10**12, "4", None])
    tensors = st.one_of(
        st.lists(st.integers(0, 4), max_size=3).map(torch.ones),
        st.sampled_from([torch.ones(1).expand(10**9, 1000), torch.ones(3).bool(), torch.eye(3)]),
    )
    foreign = st.sampled_from([Foreign(), Path("x"), os.system, getattr, eval, random.Random()])
    values = _SCALARS | tensors | foreign | st.lists(tensors | _SCALARS, max_size=3)
    settings = st.builds(
        argparse.Namespace,
        encoder_layers=sizes,
        encoder_embed_dim=sizes,
        decoder_ffn_embed_dim=sizes,
        max_source_positions=sizes,
    )
    parameters = st.dictionaries(
        st.sampled_from(["encoder.embed_tokens.weight", "decoder.x", "y"]), tensors, max_size=3
    )
    inventories = st.fixed_dictionaries({INVENTORY_KEY: st.just(INVENTORY.to_dict()) | values})
    states = st.fixed_dictionaries(
        {"args": settings | values, "model": parameters | values},
        optional={
            "cfg": st.none() | st.dictionaries(st.sampled_from(["model", "task"]), values),
            "task_state": inventories | values,
            "extra_state": values,
        },
    )
    return Kind(
        check,
        st.builds(_saved, states, st.sampled_from(["zip", "legacy", "pickle", "compressed"])),
        lambda rng: mutate(valid, ODD_BYTES, rng),
    )


def _saved(content, form: str = "zip") -> bytes:
    out = io.BytesIO()
    if form == "pickle":
        # tensors pickle themselves by what torch's reader does not take
        return pickle.dumps(content) if _picklable(content) else b""
    torch.save(content, out, _use_new_zipfile_serialization=form != "legacy")
    if form != "compressed":
        return out.getvalue()
    packed = io.BytesIO()
    with zipfile.ZipFile(out) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in archive.infolist():
            new.writestr(entry.filename, archive.read(entry))
    return packed.getvalue()


def _picklable(content) -> bool:
    with contextlib.suppress(Exception):
        pickle.dumps(content)
        return True
    return False


# -- sources ------------------------------------------------------------------------------


def source_kind(load: Callable[[], Any], decode: bool = True) -> Kind:
    """Sources; no text becomes an instruction, and each has one translation.

    Args:
        load: gives a `LineTranslator` over the inventory's symbols. It is called once in every
            process that runs cases: the threads of CTranslate2 don't come along into a fork.
        decode: whether what is accepted is also translated.
    """
    loaded = functools.cache(load)

    def check(case: str) -> None:
        translator = loaded()
        check_text(case, "line 1")
        # the direction may stand there in any case
        assert n_symbols(translator, case) == n_symbols(translator, "")
        if decode or len(case) > 1000:
            (output,) = translator.translate([case])
            assert isinstance(output, str)

    valid = ["Two men are talking.", "w1 w2 w3", "Der Hund <b>schläft</b>", "a" * 300]
    odd = st.sampled_from([*ODD_TEXT, "w1", " ", "a" * 200])
    return Kind(
        check,
        st.lists(odd, max_size=10).map("".join) | st.text(max_size=60),
        lambda rng: mutate(rng.choice(valid), [*ODD_TEXT, "x " * 5000], rng),
    )


def n_symbols(translator, case: str) -> int:
    """Instructions in what the model reads of a source that is asked nothing."""
    task = getattr(translator, "task", None)
    prompt = translator._prompt if task is None else task.prompt
    return sum(int(i) >= prompt.first_id for i in translator.render(case))


# -- running ------------------------------------------------------------------------------


def run_case(kind: Kind, case) -> str:
    """`accepted` or `refused`.

    Raises:
        Exception: if the case is a crash.
    """
    try:
        kind.check(case)
    except InputError as error:
        message = str(error)
        assert message and len(message) <= LONGEST_MESSAGE, f"message of {len(message)} characters"
        assert len(message.splitlines()) == 1, f"message of several lines: {message!r}"
        message.encode("utf-8")  # it can be printed
        return "refused"
    return "accepted"


def run_properties(kind: Kind, cases: int, seed: int, report) -> Dict[str, int]:
    """The series of hypothesis; raises what a crash raises, with the smallest case."""
    counts = {"accepted": 0, "refused": 0}
    numbers = itertools.count()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(kind.strategy)
    def series(case):
        report.at = next(numbers)
        with bounded_time():
            counts[run_case(kind, case)] += 1

    series()
    return counts


def run_mutations(kind: Kind, first: int, last: int, seed: int, report) -> Dict[str, int]:
    """Cases `first` to `last` - 1 of the mutating series; `report(case, error)` takes crashes."""
    counts = {"accepted": 0, "refused": 0}
    for number in range(first, last):
        case = kind.mutate(random.Random(f"{seed} {number}"))
        report.at = number
        try:
            with bounded_time():
                counts[run_case(kind, case)] += 1
        except Exception:
            report(case, traceback.format_exc())
    return counts


@contextlib.contextmanager
def bounded_time():
    """Raise `TimeoutError` after `SECONDS` of processor time."""

    def stop(*unused):
        raise TimeoutError(f"more than {SECONDS} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def bound_memory() -> None:
    """Let this process take `MEBIBYTES` more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEBIBYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def in_process(function: Callable[[Callable], dict], log: Path, still: float = STILL) -> dict:
    """What `function(report)` gives in a forked process; its crashes under `crashes`.

    `report(case, error)` notes a crash; `report.at` is the number of the case that is run, found
    under `died_at` if the process dies, or is ended because it stayed the same for `still`
    seconds.
    """
    at = multiprocessing.Value("q", -1)

    class Report:
        def __init__(self):
            self.crashes = []

        def __call__(self, case, error):
            self.crashes.append((repr(case)[:500], error[-1500:]))

        def __setattr__(self, name, value):
            if name == "at":
                at.value = value
            else:
                super().__setattr__(name, value)

    def run():
        report = Report()
        bound_memory()
        result = function(report)
        log.write_text(json.dumps({**result, "crashes": report.crashes}))
        os._exit(0)  # without what the interpreter would tidy up

    log.unlink(missing_ok=True)
    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    end = "the process died with {} at case {}"
    while process.is_alive():
        before = at.value
        process.join(still)
        if process.is_alive() and at.value == before:
            process.kill()
            process.join()
            end = f"no case ended in {still} s, and the process was ended with {{}} at case {{}}"
    if log.exists():
        return json.loads(log.read_text())
    return {"crashes": [("", end.format(process.exitcode, at.value))], "died_at": at.value}


def run_kind(name: str, kind: Kind, cases: int, seed: int, folder: Path):
    """Both series of a kind: (counts, crashes)."""
    totals: Dict[str, int] = {"accepted": 0, "refused": 0}
    crashes: List[Crash] = []

    def add(result: dict) -> None:
        for key in totals:
            totals[key] += result.get(key, 0)
        crashes.extend(Crash(name, case, error) for case, error in result["crashes"])

    def properties(report):
        try:
            return run_properties(kind, cases, seed, report)
        except BaseException:
            report("found by hypothesis", traceback.format_exc())
            return {}

    add(in_process(properties, folder / "log.json"))
    first = 0
    while first < cases:
        last = min(first + CHUNK, cases)
        result = in_process(
            lambda report, first=first, last=last: run_mutations(kind, first, last, seed, report),
            folder / "log.json",
        )
        add(result)
        # a process that died takes its counts along; what follows its case is run
        died_at = result.get("died_at", -1)
        first = last if died_at < 0 else died_at + 1
    return totals, crashes


def make_kinds(folder: Path, translator: Optional[Callable[[], Any]] = None) -> Dict[str, Kind]:
    """All kinds; sources only with what loads a translator."""
    scratch = _Scratch(folder)
    kinds = {
        "inventory": inventory_kind(scratch),
        "template": template_kind(scratch),
        "request": request_kind(),
        "triple": triple_kind(scratch),
        "stream": stream_kind(scratch),
        "checkpoint": checkpoint_kind(scratch),
    }
    if translator is not None:
        kinds["source"] = source_kind(translator)
    return kinds


def tiny_translator(folder: Path) -> Callable[[], Any]:
    """What loads a tiny model over the sample corpus, trained and exported here."""
    import tiny_training

    from fairseq_instr.serving.export import export_ctranslate2
    from fairseq_instr.serving.translator import CTranslate2Translator

    tiny_training.load_plugin()
    data = tiny_training.binarise(folder / "tiny")
    training = [data, *tiny_training.TRAINING, *tiny_training.STAGES["mixture"]]
    options = ["--save-dir", folder / "model", "--max-update", 20, "--no-epoch-checkpoints"]
    log = folder / "train.log"
    tiny_training.finish(tiny_training.start(*training, *options, log=log), log)
    checkpoint = folder / "model" / "checkpoint_last.pt"
    export_ctranslate2(checkpoint, data, folder / "served", source="en", target="de")
    return lambda: CTranslate2Translator.from_pretrained(folder / "served", beam=2, max_len_b=5)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5_000, help="of each of a kind's two series")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", help="only these, such as stream,checkpoint")
    args = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # torch's, about old forms of checkpoints
    sys.unraisablehook = lambda unraisable: None  # fairseq's datasets that were not opened
    conditions = {"cases_of_a_series": args.cases, "seed": args.seed}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = args.kinds.split(",") if args.kinds else None
        with_sources = wanted is None or "source" in wanted
        kinds = make_kinds(folder, tiny_translator(folder) if with_sources else None)
        n_crashes = 0
        for kind in wanted or kinds:
            counts, found = run_kind(kind, kinds[kind], args.cases, args.seed, folder)
            counts["crashes"] = len(found)
            n_crashes += len(found)
            print(kind, counts, flush=True)
            for crash in found[:5]:
                print(f"  {crash.case}\n{crash.error}", flush=True)
            record_kind(kind, counts, conditions)
    sys.exit(bool(n_crashes))


def record_kind(kind: str, counts: Dict[str, int], conditions: Dict[str, int]) -> None:
    """Record a kind beside those that were run before under the same conditions."""
    from record import RESULTS, record

    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    before = results.get("conditions", {}).get("fuzz", {})
    same = all(before.get(name) == value for name, value in conditions.items())
    kinds = {**(before["kinds"] if same else {}), kind: counts}
    figures = {
        "cases": sum(sum(each.values()) for each in kinds.values()),
        "crashes": sum(each["crashes"] for each in kinds.values()),
    }
    record("fuzz", figures, {**conditions, "kinds": kinds})


if __name__ == "__main__":
    main()
