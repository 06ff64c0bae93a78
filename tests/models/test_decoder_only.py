import copy
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from fairseq.sequence_generator import SequenceGenerator

from fairseq_instr.checkpoints.growth import prepare_for_growth
from fairseq_instr.criterions.label_smoothed_cross_entropy_with_unlikelihood import (
    LabelSmoothedCrossEntropyWithUnlikelihoodCriterion,
)
from fairseq_instr.data.dictionary import InstructedDictionary
from fairseq_instr.errors import InputError
from fairseq_instr.models.decoder_only import CACHE_STEPS, DecoderOnlyConfig, DecoderOnlyModel
from tests.conftest import USER_DIR, WITH_INSTRUCTIONS
from tests.models.conftest import TRAINING

PAD, EOS = 1, 2
N_SOURCE, N_TARGET = (0, 40, 7, 12), (5, 1, 9, 3)


def whole_texts(batch, prompt_bos):
    """What a causal language model reads of each pair, and how many of it are the target's."""
    for source, target in zip(batch["net_input"]["src_tokens"], batch["target"]):
        source, target = source[source.ne(PAD)][:-1], target[target.ne(PAD)]
        if prompt_bos:
            source = F.pad(source, (1, 0), value=0)
        elif not len(source):
            source = torch.tensor([EOS])
        yield torch.cat((source, target[:-1]))[None], len(target)


class TestAgainstHuggingFace:
    @pytest.mark.parametrize("left_pad", [True, False])
    def test_logits(self, family, pair_of_models, make_batch, left_pad):
        theirs, ours = pair_of_models(family)
        batch = make_batch(N_SOURCE, N_TARGET, left_pad=left_pad)
        with torch.no_grad():
            logits, _ = ours(**batch["net_input"])
            texts = whole_texts(batch, ours.encoder.prompt_bos)
            for row, (text, n_target) in zip(logits, texts):
                expected = theirs(text).logits[0, -n_target:]
                assert (row[:n_target] - expected).abs().max() < 1e-5

    @pytest.mark.parametrize("beam", [1, 4])
    def test_generation(self, family, pair_of_models, make_batch, dictionary, beam):
        theirs, ours = (copy.deepcopy(model) for model in pair_of_models(family))
        for weight in (theirs.lm_head.weight, ours.decoder.output_projection.weight):
            weight.data[EOS] *= 2.5  # so that hypotheses end
        batch = make_batch([3 * n for n in range(12)], [0] * 12)
        longest = 40
        generator = SequenceGenerator(
            [ours], dictionary, beam_size=beam, max_len_a=0, max_len_b=longest
        )
        found = generator.generate([ours], batch)
        prompts = [text[0, :] for text, _ in whole_texts(batch, ours.encoder.prompt_bos)]
        width = max(map(len, prompts))
        padded = torch.stack([F.pad(p, (width - len(p), 0), value=PAD) for p in prompts])
        given = torch.stack([F.pad(torch.ones_like(p), (width - len(p), 0)) for p in prompts])
        outputs = theirs.generate(
            padded, attention_mask=given, num_beams=beam, do_sample=False,
            early_stopping=beam > 1, min_new_tokens=1, max_new_tokens=longest,
            suppress_tokens=[PAD], pad_token_id=PAD, bos_token_id=0, eos_token_id=EOS,
        )[:, width:]  # fmt: skip
        n_ended = 0
        for hypotheses, row in zip(found, outputs):
            expected = row[row.ne(PAD)].tolist()
            n_ended += expected[-1] == EOS
            if expected[-1] == EOS:
                assert hypotheses[0]["tokens"].tolist() == expected
            elif beam == 1:  # cut where fairseq makes it end
                assert hypotheses[0]["tokens"].tolist()[:-1] == expected
        assert n_ended >= 6

    def test_half_precision(self, pair_of_models, make_batch):
        """Two implementations differ in bf16 no more than bf16 differs from fp32."""
        theirs, ours = pair_of_models("llama-3")
        batch = make_batch((90, 60), (12, 12))
        with torch.no_grad():
            exact, _ = ours(**batch["net_input"])
            for dtype in (torch.bfloat16, torch.float16):
                halved = copy.deepcopy(ours).to(dtype)
                logits, _ = halved(**batch["net_input"])
                assert logits.dtype == dtype
                reference = copy.deepcopy(theirs).to(dtype)
                texts = whole_texts(batch, True)
                expected = torch.stack([reference(text).logits[0, -13:] for text, _ in texts])
                error = (expected.float() - exact).square().mean()
                assert (logits.float() - exact).square().mean() < 1.2 * error


