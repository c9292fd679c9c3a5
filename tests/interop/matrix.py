"""The tables of docs/interop.md: what each peer could do, as it was found."""

import contextlib
import dataclasses


@dataclasses.dataclass
class Limit:
    """What a peer is known not to do: the sign of it in the error, and what is said of it."""

    sign: str
    text: str


class Matrix:
    def __init__(self, mark="made by ./dev interop"):
        self.mark = mark
        self.peers = {}
        self.operations = []
        self.cells = {}

    @contextlib.contextmanager
    def cell(self, peer, operation, limit=None):
        """Records whether the block passes. With a limit it must not: a limit that is gone is a failure too."""
        self.peers[peer.name] = peer.version
        if operation not in self.operations:
            self.operations.append(operation)
        self.cells[operation, peer.name] = "**differs**"
        try:
            yield
        except Exception as error:
            if limit is None or limit.sign not in f"{type(error).__name__}: {error}":
                raise
            self.cells[operation, peer.name] = f"no: {limit.text}"
            return
        assert limit is None, f"{peer.name} can do '{operation}' now: take the limit out ({limit.text})"
        self.cells[operation, peer.name] = "yes"

    def lines(self):
        """The table in Markdown."""
        yield "| | " + " | ".join(f"{name} {version}" for name, version in self.peers.items()) + " |"
        yield "| --- |" + " --- |" * len(self.peers)
        for operation in self.operations:
            yield f"| {operation} | " + " | ".join(self.cells.get((operation, name), "not asked") for name in self.peers) + " |"

    def rewrite(self, page):
        """Puts the table into a page, between its two marks."""
        before, start, rest = page.read_text(encoding="utf-8").partition(f"<!-- {self.mark} -->\n")
        _, end, after = rest.partition("<!-- end -->\n")
        assert start and end, f"{page} has no marks for the table"
        page.write_text(before + start + "\n".join(self.lines()) + "\n" + end + after, encoding="utf-8")
