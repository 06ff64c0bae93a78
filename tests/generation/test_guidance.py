"""Decoding under several conditions, by the real generator over a real (untrained) model."""

from __future__ import annotations

import functools
import math
from argparse import Namespace

import pytest
import torch
from fairseq.sequence_generator import EnsembleModel
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.generation.guidance import (
    RULED_OUT,
    GuidedEnsemble,
    rule_out,
    subtract,
    weighted_sum,
)
from fairseq_instr.instructions.asking import Request
from fairseq_instr.prompts import PLACEMENTS
from tests.generation.conftest import EOS, Searcher

FORBIDDEN = -math.inf


def logs(*rows):
    return torch.tensor(rows).log()


def column(*values):
    return torch.tensor(values)


# -- the arithmetic ---------------------------------------------------------------------


def test_guidance_weighs_log_probabilities():
    """1.5 log 0.5 - 0.5 log 0.8 and so on; a row of weight 0 stays as it is."""
    own = logs((0.5, 0.3, 0.2), (0.5, 0.3, 0.2))
    bare = logs((0.8, 0.1, 0.1), (0.8, 0.1, 0.1))
    total = weighted_sum([own, bare], [column(1.5, 1.0), column(-0.5, 0.0)], 0.0, EOS)
    expected = [1.5 * math.log(p) - 0.5 * math.log(q) for p, q in ((0.5, 0.8), (0.3, 0.1))]
    assert total[0, :2].tolist() == pytest.approx(expected)
    assert torch.equal(total[1], own[1])


def test_contrast_subtracts_probabilities():
    """0.5 - 0.5 * 0.8 = 0.1, 0.3 - 0.5 * 0.2 = 0.2, 0.2 - 0 = 0.2; two contrasts add up."""
    own = logs((0.5, 0.3, 0.2))
    one, other = logs((0.8, 0.2, 0.0)), logs((0.1, 0.1, 0.8))
    assert subtract(own, [one], [column(0.5)], EOS).exp()[0].tolist() == pytest.approx(
        [0.1, 0.2, 0.2]
    )
    both = subtract(own, [one, other], [column(0.5), column(0.1)], EOS).exp()
    assert both[0].tolist() == pytest.approx([0.09, 0.19, 0.12])
    assert torch.equal(subtract(own, [one], [column(0.0)], EOS), own)


def test_small_probabilities_are_subtracted_without_underflow():
    own, other = torch.tensor([[-200.0]]), torch.tensor([[-200.0 + math.log(0.5)]])
    assert subtract(own, [other], [column(0.5)], 0).item() == pytest.approx(-200 + math.log(0.75))


def test_what_has_nothing_left_is_ruled_out_in_its_old_order():
    """0.2 - 0.5 * 0.5 < 0; eos comes last, so that nothing ends by it unless it has to."""
    own = logs((0.4, 0.2, 0.25, 0.15))
    other = logs((0.0, 0.5, 0.5, 0.0))
    scores = subtract(own, [other], [column(0.5)], EOS)[0]
    assert scores[[0, 3]].exp().tolist() == pytest.approx([0.4, 0.15])
    assert scores[1].item() == pytest.approx(math.log(0.2) + RULED_OUT)
    assert scores[EOS].item() == pytest.approx(math.log(0.25) + 2 * RULED_OUT)


def test_implausible_tokens_are_ruled_out_of_a_sum_of_logs():
    """0.04 < 0.1 * 0.6, whatever the contrast says."""
    own, other = logs((0.6, 0.3, 0.06, 0.04)), logs((0.5, 0.5, 0.0, 1e-30))
    weights = [column(1.0), column(-0.7)]
    scores = weighted_sum([own, other], weights, 0.1, EOS)[0]
    assert scores[1].item() == pytest.approx(math.log(0.3) - 0.7 * math.log(0.5))
    assert scores[3].item() == pytest.approx(math.log(0.04) + RULED_OUT)
    free = weighted_sum([own, other], weights, 0.0, EOS)[0]
    assert free.argmax() == 3  # the reason for the restriction
    # a row that is not contrasted is not restricted
    assert torch.equal(weighted_sum([own, other], [column(1.0), column(0.0)], 0.1, EOS), own)


LPROBS = st.lists(
    st.one_of(st.just(FORBIDDEN), st.floats(-1e4, 0, width=32)), min_size=5, max_size=5
)


