// SPDX-License-Identifier: Apache-2.0
#include "tcb/strict_json.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace ratls::tcb {
namespace {

constexpr std::size_t kMaxDepth = 8;  // Intel's deepest is 5
constexpr std::size_t kMaxAdvisorySize = 64;

// TreeBuilder makes the value from the parser's events. It is not nlohmann::json's own way, which
// lets a key be there twice, and with a callback that would notice looks at all elements of an
// array again after each object in it, so that a hostile text lasts for hours.
class TreeBuilder final : public nlohmann::json_sax<StrictJson> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(StrictJson::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(StrictJson::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& key) override {
    const auto [member, is_new] = open_.back()->get_ref<StrictJson::object_t&>().try_emplace(key);
    member_ = &member->second;
    if (!is_new) duplicate_ = key;
    return is_new;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  StrictJson& value() noexcept { return root_; }
  bool too_deep() const noexcept { return too_deep_; }
  const std::optional<std::string>& duplicate() const noexcept { return duplicate_; }

 private:
  // The place of the next value: the text's own, the end of the open array, or the last key's.
  StrictJson& next_place() {
    if (open_.empty()) return root_;
    if (!open_.back()->is_array()) return *member_;
    return open_.back()->get_ref<StrictJson::array_t&>().emplace_back();
  }
  bool add(StrictJson value) {
    next_place() = std::move(value);
    return true;
  }
  bool open(StrictJson empty) {
    too_deep_ = open_.size() == kMaxDepth;
    if (too_deep_) return false;
    StrictJson& place = next_place();
    place = std::move(empty);
    open_.push_back(&place);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  StrictJson root_;
  std::vector<StrictJson*> open_;  // only the last of them grows, so the pointers stay good
  StrictJson* member_ = nullptr;
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
  TreeBuilder tree;
  const bool readable = StrictJson::sax_parse(text, &tree);
  if (tree.too_deep()) return Error(on_error, "json", "it is nested too deeply");
  if (tree.duplicate()) return Error(on_error, *tree.duplicate(), "the key is there twice");
  if (!readable) return Error(on_error, "json", "this is no JSON text");
  return std::move(tree.value());
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
