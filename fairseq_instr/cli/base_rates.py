r"""Measure how often ordinary references obey each instruction of the catalogue by chance.

    fairseq-instr base-rates --pair de=test.en,test.de --pair fr=test.en,test.fr \
        --text "Multi30k test_2016_flickr" --output base_rates.yaml

The rates that come with the package are shown by fairseq-instr inventory --list.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Tuple

from fairseq_instr.cli.options import REQUIRED, add_output, option, take
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.base_rates import write_base_rates


def add_arguments(parser) -> None:
    option(
        parser, "--pair", REQUIRED, "two aligned files, plain or .gz, and the targets' language; "
        "give it once for each pair of files", action="append", metavar="LANGUAGE=SOURCE,TARGET",
    )  # fmt: skip
    option(parser, "--text", REQUIRED, "name of the text, kept with the rates")
    add_output(parser, "YAML file to write")


def run(args) -> None:
    counts = write_base_rates(_parse(args.pair), **take(args, "text output force"))
    print(f"{args.output}: " + ", ".join(f"{n} pairs into {code}" for code, n in counts.items()))


def _parse(entries: Iterable[str]) -> Dict[str, List[Tuple[str, str]]]:
    files: Dict[str, List[Tuple[str, str]]] = {}
    for entry in entries:
        language, _, paths = entry.partition("=")
        source, _, target = paths.partition(",")
        if not (language and source and target):
            raise InputError(f"--pair {entry!r} is not accepted; give LANGUAGE=SOURCE,TARGET")
        files.setdefault(language, []).append((source, target))
    return files
