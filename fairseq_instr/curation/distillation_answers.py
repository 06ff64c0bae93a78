"""What a language model answered and what was spent, in one SQLite file that survives a kill.

Each answer is a transaction, on disk before the next is asked for. One process at a time holds the
file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from pathlib import Path
from typing import NamedTuple, Optional

from fairseq_instr.errors import InputError
from fairseq_instr.files import making, writable

_VERSION = 1
_TABLES = """
    CREATE TABLE IF NOT EXISTS answers (
        fingerprint TEXT PRIMARY KEY, content TEXT, refused TEXT, tokens INTEGER);
    CREATE TABLE IF NOT EXISTS spent (requests INTEGER NOT NULL);
"""


class BudgetSpentError(InputError):
    """No further request may be sent."""


class Answer(NamedTuple):
    """What came back for one prompt."""

    content: Optional[str]  # what the model said; None where that was refused
    refused: Optional[str] = None  # why
    # of prompt and answer, as the endpoint reports them; None where it does not
    tokens: Optional[int] = None


def fingerprint(request: dict) -> str:
    """A hash of the model, the prompt and the parameters, by which an answer is found."""
    text = json.dumps(request, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


class Answers:
    """The answers in a file, which is made where there is none.

    Attributes:
        requests: number of requests that were ever sent, retries included.
        tokens: sum of the tokens of all answers, as reported.

    Raises:
        InputError: if the file is something else, can't be written, or another run holds it; the
            methods too, if the disk is full.
    """

    def __init__(self, path) -> None:
        self.path = Path(path)
        with writable(self.path), making(self.path.parent), self._readable():
            # no transactions but single statements; another thread may ask, one at a time
            self._database = sqlite3.connect(
                str(self.path), timeout=1, isolation_level=None, check_same_thread=False
            )
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            version = self._one("PRAGMA user_version")
            if version not in (0, _VERSION):
                raise InputError(f"{path} is of version {version}, this reads {_VERSION}")
            self._database.executescript(f"BEGIN EXCLUSIVE;{_TABLES}COMMIT;")
            self._database.execute(f"PRAGMA user_version = {_VERSION}")
            if self._one("SELECT count(*) FROM spent") == 0:
                self._database.execute("INSERT INTO spent VALUES (0)")
            self.requests: int = self._one("SELECT requests FROM spent")
            self.tokens: int = self._one("SELECT coalesce(sum(tokens), 0) FROM answers")

    @contextlib.contextmanager
    def _readable(self):
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise InputError(
                    f"{self.path} is in use by another run; wait for it, or give another --output"
                ) from None
            raise InputError(f"{self.path} can't be written: {error}") from None
        except sqlite3.DatabaseError as error:
            raise InputError(f"{self.path} holds no answers: {error}; move it away") from None

    def _one(self, query: str):
        return self._database.execute(query).fetchone()[0]

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *error) -> None:
        self._database.close()

    def get(self, key: str) -> Optional[Answer]:
        """The answer to a request by its fingerprint, None if it was not answered."""
        query = "SELECT content, refused, tokens FROM answers WHERE fingerprint = ?"
        with self._readable():
            row = self._database.execute(query, (key,)).fetchone()
        return None if row is None else Answer(*row)

    def put(self, key: str, answer: Answer) -> None:
        """Keep the answer to a request that had none; it is on disk on return."""
        with self._readable():
            self._database.execute("INSERT INTO answers VALUES (?, ?, ?, ?)", (key, *answer))
        self.tokens += answer.tokens or 0

    def take_request(
        self, max_requests: Optional[int] = None, max_tokens: Optional[int] = None
    ) -> None:
        """Count a request that is about to be sent: before it is, so that no kill hides it.

        Raises:
            BudgetSpentError: if no request may be sent.
        """
        for option, limit, spent in (
            ("--max-requests", max_requests, self.requests),
            ("--max-tokens", max_tokens, self.tokens),
        ):
            if limit is not None and spent >= limit:
                raise BudgetSpentError(
                    f"{option} {limit}: the budget is spent ({spent}); what was answered is kept, "
                    "run the same again with a larger one to go on"
                )
        with self._readable():
            self._database.execute("UPDATE spent SET requests = requests + 1")
        self.requests += 1

    def __len__(self) -> int:
        return self._one("SELECT count(*) FROM answers")
