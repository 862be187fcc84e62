// SPDX-License-Identifier: Apache-2.0
#include "x509/der.h"

#include <optional>

namespace ratls::x509 {
namespace {

std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  unsigned value = 0;
  for (char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

// MMDDHHMMSSZ, 11 characters: what is left of a time of the right length.
std::optional<UnixTime> time_in_year(unsigned year, std::string_view text) {
  if (text[10] != 'Z') return std::nullopt;
  const auto month = digits(text, 0, 2);
  const auto day = digits(text, 2, 2);
  const auto hour = digits(text, 4, 2);
  const auto minute = digits(text, 6, 2);
  const auto second = digits(text, 8, 2);
  if (!month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

std::optional<UnixTime> utc_time(std::string_view text) {
  if (text.size() != 13) return std::nullopt;
  const auto year = digits(text, 0, 2);
  if (!year) return std::nullopt;
  // RFC 5280 4.1.2.5.1: 50 to 99 are of the last century.
  return time_in_year(*year >= 50 ? 1900 + *year : 2000 + *year, text.substr(2));
}

std::optional<UnixTime> generalized_time(std::string_view text) {
  if (text.size() != 15) return std::nullopt;
  const auto year = digits(text, 0, 4);
  if (!year) return std::nullopt;
  return time_in_year(*year, text.substr(4));
}

// X.690 8.19.2: each number ends inside the content and has no leading zero digits.
bool is_oid(BytesView content) {
  bool at_start = true;
  for (std::uint8_t byte : content) {
    if (at_start && byte == 0x80) return false;
    at_start = (byte & 0x80) == 0;
  }
  return !content.empty() && at_start;
}

}  // namespace

bool DerReader::next_is(std::uint8_t tag) const noexcept {
  const BytesView rest = reader_.rest();
  return !rest.empty() && rest[0] == tag;
}

// X.690 10.1: definite and in the fewest bytes.
Result<std::size_t> DerReader::length(std::string_view field) {
  RATLS_TRY(const std::uint8_t first, reader_.u8(field));
  if (first < 0x80) return std::size_t{first};
  const std::size_t count = first & 0x7F;
  if (count == 0 || count > 4) return fail(field, "a length of an unsupported form");
  RATLS_TRY(BytesView encoded, reader_.bytes(field, count));
  std::size_t value = 0;
  for (std::uint8_t byte : encoded) value = value << 8 | byte;
  if (encoded[0] == 0 || value < 0x80)
    return fail(field, "a length that is not in its shortest form");
  return value;
}

Result<DerElement> DerReader::element(std::string_view field) {
  const BytesView start = reader_.rest();
  DerElement out;
  RATLS_TRY(out.tag, reader_.u8(field));
  if ((out.tag & 0x1F) == 0x1F) return fail(field, "a tag of several bytes");
  RATLS_TRY(const std::size_t size, length(field));
  RATLS_TRY(out.content, reader_.bytes(field, size));
  out.whole = start.first(start.size() - reader_.left());
  return out;
}

Result<DerElement> DerReader::element(std::uint8_t tag, std::string_view field) {
  if (!next_is(tag)) {
    const BytesView wanted(&tag, 1);
    return fail(field, at_end() ? "tag " + to_hex(wanted) + " is needed, nothing is left"
                                : "tag " + to_hex(wanted) + " is needed, got " +
                                      to_hex(reader_.rest().first(1)));
  }
  return element(field);
}

Result<DerReader> DerReader::enter(std::uint8_t tag, std::string_view field) {
  RATLS_TRY(const DerElement outer, element(tag, field));
  return DerReader(outer.content, reader_.code());
}

Result<bool> DerReader::boolean(std::string_view field) {
  RATLS_TRY(const DerElement read, element(kTagBoolean, field));
  if (read.content.size() != 1 || (read.content[0] != 0x00 && read.content[0] != 0xFF)) {
    return fail(field,
                "a BOOLEAN must be 00 or ff, got " +
                    to_hex(read.content.first(std::min<std::size_t>(read.content.size(), 8))));
  }
  return read.content[0] == 0xFF;
}

// X.690 8.3.2: not empty, and the first nine bits are neither all zero nor all one.
Result<BytesView> DerReader::integer(std::uint8_t tag, std::string_view field) {
  RATLS_TRY(const DerElement read, element(tag, field));
  const BytesView content = read.content;
  if (content.empty()) return fail(field, "an empty INTEGER");
  if (content.size() > 1) {
    const bool next_bit = (content[1] & 0x80) != 0;
    if ((content[0] == 0x00 && !next_bit) || (content[0] == 0xFF && next_bit)) {
      return fail(field, "an INTEGER that is not in its shortest form");
    }
  }
  return content;
}

Result<BytesView> DerReader::positive_integer(std::string_view field) {
  RATLS_TRY(BytesView content, integer(kTagInteger, field));
  const bool zero = content.size() == 1 && content[0] == 0;
  if (zero || (content[0] & 0x80) != 0) return fail(field, "a positive INTEGER is needed");
  return content;
}

Result<std::uint64_t> DerReader::unsigned_integer(std::uint64_t max, std::string_view field,
                                                  std::uint8_t tag) {
  RATLS_TRY(BytesView content, integer(tag, field));
  if ((content[0] & 0x80) != 0 || content.size() > 9) {
    return fail(field, "a number from 0 to " + std::to_string(max) + " is needed");
  }
  // Nine bytes are a zero for the sign and eight of value, which the rule on short forms ensures.
  std::uint64_t value = 0;
  for (std::uint8_t byte : content) value = value << 8 | byte;
  if ((content.size() == 9 && content[0] != 0) || value > max) {
    return fail(field, "a number from 0 to " + std::to_string(max) + " is needed");
  }
  return value;
}

Result<BytesView> DerReader::unsigned_integer_content(std::size_t max_bytes,
                                                      std::string_view field) {
  RATLS_TRY(BytesView content, integer(kTagInteger, field));
  const std::size_t sign = content.size() > 1 && content[0] == 0 ? 1 : 0;
  if ((content[0] & 0x80) != 0 || content.size() - sign > max_bytes) {
    return fail(field, "a number from 0 on of at most " + std::to_string(max_bytes) + " bytes");
  }
  return content;
}

Result<BytesView> DerReader::octet_string(std::string_view field) {
  RATLS_TRY(const DerElement read, element(kTagOctetString, field));
  return read.content;
}

Result<BytesView> DerReader::bit_string(std::string_view field) {
  RATLS_TRY(const DerElement read, element(kTagBitString, field));
  if (read.content.empty() || read.content[0] != 0) {
    return fail(field, "a BIT STRING of whole bytes is needed");
  }
  return read.content.subspan(1);
}

Result<BytesView> DerReader::oid(std::string_view field) {
  RATLS_TRY(const DerElement read, element(kTagOid, field));
  if (!is_oid(read.content)) return fail(field, "a malformed OBJECT IDENTIFIER");
  return read.content;
}

Result<UnixTime> DerReader::time(std::string_view field) {
  RATLS_TRY(const DerElement read, element(field));
  const std::string_view text = as_text(read.content);
  std::optional<UnixTime> time;
  if (read.tag == kTagUtcTime) time = utc_time(text);
  if (read.tag == kTagGeneralizedTime) time = generalized_time(text);
  if (!time)
    return fail(field, "neither UTCTime YYMMDDHHMMSSZ nor GeneralizedTime YYYYMMDDHHMMSSZ");
  return *time;
}

}  // namespace ratls::x509
