"""Alignments with the bare source, whatever prompt stands around it."""

from argparse import Namespace
from types import SimpleNamespace

import pytest
import torch

from fairseq_instr.errors import InputError
from fairseq_instr.generation.alignment import prompt_mask
from fairseq_instr.generation.conditions import Line
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.composition import compose
from fairseq_instr.prompts import Rendering
from tests.generation.conftest import Searcher

LINES = ["w1 w2 w3", "w4", "w5 w6 w7 w8 w9"]
ASKED = [["formal", "uppercase"], [], ["exclaim"]]


@pytest.mark.parametrize("left_pad", [True, False])
def test_the_mask_is_where_the_prompt_stands(left_pad):
    lines = [Line(torch.tensor([5, 6, 2]), (Request(0), Request(1))), Line(torch.tensor([7, 2]))]
    rows = [[90, 90, 5, 6, 91, 91, 2], [1] * 5 + [7, 2] if left_pad else [7, 2] + [1] * 5]
    around = SimpleNamespace(
        render=lambda asked, _: Rendering((90,) * len(asked), (91,) * len(asked))
    )
    mask = prompt_mask(torch.tensor(rows), lines, around, 1)
    assert mask.int().tolist() == [[1, 1, 0, 0, 1, 1, 0], [0] * 7]


def test_a_language_token_that_ends_the_source_is_hidden():
    for_eos = SimpleNamespace(render=lambda *line: Rendering((), (91,), end=(92,)))
    line = Line(torch.tensor([5, 6, 2]))
    mask = prompt_mask(torch.tensor([[1, 5, 6, 91, 92]]), [line], for_eos, 1)
    assert mask.int().tolist() == [[0, 0, 0, 1, 1]]


@pytest.mark.parametrize("placement", ["source-prefix", "source-suffix"])
@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_links_are_with_the_source_s_words(make_task, placement, kind):
    searcher = Searcher(make_task, placement, [], 2, print_alignment=kind)
    task = searcher.task
    sample = searcher.sample(LINES, [compose(names, task.inventory) for names in ASKED])
    found = task.inference_step(searcher.generator, [searcher.model], sample)
    for row, (i, hypotheses) in enumerate(zip(sample["id"].tolist(), found)):
        tokens = sample["net_input"]["src_tokens"][row]
        words = [at for at, token in enumerate(tokens.tolist()) if 2 < token < task.prompt.first_id]
        assert len(words) == len(LINES[i].split())
        for hypothesis in hypotheses:
            attention = hypothesis["attention"][words]  # words x tokens of the output, eos last
            n_words = len(hypothesis["tokens"]) - 1
            if kind == "soft":
                assert {len(row) for row in hypothesis["alignment"]} == {len(words) + 1}
            else:
                expected = attention[:, :n_words].argmax(0).tolist()
                assert hypothesis["alignment"] == [(s, t) for t, s in enumerate(expected)]


def test_a_scored_reference_is_not_aligned(make_task):
    task = make_task()
    args = Namespace(beam=1, print_alignment="hard", score_reference=True)
    with pytest.raises(InputError, match="--print-alignment .* --score-reference"):
        task.build_generator([], args)
