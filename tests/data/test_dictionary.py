"""Instruction symbols have ids, but no text."""

import pickle

import pytest
import torch
from fairseq.data import Dictionary
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.data.dictionary import InstructedDictionary
from fairseq_instr.instructions import Instruction, Inventory

INVENTORY = Inventory([Instruction("to:de", "target-language"), Instruction("formal", "formality")])


def words():
    dictionary = Dictionary()
    for word in ("a", "b", "<b>", "formal", "to:de"):
        dictionary.add_symbol(word)
    dictionary.pad_to_multiple_(8)  # madeupword0000 and so on, as fairseq-preprocess does
    assert dictionary.symbols[-1].startswith("madeupword")
    return dictionary


@pytest.fixture
def old():
    return words()


@pytest.fixture
def grown(old):
    return InstructedDictionary.grow(old, INVENTORY.symbols)


GROWN = InstructedDictionary.grow(words(), INVENTORY.symbols)
# what a user who knows the symbols could type to forge one
pieces = st.sampled_from(
    [*GROWN.symbols, *INVENTORY.names, "<instruction", "formal>", "<", ">", "\t", "\u00a0", "\n"]
)
forgeries = st.lists(pieces | st.text(max_size=5), max_size=8).flatmap(
    lambda parts: st.sampled_from(["", " ", "\t", "\u3000"]).map(lambda gap: gap.join(parts))
)


def test_language_tokens_have_ids_but_no_text(old):
    """As instructions; in joined dictionaries they are alike on both sides."""
    german = old.index("to:de")
    source, target = (InstructedDictionary.grow(old, more, [german]) for more in (["<new>"], []))
    assert source.index("to:de") == source.unk() and source.symbols[german] == "to:de"
    assert source.string(torch.tensor([old.index("a"), german])) == "a"
    assert source == target


def test_no_old_id_moves(old, grown):
    assert len(grown) == len(old) + 2
    assert grown.first_instruction == len(old)
    assert grown.symbols[: len(old)] == old.symbols
    assert [grown.index(symbol) for symbol in old.symbols] == list(range(len(old)))
    assert (grown.pad(), grown.eos(), grown.unk(), grown.bos()) == (1, 2, 3, 0)
    assert grown.nspecial == old.nspecial


def test_the_old_dictionary_stays_as_it_is(old, grown):
    size, indices = len(old), dict(old.indices)
    grown.add_symbol("later")
    assert len(old) == size and old.indices == indices


@given(forgeries)
def test_no_text_becomes_an_instruction(text):
    ids = GROWN.encode_line(text, add_if_not_exist=False)
    assert int(ids.max()) < GROWN.first_instruction
    assert GROWN.index(text) < GROWN.first_instruction


@pytest.mark.parametrize("symbol", INVENTORY.symbols)
def test_not_even_the_symbol_itself(grown, symbol):
    assert grown.index(symbol) == grown.unk()
    assert symbol not in grown
    assert grown.encode_line(
        symbol, line_tokenizer=lambda line: [line], add_if_not_exist=False
    ).tolist() == [grown.unk(), grown.eos()]


def test_string_hides_instructions(old, grown):
    first = grown.first_instruction
    line = torch.tensor([first, old.index("a"), first + 1, old.index("b"), 2])
    assert grown.string(line) == "a b"
    assert grown.string(line.int()) == "a b"
    assert grown.string(line.tolist()) == "a b"
    assert grown.string(line.numpy()) == "a b"
    assert grown.string(torch.stack((line, line))) == "a b\na b"
    assert grown.string(line[:1]) == ""


@given(st.lists(st.integers(0, len(GROWN) - 3), max_size=10))
def test_string_is_the_parent_s_for_every_other_id(ids):
    line = torch.tensor(ids, dtype=torch.long)
    assert GROWN.string(line) == words().string(line)
    assert GROWN.string(line, escape_unk=True) == words().string(line, escape_unk=True)


def test_it_equals_what_it_was_made_from(old, grown):
    """Embeddings are shared only between dictionaries that are equal."""
    assert grown == old and old == grown
    other = words()
    other.add_symbol("another")
    assert grown != other
    assert InstructedDictionary.grow(old, ()) == old


def test_it_travels_to_worker_processes(grown):
    copy = pickle.loads(pickle.dumps(grown))
    assert copy.symbols == grown.symbols
    assert copy.first_instruction == grown.first_instruction
    assert copy.string(torch.tensor([copy.first_instruction])) == ""
