// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "cli/inspect.h"
#include "cli/print.h"
#include "ratls/client.h"
#include "report/report.h"

namespace ratls::cli {

int inspect(const InspectArguments& arguments) {
  Result<SubjectBytes> subject = [&]() -> Result<SubjectBytes> {
    if (arguments.subject.url.empty()) return read_subject(arguments.subject);
    RATLS_TRY(Bytes certificate,
              fetch_certificate(arguments.subject.url, {.resolve = arguments.resolve}));
    return SubjectBytes{.bytes = std::move(certificate)};
  }();
  if (!subject) return print_error(subject.error());
  const auto inspection = inspect_subject(*subject);
  const std::string text = arguments.json ? json_text(inspection) : inspection_text(inspection);
  if (!print(text)) return print_error(Error(Code::file_unwritable, "stdout", ""));
  return 0;
}

}  // namespace ratls::cli
