"""Random statements that Tarn and DuckDB understand alike, on random tables of every type that a lake table holds."""

# Lake tables hold microseconds, so no TIMESTAMP_NS. No -0.0: in a Parquet dictionary DuckDB keeps one zero.
TYPES = """boolean tinyint smallint integer bigint utinyint uinteger ubigint hugeint float double decimal(9,2)
decimal(18,4) decimal(38,10) date time timestamp timestamptz varchar blob uuid integer[] varchar[] timestamp_s
timestamp_ms interval json bit struct(a~integer,b~varchar) struct(a~integer,b~struct(c~double,d~date[]))
map(varchar,integer) struct(x~integer)[]""".split()
TYPES = [name.replace("~", " ") for name in TYPES]

WHOLE = {"tinyint": (-(2**7), 2**7 - 1), "smallint": (-(2**15), 2**15 - 1), "integer": (-(2**31), 2**31 - 1),
         "bigint": (-(2**63), 2**63 - 1), "utinyint": (0, 2**8 - 1), "uinteger": (0, 2**32 - 1), "ubigint": (0, 2**64 - 1),
         "hugeint": (-(10**37), 10**37)}
TEXT = {"boolean": ["true", "false"],
        "date": ["1969-12-31", "2024-02-29", "0001-01-01", "9999-12-31"],
        "time": ["00:00:00", "23:59:59.999999", "12:34:56.5"],
        "timestamp": ["1969-12-31 23:59:59.999999", "2024-02-29 12:00:00", "2200-01-01 00:00:01"],
        "timestamptz": ["1969-12-31 23:59:59.999999+00", "2024-02-29 12:00:00+01", "2038-01-19 03:14:08+00"],
        "timestamp_s": ["1969-12-31 23:59:59", "2200-01-01 00:00:01"],
        "timestamp_ms": ["1969-12-31 23:59:59.999", "2200-01-01 00:00:01"],
        "varchar": ["", "a", "Ünï", "x" * 300, "it''s", "\U0001F600" * 80, "NULL", "line\nbreak"],
        "blob": ["\\x00\\xFF", "", "abc", "\\xFF" * 20],
        "interval": ["1 month 2 days", "3 hours"],
        "json": ['{"a": 1}', '[1,2,{"b":null}]', '"s"', "null", "12.50"],
        "bit": ["101", "0", "1111000"]}
WIDER = {"integer": "bigint", "float": "double", "decimal(9,2)": "decimal(12,2)"}


def literal(random, kind, nulls=0.15):
    """A value of a type as SQL."""
    if random.random() < nulls:
        return "NULL"
    if kind.endswith("[]"):
        return "[" + ",".join(literal(random, kind[:-2]) for _ in range(random.randrange(4))) + "]::" + kind
    if kind in WHOLE:
        low, high = WHOLE[kind]
        value = random.choice([low, high, 0, 1, random.randint(low, high), random.randint(max(low, -100), min(high, 100))])
        return f"({value})::{kind}"
    if kind in ("float", "double"):
        value = random.choice(["nan", "inf", "-inf", "0", "1.5", "1e-30", "3.25e20", repr(random.gauss(0, 100))])
        return f"'{value}'::{kind}"
    if kind.startswith("decimal"):
        width, scale = map(int, kind[8:-1].split(","))
        digits = str(random.randrange(10**width)).zfill(scale + 1)
        return f"'{random.choice(['', '-'])}{digits[:-scale]}.{digits[-scale:]}'::{kind}"
    if kind == "uuid":
        return f"'{random.getrandbits(128):032x}'::uuid"
    if kind.startswith("map"):
        return random.choice(["MAP {}", "MAP {'k': 1, 'z': NULL}", "MAP {'': -5}"]) + "::" + kind
    if kind.startswith("struct"):
        fields = [field.split(" ", 1) for field in split_fields(kind[7:-1])]
        return "{" + ", ".join(f"'{name}': {literal(random, inner)}" for name, inner in fields) + "}::" + kind
    return f"'{random.choice(TEXT[kind])}'::{kind}"


