import runpy
import shlex
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "decoder_only"


@pytest.fixture(scope="module")
def dry_run():
    return runpy.run_path(str(FOLDER.parent / "dry_run.py"))


class TestDryRun:
    @pytest.mark.parametrize(
        "arch, vocabulary, n_parameters",
        [  # as Hugging Face counts them
            ("llama2_7b", 32000, 6_738_415_616),
            ("llama2_13b", 32000, 13_015_864_320),
            ("llama3_8b", 128256, 8_030_261_248),
        ],
    )
    def test_parameters(self, dry_run, arch, vocabulary, n_parameters):
        model = dry_run["build"](arch, vocabulary)
        assert sum(parameter.numel() for parameter in model.parameters()) == n_parameters

    def test_memory(self, dry_run):
        """Weights are two bytes each, and what a step keeps grows with its tokens."""
        model = dry_run["build"]("decoder_only_tiny", 1000)
        n = sum(parameter.numel() for parameter in model.parameters())
        small, large = (dry_run["memory"](model, batch, 32, 16, gpus=2) for batch in (2, 4))
        assert small["weights"] == pytest.approx(2 * n / 1e9)
        assert small["states of Adam"] == pytest.approx(8 * n / 2 / 1e9)
        assert large["activations"] == pytest.approx(2 * small["activations"], rel=0.1)
        assert large["weights"] == small["weights"]


def test_configuration_is_accepted(call):
    """Every option of the two stages is one that fairseq-train has, and the sizes add up."""
    from fairseq import options

    config = yaml.safe_load((FOLDER / "llama3_8b.yaml").read_text())
    for stage, own in config["stages"].items():
        arguments = shlex.split(config["common"].replace("--user-dir fairseq_instr", ""))
        arguments += shlex.split(own)
        args = options.parse_args_and_arch(options.get_training_parser(), ["data", *arguments])
        sentences = config["gpus"] * args.batch_size * args.update_freq[0]
        assert sentences == config["sentences"][stage]
        assert args.max_update == config["updates"][stage]
        assert args.decoder_embed_dim == 4096 and args.checkpoint_activations
