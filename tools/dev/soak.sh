# ./dev soak [KILLS=500]: the fault tests for long (hours), at every call and with a fresh seed; appends a dated line to docs/soak.md.
preset=dev
source tools/dev/configure.sh
cmake --build --preset dev
export TARN_BUILD="$PWD/build" TARN_FAULT_ALL=1 TARN_KILLS="${1:-500}" TARN_SEED="${TARN_SEED:-$RANDOM}"
start=$SECONDS
outcome=passed
"$TARN_DEPS/venv/bin/python" -m pytest -q -p no:cacheprovider tests/faults || outcome=FAILED
[ -f docs/soak.md ] || printf '# Long runs of the fault tests\n\n| day | commit | kills | seed | minutes | outcome |\n| --- | --- | --- | --- | --- | --- |\n' >docs/soak.md
printf '| %s | %s | %s | %s | %s | %s |\n' "$(date -u +%F)" "$(git rev-parse --short HEAD)" "$TARN_KILLS" "$TARN_SEED" "$(((SECONDS - start) / 60))" "$outcome" >>docs/soak.md
tail -n 1 docs/soak.md
[ "$outcome" = passed ]
