"""The task with a template in place of symbols, on a decoder-only model and general tasks."""

import shutil

import pytest
import torch

from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.upgrading import load_model
from fairseq_instr.curation.general_tasks import GeneralTask, write_corpus
from fairseq_instr.errors import InputError
from fairseq_instr.generation import answers
from fairseq_instr.generation.answers import PromptReader
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Inventory
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.prompts.templates import Template
from fairseq_instr.text import subwords
from tests.conftest import WITH_INSTRUCTIONS as PLUGIN
from tests.conftest import column

CPU = ["--cpu", "--num-workers", 0]
ENGLISH = ["Two men are talking.", "A dog runs.", "The house is red.", "We eat bread."] * 4
GERMAN = ["Zwei Männer reden.", "Ein Hund rennt.", "Das Haus ist rot.", "Wir essen Brot."] * 4


@pytest.fixture(scope="module")
def spelling(tmp_path_factory):
    folder = tmp_path_factory.mktemp("subwords")
    text = ENGLISH + GERMAN + ["### Instruction: Translate the text from into ### Response:"] * 4
    subwords.train(text, folder / "spm", 500)
    encoder = subwords.Subwords(folder / "spm.model")
    encoder.write_dictionary(folder / "dict.txt")
    return encoder, folder


@pytest.fixture(scope="module")
def data(spelling, binarise, tmp_path_factory):
    encoder, folder = spelling
    root = tmp_path_factory.mktemp("data")
    sides = [list(map(encoder.encode, lines)) for lines in (ENGLISH, GERMAN)]
    splits = {split: tuple(sides) for split in ("train", "valid", "test")}
    binarise(root, splits, dictionary=folder / "dict.txt")
    tasks = [GeneralTask(f"Say {word}.", output=word) for word in ("red", "dog", "bread", "two")]
    write_corpus(tasks, root / "tasks", encoder)
    general = tuple(
        (root / f"tasks.{side}").read_text().splitlines() for side in ("prompt", "response")
    )
    binarise(
        root / "general", {"train": general}, ("prompt", "response"),
        dictionary=folder / "dict.txt",
    )  # fmt: skip
    Inventory([look_up("to:en"), look_up("to:de")]).save(root / "instructions.yaml")
    return root


@pytest.fixture(scope="module")
def in_words(spelling):
    return ["--prompt-template", "alpaca", "--prompt-subwords", spelling[1] / "spm.model"]


