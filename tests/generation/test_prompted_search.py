"""Blank lines, and batches that fairseq's commands hand on."""

import pytest

from fairseq_instr.instructions.composition import compose
from tests.generation.conftest import Searcher

LINES = ["w1 w2", "", "w3", "", "<pad> w4"]
ASKED = ["formal", "formal", "", "uppercase", "uppercase"]


@pytest.fixture(
    params=[("source-prefix",), ("source-prefix", "--guidance", 0.5), ("decoder-prefix",)]
)
def searcher(request, make_task):
    placement, *options = request.param
    return Searcher(make_task, placement, options, 2)


@pytest.fixture
def asked(searcher):
    return [compose(filter(None, [names]), searcher.task.inventory) for names in ASKED]


def test_a_blank_line_has_a_blank_translation(searcher, asked):
    """Alone and beside others, with an instruction and without."""
    for chosen in (slice(0, 5), slice(1, 2), slice(3, 4)):
        found = searcher.search(LINES[chosen], asked[chosen])
        for line, hypotheses in zip(LINES[chosen], found):
            texts = [searcher.task.tgt_dict.string(h["tokens"]) for h in hypotheses]
            if line:
                assert all(texts)
            else:
                assert texts == [""] and hypotheses[0]["score"].item() == 0


def test_typed_lines_are_known_by_their_tokens(searcher, asked):
    """fairseq-interactive hands on no more than these."""
    task, generator, models = searcher.task, searcher.generator, [searcher.model]
    task.search.remember(searcher.typed(LINES, asked))
    sample = searcher.sample(LINES, asked)
    whole = task.inference_step(generator, models, sample)
    handed_on = task.inference_step(generator, models, {"net_input": sample["net_input"]})
    for one, other in zip(whole, handed_on):
        assert [h["tokens"].tolist() for h in one] == [h["tokens"].tolist() for h in other]
    assert len({h[0]["score"].item() for h in whole}) == 4  # the blank ones are equal
