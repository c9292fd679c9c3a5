"""Goal: what `tarn serve` prints for Spark and Trino works as it stands. Method: the printed texts are run literally: the command
line of spark-sql (Iceberg's runtime among its jars, as it says), the properties file of a Trino server."""

import os
import subprocess

import pytest

from connect_blocks import connect_blocks
from spark_peer import HOME as SPARK
from spark_peer import JARS
from tarn_server import Server
from trino_peer import Trino


@pytest.fixture
def server(tarn):
    tarn.run("sql", "create table cities (name varchar); insert into cities values ('Oslo')")
    server = Server(tarn)
    yield server
    assert server.stop()[0] == 0


def test_printed_texts(server, tmp_path):
    blocks = connect_blocks(server)
    shell = f"{blocks['Spark']} --jars {','.join(map(str, JARS))} --master local[1] -e 'select upper(name) from tarn.public.cities'"
    env = {**os.environ, "PATH": f"{SPARK}/deps/bin:{os.environ['PATH']}", "SPARK_HOME": f"{SPARK}/deps", "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(["bash", "-c", shell], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "OSLO" in done.stdout, done.stderr[-3000:]
    folder = tmp_path / "trino"
    folder.mkdir()
    trino = Trino(folder, {"tarn": blocks["Trino"]})
    try:
        assert trino.ask("select upper(name) as n from tarn.public.cities")[1] == [{"n": "OSLO"}]
    finally:
        trino.stop()
