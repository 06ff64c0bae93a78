"""An endpoint is asked with patience and within bounds, and nothing that it says is trusted."""

import asyncio
import email.utils
import json
import logging
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("httpx2" if sys.version_info >= (3, 10) else "httpx")

from fairseq_instr.curation import distillation_endpoint as module
from fairseq_instr.curation.distillation_answers import Answer
from fairseq_instr.curation.distillation_endpoint import (
    Endpoint,
    EndpointError,
    NoAnswerError,
    check_address,
    check_key,
    error_message,
    goes_unencrypted,
    read_answer,
    retry_after,
)
from fairseq_instr.errors import InputError

REQUEST = {"model": "tiny", "messages": [{"role": "user", "content": "Grüß Gott"}]}
ERROR = (500, {}, {"error": {"message": "overloaded"}})


def ask(server, times=1, **options):
    """Ask the same `times` at once: the answers, or the error that ended it."""
    options = {"first_wait": 0.01, "timeout": 20.0, "concurrency": times, **options}

    async def gather():
        async with Endpoint(server.url, **options) as endpoint:
            return await asyncio.gather(*(endpoint.ask(REQUEST) for _ in range(times)))

    answers = asyncio.run(gather())
    return answers[0] if times == 1 else answers


def test_a_question_and_its_answer(serve, complete, api_key):
    server = serve([(200, {}, complete("Grüezi", 12))])
    assert ask(server, key=api_key) == Answer("Grüezi", None, 12)
    [(path, headers, body)] = server.requests
    assert (path, body) == ("/v1/chat/completions", REQUEST)
    assert headers["Authorization"] == f"Bearer {api_key}"
    assert headers["Accept-Encoding"] == "identity"


