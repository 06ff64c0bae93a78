"""Hostile input: everything is accepted or refused in one bounded line, and nothing is executed.

Each kind of input is drawn twice: what is nearly right, and what was right and has been damaged.
`--hypothesis-profile long` draws many times as much, `--hypothesis-seed=random` something else.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import pickle
import random
import zipfile
from pathlib import Path

import hypothesis
import numpy as np
import pytest
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
from fairseq_instr.data.corpora import Corpus
from fairseq_instr.data.streams import load_stream
from fairseq_instr.errors import LONGEST_MESSAGE, InputError
from fairseq_instr.generation.lines import check_text
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Inventory, catalogue, compose
from fairseq_instr.instructions.asking import (
    ARGUMENT_MARK,
    group_tokens,
    parse,
    parse_line,
    spell_line,
)
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.prompts import templates

NAMES = ("to:de", "to:fr", "uppercase", "lowercase", "formal", "informal", "begin-with", "at-most")
INVENTORY = Inventory(look_up(name) for name in NAMES)
ODD_BYTES = [b"\x00", b"\xff", b"\xed\xa0\x80", b"\n", b"\t", b"\xe2\x80\xa8", b"\xe2\x80\xae",
             b'"', b"\\", b"=", b",", b"{", b"[", b"&a ", b"*a", b"!!python/name:os.system ",
             b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00"]  # fmt: skip
ODD_TEXT = ["\x00", "\u2028", "\u2029", "\x85", "\ud800", "\udfff", "\u202e", "\u200b", "\ufeff",
            "\n", "\r", "\t", '"', "\\", "=", ",", "\U0010ffff", "İ", "ﬁ", "</s>", "<pad>",
            "<instruction formal>", "▁", "<0x0A>"]  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.sampled_from([*NAMES, "name", "axis", "case", "{source}", "{instructions}"]),
)  # fmt: skip

many = hypothesis.settings(
    max_examples=2 * hypothesis.settings().max_examples,
    suppress_health_check=list(hypothesis.HealthCheck),
)
pytestmark = [
    # fairseq's datasets that were not opened complain when they are deleted
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(autouse=True)
def quiet():
    """Without a line of fairseq's log for every stream that is opened."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


def accepted_or_refused(check, *arguments):
    """Run a check; an `InputError` has to be one line that can be printed."""
    try:
        check(*arguments)
    except InputError as error:
        message = str(error)
        assert 0 < len(message) <= LONGEST_MESSAGE and len(message.splitlines()) == 1
        message.encode("utf-8")


@st.composite
def damaged(draw, valid, odd):
    """Bytes or text that were right, with one to four changes."""
    sequence = draw(st.sampled_from(valid))
    for _ in range(draw(st.integers(1, 4))):
        at, other = sorted(draw(st.integers(0, len(sequence))) for _ in range(2))
        before, part, after = sequence[:at], sequence[at:other], sequence[other:]
        changes = [
            before,
            before + after,
            before + 3 * part[:64] + after,
            before + after[:32] + part + after,
            before + draw(st.sampled_from(odd)) + part + after,
        ]
        sequence = draw(st.sampled_from(changes))
    return sequence


def nested(keys):
    """Lists and mappings in each other, most keys from `keys`."""
    return st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(keys) | st.text(max_size=4), inner, max_size=4)
        ),
        max_leaves=12,
    )


def as_yaml(contents):
    dumped = contents.map(lambda content: yaml.safe_dump(content, allow_unicode=True))
    return st.one_of(
        dumped.map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text(alphabet="ab:-[]{}&*!|>'\"#%@\n\t ,?0.~=<", max_size=60).map(str.encode),
        st.binary(max_size=60),
    )


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


# -- files of YAML ------------------------------------------------------------------------

ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(NAMES) | SCALARS,
        "axis": st.sampled_from(["case", "formality"]) | SCALARS,
        "phrases": st.lists(SCALARS, max_size=3) | SCALARS,
        "argument": st.sampled_from(["text", "number", "pair"]) | SCALARS,
    },
)
INVENTORIES = (
    as_yaml(
        st.fixed_dictionaries({"instructions": st.lists(ENTRY, max_size=4)})
        | nested(["instructions", "name", "axis", "phrases", "argument"])
    )
    | damaged(
        [yaml.safe_dump(Inventory(list(catalogue().values())[:20]).to_dict()).encode()], ODD_BYTES
    )
)  # fmt: skip
KEYS = ["prompt", "demonstration", "separator", "lead", "joiner", "languages", "phrases"]
LIBRARY = Path(templates.__file__).parent / "library"
TEMPLATES = (
    as_yaml(
        st.fixed_dictionaries(
            {"prompt": st.sampled_from(["{source}{instructions}", "{source"]) | st.text()},
            optional={key: SCALARS | nested(KEYS) for key in [*KEYS[1:], "by_target"]},
        )
        | nested(KEYS)
    )
    | damaged([(LIBRARY / f"{n}.yaml").read_bytes() for n in templates.library()], ODD_BYTES)
)  # fmt: skip


