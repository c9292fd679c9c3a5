"""A real HTTP server on loopback that remembers what it was asked, for tests of flows."""

import contextlib
import http.server
import json
import threading
import time

import pytest


class Hook:
    """`calls`: each as {"method", "path", "key", "headers", "body"}. /fail/N answers 503 N times, /status/S answers S,
    /hang answers after two seconds, /slow/S after S seconds."""

    def __init__(self):
        self.calls, self.lock = [], threading.Lock()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                with hook.lock:
                    hook.calls.append({"method": self.command, "path": self.path, "key": self.headers.get("Idempotency-Key"),
                                       "headers": dict(self.headers), "body": json.loads(body) if body[:1] in (b"{", b"[") else body.decode()})
                    number = len(hook.calls)
                    same = sum(call["path"] == self.path for call in hook.calls)
                parts = self.path.split("/")
                status, answer = 200, json.dumps({"id": number}).encode()
                if parts[1] == "fail" and same <= int(parts[2]):
                    status, answer = 503, b"not yet"
                if parts[1] == "status":
                    status, answer = int(parts[2]), b"no"
                if parts[1] in ("hang", "slow"):
                    time.sleep(2 if parts[1] == "hang" else float(parts[2]))
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *args):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook():
    one = Hook()
    yield one
    one.server.shutdown()
