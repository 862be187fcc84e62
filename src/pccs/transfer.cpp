// SPDX-License-Identifier: Apache-2.0
#include "pccs/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/sigpipe.h"

namespace ratls::pccs {
namespace {

constexpr std::size_t kMaxAnswer = 1024UL * 1024;
constexpr int kTries = 3;
constexpr std::chrono::seconds kLongestWait{5};
constexpr std::chrono::milliseconds kLongestTry{15000};

struct FreeEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;

std::size_t keep(char* data, std::size_t, std::size_t size, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (size > kMaxAnswer - body.size()) return 0;
  body.append(data, size);
  return size;
}

std::chrono::milliseconds time_left(const Limits& limits) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(limits.deadline -
                                                               std::chrono::steady_clock::now());
}

void sleep(std::chrono::milliseconds time, const std::stop_token& stop) {
  constexpr std::chrono::milliseconds kStep{50};
  for (; time.count() > 0 && !stop.stop_requested(); time -= kStep) {
    std::this_thread::sleep_for(std::min(time, kStep));
  }
}

// libcurl calls it at least once a second, also while it connects.
int end_when_stopped(void* limits, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Limits*>(limits)->stop.stop_requested() ? 1 : 0;
}

// As libcurl would choose. An https proxy's own name would be checked against the service's CA.
Result<std::string> proxy_for(const std::string& url) {
  if (url.starts_with("http://")) return std::string();  // this machine
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string proxy = value;
    const std::string scheme =
        proxy.find("://") == std::string::npos ? "http" : proxy.substr(0, proxy.find("://"));
    for (const char* known : {"http", "socks4", "socks4a", "socks5", "socks5h"}) {
      if (scheme == known) return proxy;
    }
    return Error(Code::proxy_unsupported, name, "http and socks5 proxies are supported");
  }
  return std::string();
}

bool set_options(CURL* easy, const std::string& url, const std::string& proxy,
                 const std::optional<std::string>& ca_pem, const Limits& limits,
                 std::string& body) {
  bool taken = true;
  const auto set = [&](CURLoption option, auto value) {
    taken = (curl_easy_setopt)(easy, option, value) == CURLE_OK && taken;
  };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, url.starts_with("http://") ? "http" : "https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_HSTS_CTRL, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, 5L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::min(time_left(limits), kLongestTry).count()));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &end_when_stopped);
  set(CURLOPT_XFERINFODATA, &limits);
  set(CURLOPT_PROXY, proxy.c_str());  // an empty text keeps libcurl from asking the environment
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_WRITEFUNCTION, &keep);
  set(CURLOPT_WRITEDATA, &body);
  if (ca_pem) {
    std::string pem = *ca_pem;
    curl_blob blob{.data = pem.data(), .len = pem.size(), .flags = CURL_BLOB_COPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
    set(CURLOPT_CAPATH, static_cast<void*>(nullptr));
  }
  return taken;
}

Error unavailable(const std::string& url, std::string detail) {
  return Error(Code::collateral_unavailable, url, std::move(detail));
}

bool is_untrusted(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_ISSUER_ERROR;
}

std::string chain_of(CURL* easy) {
  for (const char* name : {"TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain",
                           "SGX-Enclave-Identity-Issuer-Chain", "SGX-PCK-CRL-Issuer-Chain"}) {
    curl_header* header = nullptr;
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
      return header->value;
    }
  }
  return "";
}

// One try: its outcome, and how long to wait for the next; no wait means that the outcome is final.
struct Try {
  Result<Answer> outcome;
  std::optional<std::chrono::milliseconds> wait;
};

Try judge(CURL* easy, const std::string& url, std::string body, std::chrono::milliseconds pause) {
  long status = 0;
  curl_off_t after = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
  if (status == 200 || status == 404) {
    return {Answer{.status = status, .body = std::move(body), .chain = chain_of(easy)}, {}};
  }
  if (status == 410) {
    return {Error(Code::collateral_number_retired, url, "the service answers 410"), {}};
  }
  std::string detail = "the service answers " + std::to_string(status);
  if (status != 429 && status < 500) return {unavailable(url, std::move(detail)), {}};
  if (after > kLongestWait.count()) {
    return {unavailable(url, detail + " and asks to wait " + std::to_string(after) + " s"), {}};
  }
  if (after > 0) pause = std::chrono::seconds(after);
  return {unavailable(url, std::move(detail)), pause};
}

Try try_once(const std::string& url, const std::string& proxy,
             const std::optional<std::string>& ca_pem, const Limits& limits,
             std::chrono::milliseconds pause) {
  const SigpipeSilence silence;
  const Easy easy(curl_easy_init());
  std::string body;
  if (easy == nullptr || !set_options(easy.get(), url, proxy, ca_pem, limits, body)) {
    return {Error(Code::internal, "libcurl", "an option was refused"), {}};
  }
  const CURLcode code = curl_easy_perform(easy.get());
  if (code == CURLE_OK) return judge(easy.get(), url, std::move(body), pause);
  const char* text = curl_easy_strerror(code);
  if (is_untrusted(code)) return {Error(Code::collateral_server_untrusted, url, text), {}};
  if (code == CURLE_WRITE_ERROR) return {unavailable(url, "more than 1 MiB"), {}};
  // Silence was long enough; three times as long would hold up a handshake for most of a minute.
  if (code == CURLE_OPERATION_TIMEDOUT) return {unavailable(url, text), {}};
  return {unavailable(url, text), pause};
}

}  // namespace

Result<Answer> get(const std::string& url, const std::optional<std::string>& ca_pem,
                   const Limits& limits) {
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!kReady) return Error(Code::internal, "libcurl", "it cannot start");
  RATLS_TRY(const std::string proxy, proxy_for(url));
  std::chrono::milliseconds pause{250};
  for (int count = 1;; ++count, pause *= 2) {
    if (time_left(limits).count() <= 0 || limits.stop.stop_requested()) {
      return unavailable(url, "no time is left for this request");
    }
    Try made = try_once(url, proxy, ca_pem, limits, pause);
    if (!made.wait || count == kTries || *made.wait >= time_left(limits)) {
      return std::move(made.outcome);
    }
    sleep(*made.wait, limits.stop);
  }
}

}  // namespace ratls::pccs
