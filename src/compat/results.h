// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compat/judge.h"

namespace ratls::compat {

/// step_of is the step of Gramine's verification that a code belongs to.
ra_tls_err_loc_t step_of(Code code) noexcept;

/// return_value is 0 for ok, else the mbedTLS error that Gramine's functions give for such a
/// failure.
int return_value(Code code) noexcept;

/// fill_results writes a judgement in Gramine's terms.
void fill_results(const Judgement& judgement, ra_tls_verify_callback_results& results) noexcept;

/// print_refusal writes an error to stderr as the command line tool does; without memory, less.
void print_refusal(const Error& error) noexcept;

}  // namespace ratls::compat