@pytest.fixture(scope="module")
def trained(data, in_words, call, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    call(
        "train", data, *PLUGIN, *in_words, *CPU, "--arch", "decoder_only_tiny",
        "--lang-pairs", "en-de,de-en", "--mixture", "parallel:2,general:1",
        "--conflict-axes", "target-language", "--fused-loss", "--optimizer", "adam",
        "--criterion", "label_smoothed_cross_entropy_with_unlikelihood", "--max-update", 2,
        "--max-tokens", 2000, "--data-buffer-size", 0, "--log-format", "none",
        "--save-dir", folder,
    )  # fmt: skip
    return folder / "checkpoint_last.pt"


class TestPromptsInWords:
    def test_no_symbols_join_the_vocabulary(self, trained, spelling):
        state = torch.load(trained, weights_only=True)
        rows = len((spelling[1] / "dict.txt").read_text().splitlines()) + 4
        assert len(state["model"]["decoder.embed_tokens.weight"]) == rows
        words = state["task_state"]["prompt_in_words"]
        assert Template.load(words) == Template.load("alpaca")
        assert not state["task_state"]["instruction_inventory"]["instructions"]

    def test_a_target_that_prompts_do_not_say(self, data, in_words, call, caplog, tmp_path):
        """Without an inventory, the model would read `Translate the text from English.` alone."""
        shutil.copytree(data, tmp_path / "data", ignore=shutil.ignore_patterns("*.yaml", "general"))
        train = [
            "train", tmp_path / "data", *PLUGIN, *in_words, *CPU, "--arch", "decoder_only_tiny",
            "-s", "en", "-t", "de", "--optimizer", "adam", "--max-tokens", 2000, "--max-update", 1,
            "--data-buffer-size", 0, "--no-save", "--disable-validation",
        ]  # fmt: skip
        call(*train, "--direction-instruction", "never")
        assert "to:de" not in caplog.text
        call(*train)
        assert "to:de" in caplog.text and "--direction-instruction" in caplog.text

    def test_generate(self, trained, data, in_words, spelling, call):
        """The prompt that the model read is what S- lines show; contrasts find the source in it."""
        options = [
            data, *PLUGIN, *CPU, "-s", "en", "-t", "de", "--path", trained, "--beam", 2,
            "--max-len-b", 5, "--max-tokens", 2000,
        ]  # fmt: skip
        encoder, folder = spelling
        printed = call("generate", *options, *in_words)
        shown = next(line for line in printed.splitlines() if line.startswith("S-1\t"))
        said = encoder.decode(shown.split("\t")[1])
        assert "Translate the text from English into German." in said and "A dog runs." in said
        contrasted = call("generate", *options, *in_words, "--language-contrast", 0.5)
        assert len(column(contrasted, "H")) == len(ENGLISH)
        # the translator puts the source's line into the template, which is the checkpoint's
        translator = Translator.from_pretrained(
            trained, data, folder / "spm.model", "en", "de", beam=2, max_len_a=0, max_len_b=5
        )
        assert translator.translate(ENGLISH) == list(map(encoder.decode, column(printed, "H")))

    def test_examples_that_training_showed(self, trained, data, spelling, tmp_path):
        """The translator shows them too, unless it is told otherwise."""
        encoder, folder = spelling
        for language, lines in (("en", ENGLISH), ("de", GERMAN)):
            (tmp_path / f"dev.{language}").write_text("\n".join(lines) + "\n")
        state = torch.load(trained, weights_only=True)
        state["cfg"]["task"].update(shots=1, demonstrations=str(tmp_path / "dev"))
        torch.save(state, tmp_path / "shots.pt")
        model = tmp_path / "shots.pt", data, folder / "spm.model", "en", "de"
        n_shown = []
        for options in ({}, {"shots": 0}):
            translator = Translator.from_pretrained(*model, **options)
            read = translator.task.source_dictionary.string(translator.render("A cat.").rendered)
            n_shown.append(sum(line in encoder.decode(read) for line in set(GERMAN)))
        assert n_shown == [1, 0]

    def test_sources_as_long_as_training_had(self, trained, data, spelling, tmp_path):
        """A LLaMA of 4,096 positions that was trained on prompts of 2,000 tokens reads them."""
        state = torch.load(trained, weights_only=True)
        state["cfg"]["model"]["max_positions"] = 4096
        limits = []
        for n_positions in (64, 2000):
            state["cfg"]["task"]["max_source_positions"] = n_positions
            torch.save(state, tmp_path / "long.pt")
            model = tmp_path / "long.pt", data, spelling[1] / "spm.model", "en", "de"
            limits.append(Translator.from_pretrained(*model).max_source)
        assert limits == [1024, 2000]

    def test_a_template_does_not_make_outputs_longer(self, trained, data, spelling):
        """The limit is one token for each of the source, which has 4 to 8 and a prompt of 60."""
        encoder, folder = spelling
        translator = Translator.from_pretrained(
            trained, data, folder / "spm.model", "en", "de", beam=1, max_len_a=1, max_len_b=0
        )
        longest = max(len(encoder.encode(line).split()) for line in ENGLISH) + 1  # with eos
        # of an output that begins within a word, encoding it again makes a piece more: its bare "▁"
        found = [encoder.encode(line).split() for line in translator.translate(ENGLISH)]
        assert 0 < max(len(pieces) - (pieces[0] == "▁") for pieces in found) <= longest

    def test_a_template_that_changed_or_is_gone(self, data, spelling, call, caplog, tmp_path):
        template, subwords = tmp_path / "own.yaml", spelling[1] / "spm.model"
        template.write_text("prompt: 'the text {source} Response:'")
        call(
            "train", data, *PLUGIN, "--prompt-template", template, "--prompt-subwords", subwords,
            *CPU, "--arch", "decoder_only_tiny", "--lang-pairs", "en-de", "--max-update", 1,
            "--optimizer", "adam", "--max-tokens", 500, "--save-dir", tmp_path,
        )  # fmt: skip
        options = [
            data, *PLUGIN, *CPU, "-s", "en", "-t", "de", "--path", tmp_path / "checkpoint_last.pt",
            "--prompt-template", template, "--prompt-subwords", subwords, "--quiet",
        ]  # fmt: skip
        call("generate", *options)
        assert "--prompt-template" not in caplog.text
        template.write_text("prompt: 'Response: {source}'")
        call("generate", *options)
        assert "--prompt-template" in caplog.text
        template.unlink()
        translator = Translator.from_pretrained(tmp_path / "checkpoint_last.pt", data, subwords)
        assert translator.task.prompt.template.prompt == "the text {source} Response:"

    def test_how_it_was_trained_is_kept_to(self, trained, data, in_words, refusal):
        options = [data, *PLUGIN, *CPU, "-s", "en", "-t", "de", "--path", trained]
        assert "give --prompt-template" in refusal("generate", *options)

    def test_options(self, data, in_words, refusal):
        train = ["train", data, *PLUGIN, *CPU, "--arch", "decoder_only_tiny", "--max-tokens", 500]
        assert "--prompt-subwords" in refusal(*train, "--prompt-template", "alpaca")
        assert "go together" in refusal(*train, *in_words, "--shots", 2)
        assert "one of alpaca" in refusal(*train, "--prompt-template", "alpakka")

    def test_two_instructions_are_said_in_two_ways(self, data, in_words, make_task, tmp_path):
        path = tmp_path / "instructions.yaml"
        Inventory(map(look_up, ("to:de", "to:pt", "to:pt-BR"))).save(path)
        with pytest.raises(InputError, match="--prompt-template.*'to:pt' and 'to:pt-BR'"):
            make_task(*in_words, "--inventory", path, data=data)

    def test_general_tasks_are_prompts_already(self, data, in_words, spelling, make_task):
        mixture = "parallel:1,general:1"
        task = make_task(*in_words, "--lang-pairs", "en-de,de-en", "--mixture", mixture, data=data)
        task.load_dataset("train")
        general = task.datasets["train"].groups["general"]
        assert [corpus.is_prompt for corpus in general] == [True] and len(general[0]) == 4


class TestPromptReader:
    """General tasks, answered by the model as it stands in `trained`."""

    PROMPTS = [GeneralTask(f"Say {word}.").prompt for word in ("red", "dog, and say it twice")]
    ANSWERS = ["red", "dog\ndog"]

    @pytest.fixture(scope="class")
    def reader(self, trained, spelling):
        return PromptReader(trained, spelling[1] / "dict.txt", spelling[1] / "spm.model")

    def test_answers_are_those_of_fairseq_generate(self, reader, trained, data, spelling, call):
        printed = call(
            "generate", data / "general", *PLUGIN[:2], *CPU, "--task", "translation", "-s",
            "prompt", "-t", "response", "--path", trained, "--gen-subset", "train", "--beam", 1,
            "--max-len-b", 7, "--max-tokens", 2000, "--required-batch-size-multiple", 1,
        )  # fmt: skip
        expected = [spelling[0].decode(text) for text in column(printed, "H")]
        tasks = [GeneralTask(f"Say {word}.").prompt for word in ("red", "dog", "bread", "two")]
        assert reader.answer(tasks, 7, batch_size=3) == expected

    def test_scores(self, reader, trained, spelling, make_task, data, in_words):
        """Log-probabilities of the target and eos, of one line at a time by fairseq's own model."""
        task = make_task(*in_words, "--lang-pairs", "en-de,de-en", data=data)
        model = load_model(read_checkpoint(trained), task, trained).eval()
        dictionary, encoder = task.target_dictionary, spelling[0]
        for prompt, answer, (nll, n_tokens) in zip(
            self.PROMPTS, self.ANSWERS, reader.score(self.PROMPTS, self.ANSWERS, batch_size=2)
        ):
            source, target = (
                dictionary.encode_line(encoder.encode(text), add_if_not_exist=False).long()
                for text in (prompt, answer)
            )
            output = model(source[None], None, torch.cat((target[-1:], target[:-1]))[None])
            lprobs = model.get_normalized_probs(output, log_probs=True)[0]
            expected = -lprobs[torch.arange(len(target)), target].sum().item()
            assert nll == pytest.approx(expected, rel=1e-5) and n_tokens == len(target)

    def test_a_long_answer_is_scored_in_parts(self, reader, monkeypatch):
        whole = reader.score(self.PROMPTS, self.ANSWERS, batch_size=1)
        monkeypatch.setattr(answers, "SCORED_TOGETHER", 1)
        parts = reader.score(self.PROMPTS, self.ANSWERS, batch_size=1)
        assert parts == [(pytest.approx(nll, rel=1e-5), n) for nll, n in whole]

    def test_refusals(self, reader, trained, data, spelling, tmp_path):
        with pytest.raises(InputError, match="--new-tokens"):
            reader.answer(self.PROMPTS, 1024, batch_size=1)
        rows = len((spelling[1] / "dict.txt").read_text().splitlines())
        (tmp_path / "other.txt").write_text("".join(f"other{i} 1\n" for i in range(rows)))
        other = PromptReader(trained, tmp_path / "other.txt", spelling[1] / "spm.model")
        with pytest.raises(InputError, match="--dictionary"):
            other.answer(self.PROMPTS, 2, batch_size=1)
