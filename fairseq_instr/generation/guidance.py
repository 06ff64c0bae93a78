"""Beam search under several conditions: contrast, guidance, and prompts of the decoder.

A condition is a (prompt, source) pair with a weight. All are run over the same outputs, and
what the search sees is one distribution made of theirs:

    guidance   (1 + g) log p(y | prompt, x) - g log p(y | x)
    contrast   log(p(y | prompt, x) - w p(y | prompt', x'))       Sennrich et al. (2024)

or, where asked for, the contrast as a weighted sum of log-probabilities too.
"""

from __future__ import annotations

import math
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import torch
from fairseq.data import data_utils
from fairseq.sequence_generator import EnsembleModel
from fairseq.sequence_scorer import SequenceScorer
from torch import Tensor

# What a contrast rules out stays finite, or a sentence with nothing else left could not end:
# fairseq stops with an assertion if no hypothesis can take eos at the longest length.
RULED_OUT = -1e4


class Condition(NamedTuple):
    """What a batch is decoded under.

    Attributes:
        src_tokens: the encoder's input, LongTensor `(batch, source)`.
        src_lengths: its lengths, LongTensor `(batch,)`.
        prompt: tokens with which the decoder begins, LongTensor `(batch, 1 + k)`: its first one,
            and k of the prompt, none where the prompt stands in the source.
        weights: of each row, FloatTensor `(batch,)`; 0 leaves the row out.
        of_logs: whether the weights are of log-probabilities or of probabilities.
    """

    src_tokens: Tensor
    src_lengths: Tensor
    prompt: Tensor
    weights: Tensor
    of_logs: bool = True

    def to(self, device) -> "Condition":
        moved = {name: getattr(self, name).to(device) for name in self._fields[:4]}
        return self._replace(**moved)


def weighted_sum(
    lprobs: Sequence[Tensor], weights: Sequence[Tensor], plausibility: float, eos: int
) -> Tensor:
    """Weighted sum of log-probabilities among the tokens that the first of them finds plausible.

    A token is plausible if its probability is at least `plausibility` times that of the most
    probable one (Li et al., 2023, Eq. 2): a difference of logarithms is large wherever both
    probabilities are tiny. What any of the summands forbids (-inf) stays forbidden, whatever
    the sign of its weight.

    Args:
        lprobs: FloatTensors `(batch, vocab)`, natural logarithms.
        weights: FloatTensors `(batch,)`; rows where all but the first are 0 are not restricted.
        plausibility: 0 (no restriction) to 1 (the most probable token alone).
        eos: ruled out less readily than the other tokens, see `rule_out`.

    Returns:
        FloatTensor `(batch, vocab)`; not normalised.

    Example: p = (0.5, 0.5), p' = (0.8, 0.2), weights 1.5 and -0.5 -> 1.5 log 0.5 - 0.5 log 0.8,
    1.5 log 0.5 - 0.5 log 0.2.
    """
    own = lprobs[0]
    total = weights[0].unsqueeze(1) * own
    forbidden = ~(own > -math.inf)  # NaN too
    several = torch.zeros_like(weights[0], dtype=torch.bool)
    for other, weight in zip(lprobs[1:], weights[1:]):
        weight = weight.unsqueeze(1)
        used = weight != 0
        total = total + torch.where(used, weight * other, torch.zeros_like(other))
        forbidden = forbidden | (used & ~(other > -math.inf))
        several |= used.squeeze(1)
    if plausibility > 0:
        least = own.max(dim=1, keepdim=True).values + math.log(plausibility)
        total = rule_out(total, own, several.unsqueeze(1) & (own < least), eos)
    return total.masked_fill(forbidden, -math.inf)


def subtract(own: Tensor, lprobs: Sequence[Tensor], weights: Sequence[Tensor], eos: int) -> Tensor:
    """log(p - sum_k w_k p_k), the objective of Sennrich et al. (2024) as they compute it.

    A token whose difference is not positive is ruled out: that is the method's own restriction
    to plausible tokens.

    Args:
        own: log p, FloatTensor `(batch, vocab)`.
        lprobs: log p_k, likewise.
        weights: w_k, FloatTensors `(batch,)`, not negative.
        eos: ruled out less readily than the other tokens, see `rule_out`.

    Returns:
        FloatTensor `(batch, vocab)`.

    Example: p = (0.5, 0.5), p' = (0.8, 0.2), w = 0.5 -> log 0.1, log 0.4.
    """
    ratio = torch.zeros_like(own)
    for other, weight in zip(lprobs, weights):
        # exp underflows where the difference of logarithms does not
        times = weight.unsqueeze(1) * (other - own).exp()
        ratio = ratio + torch.where((weight != 0).unsqueeze(1), times, torch.zeros_like(times))
    rest = own + torch.log1p(-ratio.clamp(max=1.0))
    return rule_out(rest, own, ~(ratio < 1.0), eos).masked_fill(~(own > -math.inf), -math.inf)


