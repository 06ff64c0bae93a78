import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.data import Dictionary

from fairseq_instr.checkpoints.hugging_face import from_hugging_face, to_hugging_face
from fairseq_instr.checkpoints.hugging_face_vocabulary import Vocabulary
from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.task_state import TaskState
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Inventory
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.models.decoder_only import DecoderOnlyModel
from fairseq_instr.prompts.chat_template import chat_template
from fairseq_instr.prompts.templates import prompt_in_words
from fairseq_instr.text.hugging_face import load_tokenizer
from tests.checkpoints.translation_models import import_transformers


def load_weights(folder):
    from safetensors.torch import load_file

    weights = {}
    for path in Path(folder).glob("*.safetensors"):
        weights.update(load_file(str(path)))
    return weights


def edit(path, **changes):
    """Change keys of a JSON file; None removes one."""
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))


def load_model(output):
    """The converted model, and its dictionary."""
    dictionary = Dictionary.load(str(output / "dict.txt"))
    task = SimpleNamespace(source_dictionary=dictionary, target_dictionary=dictionary)
    state = checkpoint_utils.load_checkpoint_to_cpu(str(output / "model.pt"))
    model = DecoderOnlyModel.build_model(state["cfg"]["model"], task)
    model.load_state_dict(state["model"])
    return model.eval(), dictionary


class TestThereAndBack:
    def test_bit_exact(self, family, converted, tmp_path):
        folder, output = converted(family)
        names = to_hugging_face(
            output / "model.pt", output / "tokenizer", tmp_path / "back", shard_bytes=30_000
        )
        assert len(names) > 1
        before, after = load_weights(folder), load_weights(tmp_path / "back")
        assert set(before) == set(after)
        for key, tensor in before.items():
            assert after[key].dtype == tensor.dtype and torch.equal(after[key], tensor), key
        index = json.loads((tmp_path / "back" / "model.safetensors.index.json").read_text())
        assert set(index["weight_map"]) == set(before)
        config, original = (
            json.loads((f / "config.json").read_text()) for f in (tmp_path / "back", folder)
        )
        assert {key: config[key] for key in original} == original
        assert (tmp_path / "back" / "tokenizer.json").read_bytes() == (
            folder / "tokenizer.json"
        ).read_bytes()

    def test_a_model_trained_on(self, converted, tmp_path):
        """A checkpoint that fairseq saved: its options come as a config, its weights in fp32."""
        _, output = converted("llama-3")
        state = torch.load(output / "model.pt", weights_only=True)
        state["model"] = {key: tensor.float() + 0.5 for key, tensor in state["model"].items()}
        state["cfg"]["model"] = vars(state["cfg"]["model"])
        torch.save(state, tmp_path / "tuned.pt")
        to_hugging_face(tmp_path / "tuned.pt", output / "tokenizer", tmp_path / "back")
        before, after = load_weights(converted("llama-3")[0]), load_weights(tmp_path / "back")
        for key, tensor in before.items():
            assert torch.equal(after[key], tensor.float() + 0.5)

    def test_the_number_format_is_named(self, make_folder, tmp_path):
        """Under both names: transformers 5 loads weights in `dtype`, whatever `torch_dtype` is."""
        folder = make_folder("llama-3")
        edit(folder / "config.json", dtype="bfloat16")
        from_hugging_face(folder, tmp_path / "out", dtype="float32")
        path = tmp_path / "back"
        to_hugging_face(tmp_path / "out" / "model.pt", tmp_path / "out" / "tokenizer", path)
        config = json.loads((path / "config.json").read_text())
        assert config["dtype"] == config["torch_dtype"] == "float32"

    def test_transformers_computes_the_same(self, family, converted, tmp_path):
        """The tuned model in Hugging Face's own hands: logits on a sentence of its tokenizer."""
        transformers = import_transformers()
        _, output = converted(family)
        to_hugging_face(
            output / "model.pt", output / "tokenizer", tmp_path / "back", dtype="float32"
        )
        theirs = transformers.AutoModelForCausalLM.from_pretrained(
            tmp_path / "back", dtype=torch.float32
        )
        tokenizer = load_tokenizer(tmp_path / "back")
        source, target = "Two men are talking", " und der Hund schläft"
        ids = tokenizer.encode(source).ids
        continued = tokenizer.encode(target, add_special_tokens=False).ids
        model, dictionary = load_model(output)
        plain = tokenizer.encode(source, add_special_tokens=False).ids
        src_tokens = dictionary.encode_line(" ".join(map(str, plain))).long()[None]
        target = dictionary.encode_line(" ".join(map(str, continued))).long()[None]
        with torch.no_grad():
            expected = theirs(torch.tensor([ids + continued])).logits[0, len(ids) - 1 :]
            logits, _ = model(src_tokens, None, target.roll(1, 1))
        order = Vocabulary.load(output / "tokenizer").order
        assert (logits[0] - expected[:, order]).abs().max() < 1e-5


