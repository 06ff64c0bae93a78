from pathlib import Path

import pytest
import torch

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.prompts.templates import Demonstrations, Template, TemplatePrompt, library

EOS = 2
DIRECTIONS = Inventory(
    [
        Instruction("to:de", "target-language", ("into German",)),
        Instruction("to:fr", "target-language", ("into French",)),
        Instruction("formal", "formality", ("formally",)),
        Instruction("begin-with", "opening", ("begin with these words",), argument="text"),
    ]
)


def encode(text):
    """A character is its code point."""
    return [ord(character) for character in text]


def spell(tokens):
    return "".join(map(chr, tokens))


def make(content, **options):
    return TemplatePrompt(Template.from_dict(content, "test"), DIRECTIONS, encode, **options)


def say(prompt, source, instructions, language=None):
    """A source as text, rendered, as text."""
    requests = tuple(i if isinstance(i, Request) else Request(i) for i in instructions)
    rendering = prompt.render(requests, language)
    rendered = rendering.around(torch.tensor([*encode(source), EOS]))
    assert rendering.decoder == ()
    assert rendered[-1] == EOS
    return spell(rendered[:-1].tolist())


class TestRendering:
    PLAIN = {"prompt": "Translate{instructions}: {source} ="}

    @pytest.mark.parametrize(
        "instructions, expected",
        [
            ((), "Translate: eins ="),
            ((0,), "Translate into German: eins ="),
            ((0, 2), "Translate into German, formally: eins ="),
            ((Request(3, "Ja"),), 'Translate begin with these words: "Ja": eins ='),
            ((Request(3, (74, 97)),), 'Translate begin with these words: "Ja": eins ='),
        ],
    )
    def test_phrases(self, instructions, expected):
        assert say(make(self.PLAIN), "eins", instructions) == expected

    def test_source_language_and_braces(self):
        prompt = make(
            {"prompt": "{{x}} {source_language}: {source}", "languages": {"en": "English"}}
        )
        assert say(prompt, "{instructions}", (), "en") == "{x} English: {instructions}"
        with pytest.raises(InputError, match="no name for the source language 'cs'; names: en"):
            say(prompt, "one", (), "cs")

    def test_target_language_decides(self):
        prompt = make(
            {
                "prompt": "Translate{instructions}: {source}",
                "by_target": {
                    "fr": {
                        "prompt": "Traduis{instructions} : {source}",
                        "phrases": {"to:fr": "en français"},
                    }
                },
            }
        )
        assert say(prompt, "one", (1, 2)) == "Traduis en français, formally : one"
        assert say(prompt, "one", (0,)) == "Translate into German: one"

    def test_demonstrations(self):
        prompt = make(
            {
                "prompt": "{source} >{instructions}",
                "demonstration": "{source} >{instructions}: {target}",
                "separator": " | ",
            },
            language="en",
            demonstrations=lambda source, target: [("a", f"a-{source}-{target}"), ("b", "b")],
        )
        expected = "a > into German: a-en-de | b > into German: b | one > into German"
        assert say(prompt, "one", (0,)) == expected
        with pytest.raises(InputError, match="--direction-instruction always"):
            say(prompt, "one", ())

    def test_bound_on_lengths(self):
        """No prompt is longer than what batches are made for."""
        prompt = make(self.PLAIN)
        for asked in ((), (0,), (1, 2), (0, 2)):
            added = len(say(prompt, "", asked))
            assert added <= prompt.n_source(len(asked))

    def test_bound_on_lengths_from_any_language(self):
        """The longest name is not that of the prompt's own language."""
        names = {"en": "English", "de": "the German of Germany"}
        prompt = make({"prompt": "{source_language}: {source}", "languages": names}, language="en")
        assert len(say(prompt, "", (), "de")) <= prompt.n_source(0)

    def test_one_text_with_the_source(self):
        """A tokenizer with a token for a full stop and a line break uses it, as for any text."""

        def joining(text):
            return encode(text.replace(".\n", "¶"))

        def decode(tokens):
            return spell(tokens).replace("¶", ".\n")

        content = {"prompt": "{instructions}.\n{source}\n="}
        prompt = TemplatePrompt(Template.from_dict(content, "test"), DIRECTIONS, joining,
                                decode=decode)  # fmt: skip
        assert say(prompt, "Ja.", (0,)) == " into German¶Ja¶="
        argument = Request(3, tuple(encode("Ja")))
        assert say(prompt, "Ja.", (argument,)) == ' begin with these words: "Ja"¶Ja¶='
        # a source that its text would not be spelled as stays as it is: here noise
        assert say(prompt, "a.\nb.", (0,)) == " into German¶a.\nb.\n="