class TestPrompt:
    def test_steps_equal_teacher_forcing(self, make_model, make_batch):
        """Also beyond the steps that the cache is made for at first."""
        model = make_model(decoder_key_value_heads=2)
        batch = make_batch((20, 3, 0), (CACHE_STEPS + 8,) * 3)
        tokens = batch["net_input"]["prev_output_tokens"]
        with torch.no_grad():
            expected, _ = model(**batch["net_input"])
            prompt = model.encoder(batch["net_input"]["src_tokens"])
            state = {}
            for step in range(tokens.size(1)):
                logits, _ = model.decoder(tokens[:, : step + 1], prompt, state)
                assert torch.allclose(logits[:, 0], expected[:, step], atol=1e-5)

    @pytest.mark.parametrize(
        "new_order, n_kept, beam",
        [
            ([0, 0, 1, 1, 2, 2], 3, 2),
            ([0, 1, 2], 3, 1),
            ([0, 2], 2, 1),
            ([2, 2, 2], 1, 3),
            ([0, 1, 2, 0, 2], 5, 1),  # rows of conflicts behind those of their sentences
            ([0, 0, 1], 3, 1),  # no two sentences alike
        ],
    )
    def test_reorder(self, make_model, make_batch, new_order, n_kept, beam):
        """Keys and values are kept once a sentence, and the logits are the rows' own."""
        model = make_model()
        batch = make_batch((9, 4, 2), (6, 6, 6))["net_input"]
        order = torch.tensor(new_order)
        with torch.no_grad():
            expected, _ = model(**batch)
            prompt = model.encoder.reorder_encoder_out(model.encoder(batch["src_tokens"]), order)
            assert len(prompt.keys[0]) == n_kept and prompt.beam == beam
            tokens = batch["prev_output_tokens"][order]
            logits, _ = model.decoder(tokens, prompt)
            assert torch.allclose(logits, expected[order], atol=1e-5)
            first, _ = model.decoder(tokens[:, :1], prompt, {})
            assert torch.allclose(first[:, 0], expected[order, 0], atol=1e-5)

    def test_moves_within_a_sentence_copy_nothing(self, make_model, make_batch):
        model = make_model()
        prompt = model.encoder(make_batch((9, 4), (1, 1))["net_input"]["src_tokens"])
        beams = prompt.reorder(torch.tensor([0, 0, 1, 1])).reorder(torch.tensor([1, 0, 2, 2]))
        assert beams.beam == 2
        assert all(new is old for new, old in zip(beams.keys, prompt.keys))

    def test_hypotheses_follow_their_rows(self, make_model, make_batch):
        """After a reordering, a step is that of the row that a hypothesis came from."""
        model = make_model()
        batch = make_batch((9, 4), (3, 3))["net_input"]
        with torch.no_grad():
            prompt = model.encoder(batch["src_tokens"]).reorder(torch.tensor([0, 0, 1, 1]))
            tokens = torch.tensor([[EOS, 5], [EOS, 6], [EOS, 7], [EOS, 8]])
            state = {}
            for step in (1, 2):
                model.decoder(tokens[:, :step], prompt, state)
            order = torch.tensor([1, 1, 2, 3])
            model.decoder.reorder_incremental_state_scripting(state, order)
            moved = torch.cat((tokens[order], torch.tensor([[9], [10], [11], [12]])), dim=1)
            logits, _ = model.decoder(moved, prompt.reorder(order), state)
            expected, _ = model.decoder(moved, prompt)
            assert torch.allclose(logits[:, 0], expected[:, -1], atol=1e-5)

    def test_padding_changes_nothing(self, make_model, make_batch):
        model = make_model()
        alone = make_batch((9,), (4,))["net_input"]
        padded = {key: F.pad(alone[key], (0, 5), value=PAD) for key in ("src_tokens",)}
        padded["prev_output_tokens"] = F.pad(alone["prev_output_tokens"], (0, 3), value=PAD)
        expected, _ = model(**alone)
        logits, _ = model(src_lengths=None, **padded)
        assert torch.allclose(logits[:, :5], expected, atol=1e-6)

    def test_parameters_are_the_decoders_alone(self, make_model):
        model = make_model()
        assert all(key.startswith("decoder.") for key in model.state_dict())
        assert not list(model.buffers())


