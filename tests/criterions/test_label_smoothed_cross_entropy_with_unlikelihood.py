"""The criterion on a small fairseq transformer: values, invariances, logging, refusals."""

import copy
import math
from argparse import Namespace

import pytest
import torch
import torch.nn.functional as F
from fairseq.criterions.label_smoothed_cross_entropy import LabelSmoothedCrossEntropyCriterion
from fairseq.data import Dictionary
from fairseq.distributed import LegacyDistributedDataParallel, ModuleProxyWrapper
from fairseq.logging import metrics
from fairseq.models.transformer import TransformerModel, base_architecture
from fairseq.tasks.translation import TranslationConfig, TranslationTask

from fairseq_instr.checkpoints.parameters import FUSED_LAYER_COPY
from fairseq_instr.criterions.label_smoothed_cross_entropy_with_unlikelihood import (
    LOGGED_AS,
)
from fairseq_instr.criterions.label_smoothed_cross_entropy_with_unlikelihood import (
    LabelSmoothedCrossEntropyWithUnlikelihoodCriterion as Criterion,
)
from fairseq_instr.criterions.unlikelihood import unlikelihood_loss
from fairseq_instr.errors import InputError

PAD, EOS, VOCAB = 1, 2, 24
RIGHT, WRONG = 20, 21  # the instructions
ALPHA, EPSILON = 0.7, 0.1


@pytest.fixture(scope="module")
def task():
    dictionary = Dictionary()
    for number in range(VOCAB - len(dictionary)):
        dictionary.add_symbol(f"w{number}")
    return TranslationTask(TranslationConfig(), dictionary, dictionary)


def build_model(task, **options):
    torch.manual_seed(0)
    args = Namespace(
        encoder_layers=2, decoder_layers=2, encoder_embed_dim=16, encoder_ffn_embed_dim=32,
        encoder_attention_heads=2, decoder_attention_heads=2,
        **{"dropout": 0.0, "share_all_embeddings": True, **options},
    )  # fmt: skip
    base_architecture(args)
    model = TransformerModel.build_model(args, task)
    if "adaptive_softmax_cutoff" not in options:
        # Sharper than at the start, so that losses differ between tokens.
        torch.nn.init.normal_(model.decoder.output_projection.weight, std=0.5)
    # Official fairseq 0.12.2 has copies for its fused layers that no loss depends on: data
    # parallel training of its own needs --find-unused-parameters or legacy_ddp for them.
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not FUSED_LAYER_COPY.fullmatch(name))
    return model.train()


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def model(request, task):
    return build_model(task, share_all_embeddings=request.param)


def criterion(task, **options):
    return Criterion(
        task, **{"sentence_avg": False, "label_smoothing": EPSILON,
                 "unlikelihood_weight": ALPHA, **options}
    )  # fmt: skip


def parent(task, **options):
    return LabelSmoothedCrossEntropyCriterion(
        task, **{"sentence_avg": False, "label_smoothing": EPSILON, **options}
    )


def left_padded(rows, width):
    return torch.tensor([[PAD] * (width - len(row)) + row for row in rows])


def right_padded(rows, width):
    return torch.tensor([row + [PAD] * (width - len(row)) for row in rows])


def encoder_input(rows, instruction, width):
    sources = [[instruction, *source, EOS] for source, _ in rows]
    return {
        "src_tokens": left_padded(sources, width),
        "src_lengths": torch.tensor([len(source) for source in sources]),
    }


def batch(rows, conflicting, decoder_side=False, extra_padding=0):
    """A batch of (source, target) rows; `conflicting` names those that get a conflict."""
    source_width = max(len(source) for source, _ in rows) + 2 + extra_padding
    target_width = max(len(target) for _, target in rows) + 1 + decoder_side + extra_padding

    def decoder_input(rows, instruction):
        prompt = [EOS, instruction] if decoder_side else [EOS]
        return right_padded([prompt + target for _, target in rows], target_width)

    def targets(rows):
        prompt = [PAD] if decoder_side else []
        return right_padded([[*prompt, *target, EOS] for _, target in rows], target_width)

    sample = {
        "id": torch.arange(len(rows)),
        "nsentences": len(rows),
        "ntokens": sum(len(target) + 1 for _, target in rows),
        "net_input": {
            **encoder_input(rows, RIGHT, source_width),
            "prev_output_tokens": decoder_input(rows, RIGHT),
        },
        "target": targets(rows),
    }
    if conflicting:
        chosen = [rows[row] for row in conflicting]
        net_input = {"prev_output_tokens": decoder_input(chosen, WRONG)}
        if not decoder_side:
            net_input.update(encoder_input(chosen, WRONG, source_width))
        sample["conflicts"] = {
            "positive": torch.tensor(conflicting),
            "copies": torch.zeros(len(conflicting), dtype=torch.bool),
            "net_input": net_input,
            "target": targets(chosen),
        }
    return sample


