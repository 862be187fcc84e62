// SPDX-License-Identifier: Apache-2.0
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <mutex>

#include "attester/attested_certificate.h"
#include "base/reader.h"
#include "ratls/tls.h"
#include "tls/openssl_setup.h"

namespace ratls {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

struct FreeCertificate {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

Error openssl_failure(std::string where) {
  return Error(Code::internal, std::move(where), last_openssl_error());
}

// A client whose ALPN list lacks this protocol is turned away within the handshake (RFC 7301 3.2),
// so that no other protocol's client talks to this server (ALPACA).
constexpr std::string_view kAlpnHttp11 = "\x08http/1.1";

int select_http11(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                  const unsigned char* offered, unsigned int offered_size, void*) {
  const BytesView ours = as_bytes(kAlpnHttp11);
  unsigned char* match = nullptr;
  const int outcome =
      SSL_select_next_proto(&match, chosen_size, ours.data(),
                            static_cast<unsigned int>(ours.size()), offered, offered_size);
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

// Every TLS 1.3 implementation has P-256 (RFC 8446 9.1). P-384 is left out: OpenSSL takes the first
// share that it knows, and with P-384 a handshake costs the server ten times as much.
constexpr const char* kGroups = "X25519:P-256";
constexpr const char* kTls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305";

Result<void> set_protocol(SSL_CTX* context, TlsVersion lowest) {
  const int version = lowest == TlsVersion::tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  if (SSL_CTX_set_min_proto_version(context, version) != 1 ||
      SSL_CTX_set_ciphersuites(context, tls::kTls13Ciphers) != 1 ||
      SSL_CTX_set_cipher_list(context, kTls12Ciphers) != 1 ||
      SSL_CTX_set1_groups_list(context, kGroups) != 1) {
    return openssl_failure("TLS versions, ciphers and groups");
  }
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // A resumed session would outlive the verdict over the certificate that it began with.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_set_num_tickets(context, 0) != 1 || SSL_CTX_set_max_early_data(context, 0) != 1 ||
      SSL_CTX_set_recv_max_early_data(context, 0) != 1) {
    return openssl_failure("tickets and early data");
  }
  SSL_CTX_set_alpn_select_cb(context, select_http11, nullptr);
  return {};
}

// An idle connection keeps no record buffers, and one read(2) takes all that has arrived. The
// certificate is the whole chain: OpenSSL would search for the rest of it in each handshake.
void set_modes(SSL_CTX* context) {
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context, 1);
}

Result<void> set_certificate(SSL_CTX* context, const AttestedCertificate& certificate) {
  const Bytes& der = certificate.certificate_der();
  const unsigned char* cursor = der.data();
  std::unique_ptr<X509, FreeCertificate> parsed(
      d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (parsed == nullptr || cursor != der.data() + der.size()) {
    return openssl_failure("own certificate");
  }
  if (SSL_CTX_use_certificate(context, parsed.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, certificate.impl().key.native()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return openssl_failure("own certificate and key");
  }
  return {};
}

Result<Context> make_context(const AttestedCertificate& certificate, TlsVersion lowest) {
  tls::set_up_openssl();
  Context context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return openssl_failure("TLS context");
  RATLS_CHECK(set_protocol(context.get(), lowest));
  set_modes(context.get());
  RATLS_CHECK(set_certificate(context.get(), certificate));
  return context;
}

}  // namespace

// Each certificate has a context of its own, which is not changed once connections use it.
struct ServerTls::State {
  TlsVersion lowest;
  mutable std::mutex mutex;
  Context context;
};

ServerTls::ServerTls(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerTls::ServerTls(ServerTls&&) noexcept = default;
ServerTls& ServerTls::operator=(ServerTls&&) noexcept = default;
ServerTls::~ServerTls() = default;

Result<ServerTls> ServerTls::create(const AttestedCertificate& certificate, TlsVersion lowest) {
  RATLS_TRY(Context context, make_context(certificate, lowest));
  auto state = std::make_unique<State>();
  state->lowest = lowest;
  state->context = std::move(context);
  return ServerTls(std::move(state));
}

Result<void> ServerTls::replace(const AttestedCertificate& certificate) {
  RATLS_TRY(Context context, make_context(certificate, state_->lowest));
  const std::lock_guard lock(state_->mutex);
  state_->context.swap(context);
  return {};
}

ssl_st* ServerTls::new_connection() const {
  const std::lock_guard lock(state_->mutex);
  SSL* ssl = SSL_new(state_->context.get());
  // Only a lack of memory leads here, which ends the process everywhere else too.
  if (ssl == nullptr) std::abort();
  SSL_set_accept_state(ssl);
  return ssl;
}

}  // namespace ratls