class TestTraining:
    @staticmethod
    def criterion(dictionary, **options):
        task = SimpleNamespace(target_dictionary=dictionary)
        return LabelSmoothedCrossEntropyWithUnlikelihoodCriterion(
            task, sentence_avg=False, **{"label_smoothing": 0.0, **options}
        )

    @staticmethod
    def with_conflicts(batch):
        """Conflicts whose prompts differ from their positives' in the first token."""
        positive = torch.tensor([0, 2])
        net_input = {key: tensor[positive] for key, tensor in batch["net_input"].items()}
        source = net_input["src_tokens"] = net_input["src_tokens"].clone()
        first = source.ne(PAD).int().argmax(1)
        source[torch.arange(2), first] = 4
        conflicts = {"positive": positive, "copies": torch.zeros(2, dtype=torch.bool)}
        conflicts.update(net_input=net_input, target=batch["target"][positive])
        return {**batch, "conflicts": conflicts}

    @pytest.mark.parametrize("fused", [False, True])
    def test_loss_is_the_public_formula(
        self, pair_of_models, rename, make_batch, dictionary, fused
    ):
        """Two forwards of a causal model, softmax and clamp: the loss and every gradient.

        L = sum NLL(positives) / n + alpha * sum -log(clamp(1 - p)) / m, n and m the target tokens.
        """
        theirs, ours = (copy.deepcopy(model) for model in pair_of_models("llama-3"))
        for weight in (theirs.lm_head.weight, ours.decoder.output_projection.weight):
            weight.data *= 0.3  # far from saturation
        batch = self.with_conflicts(make_batch((8, 3, 11), (5, 9, 2)))
        alpha, n_tokens = 0.3, batch["ntokens"]

        def target_probability(batch):
            parts = []
            for (text, n), target in zip(whole_texts(batch, True), batch["target"]):
                probability = theirs(text).logits[0, -n:].softmax(-1)
                parts.append(probability.gather(1, target[:n, None]))
            return torch.cat(parts)

        likely = -target_probability(batch).log()
        unlikely = -(1 - target_probability(batch["conflicts"])).clamp(min=1e-5).log()
        expected = likely.mean() + alpha * unlikely.mean()
        expected.backward()

        criterion = self.criterion(dictionary, unlikelihood_weight=alpha, fused_loss=fused)
        ours.train()
        loss, sample_size, logging_output = criterion(ours, batch)
        assert sample_size == n_tokens and logging_output["n_conflicts"] == 2
        (loss / sample_size).backward()
        assert abs(loss.item() / n_tokens / expected.item() - 1) < 1e-5
        gradients = {key: p.grad for key, p in ours.named_parameters()}
        for key, parameter in theirs.named_parameters():
            own = gradients[rename(key)]
            error = (own - parameter.grad).norm() / parameter.grad.norm()
            assert error < 1e-4, key

    @pytest.mark.parametrize("tied", [False, True])
    def test_checkpointing_activations(self, make_model, make_batch, dictionary, tied):
        """The same gradients, from layers that are computed twice."""
        batch = self.with_conflicts(make_batch((8, 3, 11), (5, 9, 2)))
        criterion = self.criterion(dictionary, unlikelihood_weight=1.0, fused_loss=True)
        gradients = []
        for recompute in (False, True):
            model = make_model(
                checkpoint_activations=recompute, share_decoder_input_output_embed=tied
            )
            calls = []
            for layer in model.decoder.layers:
                layer.mlp.register_forward_pre_hook(lambda *_, calls=calls: calls.append(1))
            criterion(model.train(), batch)[0].backward()
            gradients.append({key: p.grad for key, p in model.named_parameters()})
        assert len(calls) == 2 * 3  # prompt and target are one text
        for key, gradient in gradients[0].items():
            assert torch.allclose(gradient, gradients[1][key], rtol=1e-5, atol=1e-7), key

    def test_instruction_on_the_decoders_side(self, make_model, make_batch, dictionary):
        """One prefill serves positives and conflicts where the source is not in the conflict."""
        model = make_model().train()
        batch = self.with_conflicts(make_batch((8, 3, 11), (5, 9, 2)))
        conflicts = batch["conflicts"]
        net_input = conflicts["net_input"]
        net_input["src_tokens"] = batch["net_input"]["src_tokens"][conflicts["positive"]]
        criterion = self.criterion(dictionary, unlikelihood_weight=1.0)
        twice = criterion(model, batch)[0]
        conflicts["net_input"] = {"prev_output_tokens": net_input["prev_output_tokens"]}
        once = criterion(model, batch)[0]
        assert torch.allclose(once, twice, rtol=1e-6)