ROWS = [
    ([4, 5, 6], [7, 8]),
    ([9, 10], [11, 12, 13, 14]),
    ([15], [16]),
    ([17, 18, 4, 6, 8], [5, 7, 9]),
]


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name: p.grad for name, p in model.named_parameters() if p.requires_grad}


def assert_close(ours, theirs, **tolerance):
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], msg=name, **tolerance)


TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
KINDS = [
    {"conflict_loss": name, "fused_loss": fused} for name in LOGGED_AS for fused in (False, True)
]
EITHER_LOSS = pytest.mark.parametrize(
    "kind",
    KINDS,
    ids=lambda kind: f"{kind['conflict_loss']}-{'fused' if kind['fused_loss'] else 'unfused'}",
)
EITHER_SIDE = pytest.mark.parametrize("decoder_side", [False, True], ids=["encoder", "decoder"])


def two_forwards(model, sample, conflict_loss="unlikelihood"):
    """The loss by its definition: means over tokens from separate forwards, times n_positive."""
    net_input, conflicts = sample["net_input"], sample["conflicts"]
    lprobs = torch.log_softmax(model(**net_input)[0], -1)
    kept = sample["target"].ne(PAD)
    nll = -lprobs.gather(2, sample["target"].unsqueeze(2)).squeeze(2)[kept].mean()
    others = -(lprobs.sum(2)[kept].mean() + nll)
    smoothed = (1 - EPSILON) * nll + EPSILON / (VOCAB - 1) * others

    sources = {name: rows[conflicts["positive"]] for name, rows in net_input.items()}
    logits = model(**{**sources, **conflicts["net_input"]})[0]
    loss, wrong = unlikelihood_loss(logits, conflicts["target"], PAD)
    counted = conflicts["target"].ne(PAD)
    n_conflict_tokens = counted.sum()
    n_tokens = kept.sum()
    right = lprobs.gather(2, sample["target"].unsqueeze(2)).squeeze(2)[conflicts["positive"]]
    gap = (right[counted].sum() - wrong.sum()) / n_conflict_tokens
    if conflict_loss == "odds-ratio":
        wrong = torch.log_softmax(logits, -1).gather(2, conflicts["target"].unsqueeze(2)).squeeze(2)
        loss = sum(
            len(row.nonzero()) * F.softplus(log_odds(b[row].mean()) - log_odds(a[row].mean()))
            for a, b, row in zip(right, wrong, counted)
        )
    mean_loss = loss / n_conflict_tokens
    return n_tokens * (smoothed + ALPHA * mean_loss), nll, mean_loss, gap


def log_odds(lprob):
    return lprob - torch.log(1 - torch.exp(lprob))


@EITHER_SIDE
@EITHER_LOSS
@pytest.mark.parametrize("conflicting", [[0, 1, 2, 3], [3, 1]])
def test_one_forward_is_the_definition_by_two_forwards(
    task, model, conflicting, kind, decoder_side
):
    sample = batch(ROWS, conflicting, decoder_side)
    loss, sample_size, log = criterion(task, **kind, report_accuracy=True)(model, sample)
    expected, nll, mean, gap = two_forwards(model, sample, kind["conflict_loss"])
    torch.testing.assert_close(loss, expected, **TOLERANCE)
    assert sample_size == log["ntokens"] == 14
    assert log["n_conflicts"] == len(conflicting)
    assert log["nll_loss"] / 14 == pytest.approx(nll.item(), rel=1e-4)
    logged = log[LOGGED_AS[kind["conflict_loss"]]]
    assert logged / log["n_conflict_tokens"] == pytest.approx(mean.item(), rel=1e-4)
    assert log["conflict_gap"] / log["n_conflict_tokens"] == pytest.approx(gap.item(), rel=1e-3)
    *_, accuracy = parent(task, report_accuracy=True)(model, sample)  # of the positives
    assert (log["n_correct"], log["total"]) == (accuracy["n_correct"], accuracy["total"])
    assert_close(gradients(model, loss), gradients(model, expected), **TOLERANCE)


