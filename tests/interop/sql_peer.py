"""What every peer can do. Those asked in SQL say how they name a table, a version and literals, and give Python's values."""

from readers import sorted_rows


class Literal:
    """`{date:2024-01-01}` in a predicate becomes the peer's literal."""

    def __init__(self, write):
        self.write = write if callable(write) else lambda text: write % text

    def __format__(self, text):
        return self.write(text)


class Peer:
    """`name`, `version`, and in `literals` its words for peer_tables.PREDICATES; `register` and `rows` are each peer's own."""

    name = ""
    version = ""
    literals = {}

    @classmethod
    def predicate(cls, text):
        return text.format(**{word: Literal(write) for word, write in cls.literals.items()})

    def stop(self):
        pass


class SqlPeer(Peer):
    """`source(schema, name, snapshot, time_ms)` is what stands behind FROM; `ask(sql)` gives (columns, rows as dicts)."""

    def rows(self, schema, name, where=None, snapshot=None, time_ms=None):
        """(columns, sorted rows) of a table."""
        sql = f"select * from {self.source(schema, name, snapshot, time_ms)}"
        columns, rows = self.ask(f"{sql} where {self.predicate(where)}" if where else sql)
        return columns, sorted_rows(rows)
