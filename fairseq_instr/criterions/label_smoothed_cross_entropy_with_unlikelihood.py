"""Label-smoothed cross entropy on translations, unlikelihood or odds ratio on their conflicts.

The criterion only routes batches and logs; the maths is in `unlikelihood` and `odds_ratio`. A
batch may hold conflicts, the same sources and targets under a prompt with one instruction
swapped::

    sample["conflicts"] = {
        "positive": LongTensor (C,)     row of the batch that each conflict belongs to
        "copies": BoolTensor (C,)       whether its target is the source
        "net_input": {"src_tokens": (C, S), "src_lengths": (C,), "prev_output_tokens": (C, T)}
        "target": LongTensor (C, T)
    }

with S and T as in the positives. Where the instruction is given on the decoder's side,
`net_input` holds `prev_output_tokens` alone, and the encoder runs once for both.
"""

import contextlib
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from fairseq import utils
from fairseq.criterions import register_criterion
from fairseq.criterions.label_smoothed_cross_entropy import (
    LabelSmoothedCrossEntropyCriterion,
    LabelSmoothedCrossEntropyCriterionConfig,
    label_smoothed_nll_loss,
)
from fairseq.logging import metrics

from fairseq_instr.config_fields import with_help
from fairseq_instr.criterions.odds_ratio import fused_log_odds, odds_ratio_loss
from fairseq_instr.criterions.unlikelihood import (
    Losses,
    fused_loss,
    target_log_odds,
    unlikelihood_loss,
)
from fairseq_instr.errors import InputError

UNLIKELIHOOD, ODDS_RATIO = "unlikelihood", "odds-ratio"
LOGGED_AS = {UNLIKELIHOOD: "ul_loss", ODDS_RATIO: "or_loss"}
"""The loss on conflicts -> its name in logs."""


@dataclass
class LabelSmoothedCrossEntropyWithUnlikelihoodCriterionConfig(
    LabelSmoothedCrossEntropyCriterionConfig
):
    unlikelihood_weight: float = with_help(
        0.05,
        "alpha: weight of the mean loss on conflicts beside the mean label-smoothed loss; 0.05 as "
        "published for LLaMA, while encoder-decoders want 0.3 to 1.0; 0 trains as "
        "label_smoothed_cross_entropy does",
    )
    conflict_loss: str = with_help(
        UNLIKELIHOOD,
        "unlikelihood: -log(1 - p) of each token under the wrong prompt. odds-ratio: -log sigmoid "
        "of the sentence's log odds under the right prompt less those under the wrong one (ORPO)",
    )
    fused_loss: bool = with_help(
        False,
        "compute the loss chunk by chunk together with the output projection: the same loss and "
        "gradients, faster and without holding tokens x vocabulary scores",
    )


@contextlib.contextmanager
def _replaced_output(module, replace):
    """Within the block, `module` returns `replace(output)` from its forward.

    A hook rather than a call of the model's parts: the work stays inside the forward of
    whatever wraps the model, so that data-parallel wrappers see all that the loss rests on.
    """
    handle = module.register_forward_hook(lambda _module, _inputs, output: replace(output))
    try:
        yield
    finally:
        handle.remove()


