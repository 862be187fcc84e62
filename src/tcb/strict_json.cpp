// SPDX-License-Identifier: Apache-2.0
#include "tcb/strict_json.h"

#include <algorithm>
#include <optional>
#include <set>

namespace ratls::tcb {
namespace {

constexpr std::size_t kMaxDepth = 8;  // Intel's deepest is 5
constexpr std::size_t kMaxAdvisorySize = 64;

// KeyWatch looks at the parser's events for what nlohmann::json itself lets pass, and ends the
// parsing there. It is a pass of its own, because parsing with a callback looks at all elements of
// an array again after each object in it, which a hostile text makes last for hours.
class KeyWatch final : public nlohmann::json_sax<StrictJson> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t& key) override {
    if (keys_.back().insert(key).second) return true;
    duplicate_ = key;
    return false;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  bool too_deep() const noexcept { return too_deep_; }
  const std::optional<std::string>& duplicate() const noexcept { return duplicate_; }

 private:
  bool open() {
    too_deep_ = keys_.size() == kMaxDepth;
    keys_.emplace_back();
    return !too_deep_;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> keys_;  // of the objects and arrays that are open
  std::optional<std::string> duplicate_;
  bool too_deep_ = false;
};

bool is_advisory_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxAdvisorySize &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

Result<StrictJson> parse_strict_json(std::string_view text, std::size_t max_size,
                                     Code on_error) try {
  if (text.size() > max_size) {
    return Error(on_error, "json",
                 std::to_string(text.size()) + " bytes are more than " + std::to_string(max_size));
  }
  // nlohmann::json takes a NUL for the end of the text and skips a byte order mark; RFC 8259 2 and
  // 8.1 know neither.
  if (text.find('\0') != std::string_view::npos || text.starts_with("\xEF\xBB\xBF")) {
    return Error(on_error, "json", "this is no JSON text");
  }
  KeyWatch watch;
  const bool readable = StrictJson::sax_parse(text, &watch);
  if (watch.too_deep()) return Error(on_error, "json", "it is nested too deeply");
  if (watch.duplicate()) return Error(on_error, *watch.duplicate(), "the key is there twice");
  if (!readable) return Error(on_error, "json", "this is no JSON text");
  StrictJson value = StrictJson::parse(text, nullptr, false);
  if (value.is_discarded()) return Error(on_error, "json", "this is no JSON text");
  return value;
} catch (const std::exception& failure) {
  return Error(on_error, "json", failure.what());
}

Error Members::fail(std::string_view key, std::string detail) const {
  return Error(code_, std::string(key), std::move(detail));
}

Result<Members> Members::of(const StrictJson& value, std::string_view what, Code on_error) {
  if (!value.is_object()) {
    return Error(on_error, std::string(what),
                 std::string("got ") + value.type_name() + ", wanted an object");
  }
  return Members(value, on_error);
}

bool Members::has(std::string_view key) const { return object_->contains(key); }

Result<const StrictJson*> Members::member(std::string_view key) const {
  const auto found = object_->find(key);
  if (found == object_->end()) return fail(key, "the member is missing");
  return &*found;
}

Result<Members> Members::object(std::string_view key) const {
  RATLS_TRY(const StrictJson* value, member(key));
  return of(*value, key, code_);
}

Result<const StrictJson*> Members::array(std::string_view key) const {
  RATLS_TRY(const StrictJson* value, member(key));
  if (!value->is_array()) {
    return fail(key, std::string("got ") + value->type_name() + ", wanted an array");
  }
  return value;
}

Result<std::string_view> Members::text(std::string_view key) const {
  RATLS_TRY(const StrictJson* value, member(key));
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr) return fail(key, std::string("got ") + value->type_name() + ", wanted text");
  return std::string_view(*text);
}

Result<std::uint64_t> Members::number(std::string_view key, std::uint64_t max) const {
  RATLS_TRY(const StrictJson* value, member(key));
  const auto* number = value->get_ptr<const std::uint64_t*>();
  if (number == nullptr || *number > max) {
    return fail(key, "wanted an integer from 0 to " + std::to_string(max));
  }
  return *number;
}

Result<UnixTime> Members::time(std::string_view key) const {
  RATLS_TRY(std::string_view value, text(key));
  constexpr std::string_view kForm = "2024-03-13T00:00:00Z";
  if (value.size() == kForm.size() && value[10] == 'T' && value.back() == 'Z') {
    auto time = parse_time(value, key);
    if (time) return *time;
  }
  return fail(key, "wanted a time such as " + std::string(kForm));
}

Result<std::vector<std::string>> Members::advisories() const {
  constexpr std::string_view kKey = "advisoryIDs";
  std::vector<std::string> out;
  if (!has(kKey)) return out;
  RATLS_TRY(const StrictJson* values, array(kKey));
  out.reserve(values->size());
  for (const StrictJson& value : *values) {
    const auto* id = value.get_ptr<const std::string*>();
    if (id == nullptr || !is_advisory_id(*id)) return fail(kKey, "wanted names of advisories only");
    out.push_back(*id);
  }
  return out;
}

}  // namespace ratls::tcb
