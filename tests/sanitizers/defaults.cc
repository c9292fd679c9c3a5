// What the sanitizers of this build leave out, linked into every program of the presets asan and tsan, so
// that it holds however a program is started. Each line has its reason. What can be mended is mended, not
// listed. NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the sanitizers ask by
// these names
extern "C" {

__attribute__((used)) const char* __asan_default_options() {
  // detect_container_overflow: DuckDB's library is not instrumented, so vectors that it fills keep stale
  // marks.
  return "detect_container_overflow=0:detect_stack_use_after_return=1:strict_string_checks=1";
}

__attribute__((used)) const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

__attribute__((used)) const char* __lsan_default_options() {
  return "print_suppressions=0";
}

__attribute__((used)) const char* __lsan_default_suppressions() {
  // fontconfig keeps its fonts until the program ends (charts in mails).
  return "leak:libfontconfig";
}

__attribute__((used)) const char* __tsan_default_options() {
  return "second_deadlock_stack=1:print_suppressions=0";
}

__attribute__((used)) const char* __tsan_default_suppressions() {
  return "";
}
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
