from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairseq_instr.curation import curators
from fairseq_instr.curation.aligned_text import Chunk
from fairseq_instr.curation.curators import (
    DUPLICATE,
    NOT_APPLICABLE,
    NOT_FOUND,
    NOT_SPELLED,
    NOT_VERIFIED,
    OBEYS_ALREADY,
    Curation,
    Curator,
)
from fairseq_instr.curation.filters import EMPTY, well_formed
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, catalogue

PAIRS = [(f"Source {i}", f"Ziel {i}") for i in range(100)]


def chunk(pairs, first=0, invalid=()):
    sources, targets = ([text.encode() for text in side] for side in zip(*pairs))
    return Chunk(first, sources, targets, invalid)


def collect(names, chunks, n_samples=10, language="de", **options):
    """Samples and the curation itself, of chunks in the order given."""
    instructions = [catalogue()[name] for name in names]
    counts = dict.fromkeys(names, n_samples)
    curation = Curation(instructions, language, counts, **options)
    for part in chunks:
        curation.add(part)
    samples, refused = curation.finish()
    return samples, refused, curation


def without(part):
    """A vocabulary that can't write a part of a text."""
    return lambda text: None if part in text else text


def test_samples_have_their_source_as_it_is_and_rejections_are_counted_by_reason():
    pairs = [("a", "Straße"), ("b", "Wasser"), ("c", "groß"), ("", "Spaß"), ("c", "groß")]
    samples, _, curation = collect(["swiss"], [chunk(pairs[:3]), chunk(pairs[3:], first=3)])
    assert samples == {"swiss": [("a", "Strasse", "swiss"), ("c", "gross", "swiss")]}
    (curator,) = curation.curators
    assert curator.rejections == {NOT_APPLICABLE: 1, EMPTY: 1, DUPLICATE: 1}
    assert curator.examined == curation.pairs == 5


def test_a_rule_that_fails_its_own_verifier_makes_no_sample():
    bad = Instruction(
        "bad", "axis", obeys=lambda text, context: text == "Ziel 1", rewrite=lambda t, c: t + "!"
    )
    curation = Curation([bad], "de", {"bad": 5})
    curation.add(chunk(PAIRS[:3]))
    assert curation.curators[0].rejections == {NOT_VERIFIED: 2, OBEYS_ALREADY: 1}
    samples, refused = curation.finish()
    assert samples == {} and "'bad'" in refused["bad"]


def test_what_is_natural_is_kept_as_it_stands():
    pairs = [("A big dog", "Hund"), ("A dog", "Ein sehr großer Hund"), ("A cat", "Katze")]
    samples, _, curation = collect(["short", "begin-with"], [chunk(pairs)])
    assert samples["short"] == [("A big dog", "Hund", "short")]
    assert curation.curators[0].rejections == {NOT_FOUND: 2}
    (found,) = samples["begin-with"]  # of a single word nothing would be left to translate
    assert found.target == pairs[1][1]
    assert found.instruction in (
        'begin-with="Ein"', 'begin-with="Ein sehr"', 'begin-with="Ein sehr großer"',
    )  # fmt: skip


NAMES = ["uppercase", "digits", "short", "begin-with", "json"]
TEXT = [
    (f"Source text number {i % 170}", f"{'Zwei' if i % 3 else 'Drei'} Texte mit Nummer {i % 170}")
    for i in range(400)
]


@given(cuts=st.lists(st.integers(0, 400), max_size=4), seed=st.integers(0, 3), data=st.data())
@settings(max_examples=25, deadline=None)
def test_shards_in_any_order_add_up_to_the_whole(cuts, seed, data):
    """Samples, the share that can't be spelled, and the base rate, that of the first lines."""
    options = {"seed": seed, "spell": without(" 7")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curators, "N_FOR_BASE_RATE", 150)
        samples, refused, whole = collect(NAMES, [chunk(TEXT)], **options)
        edges = sorted({0, 400, *cuts})
        chunks = [chunk(TEXT[a:b], first=a) for a, b in zip(edges, edges[1:])]
        total = Curation([catalogue()[n] for n in NAMES], "de", dict.fromkeys(NAMES, 10), seed)
        for part in data.draw(st.permutations(chunks)):
            shard = collect(NAMES, [part], **options)[2]
            total.merge(json.loads(json.dumps(shard.to_dict())))
        assert collect(NAMES, chunks, **options)[0] == samples
    assert total.finish() == (samples, refused)
    assert total.pairs == 400
    for curator, of_whole in zip(total.curators, whole.curators):
        assert curator.base_rate_pairs == of_whole.base_rate_pairs in (0, 150)
        assert curator.obeyed == of_whole.obeyed


def test_a_chunk_that_is_added_again_changes_nothing_that_is_kept():
    parts = [chunk(TEXT[:200]), chunk(TEXT[200:], first=200)]
    assert collect(NAMES, parts)[0] == collect(NAMES, [*parts, parts[0]])[0]


