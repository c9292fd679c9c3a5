# Configures the build folder of $preset when it is not; CMake itself notices later changes.
case "$preset" in dev) folder=build ;; *) folder="build-$preset" ;; esac
if [ ! -f "$folder/build.ninja" ]; then
  # The compiler itself, not ccache's link of its name: compile.sh calls ccache.
  PATH="${PATH//\/usr\/lib\/ccache:/}" cmake --preset "$preset" -DTARN_DEPS="$TARN_DEPS" >/dev/null
fi