@many
@hypothesis.given(INVENTORIES)
def test_inventories_come_back_from_what_they_are_saved_as(folder, content):
    def check():
        path = written(folder, "instructions.yaml", content)
        inventory = Inventory.load(path)
        inventory.save(path, force=True)
        assert Inventory.load(path) == inventory
        assert len(set(inventory.symbols)) == len(inventory)

    accepted_or_refused(check)


@many
@hypothesis.given(TEMPLATES)
def test_templates(folder, content):
    path = written(folder, "template.yaml", content)
    accepted_or_refused(lambda: templates.Template.load(path).for_target("de"))


@pytest.mark.parametrize("load", [Inventory.load, templates.Template.load])
def test_aliases_do_not_multiply(load, tmp_path):
    path = tmp_path / "file.yaml"
    bomb = "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdef", "bcdefg"))
    path.write_text(f"a: &a [x, x, x]\n{bomb}\nprompt: *g\n")
    with pytest.raises(InputError, match="aliases"):
        load(path)


# -- what is asked for --------------------------------------------------------------------


@many
@hypothesis.given(
    st.lists(
        st.sampled_from([*NAMES, ",", " ", "=", '"', "\\", "Heute", "40", "1=2", *ODD_TEXT]),
        max_size=14,
    ).map("".join)
    | st.text(max_size=60)
    | damaged(
        [
            "to:de, uppercase, formal",
            'begin-with="Heute, am Montag", at-most=40, lowercase',
            r'begin-with="a \"b\" \\", informal',
        ],
        [*ODD_TEXT, *NAMES, "a" * 5000],
    )
)
def test_requests_whose_order_says_nothing(text):
    def check():
        names = parse(text)
        requests = compose(names, INVENTORY, origin="--instruct")
        assert compose(reversed(names), INVENTORY) == requests
        axes = [INVENTORY[request.position].axis for request in requests]
        assert len(set(axes)) == len(axes)
        line = parse_line(text)
        groups = group_tokens(spell_line(text, " ".join).split())
        # no argument is taken for an instruction, and none gets lost
        assert len(groups) == sum(not word.startswith(ARGUMENT_MARK) for word in line)
        compose(line, INVENTORY, origin="line 1")

    accepted_or_refused(check)


def lines_of_json(rows, ascii_only=True):
    lines = (f"{json.dumps(row, ensure_ascii=ascii_only)}\n" for row in rows)
    return "".join(lines).encode("utf-8", "surrogatepass")


SOMETHING = st.sampled_from(["w1", "Ja.", '"', *ODD_TEXT]) | st.text(max_size=8) | SCALARS
TRIPLE = st.fixed_dictionaries(
    {
        "source": SOMETHING,
        "target": SOMETHING,
        "instructions": SCALARS
        | st.lists(st.sampled_from([*NAMES, "at-most=3"]) | SOMETHING, max_size=3),
    },
    optional={"name": SCALARS},
)
TRIPLES = st.lists(TRIPLE | nested(["source", "target", "instructions"]), max_size=3)
VALID_TRIPLES = lines_of_json(
    {"source": "Come in!", "target": "w1", "instructions": names}
    for names in (["to:de", "uppercase"], [], ['begin-with="Heute, am"', "at-most=40"])
)


@many
@hypothesis.given(
    st.builds(lines_of_json, TRIPLES, st.booleans()) | damaged([VALID_TRIPLES], ODD_BYTES)
)
def test_triples_come_back_from_the_files_that_they_are_written_to(folder, content):
    def check():
        path = written(folder, "triples.jsonl", content)
        outputs = [path.with_name(f"train.{suffix}") for suffix in ("en", "de", "instr")]
        count = import_triples(path, outputs, INVENTORY, force=True)
        again = path.with_name("again.jsonl")
        assert export_triples(outputs, again, INVENTORY, force=True) == count
        own = again.read_text(encoding="utf-8").split("\n")[:-1]
        given = [line for line in content.split(b"\n") if line]
        assert len(own) == count == len(given)
        for line, other in zip(given, own):
            assert read_triple(line.rstrip(b"\r").decode(), "line") == read_triple(other, "own")

    accepted_or_refused(check)


@pytest.fixture(scope="module")
def translator(tuned, base, data_bin):
    for path in (base, tuned):
        refuse_oversized(read_checkpoint(path), path)
    return Translator.from_pretrained(tuned, data_bin, beam=1, max_len_a=0, max_len_b=3)


