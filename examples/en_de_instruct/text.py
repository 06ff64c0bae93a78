"""Everyday English-German text, split, with sentences that were translated in both addresses.

No line for training has a side that stands in the validation lines, the test lines, or a test set
beside the texts; letters and digits are compared, in lower case.
"""

import gzip
import random
import sys
from pathlib import Path
from typing import Dict, Iterable, List, Sequence, Set, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from recipe import write_columns

from fairseq_instr.curation.filters import length_ratio, well_formed
from fairseq_instr.instructions import Context, catalogue

LANGUAGES = ("en", "de")
STREAMS = (*LANGUAGES, "instr")
FORMALITIES = ("formal", "informal")
CASES = ("uppercase", "lowercase", "titlecase")
CASE_SHARE = 0.06
"""Of the training lines, once more in each case: a small model writes what it was shown."""
EVERYDAY = "tatoeba_manythings"
# English words of a line, fewest and most: long ones cost most of the time and teach manuals
FOLDERS = {
    "libreoffice": (3, 25),
    "apps": (3, 25),
    "debian_docs": (3, 25),
    "wesnoth": (1, 30),
    "tldr": (3, 30),
    EVERYDAY: (1, 30),
    "chat_bcontrast": (1, 30),
}
TESTS = ("multiway_heldout/valid", "multiway_heldout/test", "chat_bcontrast/test.en-de")
COCOA = "formality/{split}/en-de"
Pair = Tuple[str, str]


def write_text(raw: Path, output: Path, n_held_out: int, seed: int) -> None:
    """Write {train,valid,test}.{en,de}, base_train.{en,de} and labelled.{en,de,instr}.

    `base_train` is the training text with both addresses, and some lines in other cases.

    Args:
        raw: folder of the texts; the README says what lies there.
        output: folder to write.
        n_held_out: lines of `valid`, and of `test`.
        seed: of the order and of what is held out.
    """
    output.mkdir(parents=True, exist_ok=True)
    chooser = random.Random(seed)
    tests = read_tests(raw)
    folder_of: Dict[Pair, str] = {}
    for folder, lengths in FOLDERS.items():
        for pair in read_folder(raw / folder, lengths):
            if not tests.intersection(map(fold, pair)):
                folder_of.setdefault(pair, folder)
    pairs = list(folder_of)
    chooser.shuffle(pairs)
    held_out: Set[str] = set()
    for split in ("valid", "test"):
        lines = hold_out(pairs, folder_of, n_held_out, held_out)
        chooser.shuffle(lines)
        write_columns(output / split, LANGUAGES, lines)
    train = [pair for pair in pairs if not held_out.intersection(map(fold, pair))]
    write_columns(output / "train", LANGUAGES, train)

    both, cocoa = read_both_addresses(raw, tests | held_out)
    addressed = [(source, target) for source, *targets in both for target in targets]
    cased = [
        tuple(catalogue()[case].rewrite(side, Context()) or side for side in pair)
        for case in CASES
        for pair in chooser.sample(train, int(CASE_SHARE * len(train)))
    ]
    base = [*train, *(p for p in dict.fromkeys(addressed) if p not in folder_of), *cased]
    chooser.shuffle(base)
    write_columns(output / "base_train", LANGUAGES, base)

    samples = [
        (source, target, formality)
        for source, *targets in dict.fromkeys([*cocoa, *both])
        for target, formality in zip(targets, FORMALITIES)
    ]
    write_columns(output / "labelled", STREAMS, samples)
    print(f"  {len(train)} pairs, {len(samples)} labelled samples")


def read(path: Path) -> List[str]:
    """Stripped lines of a gzipped file; only a line feed ends one."""
    with gzip.open(f"{path}.gz", "rt", encoding="utf-8", newline="\n") as lines:
        return [line.strip() for line in lines]


def fold(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def is_good(source: str, target: str) -> bool:
    return not well_formed(source, target) and not length_ratio(3.0)(source, target)


def read_folder(folder: Path, lengths: Tuple[int, int]) -> Iterable[Pair]:
    """Pairs of a multi-way or bilingual folder within the lengths."""
    fewest, most = lengths
    stem = "train" if (folder / "train.en.gz").exists() else "train.en-de"
    for source, target in zip(*(read(folder / f"{stem}.{language}") for language in LANGUAGES)):
        fits = fewest <= len(source.split()) <= most and len(target.split()) <= most + 10
        if fits and is_good(source, target):
            yield source, target


def read_tests(text: Path) -> Set[str]:
    """Folded lines of all test sets, in both languages."""
    paths = [text / f"{name}.{language}" for name in TESTS for language in LANGUAGES]
    folder = text / COCOA.format(split="test")
    paths += [p.with_suffix("") for p in folder.glob("*.gz") if ".ann." not in p.name]
    return {fold(line) for path in paths for line in read(path)} - {""}


def hold_out(
    pairs: Sequence[Pair], folder_of: Dict[Pair, str], count: int, held_out: Set[str]
) -> List[Pair]:
    """The first pairs of four words and more, three fifths of them everyday sentences.

    `held_out` gets their folded sides, and no pair has a side in it.
    """
    room = {True: count * 0.6, False: count * 0.4}
    found = []
    for pair in pairs:
        is_everyday = folder_of[pair] == EVERYDAY
        if room[is_everyday] <= 0 or len(pair[0].split()) < 4:
            continue
        if not held_out.intersection(map(fold, pair)):
            held_out.update(map(fold, pair))
            found.append(pair)
            room[is_everyday] -= 1
    return found


def read_both_addresses(text: Path, tests: Set[str]) -> Tuple[list, list]:
    """(source, formal, informal) of programs and Tatoeba, and of CoCoA-MT.

    Left out are those whose two translations are one: nobody is addressed.
    """
    stems = [text / name / "train.en-de" for name in ("formality_apps", "formality_tatoeba")]
    folder = text / COCOA.format(split="train")
    stems_of_cocoa = sorted(path.with_suffix("").with_suffix("") for path in folder.glob("*.en.gz"))

    def rows(stem: Path):
        return zip(*(read(Path(f"{stem}.{e}")) for e in ("en", "formal.de", "informal.de")))

    def is_kept(source: str, *targets: str) -> bool:
        if tests.intersection(map(fold, (source, *targets))) or len(set(targets)) == 1:
            return False
        return len(source.split()) <= 30 and all(is_good(source, target) for target in targets)

    both, cocoa = (
        [row for stem in group for row in rows(stem) if is_kept(*row)]
        for group in (stems, stems_of_cocoa)
    )
    return both, cocoa
