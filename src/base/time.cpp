// SPDX-License-Identifier: Apache-2.0
#include "ratls/time.h"

#include <cstdio>
#include <optional>

namespace ratls {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kLastSecond = 253402300799;  // 9999-12-31T23:59:59Z

std::optional<std::int64_t> parse_number(std::string_view text, std::int64_t max) {
  if (text.empty() || text.size() > 18) return std::nullopt;
  std::int64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (value > max) return std::nullopt;
  return value;
}

// The offset of RFC 3339 5.6 "time-offset": Z, or a sign, hours and minutes.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = parse_number(text.substr(1, 2), 23);
  const auto minutes = parse_number(text.substr(4, 2), 59);
  if (!hours || !minutes) return std::nullopt;
  const std::int64_t offset = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -offset : offset;
}

std::optional<UnixTime> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' ||
      (text[10] != 'T' && text[10] != 't')) {
    return std::nullopt;
  }
  const auto year = parse_number(text.substr(0, 4), 9999);
  const auto month = parse_number(text.substr(5, 2), 12);
  const auto day = parse_number(text.substr(8, 2), 31);
  const auto hour = parse_number(text.substr(11, 2), 23);
  const auto minute = parse_number(text.substr(14, 2), 59);
  const auto second = parse_number(text.substr(17, 2), 59);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year < 1970) return std::nullopt;
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    const std::size_t digits = rest.find_first_not_of("0123456789", 1);
    if (digits == std::string_view::npos || digits == 1) return std::nullopt;
    rest.remove_prefix(digits);
  }
  const auto offset = parse_offset(rest);
  if (!offset) return std::nullopt;
  const UnixTime time = std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                        std::chrono::minutes(*minute) + seconds(*second) - seconds(*offset);
  if (time.time_since_epoch().count() < 0) return std::nullopt;
  return time;
}

}  // namespace

std::string format_time(UnixTime time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss<seconds> clock(time - days);
  char out[48];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return out;
}

Result<UnixTime> parse_time(std::string_view text, std::string_view what) {
  if (const auto unix_seconds = parse_number(text, kLastSecond))
    return UnixTime(seconds(*unix_seconds));
  if (const auto time = parse_rfc3339(text)) return *time;
  return Error(
      Code::usage, std::string(what),
      "\"" + std::string(text) + "\" is neither RFC 3339 (2024-03-13T00:00:00Z) nor Unix seconds");
}

Result<seconds> parse_duration(std::string_view text, std::string_view what) {
  constexpr std::int64_t kMax = 100LL * 366 * 86400;
  if (text.size() >= 2) {
    std::int64_t unit = 0;
    switch (text.back()) {
      case 's':
        unit = 1;
        break;
      case 'm':
        unit = 60;
        break;
      case 'h':
        unit = 3600;
        break;
      case 'd':
        unit = 86400;
        break;
      default:
        break;
    }
    const auto count = parse_number(text.substr(0, text.size() - 1), kMax);
    if (unit != 0 && count && *count <= kMax / unit) return seconds(*count * unit);
  }
  return Error(Code::usage, std::string(what),
               "\"" + std::string(text) + "\" is no duration such as 90s, 15m, 24h or 30d");
}

std::string format_duration(seconds duration) {
  const std::int64_t count = duration.count();
  if (count % 86400 == 0) return std::to_string(count / 86400) + "d";
  if (count % 3600 == 0) return std::to_string(count / 3600) + "h";
  if (count % 60 == 0) return std::to_string(count / 60) + "m";
  return std::to_string(count) + "s";
}

UnixTime system_now() { return std::chrono::floor<seconds>(std::chrono::system_clock::now()); }

}  // namespace ratls
