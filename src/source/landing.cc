#include "source/landing.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/env/file_descriptor.h"
#include "codec/sha256.h"

namespace tarn::source {
namespace {

constexpr const char* kFields =
    "source, run, number, request_key, each_json, method, url, status, headers, sha256, bytes, encoding, "
    "path, "
    "error, replaces, started, finished";

const store::Migrations& migrations() {
  static const store::Migrations kMigrations{
      "source",
      {"CREATE TABLE fetches (source TEXT NOT NULL, run TEXT NOT NULL, number INTEGER NOT NULL, request_key "
       "TEXT "
       "NOT NULL, each_json TEXT NOT NULL, method TEXT NOT NULL, url TEXT NOT NULL, status INTEGER NOT NULL, "
       "headers TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, encoding TEXT NOT NULL, path "
       "TEXT "
       "NOT NULL, error TEXT NOT NULL, replaces TEXT NOT NULL, started INTEGER NOT NULL, finished INTEGER "
       "NOT "
       "NULL, PRIMARY KEY (source, run, number))"}};
  return kMigrations;
}

FetchRecord read_record(const store::Rows& rows) {
  return FetchRecord{.source = rows.text(0),
                     .run = rows.text(1),
                     .number = rows.integer(2),
                     .request_key = rows.text(3),
                     .each_json = rows.text(4),
                     .method = rows.text(5),
                     .url = rows.text(6),
                     .status = rows.integer(7),
                     .headers = rows.text(8),
                     .sha256 = rows.text(9),
                     .bytes = rows.integer(10),
                     .encoding = rows.text(11),
                     .path = rows.text(12),
                     .error = rows.text(13),
                     .replaces = rows.text(14),
                     .started = rows.time(15),
                     .finished = rows.time(16)};
}

}  // namespace

Result<std::unique_ptr<FetchRecords>> FetchRecords::open(store::Store& store) {
  TARN_CHECK(store.migrate(migrations()));
  return std::unique_ptr<FetchRecords>(new FetchRecords(store));
}

Status FetchRecords::add(const FetchRecord& r) {
  return store_.write([&r](store::Connection& connection) -> Status {
    return connection.run(
        fmt::format("INSERT INTO fetches ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", kFields),
        {r.source, r.run, r.number, r.request_key, r.each_json, r.method, r.url, r.status, r.headers,
         r.sha256, r.bytes, r.encoding, r.path, r.error, r.replaces, r.started, r.finished});
  });
}

Status FetchRecords::set_sha256(const Landed& landed, const std::string& source, const std::string& run,
                                const std::string& sha256) {
  return store_.write([&](store::Connection& connection) {
    return connection.run("UPDATE fetches SET sha256 = ? WHERE source = ? AND run = ? AND number = ?",
                          {sha256, source, run, landed.number});
  });
}

Result<std::vector<FetchRecord>> FetchRecords::of_run(const std::string& source, const std::string& run) {
  return store_.read([&](store::Connection& connection) -> Result<std::vector<FetchRecord>> {
    std::vector<FetchRecord> records;
    TARN_TRY(auto rows,
             connection.query(fmt::format("SELECT {} FROM fetches WHERE source = ? AND run = ? ORDER "
                                          "BY number",
                                          kFields),
                              {source, run}));
    for (;;) {
      TARN_TRY(bool more, rows.next());
      if (!more) {
        return records;
      }
      records.push_back(read_record(rows));
    }
  });
}

Status FetchRecords::scan(const std::function<bool(const FetchRecord&)>& sink) {
  return store_.read([&](store::Connection& connection) -> Status {
    TARN_TRY(auto rows,
             connection.query(fmt::format("SELECT {} FROM fetches ORDER BY started DESC", kFields)));
    for (;;) {
      TARN_TRY(bool more, rows.next());
      if (!more || !sink(read_record(rows))) {
        return ok();
      }
    }
  });
}

struct RawFile::Digest {
  codec::Sha256 sha256;
};

RawFile::RawFile(FileSystem& files, std::string part_path)
    : files_(files), part_path_(std::move(part_path)), digest_(std::make_unique<Digest>()) {}

RawFile::~RawFile() {
  if (file_ != nullptr) {
    file_.reset();
    (void)files_.remove(part_path_);
  }
}

Status RawFile::append(std::string_view bytes) {
  digest_->sha256.update(bytes);
  bytes_ += static_cast<int64_t>(bytes.size());
  return file_->append(bytes);
}

Landing::Landing(Env& env, FetchRecords& records, LandingOptions options)
    : env_(env),
      records_(records),
      options_(std::move(options)),
      folder_(options_.data_folder + "/raw/" + options_.source + "/" + options_.run) {}

Result<std::unique_ptr<Landing>> Landing::open(Env& env, FetchRecords& records, LandingOptions options) {
  auto landing = std::unique_ptr<Landing>(new Landing(env, records, std::move(options)));
  TARN_CHECK(env.files->make_folders(landing->folder_));
  TARN_TRY(auto earlier, records.of_run(landing->options_.source, landing->options_.run));
  for (auto& record : earlier) {
    landing->last_number_ = std::max(landing->last_number_, record.number);
    if (!record.path.empty()) {
      landing->earlier_[record.request_key] = std::move(record);
    }
  }
  TARN_TRY(auto names, env.files->list(landing->folder_));
  for (const auto& name :
       names) {  // a crash may have left a file without its row; its number is not used again
    landing->last_number_ = std::max<int64_t>(landing->last_number_, std::strtoll(name.c_str(), nullptr, 10));
    if (name.ends_with(".part")) {
      TARN_CHECK(env.files->remove(landing->folder_ + "/" + name));
    }
  }
  return landing;
}

std::optional<FetchRecord> Landing::find(const std::string& request_key) {
  std::lock_guard lock(mutex_);
  auto found = earlier_.find(request_key);
  return found == earlier_.end() ? std::nullopt : std::optional(found->second);
}

Landed Landing::landed(const FetchRecord& record) const {
  return Landed{.number = record.number,
                .id = record.id(),
                .path = options_.data_folder + "/" + record.path,
                .each_json = record.each_json,
                .request_key = record.request_key,
                .replaces = record.replaces};
}

Result<std::unique_ptr<RawFile>> Landing::start() {
  std::string path = fmt::format("{}/{}.part", folder_, fmt::format("p{}", ++parts_));
  auto raw = std::unique_ptr<RawFile>(new RawFile(*env_.files, path));
  TARN_TRY(raw->file_, env_.files->create(path));
  return raw;
}

Result<Landed> Landing::finish(RawFile& raw, FetchRecord record, const std::string& ending) {
  record.bytes = raw.bytes_;
  record.sha256 = raw.digest_->sha256.hex();
  TARN_CHECK(raw.file_->sync());
  TARN_CHECK(raw.file_->close());
  {
    std::lock_guard lock(mutex_);
    record.number = ++last_number_;
  }
  std::string path = fmt::format("{}/{}.{}", folder_, record.number, ending);
  TARN_CHECK(env_.files->rename(raw.part_path_, path));
  raw.file_.reset();
  return record_landed(std::move(record), path);
}

Result<Landed> Landing::adopt(const std::string& from, FetchRecord record, const std::string& ending) {
  {
    std::lock_guard lock(mutex_);
    record.number = ++last_number_;
  }
  std::string path = fmt::format("{}/{}.{}", folder_, record.number, ending);
  TARN_CHECK(env_.files->link_or_copy(from, path));
  return record_landed(std::move(record), path);
}

Result<Landed> Landing::record_landed(FetchRecord record, const std::string& path) {
  TARN_CHECK(env_.files->sync_dir(folder_));
  record.source = options_.source;
  record.run = options_.run;
  record.path = path.substr(options_.data_folder.size() + 1);
  record.finished = env_.clock->now();
  TARN_CHECK(records_.add(record));
  std::lock_guard lock(mutex_);
  earlier_[record.request_key] = record;
  return landed(record);
}

Status Landing::refused(FetchRecord record) {
  {
    std::lock_guard lock(mutex_);
    record.number = ++last_number_;
  }
  record.source = options_.source;
  record.run = options_.run;
  record.finished = env_.clock->now();
  return records_.add(record);
}

Status Landing::record_digests(const std::vector<Landed>& landed) {
  for (const auto& one : landed) {
    if (!one.digest) {
      continue;
    }
    const auto& digest = one.digest->wait();
    if (!digest) {
      return digest.error();
    }
    TARN_CHECK(records_.set_sha256(one, options_.source, options_.run, digest->sha256));
  }
  return ok();
}

Result<std::string> Landing::sha256_of(const std::string& id) {
  const size_t slash = id.rfind('/');
  if (slash == std::string::npos) {
    return std::string();
  }
  TARN_TRY(auto run, records_.of_run(options_.source, id.substr(0, slash)));
  for (const auto& record : run) {
    if (record.id() == id) {
      return record.sha256;
    }
  }
  return std::string();
}

Result<FileDigest> digest_file(const std::string& path, const std::atomic<bool>* stop) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return Error{errno == ENOENT ? Code::kNotFound : Code::kIo,
                 fmt::format("cannot open {}: {}", path, std::strerror(errno))};
  }
  codec::Sha256 sha256;
  FileDigest digest;
  std::string buffer(size_t{1} << 18, '\0');
  while (stop == nullptr || !*stop) {
    ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Error{Code::kIo, fmt::format("cannot read {}: {}", path, std::strerror(errno))};
    }
    if (got == 0) {
      digest.sha256 = sha256.hex();
      return digest;
    }
    sha256.update(std::string_view(buffer.data(), static_cast<size_t>(got)));
    digest.bytes += got;
  }
  return Error{Code::kCancelled, fmt::format("stopped while reading {}", path)};
}

}  // namespace tarn::source
