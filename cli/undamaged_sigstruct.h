// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "policy/sigstruct.h"

namespace ratls::cli {

/// undamaged_sigstruct reads a .sig file and checks its signature against the key in it, which
/// finds damage; it does not say whose key that is. Errors: sigstruct_invalid.
Result<policy::Sigstruct> undamaged_sigstruct(BytesView file);

}  // namespace ratls::cli