class TestGrowth:
    @pytest.mark.parametrize("tied", [False, True])
    def test_grown_model_answers_as_its_base(self, make_model, make_batch, dictionary, tied):
        base = make_model(share_decoder_input_output_embed=tied)
        grown_dictionary = InstructedDictionary.grow(dictionary, ["<a>", "<b>"])
        task = SimpleNamespace(source_dictionary=grown_dictionary, target_dictionary=dictionary)
        cfg = DecoderOnlyConfig(
            decoder_embed_dim=48, decoder_ffn_embed_dim=80, decoder_layers=3,
            decoder_attention_heads=4, max_positions=256, share_decoder_input_output_embed=tied,
        )  # fmt: skip
        grown = DecoderOnlyModel.build_model(cfg, task).eval()
        prepare_for_growth(grown, len(dictionary), 2)
        fresh = grown.decoder.embed_tokens.weight[-2:].clone()
        grown.load_state_dict(base.state_dict())
        batch = make_batch((8, 3), (5, 9))["net_input"]
        assert torch.equal(grown(**batch)[0], base(**batch)[0])
        assert torch.equal(grown.decoder.embed_tokens.weight[-2:], fresh)
        own, projection = grown.decoder.embed_tokens.weight, grown.decoder.output_projection.weight
        assert (own is projection) == tied
        # the instruction is read, and can't be written
        before, _ = base(**batch)
        batch["src_tokens"][:, -2] = grown_dictionary.first_instruction
        after, _ = grown(**batch)
        assert after.shape == before.shape and not torch.allclose(after, before, atol=1e-3)


class TestErrors:
    def test_too_long(self, make_model, make_batch):
        model = make_model(max_positions=16)
        fits = make_batch((10,), (5,))["net_input"]
        model(**fits)
        longest = fits["src_tokens"].size(1) + fits["prev_output_tokens"].size(1)
        assert model.longest_together == longest
        with pytest.raises(InputError, match="17 tokens.* positions for 16"):
            model(**make_batch((16,), (1,))["net_input"])
        with pytest.raises(InputError, match="--max-target-positions"):
            model(**make_batch((10,), (6,))["net_input"])

    def test_a_translation_ends_at_the_last_position(self, make_model, make_batch, dictionary):
        """Each by its own prompt, as alone; the model scores what it wrote."""
        model = make_model(max_positions=16)
        generator = SequenceGenerator([model], dictionary, beam_size=2, max_len_b=40)
        batch = make_batch((10, 4), (1, 1))
        found = [hypotheses[0]["tokens"] for hypotheses in generator.generate([model], batch)]
        assert [len(tokens) for tokens in found] == [16 - 11 + 1, 16 - 5 + 1]
        for row, tokens in enumerate(found):
            source = batch["net_input"]["src_tokens"][row : row + 1]
            source = source[source != dictionary.pad()][None]
            (alone,) = generator.generate([model], {"net_input": {"src_tokens": source}})
            assert torch.equal(alone[0]["tokens"], tokens)
            model(source, None, tokens.roll(1)[None])  # what it wrote, it can read
        longest = make_batch((15,), (1,))["net_input"]["src_tokens"]
        assert longest.size(1) > model.max_positions()[0]

    def test_a_long_prompt_beside_a_long_target(self, make_model, make_batch):
        """Each sentence has its place, but not the longest prompt with the longest target."""
        model = make_model(max_positions=16)
        both = make_batch((13, 3), (2, 11), left_pad=False)
        together = model(**both["net_input"])[0]
        for row, sizes in enumerate(((14, 3), (4, 12))):
            source, target = (
                both["net_input"][name][row : row + 1, :size]
                for name, size in zip(("src_tokens", "prev_output_tokens"), sizes)
            )
            alone = model(source, None, target)[0]
            assert torch.allclose(together[row : row + 1, : sizes[1]], alone, atol=1e-5)

    def test_targets_are_padded_on_the_right(self, dictionary):
        cfg = SimpleNamespace(left_pad_target=True)
        task = SimpleNamespace(source_dictionary=dictionary, target_dictionary=dictionary, cfg=cfg)
        with pytest.raises(InputError, match="--left-pad-target"):
            DecoderOnlyModel.build_model(DecoderOnlyConfig(), task)

    @pytest.mark.parametrize(
        "options, error",
        [
            ({"decoder_attention_heads": 5}, "--decoder-embed-dim 48 is no multiple"),
            ({"decoder_attention_heads": 16}, "heads of 3 dimensions"),
            ({"decoder_key_value_heads": 3}, "--decoder-key-value-heads 3"),
        ],
    )
    def test_sizes(self, make_model, options, error):
        with pytest.raises(InputError, match=error):
            make_model(**options)

    def test_dictionaries_differ(self, dictionary):
        from fairseq.data import Dictionary

        task = SimpleNamespace(source_dictionary=dictionary, target_dictionary=Dictionary())
        with pytest.raises(InputError, match="joined dictionary"):
            DecoderOnlyModel.build_model(DecoderOnlyConfig(), task)


