// SPDX-License-Identifier: Apache-2.0
#include "base/cbor.h"

namespace ratls::cbor {
namespace {

// Major types (RFC 8949 3.1).
constexpr unsigned kUnsigned = 0;
constexpr unsigned kNegative = 1;
constexpr unsigned kBytes = 2;
constexpr unsigned kText = 3;
constexpr unsigned kArray = 4;
constexpr unsigned kMap = 5;
constexpr unsigned kTag = 6;
constexpr unsigned kSimple = 7;

// Additional information (RFC 8949 3): below 24 it is the argument, from 24 to 27 the argument
// follows in 1, 2, 4 or 8 bytes.
constexpr unsigned kOneByte = 24;
constexpr unsigned kEightBytes = 27;

constexpr int kMaxDepth = 8;

constexpr std::string_view kKinds[] = {
    "an unsigned integer", "a negative integer", "bytes", "text", "an array", "a map", "a tag",
    "a simple value"};

std::string kind(unsigned major) { return std::string(kKinds[major & 7]); }

// The smallest argument that needs this form.
std::uint64_t smallest_for(unsigned info) {
  switch (info) {
    case 24:
      return 24;
    case 25:
      return 0x100;
    case 26:
      return 0x10000;
    default:
      return 0x100000000;
  }
}

void write_head(Bytes& out, unsigned major, std::uint64_t argument) {
  unsigned info = kEightBytes;
  while (info >= kOneByte && argument < smallest_for(info)) --info;
  if (info < kOneByte) {
    out.push_back(static_cast<std::uint8_t>(major << 5 | argument));
    return;
  }
  out.push_back(static_cast<std::uint8_t>(major << 5 | info));
  for (unsigned size = 1U << (info - kOneByte); size > 0; --size) {
    out.push_back(static_cast<std::uint8_t>(argument >> (8 * (size - 1))));
  }
}

}  // namespace

struct CborReader::Head {
  unsigned major;
  std::uint64_t argument;
};

Result<std::uint64_t> CborReader::argument(std::string_view field, unsigned info) {
  if (info < kOneByte) return std::uint64_t{info};
  if (info > kEightBytes) return fail(field, "the length is indefinite or of a reserved form");
  RATLS_TRY(BytesView view, reader_.bytes(field, std::size_t{1} << (info - kOneByte)));
  std::uint64_t value = 0;
  for (std::uint8_t byte : view) value = value << 8 | byte;
  return value;
}

Result<CborReader::Head> CborReader::head(std::string_view field) {
  RATLS_TRY(const std::uint8_t first, reader_.u8(field));
  const unsigned major = first >> 5;
  const unsigned info = first & 31U;
  RATLS_TRY(const std::uint64_t value, argument(field, info));
  // For simple values the longer forms are floating point numbers, whose bits are no count; the
  // one-byte form may not hold what fits into the head or is reserved (RFC 8949 3.3).
  const bool is_float = major == kSimple && info > kOneByte;
  const std::uint64_t smallest = major == kSimple ? 32 : smallest_for(info);
  if (info >= kOneByte && !is_float && value < smallest) {
    return fail(field, "the head is not the shortest");
  }
  return Head{major, value};
}

Result<std::uint64_t> CborReader::number_of(std::string_view field, unsigned major) {
  CborReader ahead(reader_);
  RATLS_TRY(const Head head, ahead.head(field));
  if (head.major != major) {
    return fail(field, "got " + kind(head.major) + ", wanted " + kind(major));
  }
  *this = ahead;
  return head.argument;
}

Result<BytesView> CborReader::content_of(std::string_view field, unsigned major) {
  CborReader ahead(reader_);
  RATLS_TRY(const std::uint64_t size, ahead.number_of(field, major));
  RATLS_TRY(BytesView content, ahead.reader_.bytes(field, size));
  *this = ahead;
  return content;
}

Result<std::uint64_t> CborReader::unsigned_integer(std::string_view field) {
  return number_of(field, kUnsigned);
}
Result<BytesView> CborReader::bytes(std::string_view field) { return content_of(field, kBytes); }
Result<std::string_view> CborReader::text(std::string_view field) {
  RATLS_TRY(BytesView content, content_of(field, kText));
  return as_text(content);
}
Result<std::uint64_t> CborReader::array(std::string_view field) { return number_of(field, kArray); }
Result<std::uint64_t> CborReader::map(std::string_view field) { return number_of(field, kMap); }
Result<std::uint64_t> CborReader::tag(std::string_view field) { return number_of(field, kTag); }

Result<void> CborReader::skip(std::string_view field) {
  CborReader ahead(reader_);
  RATLS_CHECK(ahead.skip_nested(field, 1));
  *this = ahead;
  return {};
}

Result<void> CborReader::skip_nested(std::string_view field, int depth) {
  if (depth > kMaxDepth) return fail(field, "it is nested too deeply");
  RATLS_TRY(const Head head, this->head(field));
  std::uint64_t items = 0;
  switch (head.major) {
    case kUnsigned:
    case kNegative:
    case kSimple:
      return {};
    case kBytes:
    case kText:
      RATLS_CHECK(reader_.bytes(field, head.argument));
      return {};
    case kTag:
      items = 1;
      break;
    default:
      // Each item takes a byte at least, so a larger count cannot be true.
      if (head.argument > reader_.left()) return fail(field, "there are fewer items than stated");
      items = head.major == kMap ? 2 * head.argument : head.argument;
      break;
  }
  for (; items > 0; --items) RATLS_CHECK(skip_nested(field, depth + 1));
  return {};
}

void write_unsigned(Bytes& out, std::uint64_t value) { write_head(out, kUnsigned, value); }
void write_bytes(Bytes& out, BytesView value) {
  write_head(out, kBytes, value.size());
  out.insert(out.end(), value.begin(), value.end());
}
void write_text(Bytes& out, std::string_view value) {
  write_head(out, kText, value.size());
  out.insert(out.end(), value.begin(), value.end());
}
void write_array(Bytes& out, std::uint64_t items) { write_head(out, kArray, items); }
void write_map(Bytes& out, std::uint64_t pairs) { write_head(out, kMap, pairs); }
void write_tag(Bytes& out, std::uint64_t tag) { write_head(out, kTag, tag); }

}  // namespace ratls::cbor
