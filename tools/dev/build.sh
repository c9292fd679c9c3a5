# ./dev build [dev|release|asan|tsan]
preset="${1:-dev}"
source tools/dev/configure.sh
cmake --build --preset "$preset"
