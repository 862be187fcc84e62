// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ratls/attester.h"
#include "support/fake_quote.h"

namespace ratls::testing {

/// fake_attester makes certificates with quotes that parse and that no verifier accepts.
inline Attester fake_attester(CertificateOptions options = {}) {
  const auto source = [](const ReportData& report_data) -> Result<Bytes> {
    return make_fake_quote({.report_data = report_data});
  };
  return Attester::create(source, std::move(options)).value();
}

}  // namespace ratls::testing