@pytest.mark.parametrize("mode", ["train", "validation"])
def test_the_model_is_called_once(task, model, mode):
    calls = []
    handles = [
        half.register_forward_hook(lambda module, *_: calls.append(module))
        for half in (model.encoder, model.decoder)
    ]
    try:
        with torch.set_grad_enabled(mode == "train"):
            criterion(task)(model, batch(ROWS, [0, 1, 2, 3], decoder_side=True))
    finally:
        for handle in handles:
            handle.remove()
    assert calls == [model.encoder, model.decoder]


def test_the_model_is_left_without_hooks(task, model):
    before = len(model.decoder._forward_hooks), len(model.encoder._forward_hooks)
    fused = criterion(task, fused_loss=True)
    fused(model, batch(ROWS, [0], decoder_side=True))
    broken = batch(ROWS, [0], decoder_side=True)
    broken["target"] = broken["target"][:, 1:]
    with pytest.raises(Exception, match="size|shape|fit"):
        fused(model, broken)
    assert (len(model.decoder._forward_hooks), len(model.encoder._forward_hooks)) == before


@EITHER_LOSS
@EITHER_SIDE
def test_padding_changes_nothing(task, model, kind, decoder_side):
    ours = criterion(task, **kind)
    loss, _, log = ours(model, batch(ROWS, [0, 3], decoder_side))
    padded_loss, _, padded_log = ours(model, batch(ROWS, [0, 3], decoder_side, extra_padding=3))
    torch.testing.assert_close(padded_loss, loss, **TOLERANCE)
    assert padded_log["n_conflict_tokens"] == log["n_conflict_tokens"]
    assert padded_log["conflict_gap"] == pytest.approx(log["conflict_gap"].item(), rel=1e-3)
    assert_close(gradients(model, padded_loss), gradients(model, loss), **TOLERANCE)


@EITHER_LOSS
def test_a_batch_equals_its_parts(task, model, kind):
    """What `--update-freq 2`, or two workers, add up to."""
    ours = criterion(task, **kind)
    whole, size, log = ours(model, batch(ROWS, [0, 1, 2, 3]))
    parts = [ours(model, batch(ROWS[start : start + 2], [0, 1])) for start in (0, 2)]
    assert size == sum(part[1] for part in parts)
    for key in log:
        summed = sum(float(part[2][key]) for part in parts)
        assert float(log[key]) == pytest.approx(summed, rel=1e-4), key
    expected = gradients(model, sum(part[0] for part in parts))
    assert_close(gradients(model, whole), expected, **TOLERANCE)


@EITHER_LOSS
def test_alpha_means_the_same_at_any_conflict_rate(task, model, kind):
    """Doubling every conflict leaves their mean, and so the loss, as it was."""
    ours = criterion(task, **kind)
    once, _, _ = ours(model, batch(ROWS, [0, 3]))
    twice, _, _ = ours(model, batch(ROWS, [0, 3, 0, 3]))
    torch.testing.assert_close(once, twice, **TOLERANCE)


@pytest.mark.parametrize("with_conflicts", [True, False])
@pytest.mark.parametrize("sentence_avg", [True, False])
@pytest.mark.parametrize("conflict_loss", LOGGED_AS)
def test_weight_0_is_the_parent_bit_for_bit(task, conflict_loss, with_conflicts, sentence_avg):
    model = build_model(task, dropout=0.3, attention_dropout=0.1)
    sample = batch(ROWS, [0, 1, 2, 3] if with_conflicts else [])
    options = {"sentence_avg": sentence_avg, "report_accuracy": True}

    def train(criterion):
        torch.manual_seed(1)
        loss, sample_size, log = criterion(model, sample)
        return loss, sample_size, log, gradients(model, loss)

    loss, sample_size, log, gradient = train(parent(task, **options))
    ours = train(criterion(task, unlikelihood_weight=0.0, conflict_loss=conflict_loss, **options))
    assert torch.equal(ours[0], loss)
    assert ours[1] == sample_size
    assert {key: ours[2][key] for key in log} == log
    assert_close(ours[3], gradient, rtol=0, atol=0)


