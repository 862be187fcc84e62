// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <system_error>

#include "attester/fresh_quote.h"
#include "base/file.h"
#include "base/reader.h"
#include "ratls/attester.h"

namespace ratls {
namespace {

constexpr std::size_t kMaxTypeSize = 64;

Error unavailable(const std::filesystem::path& path, std::string detail) {
  return Error(Code::quote_unavailable, path.string(), std::move(detail));
}

Error unavailable(const std::filesystem::path& path, int error_number) {
  return unavailable(path, std::generic_category().message(error_number));
}

// Zero, or the error number.
int write_once(int fd, const ReportData& report_data) {
  ssize_t written;
  do {
    written = ::write(fd, report_data.bytes.data(), report_data.bytes.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return errno;
  return static_cast<std::size_t>(written) == ReportData::kSize ? 0 : EIO;
}

// All in one write(2): Gramine replaces the whole value with what each call brings, zero padded.
Result<void> write_report_data(const std::filesystem::path& path, const ReportData& report_data) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return unavailable(path, errno);
  const int write_error = write_once(fd, report_data);
  const int close_error = ::close(fd) == 0 ? 0 : errno;
  if (write_error != 0) return unavailable(path, write_error);
  if (close_error != 0) return unavailable(path, close_error);
  return {};
}

Result<Bytes> make_quote(const std::filesystem::path& dir, const ReportData& report_data) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  RATLS_CHECK(write_report_data(dir / "user_report_data", report_data));
  auto quote = read_file(dir / "quote", kMaxQuoteSize);
  if (!quote) return unavailable(dir / "quote", quote.error().detail());
  // Another process, or code in this one that takes no lock, may have written in between.
  auto fresh = fresh_quote(std::move(quote).value(), report_data);
  if (!fresh) return fresh.error().in((dir / "quote").string());
  return fresh;
}

Result<void> check_attestation_type(const std::filesystem::path& path) {
  const auto content = read_file(path, kMaxTypeSize);
  if (!content) {
    return unavailable(path, content.error().detail() +
                                 "; Gramine offers quotes only under SGX (gramine-sgx) with "
                                 "sgx.remote_attestation = \"dcap\" in the manifest");
  }
  std::string_view type = as_text(*content);
  constexpr std::string_view kPadding(" \t\r\n\0", 5);
  while (!type.empty() && kPadding.find(type.back()) != std::string_view::npos) {
    type.remove_suffix(1);
  }
  if (type == "dcap") return {};
  if (type == "none" || type == "epid") {
    return unavailable(path, "the attestation type is \"" + std::string(type) +
                                 "\"; set sgx.remote_attestation = \"dcap\" in the manifest");
  }
  return unavailable(path, "the attestation type is not \"dcap\"");
}

}  // namespace

Result<QuoteSource> gramine_quote_source(const std::filesystem::path& dir) {
  RATLS_CHECK(check_attestation_type(dir / "attestation_type"));
  return QuoteSource([dir](const ReportData& report_data) { return make_quote(dir, report_data); });
}

}  // namespace ratls
