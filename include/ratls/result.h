// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <type_traits>
#include <utility>
#include <variant>

#include "ratls/error.h"

namespace ratls {

/// Result holds either a value or an Error. Discarding one is a compile error under -Werror, and
/// reading the side that is not there aborts: in a verifier both would be an acceptance by
/// accident. The names are those of std::expected, so that it can replace this class one day.
/// Thread-safety: that of T.
template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<std::remove_cv_t<T>, Error>);

 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return *checked_value(); }
  const T& value() const& { return *const_cast<Result*>(this)->checked_value(); }
  T&& value() && { return std::move(*checked_value()); }
  Error& error() & { return *checked_error(); }
  const Error& error() const& { return *const_cast<Result*>(this)->checked_error(); }
  Error&& error() && { return std::move(*checked_error()); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return checked_value(); }
  const T* operator->() const { return const_cast<Result*>(this)->checked_value(); }

 private:
  T* checked_value() {
    T* value = std::get_if<0>(&state_);
    if (value == nullptr) std::abort();
    return value;
  }
  Error* checked_error() {
    Error* error = std::get_if<1>(&state_);
    if (error == nullptr) std::abort();
    return error;
  }

  std::variant<T, Error> state_;
};

/// Result<void> says that something was done or why not.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (!has_value()) std::abort();
  }
  const Error& error() const& {
    const Error* error = std::get_if<1>(&state_);
    if (error == nullptr) std::abort();
    return *error;
  }
  Error&& error() && {
    Error* error = std::get_if<1>(&state_);
    if (error == nullptr) std::abort();
    return std::move(*error);
  }

 private:
  std::variant<std::monostate, Error> state_;
};

}  // namespace ratls

#define RATLS_CONCAT_INNER(a, b) a##b
#define RATLS_CONCAT(a, b) RATLS_CONCAT_INNER(a, b)
#define RATLS_TRY_INNER(tmp, decl, ...)                \
  auto tmp = (__VA_ARGS__);                            \
  if (!tmp.has_value()) return std::move(tmp).error(); \
  decl = std::move(tmp).value()

/// RATLS_TRY(auto x, f()) declares x with the value of f(), or returns its Error.
#define RATLS_TRY(decl, ...) RATLS_TRY_INNER(RATLS_CONCAT(ratls_try_, __LINE__), decl, __VA_ARGS__)

/// RATLS_CHECK(f()) returns the Error of f(), if it has one, and drops the value.
#define RATLS_CHECK(...)                                                 \
  do {                                                                   \
    auto ratls_check = (__VA_ARGS__);                                    \
    if (!ratls_check.has_value()) return std::move(ratls_check).error(); \
  } while (false)
