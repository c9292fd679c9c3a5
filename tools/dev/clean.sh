# ./dev clean: removes the build folders; the downloads of ./dev setup stay.
rm -rf build build-release build-asan build-tsan
