// SPDX-License-Identifier: Apache-2.0
#include <openssl/ssl.h>

#include "base/proxy.h"
#include "client/attempt.h"
#include "client/repeat.h"
#include "client/text.h"

namespace ratls {
namespace {

// Capture is what one handshake leaves behind.
struct Capture {
  bool handshaking = false;
  Bytes der;
};

bool take_leaf(X509_STORE_CTX* store, Capture& capture) {
  const X509* leaf = X509_STORE_CTX_get0_cert(store);
  const int size = leaf == nullptr ? 0 : i2d_X509(leaf, nullptr);
  if (size <= 0) return false;
  capture.der.resize(static_cast<std::size_t>(size));
  unsigned char* out = capture.der.data();
  return i2d_X509(leaf, &out) == size;
}

// Refuses every certificate, so that the handshake ends here and nothing can be sent.
int take_and_refuse(X509_STORE_CTX* store, void* capture) {
  auto& taken = *static_cast<Capture*>(capture);
  try {
    if (!take_leaf(store, taken)) taken.der.clear();
  } catch (...) {  // no exception may pass through OpenSSL's C code
    taken.der.clear();
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

CURLcode set_context(CURL*, void* context, void* capture) {
  auto* tls = static_cast<SSL_CTX*>(context);
  static_cast<Capture*>(capture)->handshaking = true;
  SSL_CTX_set_keylog_callback(tls, nullptr);
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(tls, take_and_refuse, capture);
  return CURLE_OK;
}

Code code_of(CURLcode code, const Capture& capture) {
  if (code == CURLE_OPERATION_TIMEDOUT) return Code::timeout;
  return capture.handshaking ? Code::handshake_failed : Code::connection_failed;
}

client::Tried<Bytes> try_fetch(const client::Url& url, const client::Proxy& proxy,
                               const ClientOptions& options) {
  auto made = client::new_easy();
  if (!made) return {.result = std::move(made).error()};
  auto resolved = client::make_list(options.resolve);
  if (!resolved) return {.result = std::move(resolved).error()};
  Capture capture;
  std::array<char, CURL_ERROR_SIZE> text{};
  const client::Easy easy = std::move(made).value();  // ends before what its options point to
  client::Options set(easy.get());
  client::set_connection(easy.get(), set, url, proxy, options, *resolved);
  set.set(CURLOPT_CONNECT_ONLY, 1L)
      .set(CURLOPT_ERRORBUFFER, text.data())
      .set(CURLOPT_SSL_CTX_FUNCTION, &set_context)
      .set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(&capture));
  if (const auto done = set.done(); !done) return {.result = done.error()};
  const CURLcode code = client::perform(easy.get());
  if (!capture.der.empty()) return {.result = std::move(capture.der)};
  const std::string_view said = text.data();
  std::string detail = said.empty() ? curl_easy_strerror(code) : client::printable(said);
  const Code found = code_of(code, capture);
  // Before the handshake all is between this side and the proxy.
  Error error =
      found == Code::connection_failed && !proxy.url.empty()
          ? Error(Code::proxy_failed, shown_proxy(proxy.url), std::move(detail)).in(url.origin)
          : Error(found, url.origin, std::move(detail));
  return {.result = std::move(error), .may_repeat = true};
}

}  // namespace

Result<Bytes> fetch_certificate(const std::string& url, const ClientOptions& options) {
  RATLS_TRY(const client::Url target, client::parse_url(url));
  RATLS_CHECK(client::check_options(options));
  RATLS_TRY(const client::Proxy proxy, client::choose_proxy(options, target.host));
  return client::repeated(options.retries, [&] { return try_fetch(target, proxy, options); });
}

}  // namespace ratls
