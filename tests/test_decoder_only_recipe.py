"""The zero-shot recipe on decoder-only models: what its configurations say, and what it writes."""

import itertools
import json
import runpy
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from fairseq_instr.errors import InputError
from fairseq_instr.prompts.templates import Template
from fairseq_instr.text.lines import read_lines

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FOLDER = EXAMPLES / "decoder_only"


@pytest.fixture(scope="module")
def recipe_class():
    path = list(sys.path)
    yield runpy.run_path(str(EXAMPLES / "language_aware_tuning" / "run.py"))["LanguageAwareTuning"]
    sys.path[:] = path


@pytest.fixture
def recipe(recipe_class, tmp_path):
    """A recipe on a config of a few entries."""

    def make(given=None, **config):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump({"languages": ["de", "fr"], "vocabulary": 400, **config}))
        return recipe_class(path, tmp_path / "a folder", given, 1)

    return make


def write(folder, **texts):
    for name, lines in texts.items():
        split, _, language = name.rpartition("_")
        (folder / f"{split}.{language}").write_text("".join(f"{line}\n" for line in lines))


LIKELIHOOD_ALONE = (
    "mt", "mt_alone", "mt_long", "post_ins", "ptl", "denoise", "control", "long_control"
)  # fmt: skip


class TestConfigurations:
    @pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("[!l]*.yaml")))
    def test_every_system_is_accepted_by_fairseq_train(self, recipe_class, call, name, tmp_path):
        from fairseq import options

        path = FOLDER / f"{name}.yaml"
        config = yaml.safe_load(path.read_text())
        pretrained = None if "vocabulary" in config else tmp_path
        recipe = recipe_class(path, tmp_path, tmp_path, 1, pretrained)
        for name, system in recipe.config["systems"].items():
            arguments = recipe.words(recipe.config["model"]) + recipe.words(system["options"])
            args = options.parse_args_and_arch(
                options.get_training_parser(),
                ["data", "--task", "translation_with_instructions", *arguments],
            )
            assert Path(args.prompt_template).parent == FOLDER / "prompts"
            assert bool(args.unlikelihood_weight) == bool(args.conflict_axes)
            assert bool(args.conflict_axes) == (name not in LIKELIHOOD_ALONE)
        # the rows of the tables, and what they are made of
        decoding = config["evaluation"].get("decoding", {})
        rows = {*config["systems"], *decoding}
        prompts = {"post_ins", "ptl", "one_shot", "five_shot", "c_src_lang"} if decoding else set()
        assert {"mt", "ours", *prompts} <= rows
        built_on = [row["from"] for row in config["systems"].values() if "from" in row]
        used = {*built_on, *(row["model"] for row in decoding.values())}
        assert used <= {*config["systems"], *(["pretrained"] if pretrained else [])}

    def test_a_pretrained_model_is_begun_with(self, recipe_class, tmp_path):
        recipe = recipe_class(FOLDER / "smollm2.yaml", tmp_path / "work", tmp_path, 1, tmp_path)
        assert recipe.subwords == tmp_path / "tokenizer"
        assert recipe.model("pretrained", 1) == tmp_path / "model.pt"
        assert recipe.model("mt", 1).parent == tmp_path / "work" / "systems" / "mt" / "1"

    @pytest.mark.parametrize("path, pretrained", [("smollm2", None), ("multi30k", FOLDER)])
    def test_pretrained_goes_with_its_config(self, recipe_class, tmp_path, path, pretrained):
        with pytest.raises(InputError, match="--pretrained"):
            recipe_class(FOLDER / f"{path}.yaml", tmp_path, tmp_path, 1, pretrained)


class TestPrompts:
    @pytest.mark.parametrize("name", ["short", "post_ins", "target_language"])
    def test_all_languages_have_names(self, name):
        codes = {"cs", "de", "en", "fr", "it"}
        for language in codes:
            template = Template.load(FOLDER / "prompts" / f"{name}.yaml").for_target(language)
            assert codes == set(template.languages)
            assert template.phrases[f"to:{language}"]
            assert template.demonstration is not None
            if name == "target_language" and language == "de":
                assert template.languages["fr"] == "Französisch"


