# ./dev bench [NAME [ARGS...]]: builds with optimisation and runs one benchmark of bench/, or all.
# The peers (dbt) live in an environment of their own, pinned by tools/bench.lock.
venv="$TARN_DEPS/bench-venv"
want=$(sha256sum tools/bench.lock)
if [ ! -f "$venv/.stamp" ] || [ "$(cat "$venv/.stamp")" != "$want" ]; then
  echo "Installing the peers of the benchmarks"
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --no-deps -r tools/bench.lock
  echo "$want" >"$venv/.stamp"
fi
preset=release
source tools/dev/configure.sh
cmake --build --preset release
export TARN_BUILD="$PWD/build-release"
if [ $# = 0 ]; then
  for file in bench/*.py; do
    name=$(basename "$file" .py)
    [ "$name" = measure ] || "$TARN_DEPS/venv/bin/python" "bench/$name.py"
  done
else
  name="$1"
  shift
  "$TARN_DEPS/venv/bin/python" "bench/$name.py" "$@"
fi
