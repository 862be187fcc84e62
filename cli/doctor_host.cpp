// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/file.h"
#include "base/reader.h"
#include "base/text.h"
#include "cli/doctor.h"

namespace ratls::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 4 * 1024 * 1024;  // /proc/cpuinfo of hundreds of processors

std::string text_of(const fs::path& path) {
  const auto content = read_file(path, kMaxFile);
  return content ? std::string(trimmed(as_text(*content))) : std::string();
}

Finding absent(std::string name, std::string text, std::string hint) {
  return {std::move(name), FindingState::absent, std::move(text), std::move(hint)};
}

/// processor_flags are those of the first processor (proc(5)).
std::vector<std::string> processor_flags(const std::string& cpuinfo) {
  std::istringstream lines(cpuinfo);
  std::vector<std::string> flags;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(std::min(line.find(':') + 1, line.size())));
    for (std::string word; words >> word;) flags.push_back(word);
    break;
  }
  return flags;
}

Finding look_at_processor(const fs::path& root) {
  const auto flags = processor_flags(text_of(root / "proc/cpuinfo"));
  std::string found;
  for (const char* flag : {"sgx", "sgx_lc", "tdx_guest"}) {
    if (std::ranges::find(flags, flag) != flags.end()) found += std::string(" ") + flag;
  }
  if (found.empty()) {
    return absent("processor", "neither sgx nor tdx_guest among its flags",
                  "an SGX machine has SGX enabled in its BIOS; a TD has tdx_guest");
  }
  return {"processor", FindingState::ok, "flags:" + found};
}

Finding look_at_kernel(const fs::path& root) {
  const std::string release = text_of(root / "proc/sys/kernel/osrelease");
  int major = 0;
  int minor = 0;
  const char* const end = release.data() + release.size();
  const auto dot = std::from_chars(release.data(), end, major).ptr;
  if (dot != end && *dot == '.') std::from_chars(dot + 1, end, minor);
  if (major == 0) return absent("kernel", "its version cannot be read", "");
  if (major > 5 || (major == 5 && minor >= 11)) return {"kernel", FindingState::ok, release};
  return absent("kernel", release + " has no driver of SGX", "use Linux 5.11 or newer");
}

Finding look_at_device(const fs::path& root, const std::string& name) {
  const fs::path path = root / "dev" / name;
  std::error_code ec;
  if (!fs::exists(path, ec)) {
    return absent("/dev/" + name, "is not there",
                  "enable SGX in the BIOS; in a container, pass the device in");
  }
  if (::access(path.c_str(), R_OK | W_OK) != 0) {
    return absent("/dev/" + name, "this user may not open it",
                  name == "sgx_provision" ? "add the user to the group sgx_prv"
                                          : "add the user to the group sgx");
  }
  return {"/dev/" + name, FindingState::ok, "may be opened"};
}

Finding look_at_aesm(const fs::path& root) {
  const fs::path path = root / "var/run/aesmd/aesm.socket";
  std::error_code ec;
  if (fs::exists(path, ec)) return {"aesm", FindingState::ok, "/var/run/aesmd/aesm.socket"};
  return absent("aesm", "/var/run/aesmd/aesm.socket is not there",
                "install sgx-aesm-service and libsgx-dcap-ql; in a container, mount the socket");
}

Finding look_at_gramine(const fs::path& root) {
  const fs::path path = root / "dev/attestation/attestation_type";
  std::error_code ec;
  if (!fs::exists(path, ec)) {
    return absent("gramine", "/dev/attestation is not there", "it is inside of an enclave only");
  }
  const std::string type = printable(text_of(path));
  if (type == "dcap") return {"gramine", FindingState::ok, "attestation_type is dcap"};
  return absent("gramine", "attestation_type is \"" + type + "\"",
                "set sgx.remote_attestation = \"dcap\" in the manifest");
}

Finding look_at_tdx(const fs::path& root) {
  const fs::path path = root / "sys/kernel/config/tsm/report";
  std::error_code ec;
  if (!fs::is_directory(path, ec)) {
    return absent("tdx", "/sys/kernel/config/tsm/report is not there",
                  "in a TD: Linux 6.7 or newer with tdx_guest, and configfs mounted");
  }
  if (::access(path.c_str(), W_OK | X_OK) != 0) {
    return absent("tdx", "this user may not make reports",
                  "run the server as root, or give it the folder");
  }
  return {"tdx", FindingState::ok, "/sys/kernel/config/tsm/report"};
}

}  // namespace

Findings look_at_host(const fs::path& root) {
  Findings findings = {look_at_processor(root),
                       look_at_kernel(root),
                       look_at_device(root, "sgx_enclave"),
                       look_at_device(root, "sgx_provision"),
                       look_at_aesm(root),
                       look_at_gramine(root),
                       look_at_tdx(root)};
  const auto is_ok = [&](std::string_view name) {
    const auto found = std::ranges::find(findings, name, &Finding::name);
    return found->state == FindingState::ok;
  };
  std::string ways;
  if (is_ok("gramine")) ways += " in this enclave (--tee gramine)";
  if (is_ok("tdx")) ways += " in this TD (--tee tdx)";
  if (is_ok("/dev/sgx_enclave") && is_ok("aesm")) ways += " in enclaves that are started here";
  if (ways.empty()) {
    findings.push_back(failure(
        "quotes", Error(Code::quote_unavailable, "host", "nothing on this machine makes quotes")));
  } else {
    findings.push_back({"quotes", FindingState::ok, "can be made" + ways});
  }
  return findings;
}

}  // namespace ratls::cli