def test_the_samples_are_those_of_the_smallest_priorities():
    """Rewriting everything and sorting gives the same: what is skipped could not be kept."""
    curator = Curator(catalogue()["digits"], "de", 10, seed=5)
    by_hand = Curation([catalogue()["digits"]], "de", {"digits": len(TEXT)}, seed=5)
    by_hand.add(chunk(TEXT))
    everything = by_hand.curators[0].to_dict()["kept"]
    smallest = sorted(everything)[:10]
    curator.merge({**by_hand.curators[0].to_dict(), "kept": smallest})
    samples, _, curation = collect(["digits"], [chunk(TEXT)], seed=5)
    assert samples["digits"] == curator.finish()
    assert len(everything) == len(set(TEXT))


def test_most_pairs_are_never_looked_at():
    pairs = [(f"Source {i}", f"Ziel {i}") for i in range(20_000)]
    chunks = [chunk(pairs[a : a + 1000], first=a) for a in range(0, 20_000, 1000)]
    _, _, curation = collect(["uppercase"], chunks, n_samples=100)
    # expected: 100 (1 + ln(20000 / 1000)) = 400 (the first chunk gives 100)
    assert curation.pairs == 20_000
    assert 250 < curation.curators[0].examined < 600


def test_a_line_that_was_called_invalid_is_no_sample():
    broken = Chunk(0, [b"a dog", b"\xff"], [b"Ein Hund", b"Zwei"], invalid=(1,))
    samples, _, curation = collect(["uppercase"], [broken])
    assert [s.target for s in samples["uppercase"]] == ["EIN HUND"]
    assert curation.invalid == 1


def test_filters_are_asked_once_a_pair_and_costly_ones_last():
    calls = []

    def costly(source, target):
        calls.append(source)
        return "no" if source == "b" else None

    pairs = [("a", "Straße"), ("b", "groß"), ("c", "Wasser"), ("", "Spaß")]
    samples, _, curation = collect(
        ["swiss", "double-quotes"], [chunk(pairs)], filters=(well_formed,), costly_filters=(costly,)
    )
    assert sorted(calls) == ["a", "b", "c"]
    assert len(samples["swiss"]) == 1
    assert curation.curators[0].rejections == {NOT_APPLICABLE: 1, EMPTY: 1, "no": 1}


@given(n_samples=st.integers(1, 150), seed=st.integers(0, 5))
def test_as_many_samples_as_asked_for_without_repetition_in_order(n_samples, seed):
    samples, _, _ = collect(["uppercase"], [chunk(PAIRS)], n_samples, seed=seed)
    sources = [sample.source for sample in samples["uppercase"]]
    assert len(sources) == min(n_samples, len(PAIRS))
    assert sources == [source for source, _ in PAIRS if source in set(sources)]


def test_the_seed_decides_and_other_instructions_do_not():
    cases = ((["uppercase"], 3), (["json", "uppercase"], 3), (["uppercase"], 4))
    found = [collect(names, [chunk(PAIRS)], seed=seed)[0]["uppercase"] for names, seed in cases]
    assert found[0] == found[1] != found[2]


def test_every_pair_has_the_same_chance():
    counts = dict.fromkeys((source for source, _ in PAIRS), 0)
    for seed in range(300):
        for sample in collect(["uppercase"], [chunk(PAIRS)], seed=seed)[0]["uppercase"]:
            counts[sample.source] += 1
    # 300 draws of a tenth: mean 30, standard deviation 5.2
    assert all(9 <= count <= 55 for count in counts.values())


def test_what_the_vocabulary_cannot_spell_refuses_the_instruction():
    _, refused, curation = collect(["html-bold"], [chunk(PAIRS)], n_samples=50, spell=without("<"))
    assert curation.curators[0].rejections[NOT_SPELLED] > 0
    assert set(refused) == {"html-bold"}


def test_a_few_targets_that_cannot_be_spelled_are_left_out():
    # a tenth of the targets ends in 7: too many; of these two, few enough
    _, refused, _ = collect(["html-bold"], [chunk(PAIRS)], n_samples=90, spell=without("7</"))
    assert "10 of 100" in refused["html-bold"]
    samples, refused, _ = collect(["html-bold"], [chunk(PAIRS)], n_samples=90, spell=without(" 97"))
    assert refused == {} and len(samples["html-bold"]) == 90


def test_an_argument_that_can_not_be_spelled_is_none():
    _, refused, curation = collect(
        ["at-most"], [chunk(PAIRS)], spell=lambda text: None if text.isdecimal() else text
    )
    assert curation.curators[0].rejections[NOT_SPELLED] and "at-most" in refused["at-most"]


def test_a_target_that_the_vocabulary_writes_otherwise_must_obey_as_it_is_written():
    """Moses puts blanks into `<b>`; `begin-with` has its argument looked up as well."""
    curation = collect(
        ["html-bold", "uppercase", "begin-with"],
        [chunk(PAIRS)],
        spell=lambda text: text.replace("<b>", "< b >"),
    )[2]
    samples, refused = curation.finish()
    assert set(refused) == {"html-bold"}
    assert len(samples["uppercase"]) == len(samples["begin-with"]) == 10
    told = collect(["begin-with"], [chunk(PAIRS)], spell=lambda text: f"x{text}")[1]
    assert set(told) == {"begin-with"}


@pytest.mark.parametrize("name, language", [("formal", "de"), ("swiss", "fr")])
def test_an_instruction_without_a_rule_here_is_refused(name, language):
    with pytest.raises(InputError, match=name):
        Curator(catalogue()[name], language, 5)
