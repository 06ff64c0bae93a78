"""Growing a model by instructions changes nothing until an instruction is given."""

import copy
from argparse import Namespace

import pytest
import torch
from fairseq.tasks.translation import TranslationTask

from fairseq_instr.checkpoints.growth import grow_state
from fairseq_instr.checkpoints.parameters import FUSED_LAYER_COPY
from fairseq_instr.errors import InputError
from fairseq_instr.models.output_projection import BaseVocabularyProjection

SHARING = {
    "all": ["--share-all-embeddings"],
    "decoder": ["--share-decoder-input-output-embed"],
    "none": [],
}
N_NEW = 5
SOURCE = "encoder.embed_tokens.weight"
TARGETS = ("decoder.embed_tokens.weight", "decoder.output_projection.weight")


def write_dictionary(path, n_words):
    """A dictionary of 4 special symbols, `n_words` words and 3 madeupwords."""
    lines = [f"x{i} {i + 1}" for i in range(n_words)] + [f"madeupword000{i} 0" for i in range(3)]
    path.write_text("".join(f"{line}\n" for line in lines))


def build_both(task):
    """A model of fairseq's own task, and one with instructions that has loaded it."""
    torch.manual_seed(0)
    base = TranslationTask.setup_task(task.cfg).build_model(task.full_cfg.model).eval()
    torch.manual_seed(1)
    grown = task.build_model(task.full_cfg.model).eval()
    saved = {key: tensor.clone() for key, tensor in base.state_dict().items()}
    grown.load_state_dict(saved, strict=True, model_cfg=task.full_cfg.model)
    for module in [*base.modules(), *grown.modules()]:
        if hasattr(module, "can_use_fastpath"):
            module.can_use_fastpath = False  # official fairseq 0.12.2 fails in it on torch 2
    return base, grown


@pytest.fixture(scope="module", params=list(SHARING))
def grown_and_base(request, tmp_path_factory, make_task, inventory):
    """A model with instructions that has loaded one without, and that one."""
    data = tmp_path_factory.mktemp("dictionaries")
    write_dictionary(data / "dict.en.txt", 20)
    write_dictionary(data / "dict.de.txt", 20 if request.param == "all" else 27)
    inventory.save(data / "instructions.yaml")
    task = make_task("-s", "en", "-t", "de", *SHARING[request.param], data=data)
    base, grown = build_both(task)
    n_target = len(TranslationTask.setup_task(task.cfg).tgt_dict)
    return Namespace(task=task, base=base, grown=grown, sharing=request.param, n_target=n_target)


@pytest.fixture
def batch():
    """Two sources (one padded on the left) and prefixes of their targets, words of any model."""
    return {
        "src_tokens": torch.tensor([[5, 9, 17, 26, 2], [1, 1, 6, 4, 2]]),
        "src_lengths": torch.tensor([5, 3]),
        "prev_output_tokens": torch.tensor([[2, 7, 9, 11], [2, 26, 5, 1]]),
    }


def with_prompt(batch, prompt):
    prompt = torch.tensor([prompt, prompt])
    return {
        **batch,
        "src_tokens": torch.cat((prompt, batch["src_tokens"]), dim=1),
        "src_lengths": batch["src_lengths"] + prompt.size(1),
    }


def test_without_instructions_the_logits_are_the_base_model_s(grown_and_base, batch):
    with torch.no_grad():
        grown, base = (model(**batch)[0] for model in (grown_and_base.grown, grown_and_base.base))
    assert grown.shape == base.shape == (2, 4, grown_and_base.n_target)
    assert torch.equal(grown, base)


def test_with_instructions_they_differ_but_the_vocabulary_stays(grown_and_base, batch):
    """An instruction has no logit: it can't be generated."""
    first = grown_and_base.task.src_dict.first_instruction
    with torch.no_grad():
        bare = grown_and_base.grown(**batch)[0]
        one = grown_and_base.grown(**with_prompt(batch, [first]))[0]
        other = grown_and_base.grown(**with_prompt(batch, [first + N_NEW - 1]))[0]
    assert one.shape == other.shape == bare.shape
    assert not torch.allclose(one, bare) and not torch.allclose(one, other)


