"""Goal: a schedule mails its reports when all it ran is done, once for each due time, also when it is stopped between.
Method: a real SMTP server (aiosmtpd) on loopback that has bad moments."""

import socket
import time

import pytest
from aiosmtpd.controller import Controller

from tarn_server import Server


class Inbox:
    def __init__(self):
        self.mails, self.answers = [], []

    async def handle_DATA(self, server, session, envelope):
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(envelope.content)
        return "250 taken"


@pytest.fixture
def smtp():
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=0)
    # Its own start() asks a fixed port; port 0 is known only afterwards.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        controller.port = probe.getsockname()[1]
    controller.start()
    yield controller.port, inbox
    controller.stop()


def set_up(tarn, port, schedules):
    tarn.write("tarn.yml", f"name: home\nmail: {{host: 127.0.0.1, port: {port}, tls: none, from: tarn@example.org}}\n"
               f"schedules:\n{schedules}")
    tarn.write("models/a.sql", "{{ config(materialized='table') }}\nselect 41 + 1 as id\n")
    tarn.write("reports/ids.yml", "sheets:\n  - {name: Ids, query: select id from a}\n"
               "mail: {to: ada@example.org, table: select id from a, attempts: 1, first_delay: 0s}\n")
    return tarn


def wait_until(look):
    deadline = time.monotonic() + 30
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def due_of(server, name):
    return server.json(f"/api/v1/schedules/{name}/due")["due"]


def test_a_schedule_mails_its_reports_at_the_end(tarn, smtp):
    port, inbox = smtp
    set_up(tarn, port, "  nightly: {run: [a, 'mail:ids'], cron: '@yearly'}\n  morning: {run: ['mail:ids'], cron: '@yearly'}\n")
    tarn.run("check")
    server = Server(tarn)
    try:
        for name in ("nightly", "morning"):
            server.json(f"/api/v1/schedules/{name}/run", {})
            wait_until(lambda: [due["state"] for due in due_of(server, name)] == ["done"])
        assert len(inbox.mails) == 2 and b"42" in inbox.mails[0]
        tasks = tarn.rows("select task, kind, state from _tarn.tasks where run = (select run from _tarn.due where schedule = 'nightly') order by task")
        assert [(task["task"], task["kind"], task["state"]) for task in tasks] == [("a", "model", "done"), ("mail:ids", "report", "done")]
        assert "mail:ids" in tarn.run("schedules").stdout
    finally:
        server.stop()


def test_nothing_is_mailed_when_what_was_run_failed(tarn, smtp):
    port, inbox = smtp
    set_up(tarn, port, "  nightly: {run: [a, 'mail:ids'], cron: '@yearly'}\n")
    tarn.write("models/a.sql", "{{ config(materialized='table') }}\nselect error('broken') as id\n")
    server = Server(tarn)
    try:
        server.json("/api/v1/schedules/nightly/run", {})
        wait_until(lambda: [due["state"] for due in due_of(server, "nightly")] == ["failed"])
        assert not inbox.mails
    finally:
        server.stop()


def test_a_mail_that_failed_is_tried_again_with_the_run_and_the_rest_is_not(tarn, smtp):
    port, inbox = smtp
    inbox.answers = ["451 busy"]
    set_up(tarn, port, "  often: {run: [a, 'mail:ids'], every: 5s, retries: 2, retry_delay: 1s}\n")
    server = Server(tarn)
    try:
        due = wait_until(lambda: [due for due in due_of(server, "often") if due["state"] == "done"])[-1]
        server.json("/api/v1/schedules/often/pause", {})
        assert due["tries"] == 2 and not inbox.answers
        tasks = tarn.rows(f"select task, attempts from _tarn.tasks where run = '{due['run']}' order by task")
        assert tasks == [{"task": "a", "attempts": 1}, {"task": "mail:ids", "attempts": 2}]
        sent = tarn.rows(f"select state from _tarn.sent where run = '{due['run']}'")
        assert sorted(row["state"] for row in sent) == ["not sent", "sent"]
    finally:
        server.stop()


def test_check_knows_the_reports(tarn, smtp):
    set_up(tarn, 1, "  a: {run: ['mail:idz'], cron: '@daily'}\n  b: {run: ['mail:silent'], cron: '@daily'}\n")
    tarn.write("reports/silent.yml", "sheets:\n  - {name: Ids, query: select id from a}\n")
    done = tarn.run("check", check=2)
    told = (done.stdout + done.stderr).splitlines()
    assert any("tarn.yml:4:" in line and "idz" in line for line in told), told
    assert any("tarn.yml:5:" in line and "has no mail" in line for line in told), told
