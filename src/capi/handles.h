// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <initializer_list>
#include <optional>

#include "ratls.h"
#include "ratls/client.h"
#include "report/report.h"

// What stands behind the handles of ratls.h. Each is immutable once made, apart from ratls_response
// and what a Client guards itself.

struct ratls_error {
  ratls::Code code;
  std::string message;
  std::string where;
  std::string report;
};

struct ratls_policy {
  ratls::Policy policy;
};

struct ratls_report {
  ratls::Code code;
  std::string message;
  std::string where;
  std::string json;
};

namespace ratls::capi {

/// set_error makes the error handle, where one is wanted, and gives the code. Without memory there
/// is none.
ratls_code set_error(ratls_error** out, const Error& error,
                     const Verdict* refused = nullptr) noexcept;

/// make_report is the report handle of an outcome; the caller owns it.
ratls_report* make_report(const Outcome& outcome);

/// guarded runs a step whose errors and exceptions become a code and an error handle.
template <class Step>
ratls_code guarded(ratls_error** error, Step step) noexcept {
  if (error != nullptr) *error = nullptr;
  try {
    const Result<void> done = step();
    return done ? RATLS_OK : set_error(error, done.error());
  } catch (const std::exception& exception) {
    return set_error(error, Error(Code::internal, "C interface", exception.what()));
  } catch (...) {
    return set_error(error, Error(Code::internal, "C interface", "an exception"));
  }
}

/// check_pointers refuses what must not be NULL. Errors: usage.
Result<void> check_pointers(std::initializer_list<const void*> pointers);

/// check_size refuses a structure that no version of ratls.h had: smaller than the first one's, or
/// larger than this one's. Errors: usage.
Result<void> check_size(std::size_t size, std::size_t known, std::string_view name);

/// text_of is a C text, empty for NULL.
inline std::string text_of(const char* text) { return text == nullptr ? "" : text; }

/// or_null is a text for C: NULL when it is empty.
inline const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

/// cache_options reads the cache_dir of options. Nothing runs in the background: a library cannot
/// know when its process ends.
CacheOptions cache_options(const char* cache_dir);

}  // namespace ratls::capi
