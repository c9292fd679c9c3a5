"""Goal: what fails is told once by each channel, and its end once, whatever the receiver does and whenever Tarn is killed; no secret is shown.
Method: a real HTTP receiver and a real SMTP server (aiosmtpd) on loopback that hang, refuse, ask to wait and go away."""

import base64
import contextlib
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socket
import threading
import time

import pytest
from aiosmtpd.controller import Controller

from tarn_server import Server

SECRET = "hush-hush"
PATH = "/services/T0/B0/very-secret-path"


class Receiver:
    """Keeps what it takes. `answers`: (status, headers) for the next requests, "hang" or "close"; then 200."""

    def __init__(self):
        self.got, self.answers, self.seen, self.release = [], [], 0, threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.seen += 1
                answer = receiver.answers.pop(0) if receiver.answers else (200, {})
                if answer == "hang":
                    receiver.release.wait(60)
                    return
                if answer == "close":
                    self.connection.close()
                    return
                status, headers = answer
                if status == 200:
                    receiver.got.append((self.path, dict(self.headers), body))
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    text = f"you asked for {self.path}".encode()  # an answer that tells secrets
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self):
        return [json.loads(body) for _, _, body in self.got]

    def titles(self):
        return [body["title"] for body in self.bodies()]

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def smtp():
    class Inbox:
        def __init__(self):
            self.mails, self.answers = [], []

        async def handle_DATA(self, server, session, envelope):
            if self.answers:
                return self.answers.pop(0)
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            return "250 taken"

    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=0)
    # Its own start() asks a fixed port; port 0 is known only afterwards.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        controller.port = probe.getsockname()[1]
    controller.start()
    yield controller.port, inbox
    controller.stop()


def set_up(tarn, receiver, alerts, port=1, more=""):
    tarn.env |= {"HOOK": receiver.url + PATH, "SECRET": SECRET}
    tarn.write("tarn.yml", "name: home\nallow_private_addresses: true\nhttp: {url: https://tarn.example.org/}\n"
               f"mail: {{host: 127.0.0.1, port: {port}, tls: none, from: tarn@example.org}}\nalerts:\n{alerts}{more}")
    well(tarn)
    return tarn


HOOK = '  hook: {webhook: "${env:HOOK}", secret: "${env:SECRET}", first_delay: 100ms, timeout: 1s}\n'


def well(tarn, name="a"):
    tarn.write(f"models/{name}.sql", "{{ config(materialized='table') }}\nselect 1 as id\n")


def broken(tarn, name="a", error="no luck"):
    tarn.write(f"models/{name}.sql", "{{ config(materialized='table') }}\nselect error('" + error + "') as id\n")


