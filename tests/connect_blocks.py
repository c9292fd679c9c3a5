"""What `tarn serve` prints for other engines, taken from its output: {engine: text to paste}."""

HEADS = {"# pyiceberg": "pyiceberg", "# Spark": "Spark", "# Trino": "Trino", "-- DuckDB": "DuckDB"}


def connect_blocks(server):
    """Reads what the running server has printed; once per server."""
    lines = []
    while not lines or "ATTACH" not in lines[-1]:
        line = server.process.stdout.readline()
        assert line, f"the server printed no texts: {lines}"
        lines.append(line.rstrip("\n"))
    blocks, name = {}, None
    for line in lines:
        head = next((engine for start, engine in HEADS.items() if line.startswith(start)), None)
        if head:
            name = head
            blocks[name] = []
        elif name:
            blocks[name].append(line)
    return {engine: "\n".join(block).strip() for engine, block in blocks.items()}
