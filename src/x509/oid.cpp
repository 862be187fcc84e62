// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstdlib>
#include <limits>

#include "x509/certificate.h"

namespace ratls::x509 {
namespace {

void append_number(Oid& out, std::uint64_t number) {
  Bytes reversed;
  do {
    const std::uint8_t more = reversed.empty() ? 0x00 : 0x80;
    reversed.push_back(static_cast<std::uint8_t>((number & 0x7F) | more));
    number >>= 7;
  } while (number != 0);
  out.insert(out.end(), reversed.rbegin(), reversed.rend());
}

std::uint64_t take_number(std::string_view& dotted) {
  const std::string_view part = dotted.substr(0, dotted.find('.'));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(part.begin(), part.end(), number);
  if (error != std::errc() || end != part.end()) std::abort();
  dotted.remove_prefix(part.size());
  if (dotted == ".") std::abort();
  if (!dotted.empty()) dotted.remove_prefix(1);
  return number;
}

std::optional<std::vector<std::uint64_t>> numbers_of(BytesView content) {
  std::vector<std::uint64_t> out;
  std::uint64_t number = 0;
  bool complete = true;
  for (std::uint8_t byte : content) {
    if (complete && byte == 0x80) return std::nullopt;
    if (number > std::numeric_limits<std::uint64_t>::max() >> 7) return std::nullopt;
    number = number << 7 | (byte & 0x7F);
    complete = (byte & 0x80) == 0;
    if (complete) {
      out.push_back(number);
      number = 0;
    }
  }
  if (out.empty() || !complete) return std::nullopt;
  return out;
}

}  // namespace

// X.690 8.19.4: the first two numbers are one, 40 times the first plus the second.
Oid oid_from_text(std::string_view dotted) {
  Oid out;
  const std::uint64_t first = take_number(dotted);
  if (first > 2 || dotted.empty()) std::abort();
  const std::uint64_t second = take_number(dotted);
  if ((first < 2 && second > 39) || second > std::numeric_limits<std::uint32_t>::max()) {
    std::abort();
  }
  append_number(out, first * 40 + second);
  while (!dotted.empty()) append_number(out, take_number(dotted));
  return out;
}

std::string oid_to_text(BytesView content) {
  const auto numbers = numbers_of(content);
  if (!numbers) return to_hex(content);
  const std::uint64_t first = std::min<std::uint64_t>(numbers->front() / 40, 2);
  std::string out = std::to_string(first) + "." + std::to_string(numbers->front() - first * 40);
  for (std::size_t i = 1; i < numbers->size(); ++i) out += "." + std::to_string((*numbers)[i]);
  return out;
}

}  // namespace ratls::x509
