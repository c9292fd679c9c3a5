#include "flowfile/script/keeper_bytes.h"

// By the assembler, so that the compiler does not read the program as numbers.
__asm__(
    ".section .rodata\n"
    ".global tarn_keeper_begin\n"
    "tarn_keeper_begin:\n"
    ".incbin \"" TARN_KEEPER
    "\"\n"
    ".global tarn_keeper_end\n"
    "tarn_keeper_end:\n"
    ".previous\n");

extern "C" const char tarn_keeper_begin[];
extern "C" const char tarn_keeper_end[];

namespace tarn::flowfile {

std::string_view keeper_bytes() {
  return {tarn_keeper_begin, static_cast<size_t>(tarn_keeper_end - tarn_keeper_begin)};
}

}  // namespace tarn::flowfile