class TestChatTemplate:
    """An exported folder prompts itself as the model was trained."""

    INVENTORY = Inventory(map(look_up, ("to:en", "to:de")))
    TEMPLATES = {
        "alpaca": "alpaca",
        "joined": {"prompt": "{source_language}{instructions}: {source} =", "lead": " to "},
    }

    def options(self, template, output, folder):
        """Options of a task with a template, and the dictionary."""
        if isinstance(template, dict):
            (folder / "template.yaml").write_text(json.dumps(template))
            template = str(folder / "template.yaml")
        cfg = SimpleNamespace(
            prompt_template=template, prompt_subwords=str(output / "tokenizer"), data="", shots=0,
            demonstrations=None, source_lang="en", target_lang="de", allow_unknown=False,
        )  # fmt: skip
        return cfg, self.INVENTORY, Dictionary.load(str(output / "dict.txt"))

    def export(self, output, template, folder):
        """`prompt_in_words` of a converted folder, which is exported with its template."""
        options = self.options(template, output, folder)
        prompt, subwords = prompt_in_words(*options)
        dictionary = options[-1]
        state = read_checkpoint(output / "model.pt")
        text = chat_template(prompt.template, self.INVENTORY)
        state["task_state"] = TaskState(Inventory(), in_words=True, chat_template=text).to_dict()
        torch.save(state, folder / "tuned.pt")
        to_hugging_face(folder / "tuned.pt", output / "tokenizer", folder / "exported")
        return prompt, subwords, dictionary

    @pytest.mark.parametrize("template", TEMPLATES)
    def test_transformers_spells_it_alike(self, template, family, converted, tmp_path):
        output = converted(family)[1]
        self.check_spelling(self.export(output, self.TEMPLATES[template], tmp_path), tmp_path)

    @pytest.mark.parametrize("prefix", ["always", "first"])
    def test_llama_2_in_transformers_5(self, make_folder, prefix, tmp_path):
        """Its class of tokenizer reads `legacy`, not tokenizer.json, and nothing of `bos_token`."""
        folder = make_folder("llama-2")
        if prefix == "first":  # as transformers 5 saves it
            space = {"replacement": "▁", "prepend_scheme": prefix, "split": False}
            changes = {"normalizer": None, "pre_tokenizer": {"type": "Metaspace", **space}}
            edit(folder / "tokenizer.json", **changes)
        named = {"tokenizer_class": "LlamaTokenizer", "legacy": False, "bos_token": None}
        edit(folder / "tokenizer_config.json", **named)
        from_hugging_face(folder, tmp_path / "converted")
        self.check_spelling(self.export(tmp_path / "converted", "alpaca", tmp_path), tmp_path)

    @staticmethod
    def check_spelling(exported, tmp_path):
        transformers = pytest.importorskip("transformers")
        tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "exported")
        prompt, subwords, dictionary = exported
        bos = load_tokenizer(tmp_path / "exported").encode("").ids
        for source in ("Two men are talking.", "1 lazy dog", "- “üß”  (x)!", "."):
            encoded = dictionary.encode_line(subwords.encode(source)).long()
            tokens = prompt.render((Request(1),)).around(encoded)[:-1]
            text = tokenizer.apply_chat_template(
                [{"role": "user", "content": source}],
                source_language="en", instructions=["to:de"], tokenize=False,
            )  # fmt: skip
            spelled = tokenizer(text, add_special_tokens=False).input_ids
            assert spelled == [*bos, *(int(dictionary[i]) for i in tokens)], source
        assert "apply_chat_template" in (tmp_path / "exported" / "README.md").read_text()

    @pytest.mark.parametrize(
        "changes",
        [
            {"prompt": "\0{source}"},  # the byte that pads
            {"demonstration": "\0{source}{target}"},
            {"phrases": {"to:de": "in\0"}},
            {"by_target": {"de": {"prompt": "\0{source}"}}},
        ],
    )
    def test_words_that_can_not_be_spelled(self, converted, tmp_path, changes):
        output = converted("llama-2")[1]
        options = self.options({"prompt": "{source}", **changes}, output, tmp_path)
        with pytest.raises(InputError, match="--prompt-template"):
            prompt_in_words(*options)
        unused = {"prompt": "{source}", "by_target": {"ja": {"prompt": "\0{source}"}}}
        prompt_in_words(*self.options(unused, output, tmp_path))