@register_criterion(
    "label_smoothed_cross_entropy_with_unlikelihood",
    dataclass=LabelSmoothedCrossEntropyWithUnlikelihoodCriterionConfig,
)
class LabelSmoothedCrossEntropyWithUnlikelihoodCriterion(LabelSmoothedCrossEntropyCriterion):
    """loss = mean LS-NLL + alpha * mean UL (Zan et al., 2024; Welleck et al., 2020, Eq. 2).

    With `conflict_loss` odds-ratio, the second mean is that of `odds_ratio.odds_ratio_loss`
    (Hong et al., 2024, arXiv 2403.07691): of sentences, each counted by its target tokens.

    The first mean is over the target tokens of the positives, the second over those of the
    conflicts. fairseq divides the gradient of what `forward` returns by the sample size
    summed over updates and workers, so that `forward` returns

        sum LS-NLL + alpha * n_positive / n_conflict * sum UL

    with the batch's numbers of target tokens, and the parent's sample size. A batch counts by
    its positive tokens in both terms: alpha keeps its meaning at any conflict rate, and with
    `sentence_avg`. One batch gives what its parts give over `--update-freq` or workers, exactly
    where the parts have the same share of conflict tokens, else up to that weighting.

    Positives and conflicts go through one forward. With alpha 0, training is the parent's,
    bit for bit (where the loss is not fused), and conflicts are looked at in validation only.

    Logged beside the parent's: `loss` includes the conflicts' term; `ul_loss`, mean
    -log2(1 - p) over the conflicts' target tokens, in bits, or `or_loss`, mean -log2 sigmoid of
    the log odds ratio; `conflict_gap`, mean over the tokens of targets under both prompts (those of
    copies are under the wrong one alone) of log p under the right prompt less log p under the wrong
    one, in nats, 0 where there are none; `n_conflicts`, conflicts a batch.

    Args:
        label_smoothing (float): epsilon, of the positives.
        unlikelihood_weight (float): alpha, of either loss.
        ignore_prefix_size (int): first target tokens that don't count, in conflicts neither.

    Raises:
        InputError: if `unlikelihood_weight` is negative, or `conflict_loss` is neither.
    """

    def __init__(
        self,
        task,
        sentence_avg,
        label_smoothing,
        unlikelihood_weight=0.05,
        conflict_loss=UNLIKELIHOOD,
        fused_loss=False,
        ignore_prefix_size=0,
        report_accuracy=False,
    ):
        super().__init__(task, sentence_avg, label_smoothing, ignore_prefix_size, report_accuracy)
        if not 0 <= unlikelihood_weight < math.inf:
            raise InputError(
                f"--unlikelihood-weight is {unlikelihood_weight}; give 0 to train without "
                "unlikelihood, or a positive number such as 0.05 to 1.0"
            )
        if conflict_loss not in LOGGED_AS:
            raise InputError(
                f"--conflict-loss {conflict_loss!r} is not accepted; choose {', '.join(LOGGED_AS)}"
            )
        self.unlikelihood_weight = unlikelihood_weight
        self.conflict_loss = conflict_loss
        self.fused_loss = fused_loss

    def forward(self, model, sample, reduce=True):
        """The loss, the sample size (the parent's), and logging outputs to be summed.

        Args:
            sample (dict): a batch, with `conflicts` as in this module's docstring or without.
            reduce (bool): False, one loss a token, is served as by the parent where there is
                neither a conflict nor the fused loss.

        Raises:
            InputError: if the model's output layer can't serve the loss asked for.
            ValueError: if `reduce` is False beside conflicts or the fused loss.
        """
        conflicts = sample.get("conflicts")
        if model.training and self.unlikelihood_weight == 0:
            conflicts = None
        if conflicts is None and not self.fused_loss:
            loss, sample_size, logging_output = super().forward(model, sample, reduce)
            # Tensors where there are tensors with conflicts: workers sum the two kinds apart.
            zero = loss.new_zeros((), dtype=torch.float32)
            self._log_conflicts(logging_output, zero, zero, zero, 0, 0)
            return loss, sample_size, logging_output
        if not reduce:
            raise ValueError(
                "reduce=False is not supported beside conflicts or with --fused-loss; "
                "use reduce=True"
            )
        self._check_output_layer(model)

        target = self._without_prefix(sample["target"])
        n_conflicts, n_conflict_tokens, weight = 0, 0, 0.0
        conflict_target = target[:0]
        if conflicts is not None:
            conflict_target = self._without_prefix(conflicts["target"])
            n_conflicts = len(conflict_target)
            n_conflict_tokens = int(conflict_target.ne(self.padding_idx).sum())
            n_tokens = int(target.ne(self.padding_idx).sum())
            weight = self.unlikelihood_weight * n_tokens / max(n_conflict_tokens, 1)

        compute = self._compute_fused if self.fused_loss else self._compute_unfused
        losses = compute(model, sample, conflicts, target, conflict_target, weight)
        # Compared by sentence, since a dropped instruction may shift a conflict's tokens.
        lprobs, conflict_lprobs = losses.target_lprobs.sum(1).split([len(target), n_conflicts])
        conflict_gap = n_gap_tokens = lprobs.new_zeros(())
        if conflicts is not None:
            gaps = lprobs[conflicts["positive"]] - conflict_lprobs
            lengths = conflict_target.ne(self.padding_idx).sum(1)
            # a copy is another text than its positive
            conflict_gap = gaps.masked_fill(conflicts["copies"], 0).sum()
            n_gap_tokens = lengths.masked_fill(conflicts["copies"], 0).sum().to(lprobs)

        sample_size = sample["target"].size(0) if self.sentence_avg else sample["ntokens"]
        logging_output = {
            "loss": losses.loss.data,
            "nll_loss": losses.nll_loss.data,
            "ntokens": sample["ntokens"],
            "nsentences": sample["target"].size(0),
            "sample_size": sample_size,
        }
        if self.report_accuracy:
            logging_output["n_correct"] = utils.item(losses.n_correct)
            logging_output["total"] = utils.item(target.ne(self.padding_idx).sum())
        gap = conflict_gap, n_gap_tokens
        self._log_conflicts(
            logging_output, losses.conflict_loss.data, *gap, n_conflicts, n_conflict_tokens
        )
        return losses.loss, sample_size, logging_output

    def _compute_unfused(self, model, sample, conflicts, target, conflict_target, weight):
        joint_logits, extra = self._forward_model(model, sample, conflicts)
        # Split rather than sliced: one pass instead of two over the logits' gradient.
        logits, conflict_logits = joint_logits.split([len(target), len(conflict_target)])
        lprobs = model.get_normalized_probs((logits, extra), log_probs=True)
        loss, nll_loss = label_smoothed_nll_loss(
            lprobs.flatten(0, 1), target.flatten(), self.eps, ignore_index=self.padding_idx
        )
        if self.conflict_loss == UNLIKELIHOOD:
            conflict_loss, conflict_lprobs = unlikelihood_loss(
                conflict_logits, conflict_target, self.padding_idx
            )
        else:
            rows, compared = self._compared(conflicts, target, conflict_target)
            log_odds = target_log_odds(
                joint_logits[rows], compared.masked_fill(compared.eq(self.padding_idx), 0)
            )
            conflict_loss, conflict_lprobs = self._odds_ratio(log_odds, compared)
        ignored = target.eq(self.padding_idx)
        target_lprobs = lprobs.detach().gather(2, target.unsqueeze(2)).squeeze(2)
        target_lprobs = torch.cat([target_lprobs.masked_fill(ignored, 0.0), conflict_lprobs])
        n_correct = None
        if self.report_accuracy:
            n_correct = (lprobs.argmax(2).eq(target) & ~ignored).sum()
        return Losses(
            loss + weight * conflict_loss, nll_loss, conflict_loss, target_lprobs, n_correct
        )

    def _compute_fused(self, model, sample, conflicts, target, conflict_target, weight):
        layer = model.decoder.output_projection
        projection = {
            # a weight shared with the embeddings may have rows that are never projected on
            "weight": layer.weight[: layer.out_features],
            "bias": layer.bias,
            "ignore_index": self.padding_idx,
        }
        by_token = self.conflict_loss == UNLIKELIHOOD
        joint_target = torch.cat([target, conflict_target]) if by_token else target
        is_conflict = torch.arange(len(joint_target), device=target.device) >= len(target)

        def project_and_compare(decoder_out):
            features, extra = decoder_out
            losses = fused_loss(
                features if by_token else features[: len(target)],
                target=joint_target,
                is_conflict=is_conflict.unsqueeze(1),
                epsilon=self.eps,
                unlikelihood_weight=weight,
                **projection,
            )
            if not by_token:
                rows, compared = self._compared(conflicts, target, conflict_target)
                log_odds = fused_log_odds(features[rows], target=compared, **projection)
                conflict_loss, conflict_lprobs = self._odds_ratio(log_odds, compared)
                losses = losses._replace(
                    loss=losses.loss + weight * conflict_loss,
                    conflict_loss=conflict_loss,
                    target_lprobs=torch.cat([losses.target_lprobs, conflict_lprobs]),
                )
            return losses, extra

        with _replaced_output(model.decoder, project_and_compare):
            losses, _ = self._forward_model(model, sample, conflicts, features_only=True)
        return losses

    @staticmethod
    def _compared(conflicts, target, conflict_target):
        """Rows of the joint batch that an odds ratio compares, and their targets.

        First the positive of each conflict, then the conflicts.
        """
        rows = torch.arange(len(conflict_target), device=target.device)
        positive = rows if conflicts is None else conflicts["positive"]
        return (
            torch.cat([positive, len(target) + rows]),
            torch.cat([target[positive], conflict_target]),
        )

    def _odds_ratio(self, log_odds, compared):
        ignored = compared.eq(self.padding_idx)
        (right, wrong), sides = log_odds.chunk(2), ignored.chunk(2)
        loss = odds_ratio_loss(right, wrong, *sides)
        return loss, F.logsigmoid(wrong.detach()).masked_fill(sides[1], 0.0)

    @staticmethod
    def _forward_model(model, sample, conflicts, **kwargs):
        net_input = sample["net_input"]
        if conflicts is None:
            return model(**net_input, **kwargs)
        conflict_input = conflicts["net_input"]
        joined = {
            name: torch.cat([tensor, conflict_input[name]]) if name in conflict_input else tensor
            for name, tensor in net_input.items()
        }
        if "src_tokens" in conflict_input:
            return model(**joined, **kwargs)

        # The conflicts' sources are the positives': what the encoder says of them serves both.
        positive = conflicts["positive"]
        rows = torch.arange(len(net_input["src_tokens"]), device=positive.device)
        rows = torch.cat([rows, positive])
        with _replaced_output(
            model.encoder, lambda encoder_out: model.encoder.reorder_encoder_out(encoder_out, rows)
        ):
            return model(**joined, **kwargs)

    def _without_prefix(self, target):
        if not self.ignore_prefix_size:
            return target
        target = target.clone()
        target[:, : self.ignore_prefix_size] = self.padding_idx
        return target

    def _check_output_layer(self, model):
        if getattr(model.decoder, "adaptive_softmax", None) is not None:
            raise InputError(
                "--adaptive-softmax-cutoff gives no scores of single tokens, which unlikelihood "
                "and --fused-loss need; use a model without it"
            )
        projection = getattr(model.decoder, "output_projection", None)
        if self.fused_loss and not isinstance(projection, torch.nn.Linear):
            raise InputError(
                "--fused-loss needs a decoder with a linear output_projection, not "
                f"{type(projection).__name__}; leave the option out for this model"
            )

    def _log_conflicts(
        self, logging_output, loss, conflict_gap, n_gap_tokens, n_conflicts, n_conflict_tokens
    ):
        logging_output.update(
            {
                LOGGED_AS[self.conflict_loss]: loss,
                "conflict_gap": conflict_gap,
                "n_gap_tokens": n_gap_tokens,
                "n_conflicts": n_conflicts,
                "n_conflict_tokens": n_conflict_tokens,
            }
        )

    @classmethod
    def reduce_metrics(cls, logging_outputs) -> None:
        """Aggregate logging outputs from data parallel training."""
        super().reduce_metrics(logging_outputs)

        def total(key):
            return utils.item(sum(log.get(key, 0) for log in logging_outputs))

        def log_mean(name, count, unit=1.0):
            n_tokens = total(count)
            metrics.log_scalar(name, total(name) / max(n_tokens, 1) / unit, n_tokens, round=3)

        used = [name for name in LOGGED_AS.values() if any(name in log for log in logging_outputs)]
        for name in used or [LOGGED_AS[UNLIKELIHOOD]]:
            log_mean(name, "n_conflict_tokens", math.log(2))
        log_mean("conflict_gap", "n_gap_tokens")
        metrics.log_scalar("n_conflicts", total("n_conflicts"), round=1)
