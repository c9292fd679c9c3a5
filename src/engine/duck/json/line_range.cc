#include "engine/duck/json/line_range.h"

#include <cstring>

#include <fmt/format.h>

#include "engine/duck/errors.h"

namespace tarn::engine::json {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;

}  // namespace

void LineRange::open(db::ClientContext& context, const std::string& path, const FileRange& range) {
  range_ = range;
  if (!handle_ || path != path_) {
    path_ = path;
    db::FileOpenFlags flags = db::FileFlags::FILE_FLAGS_READ | db::FileCompressionType::AUTO_DETECT;
    handle_ = db::FileSystem::GetFileSystem(context).OpenFile(path, flags);
  } else if (range.packed) {
    handle_->Reset();
  }
  buffer_.clear();
  at_ = 0;
  // The byte before the range tells whether a line starts with it.
  read_to_ = buffer_at_ = range.begin == 0 ? 0 : range.begin - 1;
  file_ended_ = false;
  count_ = 0;
  std::string_view line;
  if (range.begin > 0) {
    next_raw(line);
  } else if (read_block() && std::string_view(buffer_).starts_with("\xEF\xBB\xBF")) {
    at_ = 3;
  }
}

bool LineRange::read_block() {
  if (file_ended_) {
    return false;
  }
  if (at_ > 0) {
    buffer_.erase(0, at_);
    buffer_at_ += at_;
    at_ = 0;
  }
  const size_t old = buffer_.size();
  if (old >= kLineBytesMax) {
    throw_error(
        {Code::kInvalid, fmt::format("{}: a line is longer than {} MiB; is this a file of JSON lines?", path_,
                                     kLineBytesMax >> 20)});
  }
  const size_t wanted = std::max(kBlockBytes, old);
  buffer_.resize(old + wanted);
  int64_t got = 0;
  if (range_.packed) {
    got = handle_->Read(buffer_.data() + old, wanted);
  } else {
    const uint64_t size = handle_->GetFileSize();
    got = static_cast<int64_t>(std::min<uint64_t>(wanted, size - std::min(size, read_to_)));
    if (got > 0) {
      handle_->Read(buffer_.data() + old, static_cast<db::idx_t>(got), read_to_);
    }
  }
  buffer_.resize(old + static_cast<size_t>(got));
  read_to_ += static_cast<uint64_t>(got);
  file_ended_ = got == 0;
  return got > 0;
}

bool LineRange::next_raw(std::string_view& line) {
  size_t searched = 0;
  for (;;) {
    const char* begin = buffer_.data() + at_;
    const size_t left = buffer_.size() - at_;
    const auto* found = left > searched
                            ? static_cast<const char*>(std::memchr(begin + searched, '\n', left - searched))
                            : nullptr;
    if (found != nullptr) {
      line = std::string_view(begin, static_cast<size_t>(found - begin));
      at_ += line.size() + 1;
      return true;
    }
    searched = left;
    if (!read_block()) {
      line = std::string_view(buffer_).substr(at_);
      at_ = buffer_.size();
      return !line.empty();
    }
  }
}

bool LineRange::next(std::string_view& line) {
  if (buffer_at_ + at_ >= range_.end || !next_raw(line)) {
    return false;
  }
  ++count_;
  return true;
}

}  // namespace tarn::engine::json
