// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ratls/quote.h"

namespace ratls {

/// fresh_quote gives the bytes of a quote without what follows them, when it carries the report
/// data that was asked for. Nothing else in it is verified. Errors: quote_unavailable.
Result<Bytes> fresh_quote(Bytes quote, const ReportData& asked);

}  // namespace ratls
