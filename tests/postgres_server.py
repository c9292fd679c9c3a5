"""A real PostgreSQL on loopback, of Debian's package, in a folder of its own."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def programs():
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert folders, "PostgreSQL is not installed: ./dev setup"
    return folders[-1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    password = "owner-secret-4711"

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tarn-pg-"))
        self.port = free_port()
        # PostgreSQL refuses to run as root.
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.prefix:
            shutil.chown(self.folder, "postgres", "postgres")
        secret = self.folder / "owner"
        secret.write_text(self.password)
        secret.chmod(0o644)
        self.call("initdb", "-D", self.folder / "data", "-A", "scram-sha-256", "-U", "owner", "--pwfile", secret, "-N")
        self.start()

    def call(self, program, *args):
        subprocess.run([*self.prefix, str(programs() / program), *map(str, args)], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def start(self):
        self.call("pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "data" / "log", "-o",
                  f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off", "start")

    def stop(self):
        self.call("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")

    def pause(self, stopped=True):
        """The server hangs: its processes stand still, the kernel still takes connections."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True).stdout.split()
        for process in [main, *map(int, children)]:
            os.kill(process, signal.SIGSTOP if stopped else signal.SIGCONT)

    def run(self, sql, database="postgres"):
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "owner",
                               "-d", database, "-c", sql],
                              env={**os.environ, "PGPASSWORD": self.password}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self):
        try:
            self.stop()
        finally:
            time.sleep(0.05)
            shutil.rmtree(self.folder, ignore_errors=True)
