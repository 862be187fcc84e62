// SPDX-License-Identifier: Apache-2.0
#include "pccs/address.h"

#include <algorithm>

#include "base/loopback.h"

namespace ratls::pccs {
namespace {

constexpr std::string_view kIntel = "https://api.trustedservices.intel.com";
constexpr std::string_view kAzure = "https://global.acccache.azure.net";
constexpr const char* kIntelRootCrl =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

Error refused(const std::string& url, std::string detail) {
  return Error(Code::policy_invalid, url, std::move(detail));
}

std::string choice(const PccsOptions& options) {
  if (options.evaluation_number) {
    return "tcbEvaluationDataNumber=" + std::to_string(*options.evaluation_number);
  }
  return options.early ? "update=early" : "update=standard";
}

}  // namespace

Result<Address> Address::parse(const std::string& text) {
  Address out;
  if (text == "pcs") {
    out.origin_ = kIntel;
    out.is_intel_ = true;
    return out;
  }
  const bool is_https = text.starts_with("https://");
  if (!is_https && !text.starts_with("http://")) return refused(text, "no http or https address");
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::ranges::all_of(text, is_plain) || text.find_first_of("@?#\\") != std::string::npos) {
    return refused(text, "a base address is needed, without user name, query or fragment");
  }
  const std::size_t host_at = text.find("://") + 3;
  const std::size_t path_at = std::min(text.find('/', host_at), text.size());
  const std::string_view host = host_of(std::string_view(text).substr(host_at, path_at - host_at));
  if (host.empty()) return refused(text, "the URL has no host");
  if (!is_https && !is_loopback(host)) return refused(text, "http is for this machine only");
  out.origin_ = text.substr(0, path_at);
  out.is_intel_ = out.origin_ == kIntel;
  out.folder_ = text.substr(path_at);
  while (out.folder_.ends_with('/')) out.folder_.pop_back();
  for (const std::string version : {"v3", "v4"}) {
    const std::string suffix = "/sgx/certification/" + version;
    if (!out.folder_.ends_with(suffix)) continue;
    out.folder_.resize(out.folder_.size() - suffix.size());
    out.version_ = version;
    break;
  }
  return out;
}

std::string Address::at(const std::string& tee, const std::string& rest) const {
  return origin_ + folder_ + "/" + tee + "/certification/" + version_ + "/" + rest;
}

std::string Address::tcb(const CollateralRequest& request, const PccsOptions& options) const {
  return at(request.tee, "tcb?fmspc=" + request.fmspc + "&" + choice(options));
}

std::string Address::qe_identity(const CollateralRequest& request,
                                 const PccsOptions& options) const {
  return at(request.tee, "qe/identity?" + choice(options));
}

std::string Address::pck_crl(const CollateralRequest& request) const {
  return at("sgx", "pckcrl?ca=" + request.pck_ca + "&encoding=der");
}

std::vector<std::string> Address::root_crl() const {
  if (is_intel_) return {kIntelRootCrl};
  // Trusted Hardware Identity Management hands on the root's CRL under a path of its own.
  if (origin_ == kAzure) return {origin_ + "/sgx/certificates/pckcrl?uri=" + kIntelRootCrl};
  return {at("sgx", "rootcacrl"), origin_ + "/IntelSGXRootCA.der"};
}

}  // namespace ratls::pccs