class TestLibrary:
    @pytest.mark.parametrize("name", library())
    def test_every_language_of_every_template(self, name):
        """Each direction is said differently, with the source in it and nothing left open."""
        template = Template.load(name)
        languages = ["en", *Template.load("target_language").by_target]
        assert len(languages) == 11
        inventory = Inventory(look_up(f"to:{code}") for code in languages)
        prompt = TemplatePrompt(template, inventory, encode)
        said = set()
        for position, target in enumerate(languages):
            for language in languages:
                text = say(prompt, "SOURCE", (position,), language)
                assert text.count("SOURCE") == 1 and "{" not in text and text.endswith("\n")
                said.add((target, language, text))
        assert len({text for _, _, text in said}) == len(languages) ** 2

    def test_prompts_in_the_targets_language(self):
        template = Template.load("target_language")
        assert all(
            set(v.languages) == {"en", *template.by_target} for v in template.by_target.values()
        )
        assert all(f"to:{code}" in v.phrases for code, v in template.by_target.items())

    def test_post_ins_has_the_instruction_behind(self):
        for name, behind in (("post_ins", True), ("alpaca", False)):
            text = Template.load(name).prompt
            assert (text.index("{instructions}") > text.index("{source}")) == behind


class TestErrors:
    @pytest.mark.parametrize(
        "content, error",
        [
            (["prompt"], "prompt"),
            ({"prompt": "Translate{instructions}:"}, "prompt has 0 places for {source}"),
            ({"prompt": "{source}{source}"}, "prompt has 2 places for {source}"),
            ({"prompt": "{{source}}"}, "prompt has 0 places for {source}"),
            ({"prompt": "{source} {language}"}, "place {language}; accepted: {source}, {instr"),
            ({"prompt": "{source} {"}, "write {{ for a brace"),
            ({"prompt": "{source}", "demonstration": "{source}"}, "0 places for {target}"),
            ({"prompt": "{source}", "sepparator": "x"}, "'sepparator'"),
            ({"prompt": "{source}", "lead": 1}, "lead is 1"),
            ({"prompt": "{source}", "phrases": {"a": 1}}, "phrases is"),
            ({"prompt": "{source}", "by_target": {"de": {"prompt": "x"}}}, "by_target de: prompt"),
            ({"prompt": "{source}", "by_target": {"de": 1}}, "by_target de: expected the same"),
            ({"prompt": "{source}", "by_target": 1}, "by_target is not a map"),
        ],
    )
    def test_content(self, content, error):
        with pytest.raises(InputError) as info:
            Template.from_dict(content, "test")
        assert error in str(info.value) and str(info.value).startswith("test")

    def test_files(self, tmp_path):
        with pytest.raises(InputError, match="one of alpaca, post_ins, target_language"):
            Template.load("alpacca")
        path = tmp_path / "mine.yaml"
        path.write_text("prompt: [")
        with pytest.raises(InputError, match="is not YAML"):
            Template.load(path)
        path.write_text('prompt: "Say {source}"')
        assert Template.load(path).prompt == "Say {source}"

    def test_shots_need_a_demonstration(self):
        with pytest.raises(InputError, match="no 'demonstration'"):
            make({"prompt": "{source}"}, demonstrations=lambda source, target: [])


class TestDemonstrations:
    @pytest.fixture
    def prefix(self, tmp_path):
        for language in ("en", "de", "fr"):
            lines = "".join(f"{language} {i}\n" for i in range(20))
            (tmp_path / f"dev.{language}").write_text(lines + "\n")
        return tmp_path / "dev"

    def test_drawn_by_seed(self, prefix):
        drawn = [Demonstrations(str(prefix), 5, seed)("en", "de") for seed in (1, 1, 2)]
        assert drawn[0] == drawn[1] != drawn[2]
        assert len(set(drawn[0])) == 5
        assert all(s.split()[1] == t.split()[1] for s, t in drawn[0])

    def test_directions_show_the_same_sentences(self, prefix):
        demonstrations = Demonstrations(str(prefix), 5, 1)
        numbers = [
            [source.split()[1] for source, _ in demonstrations(*pair)]
            for pair in (("en", "de"), ("de", "fr"))
        ]
        assert numbers[0] == numbers[1]

    def test_errors(self, prefix):
        with pytest.raises(InputError, match="above zero"):
            Demonstrations(str(prefix), -1, 1)
        with pytest.raises(InputError, match="has 20 pairs of en-de only"):
            Demonstrations(str(prefix), 21, 1)("en", "de")
        with pytest.raises(InputError, match="can't be read"):
            Demonstrations(str(prefix), 1, 1)("en", "cs")
        Path(f"{prefix}.fr").write_text("one\n")
        with pytest.raises(InputError, match="must be aligned"):
            Demonstrations(str(prefix), 1, 1)("en", "fr")