@many
@hypothesis.given(
    st.lists(st.sampled_from([*ODD_TEXT, "w1", " ", "a" * 200]), max_size=10).map("".join)
    | st.text(max_size=60)
    | damaged(["Two men are talking.", "w1 w2 w3", "Der <b>Hund</b>"], [*ODD_TEXT, "x " * 5000])
)
def test_no_source_becomes_an_instruction(translator, text):
    def check():
        check_text(text, "line 1")
        rendered = translator.render(text).rendered
        assert max(map(int, rendered)) < translator.task.src_dict.first_instruction
        if len(text) > 1000:
            assert len(translator.translate([text])) == 1

    accepted_or_refused(check)


# -- binarised streams --------------------------------------------------------------------

FIRST = Dictionary().nspecial
STREAM_SYMBOLS = ["to:de", "uppercase", "begin-with", "=▁Heu", "=te", "formal", "madeupword0000"]
STREAM_LINES = [[FIRST, FIRST + 1, 2], [FIRST + 2, FIRST + 3, FIRST + 4, 2], [2], [FIRST + 5, 2]]


def write_stream(folder, lines, symbols):
    """A binarised stream as fairseq-preprocess would write it; the contents of its files."""
    prefix = folder / "train.instr-None.instr"
    builder = MMapIndexedDatasetBuilder(f"{prefix}.bin", dtype=np.int32)
    for line in lines:
        builder.add_item(torch.tensor(line, dtype=torch.int32))
    builder.finalize(f"{prefix}.idx")
    dictionary = "".join(f"{symbol} 1\n" for symbol in symbols)
    (folder / "dict.instr.txt").write_bytes(dictionary.encode("utf-8", "surrogatepass"))


def check_stream_of(folder):
    """Every line of a stream that is accepted composes."""
    source = Dictionary()
    for word in ("w1", "w2", "▁Heu", "te"):
        source.add_symbol(word)
    stream = load_stream(folder, "train", INVENTORY, source_dictionary=source)
    corpus = Corpus("task", ("en", "de"), range(len(stream)), stream)
    stream.check(list, INVENTORY, "corpus")
    for index in range(len(stream)):
        axes = [INVENTORY[request.position].axis for request in corpus.requests(index)]
        assert len(set(axes)) == len(axes)


@many
@hypothesis.given(
    st.lists(st.lists(st.integers(-2, FIRST + 9), min_size=1, max_size=5), max_size=5),
    st.lists(
        st.sampled_from([*STREAM_SYMBOLS, "loud", "=", "=x", "#fairseq:overwrite"])
        | st.text(max_size=5),
        max_size=7,
    ),
)
def test_streams(folder, lines, symbols):
    write_stream(folder, lines, symbols)
    accepted_or_refused(check_stream_of, folder)


@many
@hypothesis.given(st.data())
def test_damaged_streams(folder, data):
    write_stream(folder, STREAM_LINES, STREAM_SYMBOLS)
    names = ["train.instr-None.instr.idx", "train.instr-None.instr.bin", "dict.instr.txt"]
    path = folder / data.draw(st.sampled_from(names))
    path.write_bytes(data.draw(damaged([path.read_bytes()], ODD_BYTES)))
    accepted_or_refused(check_stream_of, folder)


@pytest.mark.parametrize("line", [[99, 2], [-2, 2]])
def test_a_stream_with_the_dictionary_of_another_is_refused(tmp_path, line):
    write_stream(tmp_path, [line], ["formal"])
    with pytest.raises(InputError, match=r"dict\.instr\.txt"):
        check_stream_of(tmp_path)


@pytest.mark.parametrize("ending, kept", [("bin", -8), ("bin", 0), ("idx", -1), ("idx", 0)])
def test_a_stream_that_is_cut_short_is_refused(tmp_path, ending, kept):
    write_stream(tmp_path, [[4, 2]] * 3, ["formal"])
    check_stream_of(tmp_path)
    path = tmp_path / f"train.instr-None.instr.{ending}"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="can't be read"):
        check_stream_of(tmp_path)


# -- checkpoints --------------------------------------------------------------------------


class Foreign:
    """An object that would do something when it is unpickled."""

    executed = []

    def __reduce__(self):
        return Foreign.executed.append, ("executed",)


def saved(content, form="zip"):
    """The bytes of a checkpoint in one of the forms that torch reads, or compressed."""
    out = io.BytesIO()
    if form == "pickle":
        try:
            return pickle.dumps(content)
        except Exception:  # not everything can be
            return b""
    torch.save(content, out, _use_new_zipfile_serialization=form != "legacy")
    if form != "compressed":
        return out.getvalue()
    packed = io.BytesIO()
    with zipfile.ZipFile(out) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in archive.infolist():
            new.writestr(entry.filename, archive.read(entry))
    return packed.getvalue()


