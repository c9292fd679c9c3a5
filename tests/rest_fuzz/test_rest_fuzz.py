"""Goal: whatever a client sends to /iceberg, the answer is one that Iceberg's OpenAPI document knows, in its form, and never a 5xx.
Method: schemathesis makes requests out of that document, good ones and bad ones, against `tarn serve`. The document is Apache
Iceberg's rest-catalog-open-api.yaml of 1.11.0; no registry has it, so TARN_ICEBERG_OPENAPI names a file (of the checksum below).
TARN_FUZZ_EXAMPLES says how many requests an operation gets, TARN_SEED repeats a run."""

import hashlib
import os
import pathlib
import random
import subprocess

import pytest

from conftest import DEPS
from tarn_server import Server

DOCUMENT = os.environ.get("TARN_ICEBERG_OPENAPI", "")
CHECKSUM = "80d2ec83a70eeff6e7194853f8791c17cceb14610fae6a0e6afdd2921806ee4a"
EXAMPLES = os.environ.get("TARN_FUZZ_EXAMPLES", "100")
SEED = os.environ.get("TARN_SEED", str(random.randrange(1 << 30)))
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
TOOLS = DEPS / "rest-fuzz-venv/bin"


@pytest.mark.skipif(not DOCUMENT, reason="TARN_ICEBERG_OPENAPI does not name Iceberg's rest-catalog-open-api.yaml")
def test_answers_conform(tarn, tmp_path, capsys):
    assert hashlib.sha256(pathlib.Path(DOCUMENT).read_bytes()).hexdigest() == CHECKSUM, f"{DOCUMENT} is not the document of 1.11.0"
    subprocess.run([TOOLS / "python", pathlib.Path(__file__).parent / "patch_spec.py", DOCUMENT, tmp_path / "openapi.yaml"], check=True)
    tarn.run("sql", """create schema s; create table s.t (k bigint, v varchar); insert into s.t values (1, 'x'); create table t (k bigint);
        create view v as select 1 as x; create view s.v as select k from s.t""")
    server = Server(tarn)
    try:
        done = subprocess.run(
            [TOOLS / "schemathesis", "run", tmp_path / "openapi.yaml", "--url", f"{server.url}/iceberg", "-H",
             f"Authorization: Bearer {server.token}", "--phases", "examples,coverage,fuzzing", "-n", EXAMPLES, "--seed", SEED, "--checks", CHECKS,
             "--continue-on-failure", "--suppress-health-check", "all", "--no-color", "--warnings", "off"], cwd=tmp_path, capture_output=True, text=True, timeout=3600)
        tarn.run("sql", "select count(*) from s.v", check=None)
        assert server.process.poll() is None, "the server is gone"
    finally:
        code, _, errors = server.stop()
    assert done.returncode == 0, f"seed {SEED}\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
    assert code == 0, errors
    with capsys.disabled():
        print("\n" + "\n".join(line for line in done.stdout.splitlines() if "generated" in line or "Tested:" in line), f"seed {SEED}", flush=True)
