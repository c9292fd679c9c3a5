"""A proxy before a server that loses answers: the request is done, and its client hears a 503, or nothing."""

import http.client
import http.server
import threading
import urllib.parse

PASSED_ON = ("content-type", "authorization", "idempotency-key", "if-none-match", "accept", "x-client-version")


def commits(method, path):
    return method == "POST" and ("/tables" in path or "/transactions" in path) and not path.endswith("/metrics")


class LossyProxy:
    """`mode`: None passes all on; "503" and "closed" lose the answers of the next `count` requests whose path `loses` takes."""

    def __init__(self, url, loses=None):
        self.target = urllib.parse.urlsplit(url)
        self.loses, self.mode, self.count, self.lost = loses or commits, None, 0, []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                proxy.pass_on(self)

            do_GET = do_POST = do_DELETE = do_HEAD = pass_on

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def lose(self, mode, count=1):
        self.mode, self.count, self.lost = mode, count, []

    def follow(self, other):
        """Asks that proxy from now on."""
        self.target = urllib.parse.urlsplit(other.url)

    def pass_on(self, handler):
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=60)
        headers = {name: value for name, value in handler.headers.items() if name.lower() in PASSED_ON}
        try:
            connection.request(handler.command, handler.path, body, {**headers, "Host": self.target.netloc})
            answer = connection.getresponse()
            content = answer.read()
        except (http.client.HTTPException, OSError):  # of another proxy: what it lost, this one has not heard either
            handler.close_connection = True
            return
        finally:
            connection.close()
        if self.mode and self.count > 0 and self.loses(handler.command, handler.path):
            self.count -= 1
            self.lost.append((handler.command, handler.path, answer.status))
            if self.mode == "closed":
                handler.close_connection = True
                return
            handler.send_response(503)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(answer.status)
        for name in ("content-type", "etag"):
            if answer.getheader(name):
                handler.send_header(name, answer.getheader(name))
        if answer.status not in (204, 304):
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
