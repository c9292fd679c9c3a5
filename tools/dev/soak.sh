# ./dev soak [KILLS=500] [FUZZ_SECONDS=300]: the long tests (hours). The fault tests at every call and with a fresh
# seed, random transactions, random requests to /iceberg (TARN_ICEBERG_OPENAPI=FILE, see tests/rest_fuzz), then random tables, transactions and files, then all tests under the sanitizers, then each fuzz target for
# so long. Appends a line for each part that ran to its end to docs/soak.md.
kills="${1:-500}" fuzz_seconds="${2:-300}"
if [ ! -f docs/soak.md ]; then
  printf '# Long runs\n\n| day | commit | what ran | seed | minutes | outcome |\n| --- | --- | --- | --- | --- | --- |\n' >docs/soak.md
fi

# note WHAT SEED START OUTCOME
note() {
  local changed=""
  git diff --quiet HEAD -- src tests || changed=" with changes"
  printf '| %s | %s%s | %s | %s | %s | %s |\n' "$(date -u +%F)" "$(git rev-parse --short HEAD)" "$changed" "$1" "$2" \
    "$(((SECONDS - $3) / 60))" "$4" >>docs/soak.md
  tail -n 1 docs/soak.md
  [ "$4" = passed ] || failed=1
}

failed=0
preset=dev
source tools/dev/configure.sh
cmake --build --preset dev
seed="${TARN_SEED:-$RANDOM}"
start=$SECONDS outcome=passed
TARN_BUILD="$PWD/build" TARN_FAULT_ALL=1 TARN_KILLS="$kills" TARN_SEED="$seed" \
  "$TARN_DEPS/venv/bin/python" -m pytest -q -p no:cacheprovider tests/faults || outcome=FAILED
note "fault tests at every call, $kills kills" "$seed" "$start" "$outcome"

start=$SECONDS outcome=passed
TARN_BUILD="$PWD/build" TARN_TRANSACTIONS=10000 TARN_SEED="$seed" "$TARN_DEPS/venv/bin/python" -m pytest -q -p no:cacheprovider \
  tests/clients/test_two_sessions.py tests/clients/test_differential.py || outcome=FAILED
note "10,000 random transactions of one session and of two" "$seed" "$start" "$outcome"

# Iceberg's OpenAPI document is in no registry: whoever has it names it.
if [ -n "${TARN_ICEBERG_OPENAPI:-}" ]; then
  venv="$TARN_DEPS/rest-fuzz-venv" want=$(sha256sum tools/rest-fuzz.lock)
  if [ ! -f "$venv/.stamp" ] || [ "$(cat "$venv/.stamp")" != "$want" ]; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --no-deps -r tools/rest-fuzz.lock
    echo "$want" >"$venv/.stamp"
  fi
  start=$SECONDS outcome=passed
  TARN_BUILD="$PWD/build" TARN_FUZZ_EXAMPLES=2000 TARN_SEED="$seed" "$TARN_DEPS/venv/bin/python" -m pytest -q -p no:cacheprovider \
    tests/rest_fuzz || outcome=FAILED
  note "2,000 random requests for each operation of /iceberg" "$seed" "$start" "$outcome"
else
  echo "TARN_ICEBERG_OPENAPI names no document: no random requests to /iceberg"
fi

start=$SECONDS outcome=passed
TARN_BUILD="$PWD/build" TARN_TABLES=500 TARN_TRANSACTIONS=2000 TARN_FILES=200 TARN_FLIPS=2000 \
  TARN_SEED="$seed" "$TARN_DEPS/venv/bin/python" -m pytest -q -p no:cacheprovider tests/clients/test_random_tables.py \
  tests/clients/test_differential.py tests/clients/test_random_files.py tests/clients/test_damaged_tables.py || outcome=FAILED
note "500 random tables, 2,000 random transactions, 200 random files, 2,000 flipped bits" "$seed" "$start" "$outcome"

for kind in address thread; do
  start=$SECONDS outcome=passed
  bash tools/dev/main.sh sanitize "$kind" || outcome=FAILED
  note "./dev sanitize $kind" - "$start" "$outcome"
done

start=$SECONDS outcome=passed
bash tools/dev/main.sh fuzz "$fuzz_seconds" || outcome=FAILED
note "./dev fuzz $fuzz_seconds: $(ls build-asan/fuzz/*_fuzz | wc -l) targets" - "$start" "$outcome"
[ "$failed" = 0 ]
