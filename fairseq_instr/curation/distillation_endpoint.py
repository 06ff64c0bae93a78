"""Chat completions of an OpenAI-compatible endpoint, asked politely and distrusted.

Through httpx2 (httpx on Python 3.9), which reads a body in parts, follows no redirect unless asked
to, and can be cancelled. The `openai` client retries on its own, past any budget; `requests` starts
its timeout again with every byte. The key goes into one header, and is in nothing that is shown.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import random
import re
import time
from typing import Callable, Mapping, NamedTuple, Optional
from urllib.parse import urlsplit

from fairseq_instr.curation.distillation_answers import Answer, fingerprint
from fairseq_instr.errors import InputError, check_at_least

try:
    import httpx2 as httpx
except ImportError:
    try:
        import httpx  # type: ignore[no-redef]
    except ImportError:
        httpx = None  # type: ignore[assignment]

MAX_BODY = 1024 * 1024  # longest body that is read, in bytes
MAX_TOKENS = 10**9  # a usage above this is no report
LONGEST_WAIT = 300.0  # seconds that an endpoint may ask to wait before the run is stopped instead
LONGEST_BACKOFF = 60.0
LONGEST_CONNECT = 20.0
MAX_FAILED = 8  # prompts in a row without an answer after which the run stops
SECRET_LENGTH = 8  # shorter keys, as local servers want them, are no secrets: texts may hold them
MAX_SHOWN = 200

NOT_JSON = "body is not JSON"
NOT_A_COMPLETION = "body is no chat completion"
TOO_LARGE = f"body is larger than {MAX_BODY} bytes"
CUT_OFF = "answer was cut off"
DECLINED = "model or content filter declines"
NOT_TEXT = "answer is not text"
REPEATS_KEY = "answer repeats the key"

_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 409, 425, 429)  # and all from 500 on: the same may be answered later
_NO_QUOTA = (b"insufficient_quota", b"billing_hard_limit_reached")  # a 429 that no wait ends


class EndpointError(InputError):
    """The endpoint is of no use as it is: the run stops."""


class NoAnswerError(Exception):
    """One prompt was not answered, and may be later."""


class _Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: Optional[bytes]  # None for one that is too large


class Endpoint:
    """An OpenAI-compatible endpoint and how it is asked; an asynchronous context manager.

    Args:
        base_url: such as `https://host/v1`; `/chat/completions` is added.
        key: is sent as a bearer token; None sends none.
        requests_per_minute: most requests, evenly spread; None for any number.
        timeout: seconds until a request must be answered in full.
        retries: how often a request that failed in passing is sent again.
        first_wait: seconds before the first retry, less up to a half; doubled each time.

    Raises:
        InputError: if an argument is not accepted, or no HTTP client is installed.
    """

    # is called before each request, and may raise
    before_request: Callable[[], object] = staticmethod(lambda: None)

    def __init__(
        self,
        base_url: str,
        key: Optional[str] = None,
        concurrency: int = 4,
        requests_per_minute: Optional[float] = None,
        timeout: float = 120.0,
        retries: int = 5,
        first_wait: float = 1.0,
    ):
        if httpx is None:
            raise InputError(
                "no HTTP client is installed: pip install httpx2 (httpx on Python 3.9)"
            )
        check_at_least(1, concurrency=concurrency)
        check_at_least(0, retries=retries, first_wait=first_wait)
        _check_above_zero(timeout=timeout, requests_per_minute=requests_per_minute)
        self.base_url = check_address(base_url)
        self._key = None if key is None else check_key(key)
        self.concurrency = concurrency
        self.timeout, self.retries, self.first_wait = timeout, retries, first_wait
        self._interval = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next_turn = self._paused_until = 0.0  # on the clock of the loop
        self._reached = False
        self._failed_in_a_row = 0
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=min(timeout, LONGEST_CONNECT)),
            follow_redirects=False,  # they would take text and key along
            limits=httpx.Limits(max_connections=concurrency),
        )

    async def __aenter__(self) -> "Endpoint":
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error) -> None:
        await self._client.__aexit__(*error)

    async def ask(self, request: dict) -> Answer:
        """The answer to a chat completion.

        Raises:
            EndpointError: if the endpoint can't be reached or used.
            NoAnswerError: if all tries failed, or it refuses this request.
        """
        body = json.dumps(request).encode("ascii")
        # by the request: the same waits whatever else is under way
        rng = random.Random(fingerprint(request))
        problem, refused = "", False
        for attempt in range(self.retries + 1):
            await self._turn()
            self.before_request()
            asked_to_wait = None
            try:
                response = await asyncio.wait_for(self._post(body), self.timeout)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = self._shown(str(error) or "it does not answer")
                if not self._reached:
                    raise EndpointError(
                        f"--base-url {self.base_url} can't be reached: {problem}; check the "
                        "address, or start the server"
                    ) from None
            except (asyncio.TimeoutError, httpx.TimeoutException):
                problem = f"no answer within {self.timeout:g} seconds"
            except httpx.HTTPError as error:
                problem = self._shown(str(error) or type(error).__name__)
            else:
                self._reached = True
                if response.status == 200:
                    self._failed_in_a_row = 0
                    return read_answer(response.body, self._key)
                problem = self._problem(response)
                if response.status not in _PASSING and response.status < 500:
                    refused = True
                    break
                asked_to_wait = retry_after(response.headers.get("retry-after"))
            if attempt == self.retries:
                break
            backoff = min(LONGEST_BACKOFF, self.first_wait * 2**attempt) * rng.uniform(0.5, 1)
            if asked_to_wait is None:
                await asyncio.sleep(backoff)
                continue
            if asked_to_wait > LONGEST_WAIT:
                raise EndpointError(
                    f"{self.base_url} asks to wait {asked_to_wait:.0f} seconds ({problem}); run "
                    "the same again then"
                )
            # for all: it is not this one request that the endpoint has too much of
            resumed = asyncio.get_running_loop().time() + asked_to_wait
            self._paused_until = max(self._paused_until, resumed)
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= MAX_FAILED:
            failed, remedy = (
                ("refused", "check --model and the parameters in --prompt")
                if refused
                else ("gave no answer to", "run the same again when it is up")
            )
            raise EndpointError(
                f"{self.base_url} {failed} {MAX_FAILED} prompts in a row: {problem}; what was "
                f"answered is kept, {remedy}"
            )
        raise NoAnswerError(problem)

    async def _turn(self) -> None:
        clock = asyncio.get_running_loop().time
        start = -1.0
        while start < self._paused_until:  # which may move while this waits
            start = max(clock(), self._next_turn, self._paused_until)
            self._next_turn = start + self._interval
            await asyncio.sleep(start - clock())

    async def _post(self, body: bytes) -> _Response:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # what is packed may be a thousand times as large
        }
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        url = f"{self.base_url}/chat/completions"
        read = bytearray()
        async with self._client.stream("POST", url, content=body, headers=headers) as response:
            async for part in response.aiter_raw():
                read += part
                if len(read) > MAX_BODY:
                    return _Response(response.status_code, response.headers, None)
        return _Response(response.status_code, response.headers, bytes(read))

    def _problem(self, response: _Response) -> str:
        """What is wrong with this request; raises `EndpointError` for what is so with all."""
        problem = f"HTTP {response.status}"
        message = error_message(response.body)
        if message and response.status not in (401, 403):  # these quote a part of the key
            problem += f", {self._shown(message)}"
        if response.status in _REDIRECTS:
            place = self._shown(response.headers.get("location", "nowhere"))
            raise EndpointError(
                f"{self.base_url} redirects to {place}, which is not followed, as text and key "
                "would go there; give that as --base-url if you trust it"
            )
        if response.status in (401, 403):
            sent = "does not accept the key" if self._key else "wants a key"
            raise EndpointError(f"{self.base_url} {sent} ({problem}); see --key-variable")
        if response.status == 402 or any(code in (response.body or b"") for code in _NO_QUOTA):
            raise EndpointError(
                f"{self.base_url} has no quota left for this key ({problem}); raise it, then run "
                "the same again: what was answered is kept"
            )
        if response.status in (404, 405):
            raise EndpointError(
                f"{self.base_url}/chat/completions does not exist there or --model does not "
                f"({problem}); check both"
            )
        return problem

    def _shown(self, text: str) -> str:
        """Text of the endpoint as it may be printed: short, one line, without the key."""
        text = "".join(c if c.isprintable() else " " for c in text)
        if self._key is not None:
            text = text.replace(self._key, "[key]")
        return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _check_above_zero(**options: Optional[float]) -> None:
    for name, value in options.items():
        if value is not None and not 0 < value < math.inf:
            option = "--" + name.replace("_", "-")
            raise InputError(f"{option} {value} is not accepted: give a number above zero")


def check_address(base_url: str) -> str:
    """The address without a slash at its end.

    Raises:
        InputError: unless it is http or https, a host and a path; it may hold no secret.
    """
    try:
        parts = urlsplit(base_url.strip())
        _ = parts.port  # raises for what is no number
    except ValueError as error:
        raise InputError(f"--base-url is no address: {error}") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InputError(
            "--base-url holds a user, a query or a fragment, which is where secrets are; give "
            "http(s)://HOST/PATH alone, and the key by an environment variable"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            f"--base-url {base_url!r:.80} is not accepted: give http:// or https://, a host and "
            "a path, such as https://localhost:8000/v1"
        )
    return parts.geturl().rstrip("/")


def check_key(key: str) -> str:
    """The key without white space around it.

    Raises:
        InputError: if it is empty or can't stand in a header; it is not shown.
    """
    key = key.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise InputError(
            "the key is empty or holds other characters than visible ASCII; put it into the "
            "variable of --key-variable again"
        )
    return key


def goes_unencrypted(base_url: str) -> bool:
    """Whether what is sent can be read on its way: http, and not to this machine."""
    parts = urlsplit(base_url)
    local = re.fullmatch(r"localhost|::1|127\..*", parts.hostname or "")
    return parts.scheme == "http" and not local


def retry_after(value: Optional[str]) -> Optional[float]:
    """Seconds from now of a `Retry-After` header (RFC 9110, 10.2.3); None for anything else."""
    value = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    try:
        date = email.utils.parsedate_to_datetime(value)
        return max(0.0, date.timestamp() - time.time())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def error_message(body: Optional[bytes]) -> str:
    """The text of an error, OpenAI's or a flat one of other servers; empty without any."""
    try:
        content = json.loads((body or b"").decode("utf-8"))
    except (ValueError, RecursionError):
        return ""
    for key in ("error", "message", "detail"):
        while isinstance(content, dict) and key in content:
            content = content[key]
    if isinstance(content, list):  # of a check of parameters
        content = json.dumps(content)
    return content if isinstance(content, str) else ""


