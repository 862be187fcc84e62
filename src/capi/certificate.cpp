// SPDX-License-Identifier: Apache-2.0
#include "capi/handles.h"
#include "crypto/crypto.h"
#include "launch/launch.h"
#include "tee/tee.h"

struct ratls_certificate {
  ratls::AttestedCertificate certificate;
  std::string certificate_pem;
  ratls::Bytes key_pem;
  ratls::Bytes key_der;

  ~ratls_certificate() {
    ratls::crypto::wipe(key_pem);
    ratls::crypto::wipe(key_der);
  }
};

namespace ratls::capi {
namespace {

// Longer than any certificate may live, and far from what overflows.
constexpr std::int64_t kMaxLifetime = std::int64_t{1} << 40;

Result<CertificateOptions> certificate_options(const ratls_certificate_options& given) {
  CertificateOptions options;
  if (given.lifetime < 0 || given.lifetime > kMaxLifetime) {
    return Error(Code::config_invalid, "lifetime", "out of range");
  }
  options.lifetime = given.lifetime == 0 ? std::chrono::seconds(std::chrono::days(30))
                                         : std::chrono::seconds(given.lifetime);
  if (given.key_type != RATLS_KEY_P256 && given.key_type != RATLS_KEY_P384) {
    return Error(Code::usage, "key_type", "RATLS_KEY_P256 or RATLS_KEY_P384 is needed");
  }
  options.key = given.key_type == RATLS_KEY_P384 ? CertificateKey::p384 : CertificateKey::p256;
  options.legacy_extension = given.dice_only == 0;
  if (given.name_count > 0) RATLS_CHECK(check_pointers({given.names}));
  for (const char* name : std::span(given.names, given.name_count)) {
    RATLS_CHECK(check_pointers({name}));
    options.names.emplace_back(name);
  }
  return options;
}

Result<std::unique_ptr<ratls_certificate>> make(const ratls_certificate_options& given) {
  RATLS_CHECK(check_size(given.size, sizeof(given), "ratls_certificate_options"));
  RATLS_TRY(CertificateOptions options, certificate_options(given));
  RATLS_TRY(auto source,
            open_tee(given.tee == nullptr ? "auto" : given.tee, text_of(given.sim_dir)));
  RATLS_TRY(const Attester attester, Attester::create(std::move(source), std::move(options)));
  RATLS_TRY(AttestedCertificate certificate, attester.certify(system_now()));
  std::string pem = certificate.certificate_pem();
  std::unique_ptr<ratls_certificate> made(
      new ratls_certificate{std::move(certificate), std::move(pem), {}, {}});
  RATLS_TRY(made->key_pem, made->certificate.key_pem());
  RATLS_TRY(made->key_der, made->certificate.key_der());
  return made;
}

Result<launch::FileFormat> file_format(int32_t format) {
  if (format == RATLS_PEM) return launch::FileFormat::pem;
  if (format == RATLS_DER) return launch::FileFormat::der;
  return Error(Code::usage, "format", "RATLS_PEM or RATLS_DER is needed");
}

template <class Content>
const void* content_of(const Content& content, std::size_t* size) {
  if (size != nullptr) *size = content.size();
  return content.data();
}

const void* nothing(std::size_t* size) {
  if (size != nullptr) *size = 0;
  return nullptr;
}

}  // namespace
}  // namespace ratls::capi

using namespace ratls::capi;

ratls_code ratls_certificate_make(const ratls_certificate_options* options,
                                  ratls_certificate** certificate, ratls_error** error) {
  if (certificate != nullptr) *certificate = nullptr;
  return guarded(error, [&]() -> ratls::Result<void> {
    RATLS_CHECK(check_pointers({certificate}));
    const ratls_certificate_options defaults = RATLS_CERTIFICATE_OPTIONS_INIT;
    RATLS_TRY(auto made, make(options == nullptr ? defaults : *options));
    *certificate = made.release();
    return {};
  });
}

const void* ratls_certificate_bytes(const ratls_certificate* certificate, int32_t format,
                                    size_t* size) {
  if (certificate == nullptr || !file_format(format)) return nothing(size);
  if (format == RATLS_PEM) return content_of(certificate->certificate_pem, size);
  return content_of(certificate->certificate.certificate_der(), size);
}

const void* ratls_certificate_key(const ratls_certificate* certificate, int32_t format,
                                  size_t* size) {
  if (certificate == nullptr || !file_format(format)) return nothing(size);
  return content_of(format == RATLS_PEM ? certificate->key_pem : certificate->key_der, size);
}

int64_t ratls_certificate_not_after(const ratls_certificate* certificate) {
  return certificate == nullptr ? 0
                                : certificate->certificate.not_after().time_since_epoch().count();
}

ratls_code ratls_certificate_write(const ratls_certificate* certificate,
                                   const char* certificate_path, const char* key_path,
                                   int32_t format, ratls_error** error) {
  return guarded(error, [&]() -> ratls::Result<void> {
    RATLS_CHECK(check_pointers({certificate, certificate_path, key_path}));
    RATLS_TRY(const auto written_as, file_format(format));
    return ratls::launch::write_files(
        certificate->certificate,
        {.certificate = certificate_path, .key = key_path, .format = written_as});
  });
}

void ratls_certificate_free(ratls_certificate* certificate) { delete certificate; }
