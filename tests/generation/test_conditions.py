"""Which conditions the lines of a batch get."""

import pytest
import torch
from fairseq.data import Dictionary

from fairseq_instr.errors import InputError
from fairseq_instr.generation.conditions import ConditionPlanner, Line
from fairseq_instr.generation.options import GuidanceOptions
from fairseq_instr.instructions import Instruction, Inventory
from fairseq_instr.instructions.asking import Request
from fairseq_instr.prompts import PLACEMENTS, TokenPrompt

PAD, EOS, FIRST = 1, 2, 100
DE, EN, FR, FORMAL = range(4)
SOURCES = [torch.tensor([10 + i] * (i % 3) + [11, EOS]) for i in range(20)]


@pytest.fixture
def plan():
    inventory = Inventory(
        [*(Instruction(f"to:{x}", "target-language") for x in ("de", "en", "fr"))]
        + [Instruction("formal", "formality")]
    )

    def plan(placement="source-prefix", source_language="fr", sources=SOURCES, **options):
        seed = options.pop("seed", 1)
        options = GuidanceOptions(**options)
        options.check()
        return ConditionPlanner(
            options, inventory, TokenPrompt(FIRST, placement), Dictionary(), source_language,
            seed, sources, longest=8,
        )  # fmt: skip

    return plan


def line(*words, asked=()):
    return Line(torch.tensor([*words, EOS]), tuple(map(Request, asked)))


def rows(condition):
    return [row[row != PAD].tolist() for row in condition.src_tokens]


def test_guidance_goes_from_the_bare_source_to_the_prompt(plan):
    """(1 + g) and -g; a direction alone is nothing to be guided by, and stays on both sides."""
    lines = [
        line(20, asked=(DE, FORMAL)),
        line(21),
        line(20, asked=(DE,)),
        line(20, asked=(FORMAL,)),
    ]
    own, bare = plan(guidance=0.5).plan(lines)
    assert rows(own) == [[100, 103, 20, EOS], [21, EOS], [100, 20, EOS], [103, 20, EOS]]
    assert rows(bare) == [[100, 20, EOS], [21, EOS], [100, 20, EOS], [20, EOS]]
    assert own.weights.tolist() == [1.5, 1.0, 1.0, 1.5]
    assert bare.weights.tolist() == [-0.5, 0.0, 0.0, -0.5]
    assert own.of_logs and bare.of_logs
    assert own.src_lengths.tolist() == [4, 2, 3, 3]


def test_lines_are_grouped_by_all_their_prompts(plan):
    """Two symbols each, of which the bare condition keeps the direction's."""
    planner = plan("decoder-prefix", guidance=0.5, language_contrast=0.1)
    one, other = line(20, asked=(DE, FORMAL)), line(20, asked=(EN, DE))
    assert planner.prompt_lengths(one) == (2, 1, 2, 2)
    assert planner.prompt_lengths(other)[:2] == (2, 2)
    assert plan(guidance=0.5).prompt_lengths(one) == (0, 0)


def test_each_wrong_language_is_a_condition(plan):
    """En and the source's own by default; a line is not contrasted with what it asks for."""
    lines = [line(20, asked=(DE, FORMAL)), line(20, asked=(EN,)), line(20, asked=(FR,))]
    own, english, french = plan(language_contrast=0.1).plan(lines)
    assert rows(english) == [[101, 103, 20, EOS], [101, 20, EOS], [101, 20, EOS]]
    assert english.weights.tolist() == pytest.approx([0.1, 0, 0.1])
    assert rows(french) == [[102, 103, 20, EOS], [102, 20, EOS], [102, 20, EOS]]
    assert french.weights.tolist() == pytest.approx([0.1, 0.1, 0])
    assert own.of_logs and not english.of_logs
    # named: en only, of logarithms, from English
    planner = plan(
        language_contrast=0.1, contrast_language="en,source", contrast_space="log-probability",
        source_language="en",
    )  # fmt: skip
    own, english = planner.plan(lines)
    assert english.of_logs and english.weights.tolist() == pytest.approx([-0.1, 0, -0.1])


