"""Blank lines, and batches that fairseq's commands hand on."""

from argparse import Namespace

import pytest
import torch

from fairseq_instr.instructions.composition import compose

PLACEMENTS = ["source-prefix", "decoder-prefix"]


@pytest.fixture(params=[[], ["--guidance", 0.5], ["--prompt-placement", "decoder-prefix"]])
def searching(request, make_task):
    """A task, a model and a generator."""
    task = make_task("--share-all-embeddings", *request.param)
    torch.manual_seed(3)
    model = task.build_model(task.full_cfg.model).eval()
    return task, model, task.build_generator([model], Namespace(beam=2, max_len_a=0, max_len_b=6))


LINES, ASKED = ["w1 w2", "", "w3", ""], ["formal", "formal", "", "uppercase"]


def typed(task):
    sources = [task.src_dict.encode_line(x, add_if_not_exist=False).long() for x in LINES]
    asked = [compose(filter(None, [names]), task.inventory) for names in ASKED]
    return [task.typed_line(*line) for line in zip(sources, asked)]


def test_a_blank_line_has_a_blank_translation(searching):
    """Alone and beside others, with an instruction and without."""
    task, model, generator = searching
    lines = typed(task)
    for chosen in (lines, lines[1:2], lines[3:]):
        dataset = task.typed_lines(chosen)
        sample = dataset.collater([dataset[i] for i in range(len(chosen))])
        found = dict(zip(sample["id"].tolist(), task.inference_step(generator, [model], sample)))
        for i, line in enumerate(chosen):
            texts = [task.tgt_dict.string(hypothesis["tokens"]) for hypothesis in found[i]]
            if len(line.source) == 1:
                assert texts == [""] and found[i][0]["score"].item() == 0
            else:
                assert all(texts)


def test_typed_lines_are_known_by_their_tokens(searching):
    """fairseq-interactive hands on no more than these."""
    task, model, generator = searching
    lines = typed(task)
    dataset = task.typed_lines(lines)
    sample = dataset.collater([dataset[i] for i in range(len(lines))])
    task.search.remember(lines)
    whole = task.inference_step(generator, [model], sample)
    handed_on = task.inference_step(generator, [model], {"net_input": sample["net_input"]})
    for one, other in zip(whole, handed_on):
        assert [h["tokens"].tolist() for h in one] == [h["tokens"].tolist() for h in other]
    assert len({h[0]["score"].item() for h in whole}) == 3  # the blank ones are equal