def test_without_a_key_none_is_found_elsewhere(serve, complete, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server = serve([(200, {}, complete("x"))])
    ask(server)
    assert "Authorization" not in server.requests[0][1]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_fails_in_passing_is_tried_again(serve, complete, status):
    server = serve([(status, {}, b"no"), (status, {}, b"no"), (200, {}, complete("x"))])
    assert ask(server, retries=2).content == "x"
    assert len(server.requests) == 3
    with pytest.raises(NoAnswerError, match=f"HTTP {status}"):
        ask(serve([(status, {}, b"no")]), retries=1)


def test_waits_double_less_a_share(serve, complete, monkeypatch):
    waits, sleep = [], asyncio.sleep

    def record(seconds):
        waits.append(seconds)
        return sleep(0)

    monkeypatch.setattr(asyncio, "sleep", record)
    runs = []
    for _ in range(2):
        waits.clear()
        with pytest.raises(NoAnswerError, match="overloaded"):
            ask(serve([ERROR]), retries=9, first_wait=1.0)
        runs.append([wait for wait in waits if wait >= 0.5])
    assert runs[0] == runs[1]
    assert len(runs[0]) == 9
    for attempt, wait in enumerate(runs[0]):
        longest = min(60, 2**attempt)
        assert longest / 2 <= wait <= longest


def test_an_endpoint_that_says_how_long_to_wait_is_listened_to_by_all(serve, complete):
    came = []

    def behave(server, body, handler):
        came.append(time.monotonic())
        if len(came) == 1:
            return 429, {"Retry-After": "1"}, {}
        return 200, {}, complete("x")

    ask(serve(behave), first_wait=0.0)
    assert came[1] - came[0] >= 1.0
    with pytest.raises(EndpointError, match="86400 seconds"):
        ask(serve([(429, {"Retry-After": "86400"}, {})]))


@given(st.none() | st.text() | st.from_regex(r"[-0-9. eE]+|Mon, [0-9 ]+ GMT", fullmatch=True))
def test_retry_after_is_a_number_or_a_date_or_nothing(value):
    seconds = retry_after(value)
    assert seconds is None or seconds >= 0
    assert retry_after("2") == 2.0 and retry_after(" 0.5 ") == 0.5
    now = time.time()
    assert 50 < retry_after(email.utils.formatdate(now + 60, usegmt=True)) <= 61
    assert retry_after(email.utils.formatdate(now - 60, usegmt=True)) == 0.0


def test_a_request_ends_at_its_timeout_though_bytes_keep_coming(serve):
    stop = threading.Event()

    def drip(server, body, handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not stop.wait(0.05):
            handler.wfile.write(b" ")

    def drip_headers(server, body, handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not stop.wait(0.05):
            handler.wfile.write(b"x")

    try:
        for behave in (drip, drip_headers):
            with pytest.raises(NoAnswerError, match="0.5 seconds"):
                ask(serve(behave), timeout=0.5, retries=0)
    finally:
        stop.set()


def test_a_connection_that_breaks_is_tried_again(serve, complete):
    def behave(server, body, handler):
        if len(server.requests) == 1:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            handler.close_connection = True
            return None
        return 200, {}, complete("x")

    server = serve(behave)
    assert ask(server).content == "x" and len(server.requests) == 2


def test_requests_are_spread_over_the_minute_and_over_connections(serve, complete):
    came = []

    def behave(server, body, handler):
        came.append(time.monotonic())
        return 200, {}, complete("x")

    began = time.monotonic()
    ask(serve(behave), times=4, requests_per_minute=600)
    assert max(came) - began >= 3 * 60 / 600
    both = threading.Barrier(3, timeout=20)

    def meet(server, body, handler):
        both.wait()  # none is answered before three are under way
        return 200, {}, complete("x")

    server = serve(meet)
    assert len(ask(server, times=3)) == 3
    assert server.most_at_once == 3


@pytest.mark.parametrize(
    "status, headers, message",
    [
        (401, {}, "key.*HTTP 401"),
        (402, {}, "quota.*HTTP 402"),
        (403, {}, "key.*HTTP 403"),
        (404, {}, "--model.*HTTP 404, no .key. here"),
    ],
)
def test_what_no_other_request_would_change_ends_the_run(serve, api_key, status, headers, message):
    body = {"error": {"message": f"no {api_key} here\x1b[31m"}}
    server = serve([(status, headers, body)])
    with pytest.raises(EndpointError, match=message) as info:
        ask(server, key=api_key)
    assert api_key not in str(info.value) and "\x1b" not in str(info.value)
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed(serve, complete, api_key):
    other = serve([(200, {}, complete("x"))])
    for status in (301, 302, 303, 307, 308):
        server = serve([(status, {"Location": f"{other.url}/chat/completions"}, b"")])
        with pytest.raises(EndpointError, match=f"{other.url}.*--base-url"):
            ask(server, key=api_key)
    assert other.requests == []


@pytest.mark.parametrize("status, body, error, message", [
    (400, {"error": {"message": "too long"}}, NoAnswerError, "HTTP 400, too long"),
    (429, {"error": {"message": "x", "code": "insufficient_quota"}}, EndpointError, "quota"),
])  # fmt: skip
def test_one_request_that_is_refused_is_not_tried_again(serve, status, body, error, message):
    server = serve([(status, {"Retry-After": "1"}, body)])
    with pytest.raises(error, match=message):
        ask(server)
    assert len(server.requests) == 1


def test_an_endpoint_that_stays_down_ends_the_run(serve):
    async def go_on(answer):
        async with Endpoint(serve([answer]).url, retries=0) as endpoint:
            for _ in range(module.MAX_FAILED - 1):
                with pytest.raises(NoAnswerError):
                    await endpoint.ask(REQUEST)
            await endpoint.ask(REQUEST)

    with pytest.raises(EndpointError, match="when it is up"):
        asyncio.run(go_on(ERROR))
    with pytest.raises(EndpointError, match="--model"):
        asyncio.run(go_on((422, {}, {"detail": [{"loc": ["max_tokens"]}]})))


@pytest.mark.parametrize(
    "body, message",
    [
        (b'{"error": {"message": "a", "code": 1}}', "a"),
        (b'{"error": "a"}', "a"),
        (b'{"object": "error", "message": "a"}', "a"),
        (b'{"detail": "a"}', "a"),
        (b'{"detail": [{"msg": "a"}]}', '[{"msg": "a"}]'),
        (b'{"error": {"code": 1}}', ""),
        (b"[" * 100_000, ""),
        (b"a", ""),
        (None, ""),
    ],
)
def test_messages_of_errors_are_found_in_any_form(body, message):
    assert error_message(body) == message


def test_a_giant_body_is_not_read_to_its_end(serve):
    sent = []

    def behave(server, body, handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        part = b"%x\r\n" % 65536 + b" " * 65536 + b"\r\n"
        while len(sent) < 10_000:  # 655 MB
            handler.wfile.write(part)
            sent.append(len(part))

    assert ask(serve(behave)) == Answer(None, module.TOO_LARGE)
    assert sum(sent) < 50 * module.MAX_BODY  # what is on its way fits into buffers


def test_the_key_is_in_no_log_and_no_text(serve, complete, api_key, caplog):
    caplog.set_level(logging.DEBUG)
    for answer in (
        (200, {"X-Echo": api_key}, complete(f"The key is {api_key}")),
        (500, {}, {"error": {"message": f"bad {api_key}"}}),
        (401, {}, {"error": {"message": f"Incorrect API key provided: {api_key[:5]}..."}}),
        (307, {"Location": f"http://127.0.0.1/?key={api_key}"}, b""),
    ):
        try:
            said = repr(ask(serve([answer]), key=api_key, retries=0))
        except Exception as error:
            said = repr(error) + str(error)
        assert api_key not in said and api_key[:5] + "..." not in said
    requests = [record for record in caplog.records if "Bearer" in record.getMessage()]
    assert not requests
    with pytest.raises(InputError) as info:
        check_key(f"{api_key}\nX-Other: 1")
    assert api_key not in str(info.value)


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", module.NOT_JSON),
        (b"<html>", module.NOT_JSON),
        (b"\xff\xfe", module.NOT_JSON),
        (b"[" * 200_000, module.NOT_JSON),
        (b'{"choices": []}', module.NOT_A_COMPLETION),
        (b'{"error": {"message": "x"}}', module.NOT_A_COMPLETION),
        (b'{"choices": [{"message": {"content": 1}}]}', module.NOT_A_COMPLETION),
        (b'{"choices": [{"message": {"content": null}}]}', module.NOT_A_COMPLETION),
        (
            b'{"choices": [{"message": {"content": null}, "finish_reason": "length"}]}',
            module.CUT_OFF,
        ),
        (b'{"choices": {"0": 1}}', module.NOT_A_COMPLETION),
        (b'{"choices": [{"message": {"content": null, "refusal": "No."}}]}', module.DECLINED),
        (b'{"choices": [{"message": {"content": "\\ud800"}}]}', module.NOT_TEXT),
        (None, module.TOO_LARGE),
    ],
)
def test_what_is_no_answer_is_refused_by_its_reason(body, reason):
    assert read_answer(body) == Answer(None, reason)


def test_answers_that_are_cut_off_or_declined(complete, api_key):
    def read(*args, **choice):
        return read_answer(json.dumps(complete(*args, **choice)).encode(), api_key)

    assert read("x", 7, finish_reason="length") == Answer(None, module.CUT_OFF, 7)
    assert read("x", 7, finish_reason="content_filter") == Answer(None, module.DECLINED, 7)
    assert read(f"<{api_key}>") == Answer(None, module.REPEATS_KEY, 10)
    for usage in (-1, True, 1.5, "7", None, 10**18, 10**3000):
        assert read("x", usage) == Answer("x", None, None)


@given(st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["choices", "message", "content", "usage", "total_tokens", "refusal"]),
        inner,
    ),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_body_is_an_answer_or_refused(body):
    answer = read_answer(body)
    assert (answer.content is None) == (answer.refused is not None)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://host/v1", "file:///etc/passwd", "host/v1", "http://", "https:///v1", "",
        "http://user:pa55@host/v1", "https://host/v1?key=pa55", "https://host/v1#pa55",
        "http://host:99999/v1", "http://[::1/v1",
    ],
)  # fmt: skip
def test_addresses_are_http_without_secrets(address):
    with pytest.raises(InputError, match="--base-url") as info:
        check_address(address)
    assert "pa55" not in str(info.value)


def test_addresses_and_keys_that_are_accepted(api_key):
    assert check_address(" http://127.0.0.1:8000/v1/ ") == "http://127.0.0.1:8000/v1"
    assert check_key(f" {api_key}\n") == api_key
    for key in ("", " ", "a b", "schlüssel", "a\x00b"):
        with pytest.raises(InputError, match="--key-variable"):
            check_key(key)
    assert goes_unencrypted("http://node7:8000/v1")
    assert not goes_unencrypted("http://127.0.0.1:8000") and not goes_unencrypted("https://node7")
