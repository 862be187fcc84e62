// SPDX-License-Identifier: Apache-2.0
#include "capi/handles.h"

namespace ratls::capi {

// Codes are the same numbers on both sides; capi_test.cpp compares them.
ratls_code set_error(ratls_error** out, const Error& error, const Verdict* refused) noexcept {
  const auto code = static_cast<ratls_code>(error.code());
  if (out == nullptr) return code;
  *out = nullptr;
  try {
    auto made = std::make_unique<ratls_error>(ratls_error{
        .code = error.code(), .message = error.message(), .where = error.where(), .report = ""});
    if (refused != nullptr) made->report = report_json_text(outcome_of(*refused));
    *out = made.release();
  } catch (...) {  // no memory for words; the code says enough
  }
  return code;
}

Result<void> check_pointers(std::initializer_list<const void*> pointers) {
  for (const void* pointer : pointers) {
    if (pointer == nullptr) return Error(Code::usage, "argument", "NULL where there must be one");
  }
  return {};
}

Result<void> check_size(std::size_t size, std::size_t known, std::string_view name) {
  if (size == known) return {};
  return Error(
      Code::usage, std::string(name),
      "size is " + std::to_string(size) + ", " + std::to_string(known) +
          " is known: set it with the _INIT macro, and use a library as new as the header");
}

CacheOptions cache_options(const char* cache_dir) {
  return {.dir = cache_dir == nullptr ? default_cache_dir() : std::filesystem::path(cache_dir),
          .background = false};
}

}  // namespace ratls::capi

using ratls::capi::or_null;

const char* ratls_version(void) { return RATLS_VERSION; }
uint32_t ratls_abi_version(void) { return RATLS_ABI_VERSION; }

// The texts of the table are literals: they end with a NUL.
const char* ratls_code_name(ratls_code code) {
  return ratls::describe(static_cast<ratls::Code>(code)).name.data();
}
const char* ratls_code_hint(ratls_code code) {
  return ratls::describe(static_cast<ratls::Code>(code)).hint.data();
}
int ratls_exit_code(ratls_code code) { return ratls::exit_code(static_cast<ratls::Code>(code)); }

ratls_code ratls_error_code(const ratls_error* error) {
  return error == nullptr ? RATLS_OK : static_cast<ratls_code>(error->code);
}
const char* ratls_error_message(const ratls_error* error) {
  return error == nullptr ? nullptr : error->message.c_str();
}
const char* ratls_error_where(const ratls_error* error) {
  return error == nullptr ? nullptr : or_null(error->where);
}
const char* ratls_error_hint(const ratls_error* error) {
  return error == nullptr ? nullptr : ratls_code_hint(static_cast<ratls_code>(error->code));
}
const char* ratls_error_report(const ratls_error* error) {
  return error == nullptr ? nullptr : or_null(error->report);
}
void ratls_error_free(ratls_error* error) { delete error; }
