// SPDX-License-Identifier: Apache-2.0
#include "base/reader.h"
#include "collateral/parts.h"

namespace ratls {
namespace {

// Intel SGX Root CA, published at
// https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.pem
// SHA-256 of the DER form: see docs/verification.md, step B.
constexpr std::string_view kIntelRoot = R"(-----BEGIN CERTIFICATE-----
MIICjzCCAjSgAwIBAgIUImUM1lqdNInzg7SVUr9QGzknBqwwCgYIKoZIzj0EAwIw
aDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENv
cnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJ
BgNVBAYTAlVTMB4XDTE4MDUyMTEwNDUxMFoXDTQ5MTIzMTIzNTk1OVowaDEaMBgG
A1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0
aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYT
AlVTMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi7
1OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlKOB
uzCBuDAfBgNVHSMEGDAWgBQiZQzWWp00ifODtJVSv1AbOScGrDBSBgNVHR8ESzBJ
MEegRaBDhkFodHRwczovL2NlcnRpZmljYXRlcy50cnVzdGVkc2VydmljZXMuaW50
ZWwuY29tL0ludGVsU0dYUm9vdENBLmRlcjAdBgNVHQ4EFgQUImUM1lqdNInzg7SV
Ur9QGzknBqwwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwCgYI
KoZIzj0EAwIDSQAwRgIhAOW/5QkR+S9CiSDcNoowLuPRLsWGf/Yi7GSX94BgwTwg
AiEA4J0lrHoMs+Xo5o/sX6O9QWxHRAvZUGOdRQ7cvqRXaqI=
-----END CERTIFICATE-----
)";

Result<std::shared_ptr<const TrustRoot::Impl>> parse_root(BytesView pem) {
  RATLS_TRY(auto certificates, x509::parse_pem_chain(pem, 1, Code::policy_invalid));
  RATLS_TRY(auto key, x509::p256_key(certificates[0], Code::policy_invalid));
  if (!x509::signed_by(certificates[0], certificates[0], key)) {
    return Error(Code::policy_invalid, "trust.root", "the certificate is not signed by itself");
  }
  if (!certificates[0].is_ca.value_or(false)) {
    return Error(Code::policy_invalid, "trust.root", "the certificate is no CA");
  }
  if (certificates[0].subject_common_name.find("SGX Root CA") == std::string::npos) {
    return Error(Code::policy_invalid, "trust.root",
                 "\"" + certificates[0].subject_common_name + "\" is no SGX Root CA");
  }
  RATLS_CHECK(x509::check_profile(certificates[0], Code::policy_invalid, "trust.root"));
  return std::make_shared<const TrustRoot::Impl>(
      TrustRoot::Impl{std::move(certificates[0]), std::move(key)});
}

}  // namespace

const TrustRoot& TrustRoot::intel() {
  static const TrustRoot kRoot = [] {
    TrustRoot root;
    root.impl_ = parse_root(as_bytes(kIntelRoot)).value();
    root.is_intel_ = true;
    return root;
  }();
  return kRoot;
}

Result<TrustRoot> TrustRoot::from_pem(BytesView pem) {
  TrustRoot root;
  RATLS_TRY(root.impl_, parse_root(pem));
  if (std::ranges::equal(root.certificate_der(), intel().certificate_der())) return intel();
  return root;
}

BytesView TrustRoot::certificate_der() const noexcept { return impl_->certificate.der; }

}  // namespace ratls