class TestVocabulary:
    def test_order_is_a_bijection(self):
        vocabulary = Vocabulary(bos=1, pad=3, eos=2, unk=0, size=6)
        assert vocabulary.order == [1, 3, 2, 0, 4, 5]

    @pytest.mark.parametrize(
        "family, bos, pad, eos, unk, prompt_bos",
        [
            # <0x00>, a byte that no text holds, pads
            ("llama-2", "<s>", "<0x00>", "</s>", "<unk>", True),
            (
                "llama-3", "<|begin_of_text|>", "<|reserved_special_token_0|>",
                "<|end_of_text|>", "<|reserved_special_token_1|>", True,
            ),
            # rows beyond the tokenizer's tokens
            ("qwen-2", None, None, "<|endoftext|>", None, False),
        ],
    )  # fmt: skip
    def test_special_tokens(self, converted, family, bos, pad, eos, unk, prompt_bos):
        _, output = converted(family)
        tokenizer = load_tokenizer(output / "tokenizer")
        vocabulary = Vocabulary.load(output / "tokenizer")
        assert [tokenizer.id_to_token(i) for i in vocabulary[:4]] == [bos, pad, eos, unk]
        state = torch.load(output / "model.pt", weights_only=True)
        assert state["cfg"]["model"].prompt_bos == prompt_bos

    def test_dictionary(self, family, converted):
        """Each fairseq id has the row of the token that its symbol names."""
        folder, output = converted(family)
        dictionary = Dictionary.load(str(output / "dict.txt"))
        rows = torch.load(output / "model.pt", weights_only=True)["model"][
            "decoder.embed_tokens.weight"
        ]
        original = load_weights(folder)["model.embed_tokens.weight"]
        assert len(dictionary) == len(rows) == len(original)
        for i in range(4, len(dictionary), 37):
            assert torch.equal(rows[i], original[int(dictionary[i])])

    def test_generation_ends_where_training_ends_texts(self, make_folder, tmp_path):
        folder, output = make_folder("qwen-2"), tmp_path / "out"
        ids = load_tokenizer(folder).get_vocab()
        old, end = ids["<|endoftext|>"], ids["<|im_end|>"]
        (folder / "generation_config.json").write_text(f'{{"eos_token_id": [{old}]}}')
        from_hugging_face(folder, output, tokens={"eos": "<|im_end|>"})
        to_hugging_face(output / "model.pt", output / "tokenizer", tmp_path / "back")
        for name in ("config.json", "generation_config.json"):
            said = json.loads((tmp_path / "back" / name).read_text())["eos_token_id"]
            assert said == [end, old], name

    def test_a_token_can_be_chosen(self, make_folder, tmp_path):
        folder = make_folder("llama-3")
        tokens = {"pad": "<|reserved_special_token_3|>"}
        vocabulary = from_hugging_face(folder, tmp_path / "out", tokens=tokens)
        tokenizer = load_tokenizer(folder)
        assert tokenizer.id_to_token(vocabulary.pad) == "<|reserved_special_token_3|>"