@EITHER_LOSS
def test_a_batch_without_conflicts(task, model, kind):
    sample = batch(ROWS, [])
    options = {"report_accuracy": True}
    loss, sample_size, log = criterion(task, **kind, **options)(model, sample)
    expected, expected_size, expected_log = parent(task, **options)(model, sample)
    torch.testing.assert_close(loss, expected, **TOLERANCE)
    assert sample_size == expected_size
    assert log["n_correct"] == expected_log["n_correct"]
    logged = log[LOGGED_AS[kind["conflict_loss"]]]
    assert logged == log["conflict_gap"] == log["n_conflicts"] == 0
    assert_close(gradients(model, loss), gradients(model, expected), **TOLERANCE)


@EITHER_LOSS
def test_validation_at_weight_0_still_reports_the_gap(task, model, kind):
    sample = batch(ROWS, [0, 3])
    evaluated = copy.deepcopy(model).eval()
    with torch.no_grad():
        loss, _, log = criterion(task, unlikelihood_weight=0.0, **kind)(evaluated, sample)
        expected, _, _ = parent(task)(evaluated, sample)
        *_, gap = two_forwards(evaluated, sample)
    torch.testing.assert_close(loss, expected, **TOLERANCE)
    assert log["conflict_gap"] / log["n_conflict_tokens"] == pytest.approx(gap.item(), rel=1e-3)


@EITHER_LOSS
def test_a_copy_counts_in_the_loss_but_not_in_the_gap(task, model, kind):
    """Its text is not the positive's: the two probabilities say nothing of the instruction."""

    def with_last_as_copy(conflicting):
        sample = batch(ROWS, conflicting)
        conflicts, (source, _) = sample["conflicts"], ROWS[conflicting[-1]]
        conflicts["copies"][-1] = True
        conflicts["target"][-1] = right_padded([[*source, EOS]], conflicts["target"].size(1))
        return sample

    *_, log = criterion(task, **kind)(model, with_last_as_copy([1, 0]))
    *_, alone = criterion(task, **kind)(model, batch(ROWS, [1]))
    assert log["n_gap_tokens"] == alone["n_gap_tokens"] == alone["n_conflict_tokens"] == 5
    assert log["n_conflict_tokens"] == 5 + 4
    assert log["conflict_gap"] == pytest.approx(alone["conflict_gap"].item(), rel=1e-3)
    *_, log = criterion(task, **kind)(model, with_last_as_copy([0]))
    assert log["n_gap_tokens"] == log["conflict_gap"] == 0
    assert log[LOGGED_AS[kind["conflict_loss"]]] > 0


@EITHER_LOSS
def test_ignored_prefix_counts_nowhere(task, model, kind):
    sample = batch(ROWS, [0, 1])
    loss, _, log = criterion(task, **kind, ignore_prefix_size=1)(model, sample)
    without_first = batch(ROWS, [0, 1])
    without_first["target"][:, 0] = without_first["conflicts"]["target"][:, 0] = PAD
    plain = criterion(task, conflict_loss=kind["conflict_loss"])
    expected, _, expected_log = plain(model, without_first)
    torch.testing.assert_close(loss, expected, **TOLERANCE)
    assert log["n_conflict_tokens"] == expected_log["n_conflict_tokens"] == 3 + 5 - 2


@EITHER_LOSS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_model(task, kind, dtype):
    model = build_model(task)
    sample = batch(ROWS, [0, 3])
    expected, _, _ = criterion(task, conflict_loss=kind["conflict_loss"])(model, sample)
    expected_gradients = gradients(model, 64 * expected)
    half = copy.deepcopy(model).to(dtype)
    loss, _, log = criterion(task, **kind)(half, sample)
    assert loss.dtype == log[LOGGED_AS[kind["conflict_loss"]]].dtype == torch.float32
    rounding = torch.finfo(dtype).eps
    assert loss.item() == pytest.approx(expected.item(), rel=8 * rounding)
    for name, gradient in gradients(half, 64 * loss).items():  # a loss scale
        error = (gradient.float() - expected_gradients[name]).norm()
        if expected_gradients[name].norm() > 1:
            assert error <= 30 * rounding * expected_gradients[name].norm(), name


@pytest.fixture
def process_group(tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1
    )
    yield torch.distributed.group.WORLD
    torch.distributed.destroy_process_group()


