"""Models that can't take instructions are refused when they are built."""

from argparse import Namespace

import pytest
from fairseq.models import ARCH_CONFIG_REGISTRY
from fairseq.models.lstm import LSTMModel

from fairseq_instr.errors import InputError


def build(task, arch, **options):
    """A model of the architecture's own settings."""
    cfg = Namespace(arch=arch, criterion="label_smoothed_cross_entropy", **options)
    ARCH_CONFIG_REGISTRY[arch](cfg)
    return task.build_model(cfg)


@pytest.mark.parametrize(
    "arguments, option",
    [
        (["--share-decoder-input-output-embed"], "--prompt-placement decoder-prefix"),
        ([], "--share-all-embeddings"),
    ],
)
def test_a_prompt_of_the_decoder_needs_rows_there(make_task, arguments, option):
    task = make_task("--prompt-placement", "decoder-prefix", *arguments)
    with pytest.raises(InputError, match=option):
        task.build_model(task.full_cfg.model)


def test_a_recurrent_model_that_would_write_instructions(make_task, own_data_bin):
    with pytest.raises(InputError, match="--share-all-embeddings"):
        build(make_task(), "lstm", share_all_embeddings=True)
    assert isinstance(build(make_task(), "lstm"), LSTMModel)
    (own_data_bin / "instructions.yaml").unlink()
    build(make_task(data=own_data_bin), "lstm", share_all_embeddings=True)  # nothing to write


@pytest.mark.parametrize(
    "arch", ["nonautoregressive_transformer", "multilingual_transformer", "transformer_lm"]
)
def test_other_kinds_of_models(make_task, arch):
    with pytest.raises(InputError, match=f"--arch {arch}"):
        make_task().build_model(Namespace(arch=arch))