def change(**changes):
    """A fault of a folder: other values in `config.json`."""
    return lambda folder: edit(folder / "config.json", **changes)


def delete(name):
    return lambda folder: (folder / name).unlink()


def cut_a_shard(folder):
    path = folder / "model-00001-of-00002.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def pickle_the_weights(folder):
    for path in folder.glob("model*"):
        path.unlink()
    (folder / "pytorch_model.bin").touch()


LLAMA, M2M, NLLB, MBART, MARIAN = "llama-2", "m2m100", "nllb", "mbart50", "marian"
FAULTS = [
    (LLAMA, change(architectures=["MambaForCausalLM"]), "MambaForCausalLM"),
    (LLAMA, change(architectures=[]), "architecture None"),
    (LLAMA, change(rope_scaling={"rope_type": "yarn", "factor": 2}), "rope type 'yarn'"),
    (LLAMA, change(rope_scaling={"type": "dynamic", "factor": 2}), "rope type 'dynamic'"),
    (LLAMA, change(rope_scaling={"rope_type": "llama3", "factor": 2}), "'low_freq_factor'"),
    (LLAMA, change(hidden_act="gelu"), "hidden_act 'gelu'.* silu"),
    (LLAMA, change(use_sliding_window=True), "use_sliding_window True"),
    (LLAMA, change(quantization_config={"bits": 4}), "quantization_config"),
    (LLAMA, change(hidden_size=None), "hidden_size is missing"),
    (LLAMA, change(vocab_size=390), "390 tokens"),
    (LLAMA, change(vocab_size=500), "model.embed_tokens.weight is of shape"),
    (LLAMA, change(num_hidden_layers=3), "no parameter model.layers.2"),
    (LLAMA, change(num_hidden_layers=1), r"parameter model.layers.1.* \(9 such\)"),
    (LLAMA, change(attention_bias=True), "no parameter model.layers.0.self_attn.q_proj.bias"),
    (LLAMA, delete("model-00002-of-00002.safetensors"), "model-00002-of-00002.safetensors: down"),
    (LLAMA, delete("tokenizer.json"), "AutoTokenizer"),
    (LLAMA, delete("config.json"), "config.json does not exist"),
    (LLAMA, pickle_the_weights, "save it, which writes safetensors"),
    (LLAMA, cut_a_shard, "model-00001-of-00002.safetensors is broken"),
    ("llama-3", lambda f: edit(f / "tokenizer_config.json", eos_token=None), "--eos-token"),
    (M2M, change(architectures=["NllbMoeForConditionalGeneration"]), "NllbMoe"),
    (M2M, change(tie_word_embeddings=False), "tie_word_embeddings"),
    (M2M, change(auto_map={"AutoModel": "x.y"}), "auto_map"),
    (M2M, change(quantization_config={"bits": 4}), "quantization_config"),
    (M2M, change(activation_function="tanh"), "activation_function 'tanh'"),
    (M2M, change(vocab_size=20), "20 tokens"),
    (M2M, delete("sentencepiece.bpe.model"), "sentencepiece.bpe.model"),
    (M2M, lambda folder: (folder / "adapter_config.json").write_text("{}"), "adapter"),
    (NLLB, change(vocab_size=200), r"model\.shared\.weight is of shape"),
    (MBART, change(d_model=None), "d_model is missing"),
    (MBART, change(encoder_layers=3), r"no parameter model\.encoder\.layers\.2"),
    (MARIAN, change(decoder_layers=1), r"parameter model\.decoder\.layers\.1"),
    (MARIAN, change(share_encoder_decoder_embeddings=False), "share_encoder_decoder_embeddings"),
    (MARIAN, change(normalize_before=True), "normalize_before"),
    (MARIAN, change(decoder_start_token_id=0), "decoder_start_token_id 0"),
    (MARIAN, delete("target.spm"), "target.spm"),
]