def test_a_random_source_stands_under_the_same_prompt(plan):
    lines = [line(20, asked=(DE,)), line(21, 22)]
    planner = plan(source_contrast=0.7)
    own, other = planner.plan(lines)
    drawn = [planner.other_source(line.source).tolist() for line in lines]
    assert rows(other) == [[100, *drawn[0]], drawn[1]]
    assert other.weights.tolist() == pytest.approx([0.7, 0.7]) and not other.of_logs


def test_the_random_source_follows_from_the_line_and_the_seed(plan):
    lines = [torch.tensor([i, EOS]) for i in range(20, 60)]

    def drawn(**options):
        planner = plan(source_contrast=0.7, **options)
        return [planner.other_source(line).tolist() for line in lines]

    assert drawn() == drawn()
    assert drawn() != drawn(seed=2)
    assert len({tuple(source) for source in drawn()}) > 10
    planner = plan(source_contrast=0.7)
    assert drawn()[::-1] == [planner.other_source(x).tolist() for x in lines[::-1]]


def test_the_random_source_is_another_one_that_has_words_and_fits(plan):
    long, empty, good = torch.arange(20, 40), torch.tensor([EOS]), torch.tensor([9, EOS])
    own = torch.tensor([8, EOS])
    planner = plan(source_contrast=0.7, sources=[long, empty, own, good])
    for seed in range(10):
        planner.seed = seed
        assert planner.other_source(own).tolist() == [9, EOS]
    planner.sources = [long, empty, own]
    with pytest.raises(InputError, match="--contrast-subset holds no other source"):
        planner.other_source(own)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_count_says_how_many_conditions_there_are(plan, placement):
    options = {"guidance": 0.5, "source_contrast": 0.7, "language_contrast": 0.1}
    asked = line(20, asked=(DE,))
    for chosen in ((), ("guidance",), ("source_contrast", "guidance"), tuple(options)):
        planner = plan(placement, **{name: options[name] for name in chosen})
        conditions = planner.plan([asked])
        assert planner.count == len(conditions)
        on_decoder = placement == "decoder-prefix"
        assert conditions[0].prompt.tolist() == ([[2, 100]] if on_decoder else [[2]])
        if "guidance" in chosen:
            assert conditions[1].prompt.tolist() == conditions[0].prompt.tolist()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"guidance": -0.5}, "--guidance -0.5 is not accepted; give 0"),
        ({"source_contrast": float("nan")}, "--source-contrast nan is not accepted"),
        ({"language_contrast": float("inf")}, "--language-contrast inf is not accepted"),
        ({"plausibility": 1.5}, "--plausibility 1.5 is not accepted"),
        ({"contrast_space": "logit"}, "--contrast-space 'logit' is not accepted; choose probab"),
        ({"contrast_language": "en"}, "does nothing without --language-contrast"),
        (
            {"language_contrast": 0.1, "contrast_language": "en,nl"},
            "--contrast-language 'nl' has no instruction 'to:nl' in the inventory; languages "
            "there: de, en, fr",
        ),
    ],
)
def test_what_is_not_accepted_is_refused(plan, options, message):
    with pytest.raises(InputError, match=message):
        plan(**options)


def test_a_line_without_a_language_has_no_wrong_one(plan):
    with pytest.raises(InputError, match="a line has no target language to contrast with"):
        plan(language_contrast=0.1).plan([line(20, asked=(FORMAL,))])


def test_an_inventory_without_languages_has_no_wrong_one():
    options = GuidanceOptions(language_contrast=0.1)
    with pytest.raises(InputError, match="neither 'en' nor .* 'de' has an instruction"):
        ConditionPlanner(options, Inventory(), TokenPrompt(FIRST), Dictionary(), "de")
