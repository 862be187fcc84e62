// SPDX-License-Identifier: Apache-2.0
#include "config/settings.h"

#include "server/app_supervisor.h"
#include "server/workers.h"
#include "target.h"

// What a configuration file says can be used, or is refused as such.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto settings = ratls::config::parse_settings(ratls::as_text({data, size}), "/base");
  if (!settings) {
    ratls::fuzz::require(settings.error().code() == ratls::Code::config_invalid);
    return 0;
  }
  ratls::fuzz::require(ratls::server::check_options(settings->server).has_value());
  ratls::fuzz::require(ratls::check_certificate_options(settings->certificate).has_value());
  ratls::fuzz::require(ratls::config::check_reload(*settings, *settings).has_value());
  if (settings->command.empty()) return 0;
  const auto app = ratls::config::app_options(*settings);
  ratls::fuzz::require(ratls::server::check_app(app, !settings->upstream.empty()).has_value());
  return 0;
}
