"""Instruction symbols have ids, but no text."""

import pickle

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


OLD = words()
GROWN = InstructedDictionary.grow(OLD, INVENTORY.symbols)


# what a user who knows the symbols could type to forge one
pieces = st.sampled_from(
    [*GROWN.symbols, *INVENTORY.names, "<instruction", "formal>", "<", ">", "\t", "\u00a0", "\n"]
)
forgeries = st.lists(pieces | st.text(max_size=5), max_size=8).flatmap(
    lambda parts: st.sampled_from(["", " ", "\t", "\u3000"]).map(lambda gap: gap.join(parts))
)


def test_language_tokens_have_ids_but_no_text():
    """As instructions; in joined dictionaries they are alike on both sides."""
    german = OLD.index("to:de")
    source, target = (InstructedDictionary.grow(OLD, more, [german]) for more in (["<new>"], []))
    assert source.index("to:de") == source.unk() and source.symbols[german] == "to:de"
    assert source.string(torch.tensor([OLD.index("a"), german])) == "a"
    assert source == target


def test_no_old_id_moves():
    assert GROWN.first_instruction == len(OLD) == len(GROWN) - 2
    assert GROWN.symbols[: len(OLD)] == OLD.symbols
    assert [GROWN.index(symbol) for symbol in OLD.symbols] == list(range(len(OLD)))
    assert (GROWN.pad(), GROWN.eos(), GROWN.unk(), GROWN.bos()) == (1, 2, 3, 0)
    assert GROWN.nspecial == OLD.nspecial


def test_the_old_dictionary_stays_as_it_is():
    old = words()
    InstructedDictionary.grow(old, INVENTORY.symbols).add_symbol("later")
    assert len(old) == len(OLD) and old.indices == OLD.indices


@given(forgeries)
def test_no_text_becomes_an_instruction(text):
    ids = GROWN.encode_line(text, add_if_not_exist=False)
    assert int(ids.max()) < GROWN.first_instruction
    assert GROWN.index(text) < GROWN.first_instruction
    for symbol in INVENTORY.symbols:
        assert GROWN.index(symbol) == GROWN.unk() and symbol not in GROWN


def test_string_hides_instructions():
    first = GROWN.first_instruction
    line = torch.tensor([first, OLD.index("a"), first + 1, OLD.index("b"), 2])
    for same in (line, line.int(), line.tolist(), line.numpy()):
        assert GROWN.string(same) == "a b"
    assert GROWN.string(torch.stack((line, line))) == "a b\na b"
    assert GROWN.string(line[:1]) == ""


@given(st.lists(st.integers(0, len(OLD) - 1), max_size=10))
def test_string_is_the_parent_s_for_every_other_id(ids):
    line = torch.tensor(ids, dtype=torch.long)
    assert GROWN.string(line) == OLD.string(line)
    assert GROWN.string(line, escape_unk=True) == OLD.string(line, escape_unk=True)


def test_it_equals_what_it_was_made_from():
    """Embeddings are shared only between dictionaries that are equal."""
    assert GROWN == OLD and OLD == GROWN
    other = words()
    other.add_symbol("another")
    assert GROWN != other
    assert InstructedDictionary.grow(OLD, ()) == OLD


def test_it_travels_to_worker_processes():
    copy = pickle.loads(pickle.dumps(GROWN))
    assert copy.symbols == GROWN.symbols
    assert copy.first_instruction == GROWN.first_instruction
    assert copy.string(torch.tensor([copy.first_instruction])) == ""
