// SPDX-License-Identifier: Apache-2.0
#include "ratls/error.h"

#include <optional>
#include <vector>

namespace ratls {
namespace {

// The one table of codes. There is no default: a code without its texts does not compile.
std::optional<CodeInfo> lookup(Code code) {
  switch (code) {
    case Code::ok:
      return CodeInfo{code, "ok", "nothing failed", "no action is needed"};
    case Code::usage:
      return CodeInfo{code, "usage", "the call or the command line is wrong",
                      "read the usage: PROGRAM --help, or PROGRAM COMMAND --help"};
    case Code::url_invalid:
      return CodeInfo{code, "url_invalid", "the address cannot be used",
                      "give an https URL such as https://host:8000/path"};
    case Code::policy_invalid:
      return CodeInfo{code, "policy_invalid", "the policy is wrong",
                      "correct the named key; docs/policy.md lists all of them"};
    case Code::policy_empty:
      return CodeInfo{code, "policy_empty", "the policy names no enclave and no TD",
                      "name at least one [[enclave]] by mr_enclave, or by mr_signer with "
                      "isv_prod_id and min_isv_svn; or a [[td]] by mr_td, rtmr1 and rtmr2"};
    case Code::file_unreadable:
      return CodeInfo{code, "file_unreadable", "a file cannot be read",
                      "check the path, the permissions and the size"};
    case Code::file_unwritable:
      return CodeInfo{code, "file_unwritable", "a file cannot be written",
                      "check the path and the permissions; files with keys are never overwritten "
                      "through links"};
    case Code::malformed_hex:
      return CodeInfo{code, "malformed_hex", "a value is no hex text of the right length",
                      "correct the value"};
    case Code::proxy_unsupported:
      return CodeInfo{
          code, "proxy_unsupported", "the proxy cannot be used",
          "use an http:// or socks5:// proxy; TLS to a proxy would hide which peer was verified"};
    case Code::config_invalid:
      return CodeInfo{code, "config_invalid", "the configuration is wrong",
                      "correct the named option"};
    case Code::command_not_run:
      return CodeInfo{code, "command_not_run", "the command could not be executed",
                      "give an executable that exists, by its absolute path inside an enclave"};
    case Code::sigstruct_invalid:
      return CodeInfo{code, "sigstruct_invalid", "the file is no SIGSTRUCT",
                      "give the .sig file that gramine-sgx-sign wrote, 1808 bytes"};
    case Code::evidence_missing:
      return CodeInfo{code, "evidence_missing", "the certificate carries no attestation evidence",
                      "make sure that the address is that of an attested server and that nothing "
                      "terminates TLS in front of it"};
    case Code::certificate_malformed:
      return CodeInfo{code, "certificate_malformed", "the certificate cannot be parsed",
                      "the server must send one DER certificate as ratls or Gramine make it"};
    case Code::evidence_malformed:
      return CodeInfo{
          code, "evidence_malformed", "the evidence in the certificate cannot be parsed",
          "update the server; its evidence follows neither TCG DICE nor Gramine's format"};
    case Code::evidence_duplicate:
      return CodeInfo{code, "evidence_duplicate", "the certificate carries the same evidence twice",
                      "refuse this server: two answers to one question are an attack or a defect"};
    case Code::evidence_conflict:
      return CodeInfo{
          code, "evidence_conflict", "the two evidence formats of the certificate disagree",
          "refuse this server: both formats must bind the same key and the same enclave"};
    case Code::quote_malformed:
      return CodeInfo{code, "quote_malformed", "the quote cannot be parsed",
                      "fetch the quote again; it must be the whole output of the quoting service"};
    case Code::quote_unsupported:
      return CodeInfo{code, "quote_unsupported", "the quote is of a kind that is not supported",
                      "use DCAP quotes with ECDSA P-256 attestation keys"};
    case Code::certification_data_unsupported:
      return CodeInfo{code, "certification_data_unsupported",
                      "the quote does not bring the PCK certificate in a supported form",
                      "use certification data type 5, or give the chain as pck_certificate_chain "
                      "in the collateral"};
    case Code::pck_chain_malformed:
      return CodeInfo{code, "pck_chain_malformed", "the PCK certificate chain cannot be parsed",
                      "the chain must be PCK leaf, Platform or Processor CA, and root"};
    case Code::collateral_malformed:
      return CodeInfo{code, "collateral_malformed", "the collateral cannot be parsed",
                      "fetch the collateral again; docs/collateral.md describes the file"};
    case Code::crl_malformed:
      return CodeInfo{code, "crl_malformed", "a certificate revocation list cannot be parsed",
                      "fetch the collateral again"};
    case Code::tcb_chain_malformed:
      return CodeInfo{code, "tcb_chain_malformed",
                      "the chain of the TCB signing certificate cannot be parsed",
                      "fetch the collateral again"};
    case Code::tcb_info_malformed:
      return CodeInfo{code, "tcb_info_malformed", "the TCB info cannot be parsed",
                      "fetch the collateral again"};
    case Code::qe_identity_malformed:
      return CodeInfo{code, "qe_identity_malformed", "the QE identity cannot be parsed",
                      "fetch the collateral again"};
    case Code::key_unsupported:
      return CodeInfo{code, "key_unsupported",
                      "the key of the certificate is of a kind that is not supported",
                      "use P-256, P-384, or RSA with 3072 bits or more"};
    case Code::root_untrusted:
      return CodeInfo{code, "root_untrusted",
                      "the chain ends in a root that the policy does not trust",
                      "for Intel hardware leave [trust] root out; for a simulated platform name "
                      "its root.pem there"};
    case Code::pck_chain_untrusted:
      return CodeInfo{code, "pck_chain_untrusted", "the PCK certificate chain is not genuine",
                      "refuse this server; its quote was not made on the platform that it claims"};
    case Code::crl_untrusted:
      return CodeInfo{code, "crl_untrusted", "a certificate revocation list is not genuine",
                      "fetch the collateral from a trusted source"};
    case Code::certificate_revoked:
      return CodeInfo{code, "certificate_revoked", "a certificate of the chain is revoked",
                      "refuse this platform; its keys are known to be compromised"};
    case Code::tcb_chain_untrusted:
      return CodeInfo{code, "tcb_chain_untrusted", "the TCB signing chain is not genuine",
                      "fetch the collateral from a trusted source"};
    case Code::tcb_info_untrusted:
      return CodeInfo{code, "tcb_info_untrusted", "the signature of the TCB info is wrong",
                      "fetch the collateral from a trusted source"};
    case Code::qe_identity_untrusted:
      return CodeInfo{code, "qe_identity_untrusted", "the signature of the QE identity is wrong",
                      "fetch the collateral from a trusted source"};
    case Code::tcb_info_mismatch:
      return CodeInfo{code, "tcb_info_mismatch", "the TCB info is for another platform",
                      "fetch the collateral for the FMSPC of this platform"};
    case Code::qe_identity_mismatch:
      return CodeInfo{code, "qe_identity_mismatch",
                      "the quoting enclave is not the one that Intel published",
                      "refuse this server, or fetch the QE identity of the right TEE"};
    case Code::qe_report_untrusted:
      return CodeInfo{code, "qe_report_untrusted", "the signature of the QE report is wrong",
                      "refuse this server; its attestation key was not certified by the platform"};
    case Code::attestation_key_unbound:
      return CodeInfo{code, "attestation_key_unbound",
                      "the QE report does not vouch for the attestation key", "refuse this server"};
    case Code::quote_untrusted:
      return CodeInfo{code, "quote_untrusted", "the signature of the quote is wrong",
                      "refuse this server; the quote was altered"};
    case Code::certificate_unbound:
      return CodeInfo{code, "certificate_unbound",
                      "the quote does not bind the key of the certificate",
                      "refuse this server; its evidence was made for another key"};
    case Code::certificate_untrusted:
      return CodeInfo{code, "certificate_untrusted", "the certificate's own signature is wrong",
                      "refuse this server"};
    case Code::tdx_module_mismatch:
      return CodeInfo{
          code, "tdx_module_mismatch", "the TDX module is not one that Intel publishes",
          "have the host updated; an unknown or modified TDX module may not be trusted"};
    case Code::pck_chain_expired:
      return CodeInfo{code, "pck_chain_expired",
                      "a certificate of the PCK chain is outside its dates",
                      "check the clock; then ask the platform's owner for a new PCK certificate"};
    case Code::crl_expired:
      return CodeInfo{code, "crl_expired", "a certificate revocation list is outside its dates",
                      "refresh the collateral"};
    case Code::tcb_chain_expired:
      return CodeInfo{code, "tcb_chain_expired", "the TCB signing chain is outside its dates",
                      "refresh the collateral"};
    case Code::tcb_info_expired:
      return CodeInfo{code, "tcb_info_expired", "the TCB info is outside its dates",
                      "refresh the collateral"};
    case Code::qe_identity_expired:
      return CodeInfo{code, "qe_identity_expired", "the QE identity is outside its dates",
                      "refresh the collateral"};
    case Code::collateral_too_old:
      return CodeInfo{code, "collateral_too_old", "the collateral is older than the policy allows",
                      "refresh the collateral, or raise [tcb] max_collateral_age"};
    case Code::certificate_expired:
      return CodeInfo{
          code, "certificate_expired", "the certificate is outside its dates",
          "restart the server so that it makes a new certificate, and check both clocks"};
    case Code::collateral_superseded:
      return CodeInfo{code, "collateral_superseded",
                      "the source gives older collateral than was seen before",
                      "ask another source; if the cache has seen a test's numbers, remove "
                      "highest_numbers.json"};
    case Code::tcb_out_of_date:
      return CodeInfo{code, "tcb_out_of_date", "the platform's TCB is out of date",
                      "update microcode and BIOS, or add the status to [tcb] accept in the policy"};
    case Code::tcb_configuration_needed:
      return CodeInfo{code, "tcb_configuration_needed",
                      "the platform's configuration needs a change",
                      "change the BIOS settings that the advisories name, or add the status to "
                      "[tcb] accept in the policy"};
    case Code::tcb_sw_hardening_needed:
      return CodeInfo{code, "tcb_sw_hardening_needed",
                      "enclaves on this platform need software hardening",
                      "check that the enclave has the mitigations of the advisories, then add the "
                      "status to [tcb] accept in the policy"};
    case Code::tcb_revoked:
      return CodeInfo{code, "tcb_revoked", "the platform's TCB is revoked",
                      "refuse this platform; no policy can accept it"};
    case Code::tcb_not_supported:
      return CodeInfo{code, "tcb_not_supported",
                      "the platform's TCB is below every level that Intel lists",
                      "refuse this platform; no policy can accept it"};
    case Code::tcb_advisory_not_accepted:
      return CodeInfo{code, "tcb_advisory_not_accepted",
                      "a security advisory applies that the policy does not accept",
                      "read the advisory, then list it in [tcb] accept_advisories or take it out "
                      "of reject_advisories"};
    case Code::tcb_evaluation_number_too_low:
      return CodeInfo{code, "tcb_evaluation_number_too_low",
                      "the collateral was evaluated against too old a baseline",
                      "refresh the collateral; it must have at least [tcb] min_evaluation_number"};
    case Code::tcb_td_relaunch_advised:
      return CodeInfo{code, "tcb_td_relaunch_advised",
                      "the TD was launched on an outdated TDX module that has been updated since",
                      "relaunch the TD, or add the status to [tcb] accept in the policy"};
    case Code::enclave_debug:
      return CodeInfo{
          code, "enclave_debug", "the enclave runs in debug mode",
          "build the enclave without sgx.debug; its memory can be read by the host as it is"};
    case Code::enclave_attributes:
      return CodeInfo{
          code, "enclave_attributes", "the enclave's attributes are not acceptable",
          "the enclave must be initialised, 64-bit and without launch or provisioning keys"};
    case Code::identity_mismatch:
      return CodeInfo{
          code, "identity_mismatch", "the enclave is none of those that the policy names",
          "compare the measurements; name this enclave in the policy only when you know its code"};
    case Code::platform_not_allowed:
      return CodeInfo{code, "platform_not_allowed",
                      "the platform is not in the policy's allow list",
                      "compare with the [platform] table of the policy"};
    case Code::certificate_lifetime:
      return CodeInfo{
          code, "certificate_lifetime", "the certificate lives longer than the policy allows",
          "shorten the server's --lifetime, or raise [session] max_certificate_lifetime; an end is "
          "attested by servers that run ratls"};
    case Code::certificate_usage:
      return CodeInfo{code, "certificate_usage", "the certificate is not made for a TLS server",
                      "the extended key usage must be absent or contain serverAuth"};
    case Code::server_key_not_allowed:
      return CodeInfo{code, "server_key_not_allowed", "the server's key is not one of the policy's",
                      "compare with [session] server_keys; an attested server makes a new key for "
                      "each certificate"};
    case Code::evidence_not_fresh:
      return CodeInfo{code, "evidence_not_fresh", "the evidence is not bound to this session",
                      "use a server that offers fresh evidence, or set [session] fresh = false"};
    case Code::redirect_refused:
      return CodeInfo{code, "redirect_refused", "the server redirects to another origin",
                      "call the other address itself, with a policy for it"};
    case Code::name_mismatch:
      return CodeInfo{
          code, "name_mismatch", "the certificate is for another name",
          "use a name that the certificate carries, or set [session] check_name = false"};
    case Code::connection_failed:
      return CodeInfo{
          code, "connection_failed", "the server cannot be reached",
          "check the address, the port and the network; --retry repeats connection errors"};
    case Code::handshake_failed:
      return CodeInfo{code, "handshake_failed", "the TLS handshake failed",
                      "check that the address speaks TLS 1.2 or later"};
    case Code::connection_closed:
      return CodeInfo{code, "connection_closed",
                      "the connection ended before the answer was complete",
                      "try again; --retry repeats connection errors"};
    case Code::timeout:
      return CodeInfo{code, "timeout", "the time limit was reached",
                      "try again, or raise the time limit"};
    case Code::collateral_unavailable:
      return CodeInfo{code, "collateral_unavailable", "no source has the collateral",
                      "check [collateral] sources in the policy and the network"};
    case Code::quote_unavailable:
      return CodeInfo{code, "quote_unavailable", "no quote can be made",
                      "check --tee; under Gramine set sgx.remote_attestation = \"dcap\" in the "
                      "manifest; when it "
                      "is a server's answer, try again"};
    case Code::listen_failed:
      return CodeInfo{code, "listen_failed", "the address cannot be listened on",
                      "choose a free port, or 0 for any; ratls serve takes it with --listen"};
    case Code::platform_unavailable:
      return CodeInfo{code, "platform_unavailable", "the simulated platform cannot be used",
                      "make a platform with: ratls sim init; to mount one, an empty folder and "
                      "FUSE are needed"};
    case Code::answer_too_large:
      return CodeInfo{code, "answer_too_large", "the answer is larger than the limit",
                      "stream it to a file, or raise the limit"};
    case Code::collateral_platform_unknown:
      return CodeInfo{
          code, "collateral_platform_unknown", "the collateral service does not know the platform",
          "check that the platform is registered and that the service has this kind of TEE"};
    case Code::collateral_number_retired:
      return CodeInfo{code, "collateral_number_retired",
                      "the evaluation number that was asked for has been retired",
                      "ask for a newer number, or for update = \"standard\""};
    case Code::collateral_server_untrusted:
      return CodeInfo{code, "collateral_server_untrusted",
                      "the collateral service does not prove its name",
                      "name the CA of the service as [collateral] ca in the policy"};
    case Code::app_failed:
      return CodeInfo{code, "app_failed", "the app behind the server did not start",
                      "run the command by itself; it has to accept connections at the socket that "
                      "{fd} or {socket} names"};
    case Code::proxy_failed:
      return CodeInfo{code, "proxy_failed", "the proxy gives no connection",
                      "check the proxy that HTTPS_PROXY names, or except the host in NO_PROXY"};
    case Code::internal:
      return CodeInfo{code, "internal", "a defect of ratls", "report it with this message"};
  }
  return std::nullopt;
}

const std::vector<CodeInfo>& table() {
  static const std::vector<CodeInfo> kTable = [] {
    std::vector<CodeInfo> entries;
    for (int number = 0; number < 1000; ++number) {
      if (const auto info = lookup(static_cast<Code>(number))) entries.push_back(*info);
    }
    return entries;
  }();
  return kTable;
}

}  // namespace

const CodeInfo& describe(Code code) noexcept {
  for (const CodeInfo& info : table()) {
    if (info.code == code) return info;
  }
  return table().back();  // internal
}

std::span<const CodeInfo> all_codes() noexcept { return table(); }

Error Error::in(std::string_view outer) const {
  return Error(code_, where_.empty() ? std::string(outer) : std::string(outer) + ": " + where_,
               detail_);
}

std::string Error::message() const {
  const CodeInfo& info = describe(code_);
  std::string out = std::string(info.name) + " (" + std::to_string(static_cast<int>(code_)) + "): ";
  out += info.text;
  if (!detail_.empty()) out += ": " + detail_;
  return out;
}

}  // namespace ratls
