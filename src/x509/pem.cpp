// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <optional>
#include <utility>

#include "base/reader.h"
#include "x509/certificate.h"
#include "x509/crl.h"
#include "x509/der.h"

namespace ratls::x509 {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t kNoBase64 = 0xFF;

// A table, because comparisons are guessed wrong for most characters: decoding a chain took longer
// than parsing it.
constexpr std::array<std::uint8_t, 256> kBase64Values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoBase64);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

// RFC 4648 3.2, 3.3 and 3.5: padded, no other characters, unused bits zero, so that one content has
// one encoding.
std::optional<Bytes> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::size_t end = text.size() - padding;
  Bytes out(text.size() / 4 * 3);
  auto next = out.begin();
  for (std::size_t group = 0; group < text.size(); group += 4) {
    std::uint32_t bits = 0;
    for (std::size_t i = group; i < group + 4; ++i) {
      const std::uint8_t value = i < end ? kBase64Values[static_cast<std::uint8_t>(text[i])] : 0;
      if (value == kNoBase64) return std::nullopt;
      bits = bits << 6 | value;
    }
    for (unsigned shift : {16U, 8U, 0U}) *next++ = static_cast<std::uint8_t>(bits >> shift);
  }
  // What padding stands for is no content; the bits before it that are in no byte end up there.
  for (std::size_t i = 0; i < padding; ++i) {
    if (out.back() != 0) return std::nullopt;
    out.pop_back();
  }
  return out;
}

std::string encode_base64(BytesView bytes) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      out.push_back(kAlphabet[bits >> count & 63]);
    }
  }
  if (count > 0) out.push_back(kAlphabet[bits << (6 - count) & 63]);
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

/// LineReader gives the lines of a text without their LF or CRLF.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> next() {
    if (!unread_.empty()) return std::exchange(unread_, {});
    if (rest_.empty()) return std::nullopt;
    ++number_;
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  /// unread gives back the end of the last line.
  void unread(std::string_view line_end) { unread_ = line_end; }
  std::string place() const { return "PEM line " + std::to_string(number_); }

 private:
  std::string_view rest_;
  std::string_view unread_;
  std::size_t number_ = 0;
};

// The lines between BEGIN and END.
Result<Bytes> read_block(LineReader& lines, std::string_view end_line, Code on_error) {
  std::string base64;
  while (const auto line = lines.next()) {
    if (line->starts_with(end_line)) {
      // Quotes of Intel's first releases have the next BEGIN on the same line.
      lines.unread(line->substr(end_line.size()));
      auto content = decode_base64(base64);
      if (!content) return Error(on_error, lines.place(), "the block is no base64");
      return std::move(*content);
    }
    if (base64.size() + line->size() > kMaxCrlSize / 3 * 4 + 4) {
      return Error(on_error, lines.place(), "the block is too large");
    }
    base64 += *line;
  }
  return Error(on_error, lines.place(), "the block has no END line");
}

}  // namespace

Result<std::vector<Bytes>> split_pem(BytesView pem, std::string_view label, std::size_t max_count,
                                     Code on_error) {
  const std::string begin_line = "-----BEGIN " + std::string(label) + "-----";
  const std::string end_line = "-----END " + std::string(label) + "-----";
  std::string_view text = as_text(pem);
  // Intel's quoting library counts the NUL of its C string as part of the chain.
  if (text.ends_with('\0')) text.remove_suffix(1);
  LineReader lines(text);
  std::vector<Bytes> out;
  while (const auto line = lines.next()) {
    if (line->empty()) continue;
    if (*line != begin_line) {
      return Error(on_error, lines.place(), "\"" + begin_line + "\" is needed");
    }
    if (out.size() == max_count) {
      return Error(on_error, lines.place(),
                   "more than " + std::to_string(max_count) + " PEM blocks");
    }
    RATLS_TRY(Bytes content, read_block(lines, end_line, on_error));
    out.push_back(std::move(content));
  }
  if (out.empty()) return Error(on_error, "PEM", "no block \"" + std::string(label) + "\"");
  return out;
}

Result<std::vector<Certificate>> parse_pem_chain(BytesView pem, std::size_t max_count,
                                                 Code on_error) {
  RATLS_TRY(const std::vector<Bytes> blocks, split_pem(pem, "CERTIFICATE", max_count, on_error));
  std::vector<Certificate> out;
  for (const Bytes& block : blocks) {
    auto certificate = parse_certificate(block, on_error);
    if (!certificate) return certificate.error().in("certificate " + std::to_string(out.size()));
    out.push_back(std::move(certificate).value());
  }
  return out;
}

std::string to_pem(BytesView der, std::string_view label) {
  constexpr std::size_t kLine = 64;
  const std::string base64 = encode_base64(der);
  std::string out = "-----BEGIN " + std::string(label) + "-----\n";
  for (std::size_t i = 0; i < base64.size(); i += kLine) {
    out += base64.substr(i, kLine);
    out += '\n';
  }
  return out + "-----END " + std::string(label) + "-----\n";
}

namespace {

// The certificate without OpenSSL's trust settings behind it.
Result<Bytes> first_element(BytesView bytes) {
  DerReader reader(bytes, Code::certificate_malformed);
  RATLS_TRY(const DerElement certificate, reader.element("certificate"));
  return Bytes(certificate.whole.begin(), certificate.whole.end());
}

}  // namespace

Result<Bytes> certificate_of_file(BytesView file) {
  if (!as_text(file).starts_with("-----BEGIN")) return Bytes(file.begin(), file.end());
  // gramine-ratls writes TRUSTED CERTIFICATE by default: OpenSSL's label for the same DER with
  // trust settings behind it.
  const bool trusted = as_text(file).find("BEGIN TRUSTED CERTIFICATE") != std::string_view::npos;
  RATLS_TRY(auto blocks, split_pem(file, trusted ? "TRUSTED CERTIFICATE" : "CERTIFICATE", 8,
                                   Code::certificate_malformed));
  if (trusted) return first_element(blocks.front());
  return std::move(blocks.front());
}

}  // namespace ratls::x509
