// SPDX-License-Identifier: Apache-2.0
#include "attester/fresh_quote.h"

namespace ratls {

Result<Bytes> fresh_quote(Bytes quote, const ReportData& asked) {
  const auto parsed = parse_quote(quote);
  if (!parsed) {
    return Error(Code::quote_unavailable, parsed.error().where(),
                 "what was made is no quote: " + parsed.error().message());
  }
  if (parsed->report_data() != asked) {
    return Error(Code::quote_unavailable, "report_data",
                 "the quote is over other report data than was asked for");
  }
  quote.resize(parsed->size);
  return quote;
}

}  // namespace ratls
