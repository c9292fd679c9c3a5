"""A terminal for the program: a pty, what was written to it, and what stands on its screen."""

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unicodedata

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][0-9A-Za-z]?")


def plain(text):
    """Without escape codes and carriage returns."""
    return ESCAPE.sub("", text).replace("\r", "")


def cells(line):
    """Width of a line on a terminal; no joined emoji."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Terminal:
    def __init__(self, command, env=None, width=100, height=30, term="xterm"):
        master, slave = pty.openpty()
        self.master = master
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""  # all that was written
        self.seen = 0  # up to where expect() has looked
        self.resize(width, height)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, close_fds=True,
                                        preexec_fn=own_terminal, env={**os.environ, **(env or {}), "TERM": term})
        os.close(slave)

    def resize(self, width, height):
        self.width = width
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def send(self, text):
        os.write(self.master, text.encode())

    def read(self, timeout):
        """Takes in what comes within the time; False at the end."""
        if not select.select([self.master], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += self.decoder.decode(data)
        return bool(data)

    def expect(self, wanted, timeout=30, last=False):
        """Waits for the text (or one of several), from where the last expect() ended, or for it as the last that was
        written."""
        wanted = (wanted,) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + timeout
        while True:
            new = plain(self.text[self.seen:])
            if new.endswith(wanted) if last else any(text in new for text in wanted):
                self.seen = len(self.text)
                return new
            assert time.monotonic() < deadline, f"no {wanted!r} in: {new}"
            more = self.read(1)
            assert more or any(text in plain(self.text[self.seen:]) for text in wanted), f"it ended: {new}"

    def signals(self, timeout=30):
        """Waits until Ctrl-C is a signal and no key."""
        deadline = time.monotonic() + timeout
        while not termios.tcgetattr(self.master)[3] & termios.ISIG:
            assert time.monotonic() < deadline and self.read(0.01), "Ctrl-C stays a key"

    def prompt(self, timeout=30):
        """Waits until a prompt is the last that was written."""
        deadline = time.monotonic() + timeout
        while not plain(self.text[-200:]).endswith("\ntarn> "):
            assert time.monotonic() < deadline and self.read(1), f"no prompt in: {plain(self.text[-500:])}"
        self.seen = len(self.text)

    def ask(self, sql):
        """Types a statement and returns what comes up to the next prompt."""
        self.send(sql + "\n")
        text = self.expect("\ntarn> ", last=True)
        return text.split("\n", 1)[1].rsplit("\n", 1)[0]

    def wait(self, timeout=30, close=True):
        deadline = time.monotonic() + timeout
        while self.read(0.5):
            assert time.monotonic() < deadline, f"it goes on: {plain(self.text[-2000:])}"
        code = self.process.wait(timeout)
        if close:
            os.close(self.master)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def screen(self):
        """The lines as they stand in the end: text, line ends, cursor up and erase below; nothing else is used."""
        lines, row, column = [""], 0, 0
        for part in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", self.text):
            code = re.fullmatch(r"\x1b\[([0-9;?]*)([A-Za-z])", part)
            if part == "\r":
                column = 0
            elif part == "\n":
                row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
            elif code and code[2] == "A":
                row -= int(code[1] or 1)
                assert row >= 0, "the cursor left the screen"
            elif code and code[2] == "J":
                lines = lines[:row] + [lines[row][:column]]
            elif not code:
                lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part):]
                column += len(part)
        return lines
