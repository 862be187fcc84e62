// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ratls/bytes.h"
#include "ratls/time.h"

namespace ratls::tcb {

/// StrictJson is a value that parse_strict_json gave.
using StrictJson = nlohmann::json;

/// parse_strict_json reads one JSON text and nothing after it, without duplicate keys (RFC 8259 4
/// leaves their meaning open, so that two readers could disagree), bounded in size and depth.
/// Errors: on_error.
Result<StrictJson> parse_strict_json(std::string_view text, std::size_t max_size, Code on_error);

/// kMaxDocumentSize bounds TCB info and QE identity; Intel's largest are about 12 KiB.
inline constexpr std::size_t kMaxDocumentSize = 256 * 1024;

/// Members reads the members of one JSON object, each by name, kind and range.
/// Owns: nothing; the JSON must outlive it. Errors: on_error, with the key as the place.
class Members {
 public:
  /// of takes a value that must be an object; what names it.
  static Result<Members> of(const StrictJson& value, std::string_view what, Code on_error);

  bool has(std::string_view key) const;
  /// object and array give a member of that kind.
  Result<Members> object(std::string_view key) const;
  Result<const StrictJson*> array(std::string_view key) const;
  Result<std::string_view> text(std::string_view key) const;
  /// number reads an integer from 0 to max, written without sign, fraction or exponent.
  Result<std::uint64_t> number(std::string_view key, std::uint64_t max) const;
  /// time reads "2024-03-13T00:00:00Z" and no other form.
  Result<UnixTime> time(std::string_view key) const;
  /// hex reads exactly the digits of Fixed.
  template <class Fixed>
  Result<Fixed> hex(std::string_view key) const {
    RATLS_TRY(std::string_view digits, text(key));
    auto value = parse_fixed_hex<Fixed>(digits, key);
    if (!value) return fail(key, value.error().detail());
    return std::move(value).value();
  }
  /// advisories reads the optional member advisoryIDs.
  Result<std::vector<std::string>> advisories() const;

  Error fail(std::string_view key, std::string detail) const;
  Code code() const noexcept { return code_; }

 private:
  Members(const StrictJson& object, Code on_error) : object_(&object), code_(on_error) {}
  Result<const StrictJson*> member(std::string_view key) const;

  const StrictJson* object_;
  Code code_;
};

}  // namespace ratls::tcb