@given(own=LPROBS, other=LPROBS, weight=st.floats(0, 50, width=32), share=st.floats(0, 1))
def test_the_forbidden_stays_so_and_all_else_is_finite(own, other, weight, share):
    own, other, weight = torch.tensor([own]), torch.tensor([other]), column(weight)
    forbidden = own == FORBIDDEN
    scores = subtract(own, [other], [weight], EOS)
    assert torch.equal(scores == FORBIDDEN, forbidden)
    assert torch.isfinite(scores[~forbidden]).all()
    scores = weighted_sum([own, other], [1 + weight, -weight], share, EOS)
    if weight.item():
        forbidden = forbidden | (other == FORBIDDEN)
    assert torch.equal(scores == FORBIDDEN, forbidden)
    assert torch.isfinite(scores[~forbidden]).all()


def test_nan_is_forbidden():
    own = torch.tensor([[math.nan, -1.0]])
    for scores in (
        subtract(own, [own.clone()], [column(0.5)], 0),
        weighted_sum([own, own], [column(1.5), column(-0.5)], 0.1, 0),
    ):
        assert scores[0, 0] == FORBIDDEN and not scores.isnan().any()


def test_rule_out_leaves_its_arguments_alone():
    own = logs((0.5, 0.5))
    scores, before = own + 1, own.clone()
    out = rule_out(scores, own, torch.tensor([[True, False]]), 0)
    assert torch.equal(own, before) and out[0, 1] == scores[0, 1]


# -- the search -------------------------------------------------------------------------

LINES = ["w1 w2 w3", "w4", "", "w5 w6 w7 w8 w9", "w2 w2", "w9 w3 w1"]
ASKED = [
    tuple(map(Request, positions)) for positions in ((), (0,), (2, 4), (0, 3), (4,), (1, 2, 4))
]
OPTIONS = {
    "plain": [],
    "guidance": ["--guidance", 0.5, "--plausibility", 0.01],
    "source": ["--source-contrast", 0.7],
    "source, logs": ["--source-contrast", 0.3, "--contrast-space", "log-probability"],
    "both": ["--source-contrast", 0.5, "--guidance", 0.4, "--plausibility", 0],
}


def combined(searcher, line, asked, output):
    """`searcher.lprobs` under all conditions of its options, straight from the formulas."""
    (source,) = searcher.sources([line])
    own = searcher.lprobs(source, asked, output)
    total = own
    cfg = searcher.task.cfg
    if cfg.guidance and asked:
        total = (1 + cfg.guidance) * own - cfg.guidance * searcher.lprobs(source, (), output)
    if cfg.source_contrast:
        other = searcher.generator.model.planner.other_source(source)
        other = searcher.lprobs(other, asked, output)
        if cfg.contrast_space == "log-probability":
            total = total - cfg.source_contrast * other
        else:
            if cfg.guidance:
                total = total.log_softmax(-1)
            total = (total.exp() - cfg.source_contrast * other.exp()).log()  # NaN: ruled out
    return total


@pytest.fixture(scope="module")
def searcher(make_task):
    @functools.lru_cache(maxsize=None)
    def searcher(placement, name, beam):
        return Searcher(make_task, placement, OPTIONS[name], beam)

    return searcher


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_beam_search_scores_as_one_forward_pass_does(searcher, placement, name):
    """Incremental states, reordering of beams and sentences that end early, in one batch."""
    searcher = searcher(placement, name, 4)
    for line, asked, hypotheses in zip(LINES, ASKED, searcher.search(LINES, ASKED)):
        if line and name == "plain":
            assert len(hypotheses) == 4
        for hypothesis in hypotheses if line else ():
            tokens = hypothesis["tokens"]
            expected = combined(searcher, line, asked, tokens).gather(1, tokens[:, None])[:, 0]
            scores = hypothesis.get("search_scores", hypothesis["positional_scores"]).double()
            # what was ruled out is compared by the test below
            kept = scores > RULED_OUT / 2
            assert kept.all() or len(hypotheses) == 1
            assert torch.allclose(scores[kept], expected[kept], rtol=1e-3, atol=2e-3)
            # and what a user is told is a log-probability under the line's own prompt
            (source,) = searcher.sources([line])
            own = searcher.lprobs(source, asked, tokens).gather(1, tokens[:, None])[:, 0]
            assert torch.allclose(hypothesis["positional_scores"].double(), own, atol=2e-3)
            score = hypothesis["score"].item()
            assert score == pytest.approx(own.sum().item() / len(tokens), abs=2e-3)
    if name in ("plain", "both"):  # nothing is ruled out as implausible
        distinct = {tuple(h["tokens"].tolist()) for hs in searcher.search(LINES, ASKED) for h in hs}
        assert len(distinct) > len(LINES)


