// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/print.h"
#include "launch/launch.h"

namespace ratls::cli {

int run(const RunArguments& arguments) {
  const auto source = quote_source_of(arguments.tee);
  if (!source) return print_error(source.error());
  const auto attester = Attester::create(*source, arguments.certificate);
  if (!attester) return print_error(attester.error());
  const launch::LaunchOptions options{
      .files = {.certificate = arguments.certificate_file,
                .key = arguments.key_file,
                .format =
                    arguments.format == "der" ? launch::FileFormat::der : launch::FileFormat::pem},
      .command = arguments.command};
  return print_error(launch::run(*attester, options, system_now()));
}

}  // namespace ratls::cli