class TestCommands:
    """fairseq's own commands, with instructions as vocabulary tokens in front of the source."""

    @pytest.fixture(scope="class")
    def trained(self, call, data_bin, tmp_path_factory):
        """A base under fairseq's own task, then a stage 2 with instructions and conflicts."""
        folder = tmp_path_factory.mktemp("decoder_only")
        common = [data_bin, *TRAINING, "--lr", 0.003]
        call(
            "train", *common, "--user-dir", USER_DIR, "--task", "translation", "--max-update", 3,
            "--criterion", "label_smoothed_cross_entropy", "--save-dir", folder / "base",
        )  # fmt: skip
        call(
            "train", *common, *WITH_INSTRUCTIONS, "--mixture", "parallel:1,task:1",
            "--conflict-axes", "all", "--fused-loss",
            "--criterion", "label_smoothed_cross_entropy_with_unlikelihood",
            "--finetune-from-model", folder / "base/checkpoint_last.pt", "--max-epoch", 1,
            "--checkpoint-activations", "--save-dir", folder / "tuned",
        )  # fmt: skip
        return folder

    def test_training_grows_the_base(self, trained):
        base, tuned = (
            torch.load(trained / name / "checkpoint_last.pt", weights_only=True)["model"]
            for name in ("base", "tuned")
        )
        assert set(base) == set(tuned)
        embeddings = [m["decoder.embed_tokens.weight"] for m in (base, tuned)]
        assert len(embeddings[1]) == len(embeddings[0]) + 5  # instructions of the inventory

    def test_generate(self, trained, call, data_bin):
        out = call(
            "generate", data_bin, *WITH_INSTRUCTIONS, "--path",
            trained / "tuned/checkpoint_last.pt", "--instruct", "formal, uppercase", "--beam", 2,
            "--max-len-b", 5, "--max-tokens", 200, "--cpu", "--num-workers", 0,
        )  # fmt: skip
        numbers = [line.split("\t")[0] for line in out.splitlines() if line.startswith("H-")]
        assert sorted(numbers) == sorted(f"H-{i}" for i in range(17))
        assert "<instruction" not in out

    def test_another_vocabulary_is_refused(self, trained, refusal, own_data_bin):
        for name in ("dict.en.txt", "dict.de.txt"):
            with open(own_data_bin / name, "a") as out:
                out.write("another 1\n")
        error = refusal(
            "train", own_data_bin, *WITH_INSTRUCTIONS, *TRAINING, "--save-dir", own_data_bin,
            "--finetune-from-model", trained / "base/checkpoint_last.pt",
        )  # fmt: skip
        assert "source vocabulary has" in error
