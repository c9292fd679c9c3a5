# ./dev run ARGS...: builds the program and runs it.
preset=dev
source tools/dev/configure.sh
cmake --build --preset dev --target tarn >/dev/null
exec build/tarn "$@"
