"""Puts the built web UI into one binary file and a C++ table of what is where: embed.py DIST OUT (OUT.cc, OUT.bin).

The bytes come in by the assembler's .incbin, so that the compiler does not read a megabyte of numbers.
"""

import gzip
import hashlib
import mimetypes
import pathlib
import re
import sys

HASHED = re.compile(r"^/assets/.+-[A-Za-z0-9_-]{8}\.[a-z0-9]+$")
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".html": "text/html; charset=utf-8", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json"}

SOURCE = """#include "app/ui_files.h"

#include <array>

__asm__(
    ".section .rodata\\n"
    ".global tarn_ui_bytes\\n"
    "tarn_ui_bytes:\\n"
    ".incbin \\"{blob}\\"\\n"
    ".previous\\n");

extern "C" const char tarn_ui_bytes[];

namespace tarn::app {{

std::span<const serve::UiFile> ui_files() {{
  static const std::array<serve::UiFile, {count}> files = {{{{
{rows}  }}}};
  return files;
}}

}}  // namespace tarn::app
"""


def main():
    dist, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    blob, rows, count = bytearray(), [], 0
    for file in sorted(p for p in dist.rglob("*") if p.is_file()):
        path = "/" + file.relative_to(dist).as_posix()
        kind = TYPES.get(file.suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        packed = gzip.compress(file.read_bytes(), 9, mtime=0)
        etag = '\\"%s\\"' % hashlib.sha256(packed).hexdigest()[:16]
        rows.append('      {"%s", "%s", {tarn_ui_bytes + %d, %d}, "%s", %s},\n'
                    % (path, kind, len(blob), len(packed), etag, "true" if HASHED.match(path) else "false"))
        blob += packed
        count += 1
    out.with_suffix(".bin").write_bytes(blob)
    out.with_suffix(".cc").write_text(SOURCE.format(blob=out.with_suffix(".bin"), count=count, rows="".join(rows)),
                                      encoding="utf-8")


if __name__ == "__main__":
    main()