def rule_out(scores: Tensor, own: Tensor, ruled_out: Tensor, eos: int) -> Tensor:
    """Put tokens behind all others, in the order of the model's own log-probabilities.

    eos comes last among them: no hypothesis ends by a token that was ruled out, unless it has to.
    `scores`, `own` and the bool `ruled_out` are `(batch, vocab)`.
    """
    penalised = own + RULED_OUT
    penalised[:, eos] += RULED_OUT
    return torch.where(ruled_out, penalised, scores)


class _Encoded(NamedTuple):
    """A condition after its encoders ran; rows are those of the search."""

    outs: List
    prompt: Tensor
    weights: Tensor
    of_logs: bool


class GuidedEnsemble(EnsembleModel):
    """fairseq's ensemble under several conditions; `SequenceGenerator` takes it for a model.

    The batch's conditions lie in `net_input["conditions"]`, a list of `Condition`, the lines'
    own first. Each condition has encoder outputs and incremental states of its own. The rows of
    a batch share the length of their prompt: the decoder tells positions by the width of its
    input.

    Args:
        models: fairseq encoder-decoders.
        planner: a `ConditionPlanner`, which makes the conditions.
        room: positions of the decoder that prompts may take.
        boost: what is added to the scores of the tokens at every step, FloatTensor `(vocab,)`;
            None for nothing.
    """

    def __init__(self, models, planner, room: int = 0, boost: Optional[Tensor] = None):
        super().__init__(models)
        self.ensemble = EnsembleModel(models)
        self.planner, self.room, self.boost = planner, room, boost
        self.n_models = len(models)
        # the generator makes one incremental state for each
        self.models_size = planner.count * self.n_models

    def max_decoder_positions(self) -> int:
        return super().max_decoder_positions() - self.room

    def forward_encoder(self, net_input):
        encoded = []
        for condition in net_input["conditions"]:
            # recurrent encoders want the longest source first
            lengths, order = condition.src_lengths.sort(descending=True, stable=True)
            outs = self.ensemble.forward_encoder(
                {"src_tokens": condition.src_tokens[order], "src_lengths": lengths}
            )
            outs = self.ensemble.reorder_encoder_out(outs, order.argsort())
            encoded.append(_Encoded(outs, condition.prompt, condition.weights, condition.of_logs))
        return encoded

    def forward_decoder(self, tokens, encoder_outs, incremental_states, temperature: float = 1.0):
        lprobs, attention = [], None
        for encoded, states in zip(encoder_outs, self._by_condition(incremental_states)):
            inputs = torch.cat((encoded.prompt, tokens[:, 1:]), dim=1)
            if tokens.size(1) == 1 and self.has_incremental_states():
                # an incremental decoder reads one token at a time: the prompt, up to its last
                for width in range(1, inputs.size(1)):
                    self.ensemble.forward_decoder(inputs[:, :width], encoded.outs, states)
            found, attended = self.ensemble.forward_decoder(
                inputs, encoded.outs, states, temperature
            )
            lprobs.append(found)
            attention = attended if len(lprobs) == 1 else attention
        total = self._combine(lprobs, encoder_outs)
        return total if self.boost is None else total + self.boost.to(total), attention

    def _combine(self, lprobs: List[Tensor], encoded: List[_Encoded]) -> Tensor:
        logs = [k for k, condition in enumerate(encoded) if condition.of_logs]
        rest = [k for k, condition in enumerate(encoded) if not condition.of_logs]
        total = lprobs[0]
        if len(logs) > 1:
            total = weighted_sum(
                [lprobs[k] for k in logs],
                [encoded[k].weights for k in logs],
                self.planner.options.plausibility,
                self.planner.eos,
            )
            if rest:  # of which a probability can be subtracted
                total = total.log_softmax(dim=1)
        if not rest:
            return total
        return subtract(
            total, [lprobs[k] for k in rest], [encoded[k].weights for k in rest], self.planner.eos
        )

    def reorder_encoder_out(self, encoder_outs, new_order):
        return [
            encoded._replace(
                outs=self.ensemble.reorder_encoder_out(encoded.outs, new_order),
                prompt=encoded.prompt.index_select(0, new_order),
                weights=encoded.weights.index_select(0, new_order),
            )
            for encoded in encoder_outs
        ]

    def reorder_incremental_state(self, incremental_states, new_order):
        for states in self._by_condition(incremental_states):
            self.ensemble.reorder_incremental_state(states, new_order)

    def _by_condition(self, states: List) -> List[List]:
        return [states[i : i + self.n_models] for i in range(0, len(states), self.n_models)]


