"""BPE codes on Moses tokens against fairseq's own encoders, which need torch."""

from __future__ import annotations

import io
import sys
from argparse import Namespace

import pytest

from fairseq_instr import sample
from fairseq_instr.errors import InputError
from fairseq_instr.text.bpe_codes import read_merges
from fairseq_instr.text.subwords import load_subwords

ODD = [
    'Isn\'t it? – »Ja«, (he said): "no" & <b>bold</b> | [x]  end-of-line...',
    "z. B. am 3. Mai um 10:30 Uhr für 3,50 €; don't; 漢字 😀 \t tab",
    "L'été d'Anna, c'est-à-dire ... @-@ &amp; &#124;",
    "x@@ y @@ z",
    "",
    "   ",
]


@pytest.fixture(scope="module")
def text():
    """Lines of German and English, with marks that Moses escapes and splits at."""
    made = [s.texts[language] for s in sample.generate(300, 1) for language in ("en", "de")]
    return [*ODD, *made]


@pytest.fixture(scope="module")
def codes(text, tmp_path_factory):
    """The same merges as subword-nmt and as fastBPE write them."""
    pytest.importorskip("sacremoses")
    learn_bpe = pytest.importorskip("subword_nmt.learn_bpe")
    folder = tmp_path_factory.mktemp("codes")
    learned = io.StringIO()
    learn_bpe.learn_bpe(io.StringIO("\n".join(text)), learned, 300)
    (folder / "subword_nmt").write_text(learned.getvalue(), "utf-8")
    merges = learned.getvalue().splitlines()[1:]
    counted = "".join(f"{merge} {1000 - i}\n" for i, merge in enumerate(merges))
    (folder / "fastbpe").write_text(counted, "utf-8")
    return folder


@pytest.mark.parametrize("kind", ["subword_nmt", "fastbpe"])
@pytest.mark.parametrize("source, target", [("en", "de"), ("fr", "en"), ("de_DE", "xx")])
def test_fairseq_has_the_same_pieces_and_text(codes, text, kind, source, target):
    from fairseq.data.encoders import build_bpe, build_tokenizer
    from fairseq.data.encoders.moses_tokenizer import MosesTokenizerConfig

    if kind == "fastbpe":
        pytest.importorskip("fastBPE")
    moses = {"_name": "moses", "tokenizer": "moses", "source_lang": source, "target_lang": target}
    tokenizer = build_tokenizer(Namespace(**{**vars(MosesTokenizerConfig()), **moses}))
    bpe = build_bpe(
        Namespace(_name=kind, bpe=kind, bpe_codes=str(codes / kind), bpe_separator="@@")
    )
    encoders = load_subwords(codes / kind, source, target)
    for line in text:
        pieces = bpe.encode(tokenizer.encode(line))
        assert encoders.source.encode(line) == pieces
        assert encoders.target.decode(pieces) == tokenizer.decode(bpe.decode(pieces))


def test_both_formats_have_the_same_merges(codes, text):
    one, other = (load_subwords(codes / kind, "en", "de") for kind in ("subword_nmt", "fastbpe"))
    assert read_merges(codes / "fastbpe") == read_merges(codes / "subword_nmt").rstrip("\n")
    for line in text:
        assert one.source.encode(line) == other.source.encode(line)


def test_each_side_has_the_rules_of_its_language(codes):
    encoders = load_subwords(codes / "subword_nmt", "fr", "en")
    written = [
        side.encode("l'ami").replace("@@ ", "") for side in (encoders.source, encoders.target)
    ]
    assert written == ["l&apos; ami", "l &apos;ami"]
    same = load_subwords(codes / "subword_nmt", "de", "de")
    assert same.source is same.target


BAD = {
    "words.txt": "Ein Haus am See\n",
    "mixed": "a b 3\nc d\n",
    "header": "#version: 0.2\na b\nc\n",
    "dict.de.txt": "Haus 12\nHund 3\n",
    "spm.vocab": "<unk>\t0\n▁H\t-2.1\n",
    "empty": "",
    "header.alone": "#version: 0.2\n",
    "latin-1": "é b\n".encode("latin-1"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_holds_no_codes_is_named(tmp_path, name):
    content = BAD[name]
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=name):
        load_subwords(tmp_path / name, "en", "de")


def test_codes_need_languages_and_their_packages(codes, monkeypatch):
    with pytest.raises(InputError, match="-s and -t"):
        load_subwords(codes / "subword_nmt")
    for package in ("sacremoses", "subword_nmt"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            patch.delitem(sys.modules, f"{package}.apply_bpe", raising=False)
            with pytest.raises(InputError, match=f"pip install {package.replace('_', '-')}"):
                load_subwords(codes / "subword_nmt", "en", "de")