@EITHER_SIDE
@EITHER_LOSS
@pytest.mark.parametrize("wrapper", ["legacy_ddp", "pytorch_ddp", "pytorch_ddp find_unused"])
def test_data_parallel_wrappers_see_every_gradient(
    task, model, process_group, wrapper, kind, decoder_side
):
    plain = copy.deepcopy(model)
    if wrapper == "legacy_ddp":
        wrapped = LegacyDistributedDataParallel(model, process_group)
    else:
        wrapped = torch.nn.parallel.DistributedDataParallel(
            model,
            process_group=process_group,
            find_unused_parameters=wrapper.endswith("find_unused"),
        )
    wrapped = ModuleProxyWrapper(wrapped)
    ours = criterion(task, **kind)
    for conflicting in ([0, 3], [], [1]):
        sample = batch(ROWS, conflicting, decoder_side)
        ours_gradients = gradients(wrapped, ours(wrapped, sample)[0])
        expected = gradients(plain, ours(plain, sample)[0])
        ours_gradients = {name.split(".", 2)[2]: g for name, g in ours_gradients.items()}
        assert_close(ours_gradients, expected, **TOLERANCE)


def test_workers_log_the_same_keys_and_kinds(task, model):
    """Tensors and numbers are summed apart by fairseq, in the order of their keys."""
    for kind in KINDS:
        ours = criterion(task, **kind, report_accuracy=True)
        kinds = [
            [(key, torch.is_tensor(value)) for key, value in ours(model, sample)[2].items()]
            for sample in (batch(ROWS, [0]), batch(ROWS, []))
        ]
        assert kinds[0] == kinds[1]


@pytest.mark.parametrize("name", LOGGED_AS.values())
def test_metrics_are_means_over_all_batches(task, name):
    logs = [
        {"loss": 24.0, "nll_loss": 16.0, "ntokens": 8, "nsentences": 2, "sample_size": 8,
         name: 3.0, "n_conflicts": 2, "n_conflict_tokens": 6,
         "conflict_gap": 6.0, "n_gap_tokens": 4},
        {"loss": 8.0, "nll_loss": 8.0, "ntokens": 4, "nsentences": 1, "sample_size": 4,
         name: 0.0, "n_conflicts": 0, "n_conflict_tokens": 0,
         "conflict_gap": 0.0, "n_gap_tokens": 0},
    ]  # fmt: skip

    def reduced(logs):
        with metrics.aggregate(new_root=True) as aggregated:
            for log in logs:  # as in validation: one call a batch
                Criterion.reduce_metrics([log])
        return aggregated.get_smoothed_values()

    values = reduced(logs)
    assert values["loss"] == pytest.approx(32 / 12 / math.log(2), abs=1e-3)
    assert values["nll_loss"] == pytest.approx(24 / 12 / math.log(2), abs=1e-3)
    assert values["ppl"] == pytest.approx(math.exp(24 / 12), abs=0.01)
    assert values[name] == pytest.approx(3 / 6 / math.log(2), abs=1e-3)
    assert set(LOGGED_AS.values()).intersection(values) == {name}
    assert values["conflict_gap"] == pytest.approx(6 / 4)
    assert values["n_conflicts"] == 1.0  # a batch
    without = reduced(logs[1:])
    assert without[name] == without["conflict_gap"] == without["n_conflicts"] == 0


@pytest.mark.parametrize(
    "options, named",
    [
        *(
            ({"unlikelihood_weight": w}, "--unlikelihood-weight")
            for w in (-0.05, math.inf, math.nan)
        ),
        ({"conflict_loss": "margin"}, "--conflict-loss 'margin'"),
    ],
)
def test_options_that_make_no_sense_are_refused(task, options, named):
    with pytest.raises(InputError, match=named):
        criterion(task, **options)


@EITHER_LOSS
def test_output_layers_that_do_not_serve_are_refused(task, kind):
    model = build_model(task, share_all_embeddings=False, adaptive_softmax_cutoff="8,16")
    with pytest.raises(InputError, match="--adaptive-softmax-cutoff"):
        criterion(task, **kind)(model, batch(ROWS, [0]))
    model = build_model(task)
    model.decoder.output_projection = torch.nn.Sequential(model.decoder.output_projection)
    if kind["fused_loss"]:
        with pytest.raises(InputError, match="--fused-loss .*Sequential"):
            criterion(task, **kind)(model, batch(ROWS, [0]))
    else:
        criterion(task, **kind)(model, batch(ROWS, [0]))


def test_unreduced_loss_beside_conflicts_is_refused(task, model):
    with pytest.raises(ValueError, match="reduce=False"):
        criterion(task)(model, batch(ROWS, [0]), reduce=False)
    loss, _, _ = criterion(task)(model, batch(ROWS, []), reduce=False)
    assert loss.numel() == batch(ROWS, [])["target"].numel()