VALID_CHECKPOINT = {
    "args": argparse.Namespace(encoder_layers=1, encoder_embed_dim=4, arch="transformer"),
    "cfg": None,
    "model": {"encoder.embed_tokens.weight": torch.ones(9, 4), "version": torch.ones(1)},
    "task_state": {INVENTORY_KEY: INVENTORY.to_dict()},
    "extra_state": {"val_loss": 1.5, "iterator": {"epoch": 2}},
}
SIZES = st.integers(-1, 3) | st.sampled_from([10**6, 10**12, "4", None])
TENSORS = st.one_of(
    st.lists(st.integers(0, 4), max_size=3).map(torch.ones),
    st.sampled_from([torch.ones(1).expand(10**9, 1000), torch.ones(3).bool(), torch.eye(3)]),
)
FOREIGN = st.sampled_from([Foreign(), Path("x"), os.system, getattr, eval, random.Random()])
VALUES = SCALARS | TENSORS | FOREIGN | st.lists(TENSORS | SCALARS, max_size=3)
SETTINGS = st.builds(
    argparse.Namespace,
    encoder_layers=SIZES,
    encoder_embed_dim=SIZES,
    decoder_ffn_embed_dim=SIZES,
    max_source_positions=SIZES,
)
PARAMETERS = st.dictionaries(
    st.sampled_from(["encoder.embed_tokens.weight", "decoder.x", "y"]), TENSORS, max_size=3
)
STATES = st.fixed_dictionaries(
    {"args": SETTINGS | VALUES, "model": PARAMETERS | VALUES},
    optional={
        "cfg": st.none() | st.dictionaries(st.sampled_from(["model", "task"]), VALUES),
        "task_state": VALUES
        | st.fixed_dictionaries({INVENTORY_KEY: st.just(INVENTORY.to_dict()) | VALUES}),
        "extra_state": VALUES,
    },
)


@many
@hypothesis.given(
    st.builds(saved, STATES, st.sampled_from(["zip", "legacy", "pickle", "compressed"]))
    | damaged([saved(VALID_CHECKPOINT)], ODD_BYTES)
)
def test_checkpoints_execute_nothing_and_hold_no_more_than_the_file(folder, content):
    def check():
        path = written(folder, "model.pt", content)
        state = read_checkpoint(path)
        refuse_oversized(state, path)
        trained_inventory(state)
        size = sum(t.numel() for t in state["model"].values() if torch.is_tensor(t))
        assert size <= len(content) * len(state["model"])

    accepted_or_refused(check)
    assert not Foreign.executed


def giant(**settings):
    return {"args": argparse.Namespace(**settings)}


@pytest.mark.parametrize(
    "content, named",
    [
        ({"model": {"x": torch.ones(1).expand(10**9, 1000)}}, "'x'"),  # repeats itself
        ({"model": {"x": 3}}, "'x'"),
        *(({key: value}, f"'{key}'")
          for key in ("cfg", "task_state", "optimizer_history")
          for value in (torch.ones(2), torch.ones(3, 3), 1)),
        ({"cfg": {"model": torch.ones(2)}}, "settings"),
        (giant(encoder_layers=10**9), "it holds 2"),
        (giant(encoder_layers=1, encoder_embed_dim=10**6), "it holds 2"),
        (giant(decoder_layers=1, decoder_embed_dim=10**5, decoder_ffn_embed_dim=10**9), "holds 2"),
        (giant(max_source_positions=10**12), "it holds 2"),
        ("compressed", "compressed"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_is_none_is_refused(tmp_path, content, named):
    if content == "compressed":
        packed = saved({"model": {"x": torch.zeros(10**6)}}, content)
        assert len(packed) < 10**5
    else:
        packed = saved({"args": argparse.Namespace(), "model": {"x": torch.ones(2)}, **content})
    path = written(tmp_path, "model.pt", packed)
    with pytest.raises(InputError, match=named):
        refuse_oversized(read_checkpoint(path), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: {},
        lambda value: {0: value[:-1]},
        lambda value: {0: torch.cat((value, value))},
        lambda value: {0: value.flatten()[:3]},
        lambda value: {0: value, 1: torch.ones(2)},
    ],
    ids=["missing", "shorter", "longer", "flat", "more"],
)
@pytest.mark.parametrize("key", ["encoder.embed_tokens.weight", "decoder.layers.0.fc1.weight"])
def test_parameters_of_wrong_shapes_are_refused(tuned, data_bin, tmp_path, key, change):
    state = read_checkpoint(tuned)
    for number, value in change(state["model"].pop(key)).items():
        state["model"][(key, "encoder.extra.weight")[number]] = value
    with pytest.raises(InputError, match=r"model\.pt|the checkpoint"):
        Translator.from_pretrained(written(tmp_path, "model.pt", saved(state)), data_bin)
