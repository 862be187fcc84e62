// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/print.h"
#include "sim/attestation_files.h"
#include "sim/mount.h"
#include "sim/platform.h"
#include "sim/tsm_files.h"

namespace ratls::cli {
namespace {

// An enclave's are Gramine's, those of a TD are Linux's.
std::unique_ptr<sim::PseudoFiles> attestation_files(const sim::Platform& platform) {
  if (platform.td() == nullptr) return std::make_unique<sim::AttestationFiles>(platform);
  return std::make_unique<sim::TsmFiles>(
      [platform](const ReportData& report_data) { return platform.quote(report_data); });
}

}  // namespace

int sim_init(const SimInitArguments& arguments) {
  sim::PlatformOptions options;
  options.debug = arguments.debug;
  if (arguments.tee == "sgx") options.tee = Tee::sgx;
  if (arguments.tee == "tdx") options.tee = Tee::tdx;
  if (arguments.isv_svn) options.isv_svn = *arguments.isv_svn;
  if (!arguments.mr_enclave.empty()) {
    auto measurement = parse_fixed_hex<MrEnclave>(arguments.mr_enclave, "--mr-enclave");
    if (!measurement) return print_error(measurement.error());
    options.mr_enclave = *measurement;
  }
  const std::filesystem::path dir = sim_dir(arguments.dir);
  const auto platform = sim::Platform::init(dir, options, system_now());
  if (!platform) return print_error(platform.error());
  const std::string measurement = platform->td() != nullptr
                                      ? "mr_td      " + to_hex(platform->td()->mr_td)
                                      : "mr_enclave " + to_hex(platform->enclave()->mr_enclave);
  print("simulated platform in " + printable(dir.string()) + "\n  " + measurement +
        "\n  policy     " + printable((dir / "policy.toml").string()) + "\n");
  return 0;
}

int sim_mount(const SimMountArguments& arguments) {
  const auto platform = sim::Platform::load(sim_dir(arguments.dir));
  if (!platform) return print_error(platform.error());
  const auto files = attestation_files(*platform);
  const auto ended =
      sim::mount_files(*files, arguments.mountpoint, [&] { print_ready(arguments.mountpoint); });
  return ended ? 0 : print_error(ended.error());
}

}  // namespace ratls::cli
