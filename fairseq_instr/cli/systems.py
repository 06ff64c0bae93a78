"""What the commands that evaluate share: their options, and how they load what translates."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any, ClassVar, Collection, Dict, Iterable, List, Optional, Tuple

from fairseq_instr.cli.options import REQUIRED, add_output, flag, option
from fairseq_instr.errors import InputError
from fairseq_instr.files import digest_of
from fairseq_instr.instructions.inventory import INVENTORY_FILE
from fairseq_instr.serving.loading import load_translator
from fairseq_instr.text.subwords import SUBWORDS


def add_data_arguments(parser, allow_unknown: bool = False) -> None:
    """Options of the data-bin and the subwords; with `allow_unknown`, any text is translated."""
    option(parser, "--data", REQUIRED, "data-bin with the dictionaries and instructions.yaml")
    text = f"{SUBWORDS}; leave it out if the text is segmented already"
    option(parser, "--subwords", None, text, metavar="MODEL")
    if allow_unknown:
        parser.set_defaults(allow_unknown=True)
    else:
        text = "also translate text whose tokens are mostly unknown to the model"
        flag(parser, "--allow-unknown", text)


def add_output_arguments(parser) -> None:
    """Options of decoding and of the report."""
    option(parser, "--beam", 4, "beam size")
    option(parser, "--batch-size", 64, "sentences decoded together")
    add_output(parser, "folder to write the report to", "overwrite a report in --output")


def add_decoding(parser, example: str) -> None:
    """Options of the task that each system decodes with."""
    text = f"options of the task that a system decodes with, such as {example}"
    option(parser, "--decoding", [], text, nargs="*", metavar="NAME=OPTIONS")


def add_tuned_decoding(parser) -> None:
    """Options of the task that a tuned model decodes with."""
    option(
        parser, "--decoding", "", "options of the task that the tuned model decodes with, such as "
        "--decoding='--guidance 0.5'", metavar="OPTIONS",
    )  # fmt: skip


class LazySystem:
    """A model that is loaded when it first has to answer; one is in memory at a time.

    Everything else is asked of the translator that it becomes: `Translator` for a checkpoint,
    `CTranslate2Translator` for a folder that `fairseq-instr export` wrote.

    Args:
        args: of the command: `data`, `subwords`, `beam`, `allow_unknown`.
        decoding: options of the task, as on a command line.

    Raises:
        InputError: if the task has no such option, or the model is an exported folder.
    """

    _loaded: ClassVar[Optional[Tuple[LazySystem, Any]]] = None

    def __init__(self, args, path: str, languages: Tuple[str, str], decoding: str = ""):
        from fairseq_instr.generation.translator import parse_task_options

        self.name = path
        self._args, self._languages = args, languages
        self._options = parse_task_options(decoding)
        if decoding and Path(path).is_dir():
            raise InputError(
                f"--decoding {decoding}: {path} is an exported folder, which decodes without "
                "options of the task; give a checkpoint"
            )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if LazySystem._loaded is None or LazySystem._loaded[0] is not self:
            LazySystem._loaded = None  # frees the last one first
            args = self._args
            translator = load_translator(
                self.name, args.data, args.subwords, *self._languages, args.beam, "checkpoint",
                **self._options,
            )  # fmt: skip
            translator.allow_unknown = args.allow_unknown
            LazySystem._loaded = (self, translator)
        return getattr(LazySystem._loaded[1], name)

    @property
    def digest(self) -> str:
        """Changes with the options of decoding, and with all files that a translation rests on."""
        decoding = hashlib.sha256(json.dumps([self._options, self._args.beam]).encode())
        data = Path(self._args.data)
        read = [self.name, *filter(None, [self._args.subwords])]
        if self._options.get("source_contrast") or self._options.get("language_boost"):
            read.append(data)  # they look at its text
        else:
            read += [*sorted(data.glob("dict.*.txt")), *data.glob(INVENTORY_FILE)]
        read += filter(os.path.isfile, map(str, self._options.values()))
        return digest_of(*read, begun=decoding)


def conditions(args, decoding: Dict[str, str]) -> Dict[str, str]:
    """How a command's systems decode, for its report."""
    own = "".join(f"; {name}: {options}" for name, options in decoding.items() if options)
    return {"decoding": f"beam {args.beam}, batches of {args.batch_size}{own}"}


def command_line(subcommand: str) -> str:
    """The command that runs, as a report shows it: paths below the working directory relative."""
    here = f"{Path.cwd()}/"
    arguments = sys.argv[2:] if sys.argv[1:2] == [subcommand] else sys.argv[1:]
    shown = [argument.replace(here, "") for argument in arguments]
    return shlex.join(["fairseq-instr", subcommand, *shown])


def split_commas(text: str) -> List[str]:
    """Entries of an option that takes several, separated by commas."""
    return [entry for entry in map(str.strip, text.split(",")) if entry]


def parse_named(
    entries: Iterable[str], option: str, what: str, reserved: Collection[str] = ()
) -> Dict[str, str]:
    """Split `a=x` into {"a": "x"}, where names are also folders, but none of the reserved ones.

    Raises:
        InputError: if there is no `=`, nothing behind it, a name twice, reserved, or of other
            characters than letters, digits, - and _.
    """
    named: Dict[str, str] = {}
    for entry in entries:
        name, _, value = entry.partition("=")
        letters = name.replace("_", "").replace("-", "")
        if not value or name in named or name in reserved or not letters.isalnum():
            others = "".join(f", not {word}" for word in reserved)
            raise InputError(
                f"{option} {entry!r} is not accepted: give NAME={what}, each name once, of "
                f"letters, digits, - and _{others}"
            )
        named[name] = value
    return named


def check_named(option: str, names: Iterable[str], systems: Collection[str]) -> None:
    """Refuse names that no system has."""
    unknown = ", ".join(name for name in names if name not in systems)
    if unknown:
        raise InputError(f"{option}: {unknown} is not among --systems {', '.join(systems)}")
