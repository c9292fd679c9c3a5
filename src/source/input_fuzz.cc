// Landed bytes of every format, whatever they are, through the real engine: rows, quarantine or an error, and
// no row stops the careful way. The first line is the format and, for JSON, the path of its records.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/input_fuzz.h"
#include "lake/lake.h"
#include "source/input.h"

namespace {

using tarn::must;
using tarn::source::Format;
using tarn::source::FormatKind;
using tarn::source::Purpose;

// A lake in a temporary folder, for all inputs of this process.
class Place {
 public:
  Place() {
    std::string pattern = std::filesystem::temp_directory_path() / "tarn-input-fuzz-XXXXXX";
    must(::mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
    root_ = pattern;
    auto lake = tarn::lake::Lake::open(tarn::real_env(), {.data_folder = root_ + "/.tarn", .threads = 1});
    must(lake.has_value(), lake ? "" : lake.error().message);
    lake_ = std::move(*lake);
    sessions_ =
        tarn::session::make_session_service(lake_->database(), lake_->catalog(), tarn::real_env(), {});
    std::filesystem::create_directories(root_ + "/.tarn/raw");
  }
  ~Place() {
    sessions_.reset();
    lake_.reset();
    std::filesystem::remove_all(root_);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void read(const Format& format, const std::string& ending, std::string_view bytes) {
    std::vector<tarn::source::Landed> landed(1);
    landed[0].number = 1;
    landed[0].id = "run/1";
    landed[0].path = root_ + "/.tarn/raw/1." + ending;
    std::ofstream(landed[0].path, std::ios::binary | std::ios::trunc) << bytes;
    auto session = sessions_->open({});
    must(session.has_value(), "a session opens");
    auto input = tarn::source::make_input(**session, format, landed);
    auto columns = input->discover(true);
    if (!columns) {
      return;
    }
    if (auto select = input->relation(Purpose::kSelect, {}, -1)) {
      (void)tarn::source::rows_of(**session, select->sql);
    }
    auto careful = input->relation(Purpose::kCareful, {}, -1);
    if (!careful) {
      return;
    }
    auto rows = tarn::source::rows_of(**session, careful->sql);
    must(rows || format.kind == FormatKind::kParquet, rows ? "" : rows.error().message);
    if (auto sql = input->bad_rows(); rows && !sql.empty()) {
      auto bad = tarn::source::rows_of(**session, sql);
      must(bad.has_value(), bad ? "" : bad.error().message);
    }
  }

 private:
  std::string root_;
  std::unique_ptr<tarn::lake::Lake> lake_;
  std::unique_ptr<tarn::session::SessionService> sessions_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Place place;
  tarn::FuzzInput input(data, size);
  auto head = input.take_line();
  if (input.at_end()) {
    return 0;
  }
  Format format;
  std::string word = head.substr(0, head.find(' '));
  format.kind = word == "ndjson"    ? FormatKind::kNdjson
                : word == "csv"     ? FormatKind::kCsv
                : word == "parquet" ? FormatKind::kParquet
                                    : FormatKind::kJson;
  if (format.kind == FormatKind::kJson && head.find(" $") != std::string::npos) {
    format.records = head.substr(head.find(" $") + 1);
  }
  place.read(format, format.kind == FormatKind::kJson ? "json" : word, input.rest());
  return 0;
}
