"""What a user did wrong, said in one sentence and without a traceback.

`InputError` is an ordinary `ValueError` to code that catches it. Where nobody does,
as under fairseq's own command lines, the exception hook installed by the package
prints its sentence alone; every other exception is shown as before.
"""

from __future__ import annotations

import sys
from typing import Optional

LONGEST_MESSAGE = 4000


class InputError(ValueError):
    """A wrong option, file or value; the message says what is accepted and what to do.

    Whatever it quotes of the user's input, it is one line that can be printed, of at most
    `LONGEST_MESSAGE` characters.
    """

    def __init__(self, message: object):
        # of what is not text (lone surrogates) the code is shown
        text = str(message).encode("utf-8", "backslashreplace").decode("utf-8")
        line = " ".join(text.split())
        if len(line) > LONGEST_MESSAGE:
            half = LONGEST_MESSAGE // 2 - 1
            line = f"{line[:half]} … {line[-half + 1 :]}"
        super().__init__(line)


def check_at_least(least: float, **options: Optional[float]) -> None:
    """Refuse numbers below the least, by the name of their option; None is no number."""
    for name, value in options.items():
        if value is not None and not value >= least:
            option = "--" + name.replace("_", "-")
            raise InputError(f"{option} {value} is not accepted: give {least} or more")


def find_input_error(error):
    """The `InputError` behind `error`: fairseq wraps what happens while a checkpoint loads."""
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, InputError):
            return error
        seen.add(id(error))
        # what `raise ... from None` hides stays hidden: it was dealt with
        hidden = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or hidden
    return None


def install_exception_hook(diagnose=None):
    """Show an uncaught `InputError` as one line; leave every other exception to the old hook.

    Args:
        diagnose: traceback of another exception -> the `InputError` that explains it, or None.
    """
    previous = sys.excepthook
    if getattr(previous, "shows_input_errors", False):
        return

    def show(kind, error, traceback):
        found = find_input_error(error)
        if found is None and diagnose is not None:
            found = diagnose(traceback)
        if found is None:
            previous(kind, error, traceback)
        else:
            print("fairseq_instr: error:", found, file=sys.stderr)

    show.shows_input_errors = True  # type: ignore[attr-defined]  # a mark for the next call
    sys.excepthook = show
