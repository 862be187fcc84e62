// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "attester/fresh_quote.h"
#include "base/file.h"
#include "base/reader.h"
#include "crypto/crypto.h"
#include "ratls/attester.h"

namespace ratls {
namespace {

constexpr int kAttempts = 5;
constexpr std::chrono::milliseconds kPause{200};
constexpr std::size_t kMaxWordSize = 64;

Error unavailable(const std::filesystem::path& path, std::string detail) {
  return Error(Code::quote_unavailable, path.string(), std::move(detail));
}

Error unavailable(const std::filesystem::path& path, int error_number) {
  return unavailable(path, std::generic_category().message(error_number));
}

/// Entry is a folder of its own for one quote, so that nobody else's report data come between. It
/// goes away with the object.
class Entry {
 public:
  static Result<Entry> make(const std::filesystem::path& dir) {
    std::array<std::uint8_t, 16> random{};
    RATLS_CHECK(crypto::fill_random(random));
    std::filesystem::path path = dir / ("ratls-" + to_hex(random));
    if (::mkdir(path.c_str(), 0700) != 0) return unavailable(path, errno);
    return Entry(std::move(path));
  }
  Entry(Entry&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  ~Entry() {
    if (!path_.empty()) ::rmdir(path_.c_str());
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  Entry& operator=(Entry&&) = delete;

  std::filesystem::path operator/(const char* file) const { return path_ / file; }

 private:
  explicit Entry(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

Result<std::string> read_word(const std::filesystem::path& path) {
  const auto content = read_file(path, kMaxWordSize);
  if (!content) return unavailable(path, content.error().detail());
  std::string word(as_text(*content));
  while (word.ends_with('\n')) word.pop_back();
  return word;
}

Result<void> check_provider(const Entry& entry) {
  RATLS_TRY(const std::string provider, read_word(entry / "provider"));
  if (provider == "tdx_guest") return {};
  return unavailable(entry / "provider", "it is not \"tdx_guest\": this is no TDX guest");
}

// The kernel takes the report data when the file is closed and tells of no failure then; the
// generation does.
Result<void> write_report_data(const std::filesystem::path& path, const ReportData& report_data) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return unavailable(path, errno);
  const ssize_t written = ::write(fd, report_data.bytes.data(), report_data.bytes.size());
  const int write_error = written < 0 ? errno : 0;
  const int close_error = ::close(fd) == 0 ? 0 : errno;
  if (write_error != 0 || close_error != 0) {
    return unavailable(path, write_error != 0 ? write_error : close_error);
  }
  if (static_cast<std::size_t>(written) != ReportData::kSize) return unavailable(path, EIO);
  return {};
}

// One more than before: the write arrived, and nobody else has written.
Result<void> check_generation(const Entry& entry, std::uint64_t before) {
  RATLS_TRY(const std::string generation, read_word(entry / "generation"));
  if (generation == std::to_string(before + 1)) return {};
  return unavailable(entry / "generation", "it is not " + std::to_string(before + 1) +
                                               ": somebody else has written here");
}

Result<std::uint64_t> read_generation(const Entry& entry) {
  RATLS_TRY(const std::string word, read_word(entry / "generation"));
  if (word.empty() || word.size() > 18 ||
      word.find_first_not_of("0123456789") != std::string::npos) {
    return unavailable(entry / "generation", "it is no number");
  }
  return std::stoull(word);
}

Result<Bytes> read_quote(const std::filesystem::path& path) {
  for (int attempt = 1;; ++attempt) {
    auto quote = read_file(path, kMaxQuoteSize);
    if (quote) return quote;
    if (attempt == kAttempts) {
      return unavailable(
          path, quote.error().detail() + "; the host's quote generation service did not answer");
    }
    std::this_thread::sleep_for(kPause);
  }
}

Result<Bytes> make_quote(const std::filesystem::path& dir, const ReportData& report_data) {
  RATLS_TRY(const Entry entry, Entry::make(dir));
  RATLS_CHECK(check_provider(entry));
  RATLS_TRY(const std::uint64_t before, read_generation(entry));
  RATLS_CHECK(write_report_data(entry / "inblob", report_data));
  RATLS_TRY(Bytes quote, read_quote(entry / "outblob"));
  RATLS_CHECK(check_generation(entry, before));
  const std::string where = (entry / "outblob").string();
  auto fresh = fresh_quote(std::move(quote), report_data);
  if (!fresh) return fresh.error().in(where);
  if (parse_quote(*fresh)->tee() != Tee::tdx) return unavailable(where, "it is no TDX quote");
  return fresh;
}

}  // namespace

Result<QuoteSource> tdx_quote_source(const std::filesystem::path& dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(dir, error)) {
    return unavailable(dir,
                       "it is not there; a TDX guest needs Linux 6.7 with the module "
                       "tdx_guest, and configfs mounted at /sys/kernel/config");
  }
  return QuoteSource([dir](const ReportData& report_data) { return make_quote(dir, report_data); });
}

Result<QuoteSource> auto_quote_source(const std::filesystem::path& gramine_dir,
                                      const std::filesystem::path& tdx_dir) {
  std::error_code error;
  // gramine-direct has the folder without this file.
  if (std::filesystem::exists(gramine_dir / "attestation_type", error)) {
    return gramine_quote_source(gramine_dir);
  }
  if (std::filesystem::exists(tdx_dir, error)) return tdx_quote_source(tdx_dir);
  return Error(
      Code::quote_unavailable, gramine_dir.string() + ", " + tdx_dir.string(),
      "this is neither an enclave under gramine-sgx with sgx.remote_attestation = \"dcap\" "
      "nor a TDX guest");
}

}  // namespace ratls
