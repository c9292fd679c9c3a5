# TARN_SANITIZE: "" or "address" or "thread"; the presets asan and tsan set it. DuckDB's library, as it comes
# prebuilt, is not instrumented; what that makes of reports stands in tests/sanitizers/defaults.cc.
set(TARN_SANITIZE "" CACHE STRING "Sanitizers to build with: address (with undefined behaviour) or thread")

if(TARN_SANITIZE STREQUAL "address")
  # fuzzer-no-link: the coverage that steers libFuzzer, so that ./dev fuzz needs no build tree of its own.
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=vptr)
  add_compile_options(${sanitizers} -fsanitize=fuzzer-no-link)
  add_link_options(${sanitizers})
elseif(TARN_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(TARN_SANITIZE)
  message(FATAL_ERROR "TARN_SANITIZE is '${TARN_SANITIZE}': write address or thread")
endif()
set(TARN_TEST_SECONDS 300)
set(TARN_PROGRAM_TEST_SECONDS 900)
if(TARN_SANITIZE)
  # A test that fails every call of a catalog takes minutes under ThreadSanitizer.
  set(TARN_TEST_SECONDS 3600)
  set(TARN_PROGRAM_TEST_SECONDS 7200)
  # What the sanitizers leave out, with the reasons.
  add_library(tarn_sanitizers OBJECT "${CMAKE_SOURCE_DIR}/tests/sanitizers/defaults.cc")
  # Subscripts, fronts and optionals of the standard library are checked too.
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()

# For every program: without it the sanitizers would report what is left out on purpose.
function(tarn_sanitized target)
  if(TARN_SANITIZE)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:tarn_sanitizers>)
  endif()
endfunction()
