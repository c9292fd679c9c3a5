// The fuzz targets without libFuzzer: runs every input of a corpus, then inputs mutated from them. The seed
// is printed, and the same seed makes the same inputs. An input that ends the process is kept in the folder
// of the call, as crash-TARGET.
//   TARGET [--runs=N] [--seed=S] PATH...   (files, or folders of files)
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kInputBytesMax = 16384;

std::string g_input;  // that runs now; for the signal's handler
std::string g_crash_file;

void keep_input(int number) {
  const int file = ::open(g_crash_file.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  const bool kept = file >= 0 && ::write(file, g_input.data(), g_input.size()) >= 0;
  const std::string_view words = kept ? "the input is kept in a file crash-TARGET\n" : "the input is lost\n";
  if (::write(STDERR_FILENO, words.data(), words.size()) >= 0) {
    ::raise(number);  // with its default, as SA_RESETHAND says
  }
}

void catch_signals() {
  static std::array<char, 65536> stack;  // the usual one may be what ran out
  stack_t other{};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  ::sigaltstack(&other, nullptr);
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) {
    struct sigaction action{};
    action.sa_handler = keep_input;
    action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
    ::sigaction(number, &action, nullptr);
  }
}

std::vector<std::string> read_corpus(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const auto& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return corpus;
}

class Mutator {
 public:
  Mutator(const std::vector<std::string>& corpus, uint64_t seed) : corpus_(corpus), random_(seed) {}

  std::string next() {
    std::string text = corpus_[below(corpus_.size())];
    for (size_t i = 0, changes = 1 + below(4); i < changes; ++i) {
      change(text);
    }
    text.resize(std::min(text.size(), kInputBytesMax));
    return text;
  }

 private:
  size_t below(size_t limit) { return static_cast<size_t>(random_() % limit); }
  // The beginning and length of some stretch.
  std::pair<size_t, size_t> stretch(const std::string& text) {
    const size_t at = below(text.size() + 1);
    return {at, std::min(1 + below(16), text.size() - at)};
  }

  void change(std::string& text) {
    const auto [at, length] = stretch(text);
    switch (below(6)) {
      case 0: text.erase(at, length); break;
      case 1:
        if (at < text.size())
          text[at] = static_cast<char>(random_());
        break;
      case 2: text.insert(at, text.substr(at, length)); break;
      case 3: {
        const auto& other = corpus_[below(corpus_.size())];
        const auto [from, count] = stretch(other);
        text.insert(at, other.substr(from, count));
        break;
      }
      case 4: {
        static constexpr std::array<std::string_view, 12> kWords = {
            "-1", "99999999999999999999", "1e999", "nan", "\xff", "\"", "'", "[[[[[[[[", "{", "\n", "\\",
            "%"};
        text.insert(at, kWords[below(kWords.size())]);
        break;
      }
      default: text = text.substr(0, at) + corpus_[below(corpus_.size())]; break;
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_;
};

bool read_number(std::string_view argument, std::string_view name, uint64_t& value) {
  if (!argument.starts_with(name)) {
    return false;
  }
  argument.remove_prefix(name.size());
  return std::from_chars(argument.data(), argument.data() + argument.size(), value).ec == std::errc();
}

void run(std::string input) {
  g_input = std::move(input);
  // A copy of exactly its size, so that a read past the end is one for the sanitizers.
  const std::vector<uint8_t> bytes(g_input.begin(), g_input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int count, char** arguments) {
  uint64_t runs = 2000;
  uint64_t seed = 20261121;
  std::vector<std::string> paths;
  for (int i = 1; i < count; ++i) {
    if (!read_number(arguments[i], "--runs=", runs) && !read_number(arguments[i], "--seed=", seed)) {
      paths.emplace_back(arguments[i]);
    }
  }
  const auto target = std::filesystem::path(arguments[0]).filename().string();
  g_crash_file = "crash-" + target;
  const auto corpus = read_corpus(paths);
  if (corpus.empty()) {
    std::fprintf(stderr, "usage: %s [--runs=N] [--seed=S] PATH...; there is no input in the paths\n",
                 target.c_str());
    return 2;
  }
  std::printf("%s: %zu inputs, then %llu mutations of seed %llu\n", target.c_str(), corpus.size(),
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  catch_signals();
  for (const auto& input : corpus) {
    run(input);
  }
  Mutator mutator(corpus, seed);
  for (uint64_t i = 0; i < runs; ++i) {
    run(mutator.next());
  }
}