def split_fields(text):
    """Splits at the commas that stand in no parenthesis."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


class Script:
    """Makes statements and keeps what the tables look like after them: {table: [(column, type), ...]}."""

    def __init__(self, random):
        self.random = random
        self.tables = {}
        self.names = 0

    def new_name(self):
        self.names += 1
        return f"n{self.names}"

    def rows(self, columns, count):
        return ", ".join("(" + ", ".join(literal(self.random, kind) for _, kind in columns) + ")" for _ in range(count))

    def statement(self):
        random = self.random
        if not self.tables:
            return self.create()
        table = random.choice(sorted(self.tables))
        if random.random() < 0.45:
            return self.returning(table, random.choice([self.insert] * 5 + [self.insert_by_name])(table))
        if random.random() < 0.55:
            makers = [self.delete, self.update, self.merge, self.delete_all, self.update_from, self.delete_using]
            return self.returning(table, random.choice(makers)(table))
        makers = [self.create, self.create_as, self.add, self.drop, self.rename, self.widen, self.rename_table, self.drop_table,
                  self.double, self.default]
        return random.choice(makers)(table)

    def returning(self, table, sql):
        """Some statements tell which rows they changed."""
        # Of a MERGE that updates what its source does not match, DuckDB's own tables return memory that nobody wrote, or crash.
        if self.random.random() > 0.2 or sql.startswith("truncate") or "not matched by source" in sql:
            return sql
        action = "merge_action || ' ' || " if sql.startswith("merge") else ""
        return f"{sql} returning {action}coalesce({self.random.choice(self.tables[table])[0]}::varchar, '') as told"

    def insert(self, table):
        return f"insert into {table} values {self.rows(self.tables[table], self.random.choice([1, 1, 3, 50]))}"

    def insert_by_name(self, table):
        """Into some columns, in another order; the others have their default, or NULL."""
        columns = self.random.sample(self.tables[table], self.random.randint(1, len(self.tables[table])))
        names = ", ".join(name for name, _ in columns)
        return f"insert into {table} ({names}) values {self.rows(columns, self.random.choice([1, 2, 5]))}"

    def some_keys(self, table):
        """A column, and a table `s` in which each of some values for it stands once; None for what cannot be compared."""
        name, kind = self.random.choice(self.tables[table])
        if kind == "json":
            return None, ""
        keys = ", ".join(f"({literal(self.random, kind)})" for _ in range(self.random.choice([1, 3, 20])))
        return name, f"(select distinct k from (values {keys}) v(k)) s"

    def update_from(self, table):
        name, source = self.some_keys(table)
        return f"update {table} set {self.assignments(table)} from {source} where {table}.{name} = s.k" if name else self.update(table)

    def delete_using(self, table):
        name, source = self.some_keys(table)
        return f"delete from {table} using {source} where {table}.{name} = s.k" if name else self.delete(table)

    def default(self, table):
        name, kind = self.random.choice(self.tables[table])
        end = "drop default" if self.random.random() < 0.3 else f"set default {literal(self.random, kind)}"
        return f"alter table {table} alter column {name} {end}"

    def some_rows(self, table):
        """A condition that holds for a part of the rows, by nothing but their values."""
        name, kind = self.random.choice(self.tables[table])
        if kind in TEXT and kind not in ("json", "bit") and self.random.random() < 0.3:
            return f"{name} {self.random.choice(['=', '<', '>'])} {literal(self.random, kind, nulls=0)}"
        return f"md5(coalesce({table}.{name}::varchar, '')) < '{self.random.choice('0148cf')}'"

    def assignments(self, table):
        columns = self.random.sample(self.tables[table], self.random.randint(1, min(3, len(self.tables[table]))))
        return ", ".join(f"{name} = {literal(self.random, kind)}" for name, kind in columns)

    def delete(self, table):
        return f"delete from {table} where {self.some_rows(table)}"

    def delete_all(self, table):
        whole = self.random.choice([f"delete from {table}", f"truncate {table}"])
        return whole if self.random.random() < 0.15 else self.delete(table)

    def update(self, table):
        where = f" where {self.some_rows(table)}" if self.random.random() < 0.9 else ""
        return f"update {table} set {self.assignments(table)}{where}"

    def merge(self, table):
        """Each source row is there once, so that no row of the table is met twice."""
        name, source = self.some_keys(table)
        if not name:
            return self.update(table)
        clauses = []
        if self.random.random() < 0.3:
            rest = self.random.choice(["delete", "delete", "do nothing", "update set " + self.assignments(table)])
            clauses.append(f"when matched and {self.some_rows(table)} then {rest}")
        if self.random.random() < 0.7:
            clauses.append(f"when matched then update set {self.assignments(table)}")
        if self.random.random() < 0.3:
            rest = self.random.choice(["delete", "update set " + self.assignments(table)])
            clauses.append(f"when not matched by source and {self.some_rows(table)} then {rest}")
        if self.random.random() < 0.7 or not clauses:
            clauses.append(f"when not matched then insert ({name}) values (s.k)")
        return f"merge into {table} using {source} on {table}.{name} = s.k {' '.join(clauses)}"

    def create(self, _=None):
        table = f"t{self.random.randrange(6)}"
        columns = [(f"c{i}", self.random.choice(TYPES)) for i in range(self.random.randint(1, 7))]
        self.tables[table] = columns
        return f"create or replace table {table} ({', '.join(f'{name} {kind}' for name, kind in columns)})"

    def create_as(self, table):
        target = f"t{self.random.randrange(6)}"
        kept = self.random.sample(self.tables[table], self.random.randint(1, len(self.tables[table])))
        self.tables[target] = kept
        where = self.random.choice(["", " where false", f" where {kept[0][0]} is not null"])
        return f"create or replace table {target} as select {', '.join(name for name, _ in kept)} from {table}{where}"

    def add(self, table):
        column = (self.new_name(), self.random.choice(TYPES))
        self.tables[table] = [*self.tables[table], column]
        return f"alter table {table} add column {column[0]} {column[1]}"

    def drop(self, table):
        if len(self.tables[table]) == 1:
            return self.double(table)
        dropped = self.random.choice(self.tables[table])
        self.tables[table] = [column for column in self.tables[table] if column != dropped]
        return f"alter table {table} drop column {dropped[0]}"

    def rename(self, table):
        old, new = self.random.choice(self.tables[table])[0], self.new_name()
        self.tables[table] = [(new if name == old else name, kind) for name, kind in self.tables[table]]
        return f"alter table {table} rename column {old} to {new}"

    def widen(self, table):
        for name, kind in self.tables[table]:
            if kind in WIDER:
                self.tables[table] = [(n, WIDER[k] if n == name else k) for n, k in self.tables[table]]
                return f"alter table {table} alter column {name} type {WIDER[kind]}"
        return self.double(table)

    def rename_table(self, table):
        new = f"t{self.random.randrange(6)}"
        if new in self.tables:
            return self.double(table)
        self.tables[new] = self.tables.pop(table)
        return f"alter table {table} rename to {new}"

    def drop_table(self, table):
        del self.tables[table]
        return f"drop table {table}"

    def double(self, table):
        return f"insert into {table} select * from {table} where (select count(*) from {table}) < 1000"