def decode_in_groups(
    generator,
    lines: Sequence,
    decode: Callable,
    sample: dict,
    prefix_tokens: Optional[Tensor] = None,
    constraints: Optional[Tensor] = None,
) -> List[List[dict]]:
    """Decode a batch, its lines grouped by the lengths of their prompts in the decoder.

    Args:
        generator: `SequenceGenerator` over a `GuidedEnsemble`.
        lines: of the batch, one for each row.
        decode: `(sample, prefix_tokens, constraints) -> hypotheses of each row`, by the generator.
        sample: fairseq's batch; its ids, device and target are used.
        prefix_tokens: beginnings of the outputs, LongTensor `(batch, n)`.
        constraints: words of the outputs, as fairseq packs them, `(batch, m)`.

    Returns:
        list: hypotheses of each row, in the batch's order; see `score_alone`.
    """
    ensemble: GuidedEnsemble = generator.model
    groups: Dict[Tuple[int, ...], List[int]] = {}
    for row, line in enumerate(lines):
        groups.setdefault(ensemble.planner.prompt_lengths(line), []).append(row)
    found: List = [None] * len(lines)
    device = sample["net_input"]["src_tokens"].device
    for lengths, rows in groups.items():
        plan = ensemble.planner.plan([lines[row] for row in rows])
        conditions = [condition.to(device) for condition in plan]
        own = conditions[0]
        part = {
            "net_input": {
                "src_tokens": own.src_tokens,
                "src_lengths": own.src_lengths,
                "conditions": conditions,
            }
        }
        if "id" in sample:
            part["id"] = sample["id"][rows]
        prefix = prefix_tokens
        if prefix is not None:
            # fairseq-generate cuts it off the target, which is padded where the prompt stands
            shifted = sample["target"][:, lengths[0] :] if lengths[0] else prefix
            prefix = shifted[rows, : prefix.size(1)]
        outputs = decode(part, prefix, None if constraints is None else constraints[rows])
        if len(conditions) > 1 or ensemble.boost is not None:
            outputs = score_alone(generator, own, list(map(without_ruled_out, outputs)))
        for row, hypotheses in zip(rows, outputs):
            found[row] = hypotheses
    return found


def without_ruled_out(hypotheses: List[dict]) -> List[dict]:
    """Hypotheses none of whose tokens was ruled out; the best one where there is no such."""
    kept = [h for h in hypotheses if float(h["positional_scores"].min()) > RULED_OUT / 2]
    return kept or hypotheses[:1]


def score_alone(generator, own: Condition, outputs: List[List[dict]]) -> List[List[dict]]:
    """Give the hypotheses of each row their log-probabilities under the lines' own condition.

    What the search goes by under several conditions is no probability of anything: a sum with
    negative weights exceeds 0. It stays, and its order, as `search_scores`.

    Returns:
        the same hypotheses: `positional_scores` are natural log-probabilities under the prompt and
        the source, and `score` their sum over the length to the power of the length penalty.
    """
    # recurrent encoders want the longest source first
    order = own.src_lengths.argsort(descending=True, stable=True).tolist()
    rows = [row for row in order for _ in outputs[row]]
    flat = [hypothesis for row in order for hypothesis in outputs[row]]
    prompt = own.prompt[rows]
    pad, eos = generator.pad, generator.eos
    outputs_alone = [hypothesis["tokens"] for hypothesis in flat]
    target = data_utils.collate_tokens(outputs_alone, pad, eos)
    previous = data_utils.collate_tokens(outputs_alone, pad, eos, move_eos_to_beginning=True)
    models = generator.model.models
    scored = SequenceScorer(generator.tgt_dict).generate(
        models,
        {
            "net_input": {
                "src_tokens": own.src_tokens[rows],
                "src_lengths": own.src_lengths[rows],
                "prev_output_tokens": torch.cat((prompt, previous[:, 1:]), dim=1),
            },
            "target": torch.cat((torch.full_like(prompt[:, 1:], pad), target), dim=1),
            "start_indices": [prompt.size(1) - 1] * len(rows),
        },
    )
    for hypothesis, (alone,) in zip(flat, scored):
        hypothesis["search_scores"] = hypothesis["positional_scores"]
        hypothesis["positional_scores"] = alone["positional_scores"]
        hypothesis["score"] = alone["positional_scores"].sum()
        if generator.normalize_scores:
            hypothesis["score"] /= len(hypothesis["tokens"]) ** generator.len_penalty
    return outputs
