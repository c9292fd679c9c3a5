// Goal: metadata files are read as other engines write them, compressed when a table's property asks for it.
// Method: bytes as Python's gzip makes them, whole and cut.
#include "iceberg/metadata_file.h"

#include <gtest/gtest.h>

namespace tarn::iceberg {
namespace {

const std::string kPacked(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00", 22);

TEST(MetadataFileTest, WhatIsNoGzipStays) {
  EXPECT_EQ(metadata_text("{}").value(), "{}");
  EXPECT_EQ(metadata_text("").value(), "");
  EXPECT_EQ(metadata_text("\x1f").value(), "\x1f");
}

TEST(MetadataFileTest, GzipIsUnpacked) {
  EXPECT_EQ(metadata_text(kPacked).value(), "{}");
}

TEST(MetadataFileTest, BrokenGzipIsTold) {
  for (size_t bytes = 2; bytes < kPacked.size(); ++bytes)
    EXPECT_EQ(metadata_text(kPacked.substr(0, bytes)).error().code, Code::kCorrupt) << bytes;
  EXPECT_EQ(metadata_text("\x1f\x8bnot gzip at all").error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace tarn::iceberg
