// SPDX-License-Identifier: Apache-2.0
#include "collateral/document.h"

#include <algorithm>

#include "base/reader.h"

namespace ratls::collateral {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::size_t kMaxDepth = 32;

Error malformed(std::string_view where, std::string detail) {
  return Error(Code::collateral_malformed, std::string(where), std::move(detail));
}

// A cursor over JSON text (RFC 8259) that looks only for where values end.
class Slicer {
 public:
  explicit Slicer(std::string_view text) : rest_(text) {}

  Result<void> symbol(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) {
      return malformed("body", std::string("'") + wanted + "' is missing");
    }
    rest_.remove_prefix(1);
    return {};
  }

  // The inside of a string without escapes.
  Result<std::string_view> plain_text() {
    RATLS_CHECK(symbol('"'));
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return malformed("body", "a text does not end");
    const std::string_view text = rest_.substr(0, end);
    if (text.find('\\') != std::string_view::npos) return malformed("body", "an escaped text");
    rest_.remove_prefix(end + 1);
    return text;
  }

  Result<std::string_view> object() {
    skip_space();
    if (!rest_.starts_with('{')) return malformed("body", "the document is no object");
    std::string closers;
    bool in_text = false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (in_text) {
        if (c == '\\') ++i;
        if (c == '"') in_text = false;
        continue;
      }
      if (c == '"') in_text = true;
      if (c == '{' || c == '[') closers.push_back(c == '{' ? '}' : ']');
      if (closers.size() > kMaxDepth) return malformed("body", "nested too deeply");
      if (c != '}' && c != ']') continue;
      if (closers.back() != c) return malformed("body", "brackets that do not match");
      closers.pop_back();
      if (!closers.empty()) continue;
      const std::string_view whole = rest_.substr(0, i + 1);
      rest_.remove_prefix(i + 1);
      return whole;
    }
    return malformed("body", "the document does not end");
  }

  bool at_end() {
    skip_space();
    return rest_.empty();
  }

 private:
  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
  }
  std::string_view rest_;
};

}  // namespace

Result<SignedText> slice_document(std::string_view body, std::string_view member) {
  Slicer slicer(body);
  SignedText out;
  RATLS_CHECK(slicer.symbol('{'));
  for (int i = 0; i < 2; ++i) {
    if (i == 1) RATLS_CHECK(slicer.symbol(','));
    RATLS_TRY(const std::string_view name, slicer.plain_text());
    RATLS_CHECK(slicer.symbol(':'));
    if (name == member && out.text.empty()) {
      RATLS_TRY(out.text, slicer.object());
    } else if (name == "signature" && out.signature.empty()) {
      RATLS_TRY(const std::string_view hex, slicer.plain_text());
      auto signature = parse_hex(hex, 64, "signature");
      if (!signature) return malformed("signature", signature.error().detail());
      out.signature = std::move(*signature);
      if (out.signature.size() != 64) return malformed("signature", "64 bytes are needed");
    } else {
      return malformed("body", "a member that does not belong here");
    }
  }
  RATLS_CHECK(slicer.symbol('}'));
  if (!slicer.at_end()) return malformed("body", "something follows the object");
  return out;
}

Result<Bytes> decode_crl(std::string_view body) {
  const auto as_is = [&] {
    const BytesView bytes = as_bytes(body);
    return Bytes(bytes.begin(), bytes.end());
  };
  // DER begins with the byte 0x30; its hex with the digit 3, which is another byte.
  if (body.starts_with('\x30') || body.starts_with("-----BEGIN")) return as_is();
  while (!body.empty() && kSpace.find(body.back()) != std::string_view::npos) body.remove_suffix(1);
  auto bytes = parse_hex(body, body.size(), "crl");
  if (!bytes || bytes->empty() || bytes->front() != 0x30)
    return malformed("crl", "neither DER nor hex of it nor PEM");
  return std::move(*bytes);
}

}  // namespace ratls::collateral
