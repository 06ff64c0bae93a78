"""What a user did wrong, said in one sentence and without a traceback.

`InputError` is an ordinary `ValueError` to code that catches it. Where nobody does,
as under fairseq's own command lines, the exception hook installed by the package
prints its sentence alone; every other exception is shown as before.
"""

from __future__ import annotations

import sys


class InputError(ValueError):
    """A wrong option, file or value; the message says what is accepted and what to do."""


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


def install_exception_hook():
    """Show an uncaught `InputError` as one line; leave every other exception to the old hook."""
    previous = sys.excepthook
    if getattr(previous, "shows_input_errors", False):
        return

    def show(kind, error, traceback):
        found = find_input_error(error)
        if found is None:
            previous(kind, error, traceback)
        else:
            print("fairseq_instr: error:", " ".join(str(found).split()), file=sys.stderr)

    show.shows_input_errors = True
    sys.excepthook = show