def read_answer(body: Optional[bytes], key: Optional[str] = None) -> Answer:
    """What the model said in the body of a chat completion, or why it is refused.

    Args:
        body: as it came; None for one that was too large.
        key: what must not be in it.
    """
    if body is None:
        return Answer(None, TOO_LARGE)
    try:
        completion = json.loads(body.decode("utf-8"), parse_int=_parse_int)
    except (ValueError, RecursionError):
        return Answer(None, NOT_JSON)
    tokens = _tokens(completion)
    try:
        choice = completion["choices"][0]
        content, finish = choice["message"].get("content"), choice.get("finish_reason")
        declined = bool(choice["message"].get("refusal")) or finish == "content_filter"
    except (TypeError, LookupError, AttributeError):
        return Answer(None, NOT_A_COMPLETION, tokens)
    if declined:
        return Answer(None, DECLINED, tokens)
    if finish == "length":  # the content may be null: all went into reasoning
        return Answer(None, CUT_OFF, tokens)
    if not isinstance(content, str):
        return Answer(None, NOT_A_COMPLETION, tokens)
    if re.search("[\ud800-\udfff]", content):
        return Answer(None, NOT_TEXT, tokens)
    if key is not None and len(key) >= SECRET_LENGTH and key in content:
        return Answer(None, REPEATS_KEY, tokens)
    return Answer(content, None, tokens)


def _parse_int(digits: str) -> Optional[int]:
    # earlier Pythons take the square of the length for it
    return int(digits) if len(digits) < 20 else None


def _tokens(completion: object) -> Optional[int]:
    usage = completion.get("usage") if isinstance(completion, dict) else None
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    if not isinstance(total, int) or isinstance(total, bool):
        return None
    return total if 0 <= total <= MAX_TOKENS else None
