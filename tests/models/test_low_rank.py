"""Low-rank adapters: what they compute, training them, and what is left when they are merged."""

import shutil

import pytest
import torch
import torch.nn as nn

from fairseq_instr.checkpoints.adapters import merge_adapters
from fairseq_instr.checkpoints.inspection import ADAPTER_BASE, read_checkpoint
from fairseq_instr.checkpoints.interpolation import interpolate_checkpoints
from fairseq_instr.checkpoints.parameters import BASE_KEY, AdapterBase, digest
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.models.low_rank import LINEAR, LowRankLinear
from tests.conftest import USER_DIR, WITH_INSTRUCTIONS, column
from tests.models.conftest import TRAINING

EMBEDDING = "decoder.embed_tokens.weight"
TARGETS = ("--lora-targets", "q_proj,v_proj,embed_tokens")
RANK_2 = {"lora_rank": 2, "lora_alpha": 6.0}


@pytest.fixture
def logits(make_batch):
    """`logits(model)` of one batch."""
    batch = make_batch([5, 9], [4, 7])["net_input"]
    return lambda model: model(**batch)[0]


def is_adapter(key):
    return key.endswith((".lora_a", ".lora_b"))


class TestLayer:
    def test_formula(self):
        """W = [[1, 2]], b = 3, A = [[1, -1]], B = [[5]], alpha / rank = 2, x = (1, 4): 12 - 30."""
        linear = nn.Linear(2, 1)
        linear.weight.data, linear.bias.data = torch.tensor([[1.0, 2.0]]), torch.tensor([3.0])
        layer = LowRankLinear(linear, rank=1, alpha=2.0)
        x = torch.tensor([[1.0, 4.0]])
        assert layer(x).item() == linear(x).item() == 12
        layer.lora_a.data, layer.lora_b.data = torch.tensor([[1.0, -1.0]]), torch.tensor([[5.0]])
        assert layer(x).item() == 12 - 30

    def test_names_stay(self):
        linear = nn.Linear(2, 1)
        layer = LowRankLinear(linear, rank=1, alpha=1.0)
        assert set(layer.state_dict()) == {*linear.state_dict(), "lora_a", "lora_b"}


class TestModel:
    def test_it_begins_as_the_model_without(self, make_model, logits):
        plain = make_model(decoder_key_value_heads=2)
        adapted = make_model(state=plain.state_dict(), decoder_key_value_heads=2, **RANK_2)
        assert torch.equal(logits(plain), logits(adapted))
        trained = {k for k, p in adapted.named_parameters() if p.requires_grad}
        assert trained == set(adapted.state_dict()) - set(plain.state_dict())
        assert len(trained) == 2 * len(LINEAR) * 3  # layers

    @pytest.mark.parametrize("options", [{}, {"share_decoder_input_output_embed": True}])
    def test_merged(self, make_model, logits, options):
        adapted = make_model(**RANK_2, **options)
        for key, parameter in adapted.named_parameters():
            if is_adapter(key):
                nn.init.normal_(parameter, std=0.3)
        state = {"model": adapted.state_dict(), "cfg": {"model": {**RANK_2, "rope_theta": 1e4}}}
        expected = logits(adapted)
        merge_adapters(state)
        plain = make_model(state=state["model"], **options)
        assert not torch.allclose(logits(make_model(**options)), expected, atol=1e-2)
        assert torch.allclose(logits(plain), expected, atol=1e-4)
        assert state["cfg"]["model"]["lora_rank"] is None

    def test_a_change_too_small_for_a_half_precision_base(self):
        """In bfloat16, 1 + 2 ** -10 is 1; the model is run, and trained, in fp32."""
        model = {"w.weight": torch.ones(1, 1).bfloat16(), "w.lora_a": torch.ones(1, 1)}
        model["w.lora_b"] = torch.full((1, 1), 2.0**-10)
        state = {"model": model, "cfg": {"model": {"lora_rank": 1, "lora_alpha": 1.0}}}
        assert merge_adapters(state)
        assert state["model"]["w.weight"].item() == 1 + 2.0**-10

    def test_targets(self, make_model):
        model = make_model(lora_rank=1, lora_targets="q_proj, up_proj,embed_tokens")
        trained = [k for k, p in model.named_parameters() if p.requires_grad]
        assert EMBEDDING in trained and len(trained) == 1 + 2 * 2 * 3

    @pytest.mark.parametrize(
        "options, named",
        [
            ({"lora_rank": -1}, "--lora-rank"),
            ({"lora_rank": 1, "lora_alpha": 0.0}, "--lora-alpha"),
            ({"lora_rank": 1, "lora_targets": "q_proj,fc1"}, "--lora-targets"),
            ({"lora_rank": 1, "lora_targets": "embed_tokens"}, "--lora-targets"),
        ],
    )
    def test_refusals(self, make_model, options, named):
        with pytest.raises(InputError, match=named):
            make_model(**options)


