"""The checks of ./dev lint: formatting, layers, sizes, words, self-contained headers, clang-tidy.

Answers of the slow checks are kept by content (file, everything it includes from src/, and the check's settings) in
the folder named by --cache, so a second run only looks at what changed. Exit code 1 when anything is found.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)
MAX_LINE = 110
MAX_FILE_LINES = 800
BANNED_FOLDERS = {"util", "utils", "common", "helper", "helpers", "manager", "misc"}
BANNED_WORDS = re.compile(r"\b(FIXME|XXX|HACK|fixme)\b")
MACHINE_TEXT = re.compile(r"/work/|/root/|/home/[a-z]+/|registry\.npmjs|pypi\.org|pythonhosted|repo1?\.maven|deb\.debian")


def git_files():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [f for f in out.stdout.splitlines() if os.path.isfile(os.path.join(ROOT, f))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def layers():
    allowed = {}
    for line in read("tools/layers.txt").splitlines():
        if line and line[0].isalpha():
            name, used = line.split(":")
            allowed[name.strip()] = set(used.split())
    return allowed


def check_layers(files):
    allowed = layers()
    seen = []
    for name, used in allowed.items():
        for other in used:
            if other not in seen:
                yield f"tools/layers.txt: '{name}' may not use '{other}', which does not stand above its line"
        seen.append(name)
    for path in files:
        if not re.match(r"src/[^/]+/.*\.(h|cc)$", path):
            continue
        module = path.split("/")[1]
        if module not in allowed:
            yield f"{path}: module '{module}' is not in tools/layers.txt"
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1)
            if target.startswith("duckdb") and not path.startswith("src/engine/duck/"):
                yield f"{path}:{number}: only src/engine/duck may include DuckDB"
            if target.startswith("boost/") and path.endswith(".h") and module != "net":
                yield f"{path}:{number}: Asio and Beast stand in headers of src/net only"
            other = target.split("/")[0]
            if other in allowed and other != module and other not in allowed[module] and "/" in target:
                yield f"{path}:{number}: '{module}' may not include from '{other}' (tools/layers.txt)"


def check_sizes(files):
    for path in files:
        if not re.search(r"\.(h|cc|py|sh)$", path):
            continue
        lines = read(path).splitlines()
        if len(lines) > MAX_FILE_LINES:
            yield f"{path}: {len(lines)} lines; at most {MAX_FILE_LINES}"
        if path.endswith((".h", ".cc")):
            for number, line in enumerate(lines, 1):
                if len(line) > MAX_LINE:
                    yield f"{path}:{number}: {len(line)} columns; at most {MAX_LINE}"


def check_words(files):
    for path in files:
        if BANNED_FOLDERS & set(path.split("/")[:-1]):
            yield f"{path}: a folder's name says what it is for, not '{(BANNED_FOLDERS & set(path.split('/'))).pop()}'"
        if path == "tools/lint/lint.py" or path.endswith((".png", ".lock", ".parquet")):
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            if BANNED_WORDS.search(line):
                yield f"{path}:{number}: write 'TODO: what is missing and what happens until then.'"
            if MACHINE_TEXT.search(line):
                yield f"{path}:{number}: names a path of a machine or a registry"


def check_format(files):
    sources = [f for f in files if re.match(r"(src|bench|tests)/.*\.(h|cc)$", f)]
    for start in range(0, len(sources), 40):
        out = subprocess.run(["clang-format-19", "--dry-run", "--ferror-limit=1"] + sources[start:start + 40],
                             cwd=ROOT, capture_output=True, text=True)
        for line in out.stderr.splitlines():
            if "warning:" in line or "error:" in line:
                yield line.split(": warning")[0].split(": error")[0] + ": not formatted; run ./dev fmt"


class Cache:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.closures = {}

    def closure(self, path, seen):
        if path in seen or not os.path.isfile(os.path.join(ROOT, path)):
            return
        seen.add(path)
        for target in INCLUDE.findall(read(path)):
            self.closure("src/" + target, seen)

    def key(self, path, salt):
        seen = set()
        self.closure(path, seen)
        digest = hashlib.sha256(salt.encode())
        for each in sorted(seen):
            digest.update(each.encode() + read(each).encode())
        return digest.hexdigest()

    def known_good(self, key):
        return os.path.exists(os.path.join(self.folder, key))

    def remember(self, key):
        open(os.path.join(self.folder, key), "w").close()


def compile_commands(build):
    with open(os.path.join(build, "compile_commands.json")) as f:
        entries = json.load(f)
    return {os.path.relpath(e["file"], ROOT): e for e in entries}


def flags_of(entry):
    words = entry["command"].split()
    keep, skip = [], False
    for index, word in enumerate(words):
        if skip:
            skip = False
        elif word in ("-o", "-c"):
            skip = True
        elif index > 1 or (index == 1 and "clang" not in word and word.startswith("-")):
            keep.append(word)
    return [w for w in keep if w != entry["file"] and not w.endswith("ccache")]


def run_tidy(path, build):
    out = subprocess.run(["clang-tidy-19", "--quiet", "-p", build, path], cwd=ROOT, capture_output=True, text=True)
    found = [l for l in out.stdout.splitlines() if ": error:" in l or ": warning:" in l]
    if out.returncode != 0 and not found:
        found = [f"{path}: clang-tidy failed: {(out.stderr.strip().splitlines() or ['?'])[-1]}"]
    return found


def run_header(path, entry):
    command = ["clang++-19"] + flags_of(entry) + ["-fsyntax-only", "-x", "c++", os.path.join(ROOT, path), "-Wno-pragma-once-outside-header"]
    out = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True)
    if out.returncode == 0:
        return []
    first = next((l for l in out.stderr.splitlines() if "error:" in l), out.stderr.strip()[:200])
    return [f"{path}: not self-contained: {first}"]


def is_compiled_first(header):
    """Its own .cc begins with it, so that the compiler has seen it on its own."""
    source = header[:-2] + ".cc"
    if not os.path.exists(os.path.join(ROOT, source)):
        return False
    first = re.search(r'^#include (.*)$', read(source), re.M)
    return first is not None and first.group(1) == '"' + header[len("src/"):] + '"'


def slow_checks(files, build, cache, tests):
    commands = compile_commands(build)
    version = subprocess.run(["clang-tidy-19", "--version"], capture_output=True, text=True).stdout
    salt = version + read(".clang-tidy") + read("tools/lint/lint.py")
    jobs = []
    for path in files:
        if re.match(r"(src|bench)/.*\.cc$", path) and path in commands:
            if re.search(r"_(test|fuzz)\.cc$", path) and not tests:
                continue
            jobs.append((cache.key(path, salt + "tidy"), run_tidy, (path, build)))
        elif re.match(r"src/.*\.h$", path):
            module = "/".join(path.split("/")[:2]) + "/"
            near = [p for p in commands if p.startswith(module)]
            if near and not is_compiled_first(path):
                jobs.append((cache.key(path, salt + "header"), run_header, (path, commands[near[0]])))
    jobs = [j for j in jobs if not cache.known_good(j[0])]
    print(f"lint: clang-tidy and headers: {len(jobs)} to look at", flush=True)
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        futures = {pool.submit(job[1], *job[2]): job for job in jobs}
        for future in concurrent.futures.as_completed(futures):
            found = future.result()
            if not found:
                cache.remember(futures[future][0])
            yield from found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--cache", required=True)
    parser.add_argument("--quick", action="store_true", help="leave out clang-tidy and the header check")
    parser.add_argument("--tests", action="store_true", help="clang-tidy looks at tests and fuzz targets, too (another third of its time)")
    parser.add_argument("only", nargs="*", help="only files below these paths")
    options = parser.parse_args()
    files = git_files()
    if options.only:
        files = [f for f in files if any(f.startswith(o) for o in options.only)]
    findings = []
    for check in (check_layers, check_sizes, check_words, check_format):
        findings += list(check(files))
    for finding in findings:
        print(finding)
    if not options.quick:
        for finding in slow_checks(files, options.build, Cache(options.cache), options.tests):
            print(finding, flush=True)
            findings.append(finding)
    findings = sorted(set(findings))
    print(f"lint: {len(files)} files, {len(findings)} findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
