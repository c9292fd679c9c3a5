"""A running `tarn serve`, for tests."""

import json
import time
import urllib.error
import urllib.request


class Server:
    def __init__(self, tarn, *args):
        self.tarn = tarn
        self.process = tarn.start("serve", "--http", "127.0.0.1:0", *args)
        file = tarn.data / "server.json"
        deadline = time.monotonic() + 20
        while not file.exists():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        self.url = json.loads(file.read_text())["url"]
        self.token = (tarn.data / "token").read_text().strip()

    def request(self, path, body=None, headers=None, method=None):
        """(status, bytes of the answer)"""
        return self.send(path, None if body is None else json.dumps(body).encode(), headers, method)

    def send(self, path, data=None, headers=None, method=None):
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def json(self, path, body=None):
        status, answer = self.request(path, body)
        assert status < 300, answer
        return json.loads(answer)

    def run(self, **body):
        """Starts a run and waits for its end; returns its events."""
        run = self.json("/api/v1/runs", body)["id"]
        events = [json.loads(line) for line in self.request(f"/api/v1/runs/{run}/events")[1].splitlines()]
        return run, events

    def stop(self):
        self.process.terminate()
        out, errors = self.process.communicate(timeout=20)
        return self.process.returncode, out, errors
