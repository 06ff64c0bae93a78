"""Import fairseq, and leave the process as it was.

Importing fairseq sets the root logger to DEBUG, and registering the task installs an exception
hook. Both are meant for fairseq's own commands. A program that imports a translator keeps its
logging and its hook: import this module before fairseq.
"""

from __future__ import annotations

import contextlib
import logging
import sys


@contextlib.contextmanager
def process_unchanged():
    """Put the root logger and `sys.excepthook` back after the block."""
    root, hook = logging.getLogger(), sys.excepthook
    level, handlers = root.level, list(root.handlers)
    root.addHandler(logging.NullHandler())  # `logging.basicConfig` leaves a logger with one alone
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        sys.excepthook = hook


with process_unchanged():
    import fairseq.tasks  # noqa: F401
