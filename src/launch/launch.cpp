// SPDX-License-Identifier: Apache-2.0
#include "launch/launch.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/file.h"
#include "base/reader.h"
#include "crypto/crypto.h"

namespace ratls::launch {
namespace {

Result<void> check_files(const AttestedFiles& files) {
  if (files.certificate.empty()) return Error(Code::usage, "cert", "a file is needed");
  if (files.key.empty()) return Error(Code::usage, "key", "a file is needed");
  if (files.certificate.lexically_normal() == files.key.lexically_normal()) {
    return Error(Code::usage, "key", "certificate and key need files of their own");
  }
  return {};
}

Result<void> write_key(const AttestedCertificate& certificate, const AttestedFiles& files) {
  RATLS_TRY(Bytes key,
            files.format == FileFormat::pem ? certificate.key_pem() : certificate.key_der());
  auto written = replace_file(files.key, key, FileMode::secret);
  crypto::wipe(key);
  return written;
}

Result<void> write_certificate(const AttestedCertificate& certificate, const AttestedFiles& files) {
  if (files.format == FileFormat::der) {
    return replace_file(files.certificate, certificate.certificate_der(), FileMode::shared);
  }
  return replace_file(files.certificate, as_bytes(certificate.certificate_pem()), FileMode::shared);
}

Error become(std::vector<std::string> command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  return Error(Code::command_not_run, command.front(), std::generic_category().message(errno));
}

// The attested key must not outlive this function in memory: exec keeps none of it, but a failed
// exec would.
Result<void> write_attested_files(const Attester& attester, const LaunchOptions& options,
                                  UnixTime now) {
  RATLS_TRY(const AttestedCertificate certificate, attester.certify(now));
  return write_files(certificate, options.files);
}

Result<void> check_options(const LaunchOptions& options) {
  if (options.command.empty() || options.command.front().empty()) {
    return Error(Code::usage, "command", "a command to run is needed");
  }
  return check_files(options.files);
}

}  // namespace

// Both or none: a key without its certificate would only be a secret left behind.
Result<void> write_files(const AttestedCertificate& certificate, const AttestedFiles& files) {
  RATLS_CHECK(check_files(files));
  RATLS_CHECK(write_key(certificate, files));
  auto written = write_certificate(certificate, files);
  if (!written) ::unlink(files.key.c_str());
  return written;
}

Error run(const Attester& attester, const LaunchOptions& options, UnixTime now) {
  if (const auto checked = check_options(options); !checked) return checked.error();
  if (const auto written = write_attested_files(attester, options, now); !written) {
    return written.error();
  }
  Error error = become(options.command);
  ::unlink(options.files.key.c_str());
  ::unlink(options.files.certificate.c_str());
  return error;
}

}  // namespace ratls::launch
