from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.curation.from_parallel import (
    NOT_APPLICABLE,
    NOT_SPELLED,
    NOT_VERIFIED,
    OBEYS_ALREADY,
    Curator,
    curate,
)
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Context, Instruction, catalogue

PAIRS = [(f"Source {i}", f"Ziel {i}") for i in range(100)]


def test_a_sample_has_the_source_as_it_is_and_a_target_that_obeys():
    samples, _ = curate(
        [("A man.", "Ein Mann.")], [catalogue()["html-bold"]], "de", {"html-bold": 5}
    )
    assert samples == {"html-bold": [("A man.", "<b>Ein Mann.</b>", "html-bold")]}


def test_rejections_are_counted_by_reason():
    pairs = [("a", "Straße"), ("b", "Wasser"), ("c", "groß")]
    curator = Curator(catalogue()["swiss"], "de", 5)
    for pair in pairs:
        curator.add(*pair)
    assert [sample.target for sample in curator.finish()] == ["Strasse", "gross"]
    assert curator.rejections == {NOT_APPLICABLE: 1}


def test_a_rule_that_fails_its_own_verifier_makes_no_sample():
    bad = Instruction(
        "bad", "axis", obeys=lambda text, context: text == "Ziel 1", rewrite=lambda t, c: t + "!"
    )
    curator = Curator(bad, "de", 5)
    for pair in PAIRS[:3]:
        curator.add(*pair)
    assert curator.rejections == {NOT_VERIFIED: 2, OBEYS_ALREADY: 1}
    with pytest.raises(InputError, match="'bad' has no sample"):
        curator.finish()


@given(n_samples=st.integers(1, 150), seed=st.integers(0, 5))
def test_as_many_samples_as_asked_for_without_repetition_in_order(n_samples, seed):
    samples, _ = curate(PAIRS, [catalogue()["uppercase"]], "de", {"uppercase": n_samples}, seed)
    sources = [sample.source for sample in samples["uppercase"]]
    assert len(sources) == min(n_samples, len(PAIRS))
    assert sources == [source for source, _ in PAIRS if source in set(sources)]


def test_the_seed_decides_and_other_instructions_do_not():
    alone, _ = curate(PAIRS, [catalogue()["uppercase"]], "de", {"uppercase": 10}, seed=3)
    both, _ = curate(
        PAIRS,
        [catalogue()["json"], catalogue()["uppercase"]],
        "de",
        {"json": 10, "uppercase": 10},
        seed=3,
    )
    other, _ = curate(PAIRS, [catalogue()["uppercase"]], "de", {"uppercase": 10}, seed=4)
    assert alone["uppercase"] == both["uppercase"] != other["uppercase"]


def test_every_pair_has_the_same_chance():
    counts = dict.fromkeys((source for source, _ in PAIRS), 0)
    for seed in range(300):
        samples, _ = curate(PAIRS, [catalogue()["uppercase"]], "de", {"uppercase": 10}, seed)
        for sample in samples["uppercase"]:
            counts[sample.source] += 1
    # 300 draws of a tenth: mean 30, standard deviation 5.2
    assert all(9 <= count <= 55 for count in counts.values())


def test_what_the_vocabulary_cannot_spell_refuses_the_instruction():
    curator = Curator(catalogue()["html-bold"], "de", 50, can_spell=lambda text: "<" not in text)
    for pair in PAIRS:
        curator.add(*pair)
    assert curator.rejections[NOT_SPELLED] > 0
    with pytest.raises(InputError, match="'html-bold' is refused: the vocabulary can't spell"):
        curator.finish()


@pytest.mark.parametrize(
    "name, language, message",
    [("formal", "de", "has no rule"), ("swiss", "fr", "does not serve the target language 'fr'")],
)
def test_an_instruction_without_a_rule_here_is_refused(name, language, message):
    with pytest.raises(InputError, match=message):
        Curator(catalogue()[name], language, 5)


def test_rewriting_sees_source_and_language():
    samples, _ = curate(
        [("Two dogs", "Zwei Hunde")], [catalogue()["bilingual"]], "de", {"bilingual": 1}
    )
    (sample,) = samples["bilingual"]
    assert sample.target == "Two dogs ||| Zwei Hunde"
    assert catalogue()["bilingual"].obeys(sample.target, Context(source="Two dogs", language="de"))
