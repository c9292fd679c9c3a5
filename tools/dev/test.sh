# ./dev test [PATTERN]: installs what is missing, builds, runs all tests (or those whose name matches).
source tools/dev/setup.sh
preset=dev
source tools/dev/configure.sh
cmake --build --preset dev
export TARN_BUILD="$PWD/build"
ctest --test-dir build --output-on-failure --no-tests=error -j 2 ${1:+-R "$1"}
