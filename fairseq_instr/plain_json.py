"""Reading JSON files that somebody may have cut, lost or edited."""

from __future__ import annotations

import json
from pathlib import Path

from fairseq_instr.errors import InputError


def read_json(path, remedy: str) -> object:
    """Content of a JSON file.

    Args:
        path: of it.
        remedy: what to do where there is none, to end an error with, such as `convert it again`.

    Raises:
        InputError: if it can't be read, or is no JSON in UTF-8.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; {remedy}") from None
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}; {remedy}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}; {remedy}") from None
