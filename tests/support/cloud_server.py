"""The cloud's API behind a real socket, for what vpcdns' own does not do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Status, body and headers, by the action and its parameters.
Answer = Callable[[str, dict[str, str]], tuple[int, Any, dict[str, str]]]


@contextmanager
def cloud_server(answer: Answer) -> Iterator[str]:
    """Serves on a port of its own, and gives its URL. A body of octets goes out as it is."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            given = dict(parse_qsl(urlsplit(self.path).query))
            status, body, headers = answer(self.headers["x-acs-action"], given)
            octets = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(octets)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def error(code: str, message: str = "No.") -> dict[str, str]:
    return {"RequestId": "7", "HostId": "here", "Code": code, "Message": message}
