"""Fields of the dataclasses that fairseq makes its command line of."""

from dataclasses import field
from typing import Any


def with_help(default: Any, text: str) -> Any:
    """A field of a config, with the help of its option; a `%` in it is written twice."""
    return field(default=default, metadata={"help": text})
