# ./dev install [PREFIX]: the release build, installed below PREFIX (default /usr/local). Says how to start it as a service.
prefix="${1:-/usr/local}"
source tools/dev/setup.sh
preset=release
source tools/dev/configure.sh
cmake --build --preset release --target tarn
cmake --install build-release --prefix "$prefix" --component tarn --strip >/dev/null
echo "Installed $("$prefix/bin/tarn" version) below $prefix."
echo "As a service: $prefix/share/doc/tarn/service.md"
