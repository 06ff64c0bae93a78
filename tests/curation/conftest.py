"""A real HTTP server on loopback that stands in for the endpoint of a language model."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

KEY = "sk-secret-0123456789abcdef"


def completion(content, total_tokens=10, **choice):
    """A chat completion as OpenAI-compatible endpoints send it."""
    message = {"role": "assistant", "content": content}
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
        "usage": {"total_tokens": total_tokens},
    }


class Server(ThreadingHTTPServer):
    """Answers by `behave(server, body, handler)`, which returns what is sent.

    Attributes:
        requests: (path, headers, body) of all requests, in the order in which they came.
        most_at_once: most requests that were under way at a time.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, behave):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave = behave
        self.requests, self.under_way, self.most_at_once = [], 0, 0
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def prompts(self):
        """What users said, in the order of the requests."""
        return [body["messages"][-1]["content"] for _, _, body in self.requests]

    def handle_error(self, request, client_address):
        pass  # a client that went away is no news


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append((self.path, dict(self.headers), body))
            self.server.under_way += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.under_way)
        try:
            answer = self.server.behave(self.server, body, self)
            if answer is not None:  # else it was sent by hand
                status, headers, content = answer
                self.send(status, headers, content)
        finally:
            with self.server.lock:
                self.server.under_way -= 1

    def send(self, status, headers, content):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve():
    """Start a server: `serve(behave) -> Server`; a list is sent one item a request.

    An item is (status, headers, JSON or bytes); the last is sent again and again.
    """
    servers = []

    def start(behave):
        if isinstance(behave, list):
            left = list(behave)

            def behave(server, body, handler):
                with server.lock:
                    return left.pop(0) if len(left) > 1 else left[0]

        server = Server(behave)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def api_key():
    """A key that nothing may show."""
    return KEY


@pytest.fixture
def complete():
    """`complete(content, total_tokens=10, **choice)`, the body of a chat completion."""
    return completion