def wait_until(look, what="it did not happen", seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


@contextlib.contextmanager
def serving(tarn, *args):
    server = Server(tarn, *args)
    server.out = None
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.out = server.stop()


def alerts(tarn):
    return [(one["subject"], one["event"], one["state"]) for one in tarn.rows("select * from _tarn.alerts order by created_at, event")]


def settled(tarn, count):
    rows = tarn.rows("select state from _tarn.alerts")
    return len(rows) >= count and not [row for row in rows if row["state"] in ("waiting", "sending")]


def test_one_alert_an_episode_signed_and_with_all_facts(tarn, receiver):
    set_up(tarn, receiver, HOOK)
    assert "no mistakes" in tarn.run("check").stdout
    tarn.write("models/b.sql", "select * from {{ ref('a') }}\n")
    with serving(tarn) as server:
        server.run()
        broken(tarn)
        run, _ = server.run()
        wait_until(lambda: receiver.got)
        for _ in range(3):
            server.run()
        well(tarn)
        server.run()
        wait_until(lambda: len(receiver.got) == 2)
        time.sleep(0.3)
        assert receiver.titles() == ["[home] a failed", "[home] a is well again"] and receiver.seen == 2
        (fact,) = receiver.bodies()[0]["alerts"]
        assert fact["event"] == "failure" and fact["run"] == run and fact["tasks_skipped"] == 1 and "no luck" in fact["text"]
        assert fact["url"] == f"https://tarn.example.org/flow/runs/{run}" and fact["path"] == "models/a.sql"
        path, headers, body = receiver.got[0]
        assert path == PATH
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
        assert alerts(tarn) == [("a", "failure", "sent"), ("a", "recovery", "sent")]


def test_what_passes_is_tried_again_and_told_once(tarn, receiver):
    set_up(tarn, receiver, HOOK)
    broken(tarn)
    with serving(tarn) as server:
        receiver.answers = [(500, {}), (429, {"Retry-After": "1"}), (503, {})]
        began = time.monotonic()
        server.run()
        wait_until(lambda: receiver.got)
        assert time.monotonic() - began > 1 and receiver.seen == 4 and len(receiver.got) == 1
        wait_until(lambda: settled(tarn, 1))
        (row,) = tarn.rows("select * from _tarn.alerts")
        assert row["state"] == "sent" and row["tries"] == 4
        receiver.answers = [(403, {})]
        broken(tarn, "c")
        server.run()
        wait_until(lambda: settled(tarn, 2))
        assert ("c", "failure", "refused") in alerts(tarn) and receiver.seen == 5
    everything = str(server.out) + tarn.run("alerts").stdout + "".join(
        tarn.run("sql", f"select * from _tarn.{table}", "--format", "csv").stdout for table in ("alerts", "task_log", "tasks"))
    assert "answers 403" in everything
    assert "very-secret" not in everything and SECRET not in everything and "/services" not in everything


def test_a_receiver_that_hangs_delays_nobody(tarn, receiver, smtp):
    port, inbox = smtp
    set_up(tarn, receiver, HOOK.replace("timeout: 1s", "timeout: 5s") + "  me: {mail: ada@example.org}\n", port)
    broken(tarn)
    with serving(tarn) as server:
        receiver.answers = ["hang"]
        began = time.monotonic()
        server.run()
        wait_until(lambda: inbox.mails)
        server.run()
        assert time.monotonic() - began < 4
        wait_until(lambda: settled(tarn, 2))
        assert sorted(row["state"] for row in tarn.rows("select state from _tarn.alerts")) == ["sent", "unknown"]
    assert receiver.seen == 1 and len(inbox.mails) == 1


def test_a_connection_that_breaks_is_unknown_unless_it_may_be_repeated(tarn, receiver):
    set_up(tarn, receiver, HOOK + '  twice: {webhook: "${env:HOOK}", first_delay: 100ms, repeatable: true}\n')
    broken(tarn)
    with serving(tarn) as server:
        receiver.answers = ["close", "close"]
        server.run()
        wait_until(lambda: settled(tarn, 2))
        rows = {row["channel"]: row for row in tarn.rows("select * from _tarn.alerts")}
        assert rows["hook"]["state"] == "unknown" and rows["hook"]["tries"] == 1
        assert rows["twice"]["state"] == "sent" and rows["twice"]["tries"] == 2
        assert receiver.seen == 3
        # Somebody looks: by the API and the command.
        assert server.json("/api/v1/alerts/history?state=unknown")["total"] == 1
        number = rows["hook"]["id"]
        shown = tarn.run("alerts").stdout
        assert f"unknown {number} to hook: a failed" in shown and f"--again {number}" in shown
        tarn.run("alerts", "--again", str(number))
        wait_until(lambda: receiver.seen == 4)
        wait_until(lambda: settled(tarn, 2))
        assert server.json("/api/v1/alerts/history?channel=hook")["alerts"][0]["state"] == "sent"
        assert server.request(f"/api/v1/alerts/{number}/settle", {"done": True})[0] == 409
        assert server.request(f"/api/v1/alerts/{number}/settle", {})[0] == 400
        assert server.request("/api/v1/alerts/x/settle", {"done": True})[0] == 400
        assert "is sent: only one" in tarn.run("alerts", "--done", str(number), check=None).stderr


def test_a_kill_while_it_is_sent_is_unknown_and_nothing_that_ended_is_missed(tarn, receiver):
    set_up(tarn, receiver, HOOK.replace("timeout: 1s", "timeout: 60s"))
    broken(tarn)
    with serving(tarn) as server:
        receiver.answers = ["hang"]
        server.run()
        wait_until(lambda: receiver.seen == 1)
        server.process.kill()
        server.process.communicate()
    receiver.release.set()
    assert alerts(tarn) == [("a", "failure", "unknown")]
    number = tarn.rows("select id from _tarn.alerts")[0]["id"]
    tarn.run("alerts", "--done", str(number))
    assert alerts(tarn) == [("a", "failure", "sent")]
    # Failed while no server ran: told by the next one.
    broken(tarn, "z")
    tarn.run("run", "z", check=1)
    with serving(tarn):
        wait_until(lambda: receiver.got)
        assert receiver.titles() == ["[home] z failed"] and receiver.seen == 2


def test_mail_and_markup(tarn, receiver, smtp):
    port, inbox = smtp
    chat = '  chat: {slack: "${env:HOOK}"}\n  teams: {teams: "${env:HOOK}"}\n  phone: {ntfy: "${env:HOOK}"}\n'
    set_up(tarn, receiver, chat + "  me: {mail: [Ada <ada@example.org>, bob@example.org]}\n", port)
    broken(tarn, error="<!channel> <script>x</script> `*b*")
    with serving(tarn) as server:
        inbox.answers = []
        server.run()
        wait_until(lambda: len(receiver.got) == 3 and inbox.mails)
    (mail,) = inbox.mails
    assert mail["subject"] == "[home] a failed" and mail["to"] == "Ada <ada@example.org>, bob@example.org"
    html = mail.get_body(("html",)).get_content()
    assert "&lt;script&gt;" in html and "<script" not in html and "https://tarn.example.org/flow/runs/" in html
    assert "<!channel>" in mail.get_body(("plain",)).get_content()
    bodies = {("slack" if "blocks" in body else "teams" if "attachments" in body else "ntfy"): (path, body)
              for (path, _, _), body in zip(receiver.got, receiver.bodies())}
    assert "<!channel>" not in json.dumps(bodies["slack"]) and "&lt;!channel&gt;" in bodies["slack"][1]["blocks"][0]["text"]["text"]
    assert bodies["teams"][1]["attachments"][0]["content"]["type"] == "AdaptiveCard"
    path, ntfy = bodies["ntfy"]
    assert path == PATH[:PATH.rfind("/") + 1] and ntfy["topic"] == "very-secret-path" and "no luck" not in ntfy["title"]


def test_lateness_by_the_clock_and_quarantine(tarn, receiver):
    set_up(tarn, receiver, HOOK)
    tarn.write("in/x.csv", "n\n1\ntwo\n")
    tarn.write("sources/x.yml", "kind: files\npath: in/*.csv\nformat: csv\ncolumns: {n: integer}\nfreshness: {error_after: 2s}\n")
    with serving(tarn) as server:
        server.run(selection=["x"])
        wait_until(lambda: len(receiver.got) == 2)  # nobody runs anything
    assert sorted(receiver.titles()) == ["[home] x is late", "[home] x: 1 row in quarantine"]


def test_tarn_alerts(tarn, receiver):
    set_up(tarn, receiver, HOOK + '  down: {webhook: "http://127.0.0.1:1/x", timeout: 1s}\n')
    done = tarn.run("alerts", "test", check=4)
    assert "hook  webhook: sent" in done.stdout and "down  webhook: not sent" in done.stdout
    assert receiver.bodies()[0]["type"] == "test"
    assert "did you mean 'hook'" in tarn.run("alerts", "test", "hok", check=2).stderr
    with serving(tarn) as server:
        assert json.loads(tarn.run("alerts", "test", "hook", "--json").stdout)[0]["state"] == "sent"
        broken(tarn)
        server.run()
        wait_until(lambda: len(receiver.got) == 3)
        shown = tarn.run("alerts").stdout
        assert "open a failed since" in shown and "trouble 1 wait" in shown, shown
        listed = server.json("/api/v1/alerts")
        assert listed["open"][0]["subject"] == "a" and {one["name"] for one in listed["channels"]} == {"hook", "down"}


def test_private_addresses_only_when_tarn_yml_says_so(tarn, receiver):
    set_up(tarn, receiver, HOOK)
    text = (tarn.project / "tarn.yml").read_text()
    tarn.write("tarn.yml", text.replace("allow_private_addresses: true\n", ""))
    assert "is not encrypted" in tarn.run("alerts", "test", check=4).stdout
    tarn.env["HOOK"] = receiver.url.replace("http:", "https:") + PATH
    done = tarn.run("alerts", "test", check=4)
    assert "private address" in done.stdout and "very-secret" not in done.stdout and not receiver.seen


def test_check_finds_each_mistake(tarn, receiver):
    set_up(tarn, receiver, "  me: {mail: ada}\n  t: {slack: https://hooks.slack.com/x}\n  of: {mail: a@example.org, of: [tag:dayly]}\n")
    done = tarn.run("check", check=2)
    told = (done.stdout + done.stderr).splitlines()
    for line, word in ((6, "no mail address"), (7, "reference"), (8, "dayly")):
        assert any(f"tarn.yml:{line}:" in one and word in one for one in told), told
