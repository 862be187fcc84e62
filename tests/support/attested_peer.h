// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "evidence/evidence.h"
#include "ratls/collateral.h"
#include "ratls/policy.h"
#include "sim/world.h"
#include "x509/builder.h"

// A simulated platform and the certificates of servers on it, for tests of TLS peers. Certificates
// are written by hand here, so that they can be wrong in one point.
namespace ratls::testing {

/// must gives the value; a test cannot go on without it.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message() + " at " + result.error().where());
  return std::move(result).value();
}

/// CountingSource gives the same collateral to everybody and counts how often it was asked.
class CountingSource : public CollateralSource {
 public:
  explicit CountingSource(std::shared_ptr<const PreparedCollateral> collateral)
      : collateral_(std::move(collateral)) {}
  Result<std::shared_ptr<const PreparedCollateral>> find(const CollateralRequest&) override {
    ++asked_;
    return collateral_;
  }
  int asked() const { return asked_; }

 private:
  std::shared_ptr<const PreparedCollateral> collateral_;
  std::atomic<int> asked_ = 0;
};

/// Platform is one simulated machine with an enclave, and a policy that accepts it.
struct Platform {
  sim::World world;
  Policy policy;
  std::shared_ptr<CountingSource> source;
};

inline Platform make_platform(const sim::WorldSpec& spec) {
  Platform platform{must(sim::build_world(spec)), {}, nullptr};
  EnclaveIdentity enclave;
  enclave.name = "test";
  enclave.mr_enclave = platform.world.quote_spec.report.mr_enclave;
  platform.policy.enclaves.push_back(enclave);
  platform.policy.root_pem = platform.world.root_pem;
  const TrustRoot root = must(TrustRoot::from_pem(
      BytesView(Bytes(platform.world.root_pem.begin(), platform.world.root_pem.end()))));
  platform.source = std::make_shared<CountingSource>(
      PreparedCollateral::prepare(platform.world.collateral, root, "file"));
  return platform;
}

inline sim::WorldSpec plan_platform(UnixTime now) {
  sim::WorldBasics basics;
  basics.now = now;
  return must(sim::plan_world(basics));
}

inline Platform make_platform(UnixTime now) { return make_platform(plan_platform(now)); }

/// Identity is a key with its certificate.
struct Identity {
  crypto::PrivateKey key;
  Bytes certificate;
};

/// IdentityOptions says what a certificate is like.
struct IdentityOptions {
  UnixTime not_before{};
  UnixTime not_after{};
  std::vector<std::string> names = {"localhost"};
  enum class Evidence { dice, none };
  Evidence evidence = Evidence::dice;
  Bytes endorsements;  ///< the collateral that it brings; empty: none
};

inline Identity make_identity(const Platform& platform, const IdentityOptions& options) {
  auto key = must(crypto::PrivateKey::generate(crypto::KeyType::p256));
  x509::CertificateSpec spec;
  spec.serial = {1};
  spec.subject = spec.issuer = {{"CN", "test server"}};
  spec.not_before = options.not_before;
  spec.not_after = options.not_after;
  spec.subject_spki = must(key.spki_der());
  if (options.evidence == IdentityOptions::Evidence::dice) {
    const Bytes claims = evidence::write_claims(spec.subject_spki, options.not_after);
    const Bytes quote = must(platform.world.quote(evidence::report_data_for(claims)));
    const BytesView oid = evidence::dice_oid();
    spec.extensions.push_back({.oid = Bytes(oid.begin(), oid.end()),
                               .critical = false,
                               .value = evidence::write_dice(quote, claims)});
  }
  if (!options.endorsements.empty()) {
    const BytesView oid = evidence::endorsements_oid();
    spec.extensions.push_back(
        {.oid = Bytes(oid.begin(), oid.end()), .critical = false, .value = options.endorsements});
  }
  spec.extensions.push_back(x509::subject_alt_names(options.names));
  Bytes der = must(x509::build_certificate(spec, key));
  return Identity{std::move(key), std::move(der)};
}

/// make_identity gives one that is valid from an hour before now to a day after.
inline Identity make_identity(const Platform& platform, UnixTime now) {
  IdentityOptions options;
  options.not_before = now - std::chrono::hours(1);
  options.not_after = now + std::chrono::hours(24);
  return make_identity(platform, options);
}

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

/// make_server_context serves a certificate with a key, which need not be the certificate's.
inline Context make_server_context(const Bytes& certificate, EVP_PKEY* key) {
  Context context(SSL_CTX_new(TLS_server_method()));
  const unsigned char* der = certificate.data();
  X509* leaf = d2i_X509(nullptr, &der, static_cast<long>(certificate.size()));
  const bool used = SSL_CTX_use_certificate(context.get(), leaf) == 1 &&
                    SSL_CTX_use_PrivateKey(context.get(), key) == 1;
  X509_free(leaf);
  if (!used) throw std::runtime_error("the test server's certificate or key is refused");
  return context;
}

inline Context make_server_context(const Identity& identity) {
  return make_server_context(identity.certificate, identity.key.native());
}

}  // namespace ratls::testing
