# ./dev lint [--quick|--tests] [PATH...]: what it finds is mended in the code, not silenced.
preset=dev
source tools/dev/configure.sh
cmake --build --preset dev --target lint_needs >/dev/null
exec python3 tools/lint/lint.py --cache "${XDG_CACHE_HOME:-$HOME/.cache}/tarn/lint" "$@"
