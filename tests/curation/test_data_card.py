"""The data card says what is there, and markup in samples does not break its tables."""

from fairseq_instr.curation import data_card
from fairseq_instr.curation.aligned_text import Chunk
from fairseq_instr.curation.curators import Curation
from fairseq_instr.instructions import catalogue


def make(targets, invalid=()):
    names = ["html-bold", "swiss", "keep-tags"]
    curation = Curation([catalogue()[n] for n in names], "de", dict.fromkeys(names, 2))
    sources = [f"source | {i}".encode() for i in range(len(targets))]
    curation.add(Chunk(0, sources, [target.encode() for target in targets], invalid))
    samples, refused = curation.finish()
    return data_card.describe(curation, samples, refused, {"source": "a|b.txt", "seed": 1})


def test_counts_rates_and_rejections():
    card = make(["Spaß", "Hund", "Strasse", "Katze"])
    assert (card["pairs"], card["samples"]) == (4, 3)
    swiss = card["instructions"]["swiss"]
    assert (swiss["samples"], swiss["examined"], swiss["base_rate"]) == (1, 4, 0.25)
    assert swiss["rejected"] == {"rule does not apply": 3}
    assert swiss["examples"][0]["target"] == "Spass"
    assert "no sample" in card["instructions"]["keep-tags"]["refused"]


def test_tables_stay_tables():
    targets = ["<b>|x|</b>", "Hund", "*Spaß*", "A" * 500, "not read"]
    text = data_card.to_markdown(make(targets, invalid=(4,)))
    for line in text.splitlines():
        if line.startswith("|"):
            bare = line.replace("\\|", "")
            assert bare.count("|") in (3, 4, 8) and line.endswith("|")
    assert "Skipped: 1 pairs, not UTF-8." in text
    assert "Left out:" in text and "keep-tags" in text
    assert "of 2 instructions" in text  # not of keep-tags, of which there are none
    assert "A" * 200 not in text


def test_it_is_written_as_markdown_and_json(tmp_path):
    data_card.write(tmp_path, make(["Hund"]))
    assert (tmp_path / "data_card.md").read_text(encoding="utf-8").startswith("# Data card")
    assert (tmp_path / "data_card.json").stat().st_size > 100
