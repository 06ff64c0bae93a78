"""Systems that are compared, as the command line names them: `tuned=tuned.pt`."""

from __future__ import annotations

from typing import Collection, Dict, Iterable

from fairseq_instr.errors import InputError


def parse_named(
    entries: Iterable[str], option: str, what: str, reserved: Collection[str] = ()
) -> Dict[str, str]:
    """Split `a=x` into {"a": "x"}; names are also folders.

    Args:
        entries: as given.
        option: that they were given to.
        what: stands behind the `=`, for the error: `CHECKPOINT`.
        reserved: names that stand for something else.

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
    """Refuse names that no system has.

    Raises:
        InputError: with those names, and the systems'.
    """
    unknown = ", ".join(name for name in names if name not in systems)
    if unknown:
        raise InputError(f"{option}: {unknown} is not among --systems {', '.join(systems)}")