class TestRecipe:
    def test_sample_text_has_demonstrations_in_all_languages(self, recipe):
        made = recipe(sample={"train": 20, "valid": 5, "test": 5})
        made.prepare_text()
        lines = {
            language: read_lines(made.text / f"demonstrations.{language}")
            for language in made.languages
        }
        assert lines["en"] == read_lines(made.text / "valid.en-de.en")
        assert lines["fr"] == read_lines(made.text / "valid.en-fr.fr")
        assert not set(lines["de"]) & set(read_lines(made.text / "mono.de"))

    def test_a_line_that_a_language_lacks_is_no_demonstration(self, recipe, tmp_path):
        for split, sizes in {"train": (1, 2), "val": (3, 4, 5), "test": (6,)}.items():
            for language in ("en", "de", "fr"):
                write(tmp_path, **{f"{split}_{language}": [f"{language}{i}" for i in sizes]})
        write(tmp_path, val_fr=["fr3", "", "fr5"])
        text = {"train": ["train"], "valid": ["val"], "test": {"test": "test"}}
        recipe(tmp_path, text=text).prepare_text()
        assert not list(tmp_path.glob("a folder/text/demonstrations.*"))
        made = recipe(tmp_path, text={**text, "demonstrations": "val"})
        made.prepare_text()
        assert read_lines(made.text / "demonstrations.de") == ["de3", "de5"]
        assert read_lines(made.text / "valid.en-de.de") == ["de3", "de4", "de5"]

    def test_instructions_are_shown_in_every_trained_direction(self, recipe, make_task, names_of):
        made = recipe(
            languages=["de"],
            sample={"train": 150, "valid": 5, "test": 5},
            task={"instructions": ["html-bold", "guillemets"], "samples": 20},
        )
        made.prepare_text()
        made.train_subwords()
        made.binarise_all()
        task = make_task("--lang-pairs", "en-de,de-en", "--mixture", "task:1", data=made.data)
        task.load_dataset("task/train")
        asked = Counter(map(tuple, names_of(task, "task/train")))
        directions, instructions = ("to:de", "to:en"), ("html-bold", "guillemets")
        assert asked == dict.fromkeys(itertools.product(directions, instructions), 20)

    def test_pairs_without_english_are_real_ones_and_synthetic_ones(self, recipe, tmp_path):
        pytest.importorskip("ctranslate2")
        for split, count in (("train", 60), ("val", 5), ("test", 5)):
            for language in ("en", "de", "fr"):
                words = [f"{language}{i % 7} {language}{i % 5}" for i in range(count)]
                write(tmp_path, **{f"{split}_{language}": words})
        made = recipe(
            tmp_path,
            text={"train": ["train"], "direct": ["train"], "valid": ["val"], "test": {"t": "test"}},
            vocabulary=390,
            model="--arch transformer --encoder-layers 1 --decoder-layers 1 --max-tokens 500 "
            "--encoder-embed-dim 16 --decoder-embed-dim 16 --encoder-ffn-embed-dim 16 "
            "--decoder-ffn-embed-dim 16 --encoder-attention-heads 2 --decoder-attention-heads 2 "
            "--share-all-embeddings --optimizer adam --lr 0.01 --no-epoch-checkpoints",
            systems={
                "mt": {"options": "--mixture parallel:1 --max-update 2"},
                "past": {"from": "mt", "options": "--mixture direct:1,backtranslate:1"},
            },
            backtranslate={"model": "mt", "before": "past", "options": "--lines 9 --any-language"},
        )
        steps = dict(made.steps)
        names = list(steps)
        assert names.index("mt-1") < names.index("backtranslate") < names.index("past-1")
        for name in ("text", "subwords", "data", "mt-1", "backtranslate"):
            steps[name]()
        assert read_lines(made.text / "train.de-fr.fr") == read_lines(tmp_path / "train.fr")
        assert list((made.data / "direct").glob("train.de-fr.*.bin"))
        for direction in ("de-fr", "fr-de"):
            assert list((made.data / "backtranslate" / direction).glob("train.instr*.bin"))

    def test_paths_stand_in_options(self, recipe, tmp_path):
        made = recipe(tmp_path)
        found = made.words("--prompt-template {config}/a.yaml --demonstrations {text}/b --x '{}'")
        text = tmp_path / "a folder" / "text"
        assert found[1::2] == [str(tmp_path / "a.yaml"), str(text / "b"), "{}"]

    def test_text_is_given_and_aligned(self, recipe, tmp_path):
        with pytest.raises(InputError, match="--text"):
            recipe(text={"train": ["train"]})
        write(tmp_path, val_en=["a", "b"], val_de=["c"])
        with pytest.raises(InputError, match=r"val.en has 2 lines, .de 1"):
            recipe(tmp_path).read_aligned(tmp_path / "val", ["en", "de"])

    def test_figures_stand_under_the_name_of_the_config(self, recipe, tmp_path):
        path = tmp_path / "results.json"
        path.write_text('{"other": 1, "config": 2}')
        text = {"train": [], "valid": [], "test": {"near": "a", "far": "b"}}
        one, several = {"sample": {"zero_shot": 0}}, {"near": {}, "far": {}}
        for config, given, own, expected in (
            ({"sample": {}}, None, one, {"test": "sample", "zero_shot": 0}),
            ({"text": text}, tmp_path, several, several),
        ):
            made = recipe(given, **config)
            made.work.mkdir(exist_ok=True)
            (made.work / "results.json").write_text(json.dumps(own))
            made.record(path)
            assert json.loads(path.read_text()) == {"other": 1, "config": expected}