@pytest.mark.parametrize("name", ["plain", "guidance", "source", "both"])
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_greedy_search_continues_by_the_best_of_a_forward_pass(searcher, placement, name):
    searcher = searcher(placement, name, 1)
    for line, asked, (best, *_) in zip(LINES, ASKED, searcher.search(LINES, ASKED)):
        if not line:
            continue
        scores = combined(searcher, line, asked, best["tokens"])
        scores[:, 1] = FORBIDDEN  # pad
        scores[scores.isnan()] = FORBIDDEN
        scores[0, EOS] = FORBIDDEN  # no output is empty
        if searcher.task.cfg.plausibility and searcher.task.cfg.guidance and asked:
            (source,) = searcher.sources([line])
            own = searcher.lprobs(source, asked, best["tokens"])
            least = own.max(-1, keepdim=True).values + math.log(searcher.task.cfg.plausibility)
            scores[own < least] = FORBIDDEN
        expected = scores.argmax(-1)
        expected[7:] = EOS  # the longest output
        assert best["tokens"].tolist() == expected.tolist()


def test_the_prompt_changes_the_output(searcher):
    """Else the tests above would pass without one."""
    for placement in PLACEMENTS:
        found = searcher(placement, "plain", 1).search(["w1 w2 w3"] * 3, ASKED[:3])
        scores = [round(hypotheses[0]["score"].item(), 4) for hypotheses in found]
        assert len(set(scores)) == 3


@pytest.mark.parametrize("name", ["plain", "both"])
def test_the_batch_changes_nothing(searcher, name):
    """Any number of lines from 1 to 17, in any order, beside any others."""
    searcher = searcher("decoder-prefix", name, 3)
    lines, asked = (LINES * 3)[:17], (ASKED[::-1] * 3)[:17]
    alone = [searcher.search([line], [own])[0] for line, own in zip(lines[:6], asked[:6])] * 3
    for n in range(1, 18):
        order = range(n - 1, -1, -1)
        found = searcher.search([lines[i] for i in order], [asked[i] for i in order])
        for i, hypotheses in zip(order, found):
            assert [h["tokens"].tolist() for h in hypotheses] == [
                h["tokens"].tolist() for h in alone[i]
            ]
            for one, other in zip(hypotheses, alone[i]):
                assert one["score"].item() == pytest.approx(other["score"].item(), abs=2e-3)


def test_a_search_that_contrast_leaves_nothing_still_ends(make_task):
    """A million times any other probability is more than any own: all tokens are ruled out."""
    searcher = Searcher(make_task, "source-prefix", ["--source-contrast", 1e6], 2)
    found = searcher.search(LINES, ASKED)
    # the best of what is left, where all is ruled out
    assert [len(hypotheses) for hypotheses in found] == [1] * len(LINES)
    assert all(math.isfinite(h["score"]) and h["score"] <= 0 for (h,) in found)


def test_weights_of_zero_leave_fairseq_s_own_search(searcher):
    for placement in ("source-prefix", "source-suffix"):
        assert type(searcher(placement, "plain", 1).generator.model) is EnsembleModel
    assert type(searcher("decoder-prefix", "plain", 1).generator.model) is GuidedEnsemble


def test_models_of_an_ensemble_are_averaged_before_they_are_contrasted(make_task):
    """The ensemble of a model with itself is the model."""
    one = Searcher(make_task, "decoder-prefix", OPTIONS["both"], 3)
    args = Namespace(beam=3, max_len_a=0, max_len_b=7)
    expected = one.search(LINES, ASKED)
    one.generator = one.task.build_generator([one.model, one.model], args)
    for hypotheses, others in zip(one.search(LINES, ASKED), expected):
        assert hypotheses[0]["tokens"].tolist() == others[0]["tokens"].tolist()
        assert hypotheses[0]["score"].item() == pytest.approx(others[0]["score"].item(), abs=1e-3)


def test_a_given_beginning_follows_the_prompt_of_the_decoder(searcher):
    """As fairseq-generate --prefix-size gives it, cut off a target that starts with the prompt."""
    searcher = searcher("decoder-prefix", "plain", 2)
    searcher.task.load_dataset("task/formality/valid")
    dataset = searcher.task.datasets["task/formality/valid"]
    sample = dataset.collater([dataset[i] for i in range(len(dataset))])
    found = searcher.task.inference_step(
        searcher.generator, [searcher.model], sample, prefix_tokens=sample["target"][:, :2]
    )
    lengths = set()
    for row, hypotheses in enumerate(found):
        target = sample["target"][row]
        target = target[target != 1]
        lengths.add(len(sample["requests"][row]))
        n = min(2, len(target))
        assert hypotheses[0]["tokens"][:n].tolist() == target[:n].tolist()
    assert lengths == {1, 2}
