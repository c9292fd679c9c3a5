"""What the benchmarks share: timing, peak memory, a result line. Times are medians; every figure is printed."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPS = pathlib.Path(os.environ.get("TARN_DEPS") or os.path.expanduser("~/.cache/tarn/deps"))
TARN = pathlib.Path(os.environ.get("TARN_BUILD") or ROOT / "build-release") / "tarn"


def timed(command, cwd=None, env=None, stdout=subprocess.DEVNULL):
    """Runs a command; returns (seconds, peak resident MB). Stops the benchmark when it fails."""
    start = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], cwd=cwd, env=env, stdout=stdout, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.stderr.close()
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {os.waitstatus_to_exitcode(status)}\n{errors.decode()[-2000:]}")
    return seconds, usage.ru_maxrss / 1024


def show(name, ours, peer, unit, bar=None, better="lower"):
    """One line: both figures, the ratio, and whether the promise holds."""
    ratio = ours / peer
    held = "" if bar is None else ("  holds" if (ratio <= bar if better == "lower" else ratio >= bar) else "  MISSED")
    promise = "" if bar is None else f" (promise: {'at most' if better == 'lower' else 'at least'} {bar:g})"
    print(f"{name}: tarn {ours:,.4g} {unit}, peer {peer:,.4g} {unit}, ratio {ratio:.3f}{promise}{held}", flush=True)


def show_limit(name, value, limit, unit):
    """One line: a figure against a fixed limit."""
    print(f"{name}: {value:,.4g} {unit} (promise: at most {limit:g} {unit})  {'holds' if value <= limit else 'MISSED'}", flush=True)


def median(values):
    return statistics.median(values)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((l.split(":")[1].strip() for l in f if l.startswith("model name")), "?")
    print(f"machine: {os.cpu_count()} cores, {model}", flush=True)