def test_old_rows_and_tied_matrices_don_t_move(grown_and_base):
    old, new = grown_and_base.base.state_dict(), grown_and_base.grown.state_dict()
    assert old.keys() == new.keys()
    rows = len(old[SOURCE])
    for key, _ in grown_and_base.base.named_parameters():
        if not FUSED_LAYER_COPY.fullmatch(key):  # made anew whenever a model loads
            assert torch.equal(new[key][: len(old[key])], old[key])
    assert len(new[SOURCE]) == rows + N_NEW
    for key in TARGETS:
        shared = grown_and_base.sharing == "all"
        assert len(new[key]) == len(old[key]) + N_NEW * shared
        assert torch.equal(new[key], new[SOURCE]) == shared
    tied = new[TARGETS[0]].data_ptr() == new[TARGETS[1]].data_ptr()
    assert tied == (grown_and_base.sharing != "none")


def test_new_rows_are_initialised_like_words(grown_and_base):
    new = grown_and_base.grown.state_dict()[SOURCE][-N_NEW:]
    assert (new.std(dim=1) > 0).all()
    assert len(new.unique(dim=0)) == N_NEW


def test_only_the_encoder_trains_the_new_rows(grown_and_base, batch):
    model = grown_and_base.grown
    first = grown_and_base.task.src_dict.first_instruction
    for prompt, touched in (([], []), ([first + 2], [2])):
        model.zero_grad()
        inputs = with_prompt(batch, prompt) if prompt else batch
        logits = model(**inputs)[0]
        torch.log_softmax(logits, dim=-1)[..., 5].sum().backward()
        gradient = model.encoder.embed_tokens.weight.grad[-N_NEW:]
        assert gradient.abs().sum(dim=1).nonzero().flatten().tolist() == touched
    model.zero_grad()


def test_a_grown_model_loads_as_it_is(grown_and_base, batch):
    task = grown_and_base.task
    task.load_state_dict(task.state_dict())  # as fairseq does before it builds the model
    again = task.build_model(task.full_cfg.model, from_checkpoint=True).eval()
    again.load_state_dict(
        grown_and_base.grown.state_dict(), strict=True, model_cfg=task.full_cfg.model
    )
    batch = with_prompt(batch, [task.src_dict.first_instruction])
    with torch.no_grad():
        assert torch.equal(again(**batch)[0], grown_and_base.grown(**batch)[0])


def test_checkpoints_of_the_other_fairseq_load_as_well(grown_and_base, batch):
    """Official fairseq 0.12.2 saves weights of its fused layers besides, later ones do not."""
    task = grown_and_base.task
    saved = dict(grown_and_base.base.state_dict())
    fused = [
        f"encoder.layers.0.{part}_{kind}"
        for part in ("in_proj", "out_proj", "fc1", "fc2")
        for kind in ("weight", "bias")
    ]
    own = all(key in saved for key in fused)
    for key in fused:
        if own:
            del saved[key]
        else:
            saved[key] = torch.zeros(3)
    model = task.build_model(task.full_cfg.model).eval()
    model.load_state_dict(saved, model_cfg=task.full_cfg.model)
    with torch.no_grad():
        assert torch.equal(model(**batch)[0], grown_and_base.base(**batch)[0])


def test_a_moving_average_is_the_grown_model_s(grown_and_base):
    """Fairseq's loads the model's state at each update, and an ungrown one at the start."""
    task = grown_and_base.task
    average = copy.deepcopy(task.build_model(task.full_cfg.model))
    for model in (grown_and_base.base, grown_and_base.grown, grown_and_base.base):
        average.load_state_dict(dict(model.state_dict()), strict=False)
        rows = len(model.state_dict()[SOURCE])
        assert torch.equal(average.state_dict()[SOURCE][:rows], model.state_dict()[SOURCE])


