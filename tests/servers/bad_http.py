"""A server on loopback that behaves well and badly, for the tests of the outgoing HTTP client and of sources.

    python3 tests/servers/bad_http.py [--tls CERT KEY]

Prints its port as the first line and ends when its standard input does. GET /log answers the requests seen so far.
"""

import argparse
import gzip
import http.server
import json
import ssl
import sys
import threading
import time
import urllib.parse

LOCK = threading.Lock()
SEEN = []
COUNTS = {}
ROWS = [{"id": i, "day": f"2024-01-{i + 1:02d}", "price": i + 0.5} for i in range(25)]


def count(name):
    with LOCK:
        COUNTS[name] = COUNTS.get(name, 0) + 1
        return COUNTS[name]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, body, status=200, headers=(), kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer({"method": "POST", "body": body.decode(), "path": self.path})

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
        with LOCK:
            SEEN.append({"path": self.path, "headers": dict(self.headers.items())})
        handler = getattr(self, "get_" + url.path.strip("/").replace("-", "_").replace("/", "_"), None)
        if handler is None:
            self.answer({"reason": "no such page"}, 404)
        else:
            handler(query)

    def get_log(self, query):
        with LOCK:
            self.answer(list(SEEN))

    def get_ok(self, query):
        self.answer(ROWS[:3])

    def get_echo(self, query):
        self.answer({"query": query, "headers": {k.lower(): v for k, v in self.headers.items()}})

    # --- lies ---
    def get_short(self, query):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"[1, 2")
        self.close_connection = True

    def get_endless(self, query):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = b"x" * 65536
        try:
            while True:
                self.wfile.write(b"10000\r\n" + piece + b"\r\n")
        except OSError:
            self.close_connection = True

    def get_huge(self, query):
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        self.close_connection = True

    def get_headers(self, query):
        self.send_response(200)
        for i in range(1000):
            self.send_header(f"X-{i}", "y" * 1000)
        self.send_header("Content-Length", "0")
        try:
            self.end_headers()
        except OSError:
            self.close_connection = True

    def get_silent(self, query):
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"[")
        self.wfile.flush()
        sys.stdin.read()  # until the test is over

    def get_reset(self, query):
        self.close_connection = True
        self.connection.close()

    def get_html(self, query):
        self.answer(b"<html><body>Please log in</body></html>", kind="text/html")

    def get_forbidden(self, query):
        self.answer({"reason": "not you"}, 403)

    def get_encoding(self, query):
        self.answer(b"\x00\x01", headers=[("Content-Encoding", "br")])

    # --- redirects ---
    def get_loop(self, query):
        self.answer(b"", 302, [("Location", "/loop")])

    def get_hop(self, query):
        self.answer(b"moved, and this text is not the answer", 302, [("Location", "/ok")])

    def get_away(self, query):
        self.answer(b"", 302, [("Location", query["to"])])

    def get_file(self, query):
        self.answer(b"", 302, [("Location", "file:///etc/passwd")])

    # --- passing trouble ---
    def get_busy(self, query):
        if count("busy" + query.get("key", "")) <= int(query.get("times", "2")):
            self.answer({"reason": "slow down"}, 429, [("Retry-After", "0")])
        else:
            self.answer(ROWS[:3])

    def get_down(self, query):
        if count("down" + query.get("key", "")) <= int(query.get("times", "2")):
            self.answer({"reason": "oops"}, 500)
        else:
            self.answer(ROWS[:3])

    def get_always_down(self, query):
        self.answer({"reason": "oops"}, 503)

    def get_later(self, query):
        self.answer({"reason": "come back tomorrow"}, 429, [("Retry-After", "86400")])

    # --- data ---
    def get_gzip(self, query):
        self.answer(gzip.compress(json.dumps(ROWS).encode()), headers=[("Content-Encoding", "gzip")])

    def get_etag(self, query):
        if self.headers.get("If-None-Match") == '"v1"':
            self.send_response(304)
            self.send_header("ETag", '"v1"')
            self.end_headers()
        else:
            self.answer(ROWS[:3], headers=[("ETag", '"v1"')])

    def get_pages(self, query):
        page, size = int(query.get("page", "1")), int(query.get("per_page", "10"))
        self.answer({"items": ROWS[(page - 1) * size:page * size]})

    def get_offset(self, query):
        at, size = int(query.get("offset", "0")), int(query.get("limit", "10"))
        self.answer({"items": ROWS[at:at + size]})

    def get_token(self, query):
        at = int(query.get("token", "0"))
        more = at + 10 < len(ROWS)
        self.answer({"items": ROWS[at:at + 10], "next": str(at + 10) if more else None})

    def get_stuck(self, query):
        self.answer({"items": ROWS[:1], "next": "again"})

    def get_link(self, query):
        at = int(query.get("at", "0"))
        more = at + 10 < len(ROWS)
        link = [("Link", f'</link?at={at + 10}>; rel="next", </link?at=0>; rel="first"')] if more else []
        self.answer(ROWS[at:at + 10], headers=link)

    def get_since(self, query):
        rows = [r for r in ROWS[:int(query.get("upto", "25"))] if r["day"] >= query.get("since", "")]
        self.answer({"items": rows})

    def get_grow(self, query):
        """One more row with each call, and always the last three days."""
        known = ROWS[:count("grow") + 4]
        since = query.get("since", "")
        self.answer({"items": [r for r in known if r["day"] >= since]})

    def get_city(self, query):
        self.answer({"hourly": {"time": ["2024-01-01T00:00", "2024-01-01T01:00"],
                                "temperature": [float(query["latitude"]), 12.5]}})

    def get_mixed(self, query):
        self.answer({"items": [{"id": 1, "price": 1.5}, {"id": "x", "price": 2.5}, {"id": 3, "price": -1},
                               {"id": 4.5, "price": 1}, {"id": None, "price": 1}, {"id": 6, "price": 6, "extra": "new"}]})

    def get_broken(self, query):
        self.answer(b'{"items": [{"id": 1}, {"id": 2')

    def get_empty(self, query):
        self.answer({"items": []})

    def get_elsewhere(self, query):
        self.answer({"error": "maintenance"})

    def get_text(self, query):
        time.sleep(0)
        self.answer(query["body"].encode(), kind="text/plain")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    options = parser.parse_args()
    server = Server(("127.0.0.1", 0), Handler)
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    while sys.stdin.read(1):
        pass


if __name__ == "__main__":
    main()