@pytest.mark.parametrize("family, spoil, error", FAULTS)
def test_a_folder_that_can_not_be_converted_is_refused(make_folder, tmp_path, family, spoil, error):
    folder = make_folder(family)
    spoil(folder)
    with pytest.raises(InputError, match=error):
        from_hugging_face(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


class TestRefusals:
    def test_unknown_token(self, make_folder, tmp_path):
        with pytest.raises(InputError, match="'<nothing>' for pad is not in the tokenizer"):
            from_hugging_face(make_folder("qwen-2"), tmp_path / "o", tokens={"pad": "<nothing>"})

    @pytest.mark.parametrize("role", ["eos", "bos"])
    def test_tokens_that_contradict_each_other(self, make_folder, tmp_path, role):
        folder = make_folder("llama-2")
        edit(folder / "config.json", **{f"{role}_token_id": 7})
        with pytest.raises(InputError, match=f"--{role}-token"):
            from_hugging_face(folder, tmp_path / "out")
        named = {"eos": "</s>", "bos": "<s>"}[role]
        chosen = from_hugging_face(folder, tmp_path / "out", tokens={role: named})
        assert chosen[:4] == (1, 3, 2, 0)

    def test_no_overwriting(self, converted, tmp_path):
        folder, output = converted("llama-2")
        with pytest.raises(InputError, match="--force"):
            from_hugging_face(folder, output)
        with pytest.raises(InputError, match="--force"):
            to_hugging_face(output / "model.pt", output / "tokenizer", tmp_path)
        # nor what else it writes, of a model that was moved away
        (tmp_path / "dict.txt").touch()
        with pytest.raises(InputError, match="dict.txt exists.*--force"):
            from_hugging_face(folder, tmp_path)

    def test_nothing_of_an_overwritten_tokenizer_stays(self, make_folder, tmp_path):
        kept = tmp_path / "out" / "tokenizer"
        kept.mkdir(parents=True)
        for name in ("source.spm", "notes.txt"):
            (kept / name).touch()
        from_hugging_face(make_folder("llama-2"), tmp_path / "out", force=True)
        assert not (kept / "source.spm").exists() and (kept / "notes.txt").exists()

    def test_tokenizer_of_another_model(self, converted, tmp_path):
        with pytest.raises(InputError, match="has a vocabulary of"):
            to_hugging_face(
                converted("llama-2")[1] / "model.pt",
                converted("qwen-2")[1] / "tokenizer",
                tmp_path / "out",
            )

    def test_other_models(self, base, converted, tmp_path):
        with pytest.raises(InputError, match="no checkpoint of a decoder_only model"):
            to_hugging_face(base, converted("llama-2")[1] / "tokenizer", tmp_path / "out")

    def test_instruction_symbols(self, converted, inventory, tmp_path):
        _, output = converted("llama-2")
        state = torch.load(output / "model.pt", weights_only=True)
        state["task_state"] = {"instruction_inventory": inventory.to_dict()}
        torch.save(state, tmp_path / "tuned.pt")
        with pytest.raises(InputError, match="symbols for 5 instructions"):
            to_hugging_face(tmp_path / "tuned.pt", output / "tokenizer", tmp_path / "out")