NORM = "encoder.layers.0.final_layer_norm.weight"
MISFITS = [
    (NORM, lambda tensor: None, NORM),
    (NORM, lambda tensor: torch.zeros(3), NORM),
    ("encoder.layers.7.fc1.bias", lambda tensor: torch.zeros(3), "encoder.layers.7"),
    (SOURCE, lambda tensor: torch.zeros(len(tensor), 32), "rows of 32, expected .* of 16"),
    # also a vocabulary that is larger or smaller by fewer words than there are instructions
    *(
        (key, lambda tensor, n=n: torch.zeros(len(tensor) + n, 16), f"{key} has .* of 16, expected")
        for key in (SOURCE, *TARGETS)
        for n in (-1, 1, N_NEW)
    ),
]


@pytest.mark.parametrize("key, change, named", MISFITS)
def test_parameters_that_don_t_fit_are_named(grown_and_base, key, change, named):
    task = grown_and_base.task
    saved = {name: tensor.clone() for name, tensor in grown_and_base.base.state_dict().items()}
    saved[key] = change(saved.get(key))
    saved = {name: tensor for name, tensor in saved.items() if tensor is not None}
    model = task.build_model(task.full_cfg.model, from_checkpoint=True)
    with pytest.raises(InputError, match=named):
        model.load_state_dict(saved, strict=True, model_cfg=task.full_cfg.model)


CONVOLUTIONS = ["--encoder-kernel-size-list", "[3]", "--decoder-kernel-size-list", "[3]"]
ARCHITECTURES = {
    "transformer_wmt_en_de_big": [],
    "transformer_vaswani_wmt_en_de_big": ["--share-all-embeddings"],
    "transformer_wmt_en_de_big_t2t": [],  # normalises before each layer
    "learned positions": [
        "--arch", "transformer", "--encoder-learned-pos", "--decoder-learned-pos",
        "--layernorm-embedding", "--activation-fn", "gelu", "--no-scale-embedding",
    ],
    "LayerDrop": ["--arch", "transformer", "--encoder-layerdrop", 0.5, "--decoder-layerdrop", 0.5],
    "quantisation noise": [
        "--arch", "transformer", "--quant-noise-pq", 0.1, "--quant-noise-pq-block-size", 8,
    ],
    "transformer_align": [],
    "lightconv": CONVOLUTIONS,
    "dynamicconv": [
        "--arch", "lightconv", *CONVOLUTIONS, "--encoder-conv-type", "dynamic",
        "--decoder-conv-type", "dynamic",
    ],
    "bart_base": ["--share-all-embeddings"],
    "mbart_base": ["--share-all-embeddings"],
}  # fmt: skip


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_published_architectures_grow(make_task, data_bin, batch, name):
    """Without an instruction they compute what fairseq's own task loads, bit for bit."""
    options = ARCHITECTURES[name]
    arch = [] if "--arch" in options else ["--arch", name]
    task = make_task(*arch, *options)
    base, grown = build_both(task)
    with torch.no_grad():
        expected, bare = base(**batch)[0], grown(**batch)[0]
        asked = grown(**with_prompt(batch, [task.src_dict.first_instruction]))[0]
    assert torch.equal(bare, expected)
    assert asked.shape == bare.shape and not torch.allclose(asked, bare)


def test_half_precision_is_kept():
    state = {SOURCE: torch.ones(3, 2).half()}
    grow_state(state, {SOURCE: torch.zeros(5, 2)}, 2)
    assert state[SOURCE].dtype == torch.half
    assert state[SOURCE].tolist() == [[1, 1]] * 3 + [[0, 0]] * 2


def test_the_projection_scores_the_first_rows():
    """Rows (1, 0), (0, 1), (5, 5) and features (2, 3): scores 2 and 3, the third row has none."""
    weight = torch.nn.Parameter(torch.tensor([[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]))
    projection = BaseVocabularyProjection(weight, 2)
    assert projection(torch.tensor([[2.0, 3.0]])).tolist() == [[2.0, 3.0]]
    assert projection.weight is weight


def test_adaptive_softmax_is_refused(make_task):
    task = make_task("--adaptive-softmax-cutoff", "20,40")
    with pytest.raises(InputError, match="--adaptive-softmax-cutoff: .*full softmax"):
        task.build_model(task.full_cfg.model)