class TestCommands:
    """A base, then two stages of adapters: `stage(name, *options)` trains one."""

    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory):
        return tmp_path_factory.mktemp("low_rank")

    @pytest.fixture(scope="class")
    def common(self, data_bin):
        return [
            data_bin, *TRAINING, "--lr", 0.01, "--disable-validation", "--no-epoch-checkpoints",
        ]  # fmt: skip

    @pytest.fixture(scope="class")
    def adapters(self):
        return ["--lora-rank", 2, "--lora-alpha", 8, *TARGETS]

    @pytest.fixture(scope="class")
    def stage(self, common, folder, call):
        def stage(name, start, *options):
            call(
                "train", *common, *WITH_INSTRUCTIONS, "--fused-loss", "--conflict-axes", "all",
                "--criterion", "label_smoothed_cross_entropy_with_unlikelihood",
                "--finetune-from-model", folder / start / "checkpoint_last.pt",
                "--save-dir", folder / name, *options,
            )  # fmt: skip
            return read_checkpoint(folder / name / "checkpoint_last.pt")

        return stage

    @pytest.fixture(scope="class")
    def base(self, common, folder, call):
        call(
            "train", *common, "--user-dir", USER_DIR, "--task", "translation", "--max-update", 2,
            "--criterion", "label_smoothed_cross_entropy", "--save-dir", folder / "base",
        )  # fmt: skip
        return read_checkpoint(folder / "base" / "checkpoint_last.pt")["model"]

    @pytest.fixture(scope="class")
    def tuned(self, base, stage, adapters):
        return stage("tuned", "base", *adapters, "--max-update", 4)

    def test_nothing_else_is_trained(self, base, tuned):
        model = tuned["model"]
        adapted = {key for key in model if is_adapter(key)}
        assert len(adapted) == 2 * 2 * 2 and set(model) - adapted == set(base)
        assert all(model[key].any() for key in adapted)
        for key in set(base) - {EMBEDDING, "decoder.output_projection.weight"}:
            assert torch.equal(model[key], base[key]), key
        moments = tuned["last_optimizer_state"]["state"]
        assert len(moments) == len(adapted) + 1

    def test_a_run_that_stops_goes_on_bit_for_bit(self, tuned, stage, adapters):
        stage("stopped", "base", *adapters, "--max-update", 2)
        resumed = stage("stopped", "base", *adapters, "--max-update", 4)
        for key, parameter in tuned["model"].items():
            assert torch.equal(resumed["model"][key], parameter), key

    def test_the_base_is_left_out(self, base, tuned, folder):
        """The file has what was trained, and the embeddings' tied copy; its base has the rest."""
        path = folder / "tuned" / "checkpoint_last.pt"
        saved = torch.load(path, weights_only=True)["model"]
        named = AdapterBase(**saved.pop(BASE_KEY))
        trained = {key for key in tuned["model"] if is_adapter(key)}
        assert set(saved) == trained | {EMBEDDING, "decoder.output_projection.weight"}
        assert named._asdict() == tuned[ADAPTER_BASE]
        assert named == (str(folder / "base" / "checkpoint_last.pt"), digest(base))

    def test_all_that_reads_checkpoints_reads_them(
        self, base, tuned, folder, call, data_bin, tmp_path
    ):
        """A merged model answers as its adapters do, here and in fairseq's commands."""
        paths = [folder / name / "checkpoint_last.pt" for name in ("base", "tuned")]
        interpolate_checkpoints(*paths, 1.0, tmp_path / "merged.pt")
        assert set(read_checkpoint(tmp_path / "merged.pt")["model"]) == set(base)
        generated, translated = [], []
        for path in (paths[1], tmp_path / "merged.pt"):
            printed = call(
                "generate", data_bin, *WITH_INSTRUCTIONS, "--path", path, "--instruct", "formal",
                "--max-len-b", 5, "--max-tokens", 200, "--cpu", "--num-workers", 0,
            )  # fmt: skip
            generated.append(column(printed, "H"))
            translator = Translator.from_pretrained(
                path, data_bin, None, "en", "de", max_len_a=0, max_len_b=5
            )
            translated.append(translator.translate(["w1 w2 w3", "w4"], "formal"))
        assert generated[0] == generated[1] and len(generated[0]) == 17
        assert translated[0] == translated[1] and all(translated[0])

    def test_a_base_that_is_gone_or_another(self, tuned, folder, data_bin, refusal, tmp_path):
        base, moved = tmp_path / "base.pt", tmp_path / "moved.pt"
        state = torch.load(folder / "tuned" / "checkpoint_last.pt", weights_only=True)
        state["model"][BASE_KEY]["path"] = str(base)
        torch.save(state, tmp_path / "adapters.pt")
        with pytest.raises(InputError, match="base.pt"):
            read_checkpoint(tmp_path / "adapters.pt")
        generate = [
            "generate", data_bin, *WITH_INSTRUCTIONS, "--path", tmp_path / "adapters.pt", "--cpu",
            "--max-tokens", 200, "--num-workers", 0,
        ]  # fmt: skip
        assert "base.pt" in refusal(*generate)
        shutil.copy(folder / "base" / "checkpoint_last.pt", moved)
        interpolate_checkpoints(moved, tmp_path / "adapters.pt", 1.0, tmp_path / "merged.pt")
        torch.save(tuned, base)  # another model than that of the fingerprint
        assert "fingerprint" in refusal(*generate)
        state["model"][BASE_KEY] = {"path": 1}
        torch.save(state, tmp_path / "adapters.pt")
        with pytest.raises(InputError, match="adapters.pt"):
            read_checkpoint(tmp_path / "adapters.pt")

    def test_adapters_that_were_saved_with_their_base_go_on_so(self, tuned, stage, folder):
        whole = {key: value for key, value in tuned.items() if key != ADAPTER_BASE}
        (folder / "whole").mkdir()
        torch.save(whole, folder / "whole" / "checkpoint_last.pt")
        stage("after whole", "whole", "--max-update", 1)
        path = folder / "after whole" / "checkpoint_last.pt"
        assert set(torch.load(path, weights_only=True)["model"]) == set(tuned["model"])

    def test_the_next_stage_goes_on_with_them(self, tuned, stage, adapters):
        model = stage("next", "tuned", *adapters, "--max-update", 1)["model"]
        assert set(model) == set(tuned["model"])
        key = "decoder.layers.0.self_attn.q_proj.lora_b"
        assert not torch.equal(model[key], tuned["model"][key])

    @pytest.mark.parametrize(
        "start, options, named",
        [
            ("tuned", ("--lora-rank", 3, "--lora-alpha", 8, *TARGETS), "--lora-rank"),
            ("tuned", ("--lora-rank", 2, "--lora-alpha", 4, *TARGETS), "--lora-alpha"),
            ("tuned", ("--lora-rank", 0, *TARGETS), "--lora-rank"),
            ("base", ("--lora-rank", 2), "embed_tokens"),  # symbols need embeddings
        ],
    )
    def test_other_adapters_are_refused(
        self, tuned, common, folder, refusal, start, options, named
    ):
        error = refusal(
            "train", *common, *WITH_INSTRUCTIONS, *options, "--save-dir", folder / "no",
            "--finetune-from-model", folder / start / "checkpoint_last.pt",
        )  # fmt: skip
        assert named in error
