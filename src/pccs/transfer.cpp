// SPDX-License-Identifier: Apache-2.0
#include "pccs/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <thread>

#include "base/loopback.h"
#include "base/proxy.h"
#include "base/sigpipe.h"
#include "base/text.h"

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

// libcurl keeps pointers to these while it runs.
struct Received {
  std::string body;
  bool head_ended = false;
  std::array<char, CURL_ERROR_SIZE> text{};  // what libcurl says of a failure
};

// libcurl takes a head that the connection's end cuts off for a whole one (RFC 9112 8 does not).
std::size_t follow_head(char* data, std::size_t, std::size_t size, void* to) {
  const std::string_view line(data, size);
  auto& ended = static_cast<Received*>(to)->head_ended;
  ended = trimmed(line).empty() || (ended && !line.starts_with("HTTP/"));
  return size;
}

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

// What one request needs, each time that it is tried.
struct Plan {
  const std::string& url;
  const std::optional<std::string>& ca_pem;
  const Limits& limits;
  std::string proxy;  // empty: none
};

bool is_plain(const std::string& url) { return url.starts_with("http://"); }

// The environment's. Plain http stays on this machine, where no proxy has to be asked.
Result<std::string> proxy_for(const std::string& url) {
  if (is_plain(url)) return std::string();
  const std::string_view rest = std::string_view(url).substr(url.find("://") + 3);
  return environment_proxy(host_of(rest.substr(0, rest.find('/'))));
}

bool set_options(CURL* easy, const Plan& plan, Received& received) {
  bool taken = true;
  const auto set = [&](CURLoption option, auto value) {
    taken = (curl_easy_setopt)(easy, option, value) == CURLE_OK && taken;
  };
  set(CURLOPT_ERRORBUFFER, received.text.data());
  set(CURLOPT_URL, plan.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, is_plain(plan.url) ? "http" : "https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_HSTS_CTRL, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, 5L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::min(time_left(plan.limits), kLongestTry).count()));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &end_when_stopped);
  set(CURLOPT_XFERINFODATA, &plan.limits);
  // Empty texts keep libcurl from asking the environment.
  set(CURLOPT_PROXY, plan.proxy.c_str());
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_HEADERFUNCTION, &follow_head);
  set(CURLOPT_HEADERDATA, &received);
  set(CURLOPT_WRITEFUNCTION, &keep);
  set(CURLOPT_WRITEDATA, &received.body);
  if (plan.ca_pem) {
    std::string pem = *plan.ca_pem;
    curl_blob blob{.data = pem.data(), .len = pem.size(), .flags = CURL_BLOB_COPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
    set(CURLOPT_CAPATH, static_cast<void*>(nullptr));
  }
  return taken;
}

// The status that an http proxy answered with; 0: none came.
long tunnel_status(CURL* easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
  return status;
}

Error unavailable(const std::string& url, std::string detail) {
  return Error(Code::collateral_unavailable, url, std::move(detail));
}

// Whether it was the proxy that failed. A tunnel that is there has an answer of 200 from it.
bool is_of_proxy(CURL* easy, CURLcode code, const std::string& proxy) {
  if (proxy.empty() || code == CURLE_ABORTED_BY_CALLBACK) return false;
  // Of a SOCKS proxy's name libcurl says that it is a host.
  if (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_RESOLVE_HOST ||
      code == CURLE_COULDNT_CONNECT) {
    return true;
  }
  if (!equal_ignoring_case(proxy.substr(0, 7), "http://")) return code == CURLE_PROXY;
  return tunnel_status(easy) / 100 != 2;
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

Try judge(CURL* easy, const std::string& url, Received received, std::chrono::milliseconds pause) {
  if (!received.head_ended) return {unavailable(url, "half an answer"), pause};
  long status = 0;
  curl_off_t after = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
  if (status == 200 || status == 404) {
    return {Answer{.status = status, .body = std::move(received.body), .chain = chain_of(easy)},
            {}};
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

Try judge_failure(CURL* easy, CURLcode code, const Plan& plan, const Received& received,
                  std::chrono::milliseconds pause) {
  const std::string_view said = received.text.data();
  std::string detail = said.empty() ? curl_easy_strerror(code) : printable(said);
  if (is_untrusted(code)) {
    return {Error(Code::collateral_server_untrusted, plan.url, std::move(detail)), {}};
  }
  if (code == CURLE_WRITE_ERROR) return {unavailable(plan.url, "more than 1 MiB"), {}};
  std::optional<std::chrono::milliseconds> wait = pause;
  // Silence was long enough; three times as long would hold up a handshake for most of a minute.
  if (code == CURLE_OPERATION_TIMEDOUT) wait.reset();
  if (!is_of_proxy(easy, code, plan.proxy)) {
    return {unavailable(plan.url, std::move(detail)), wait};
  }
  // A 4xx is about what was asked: it will not change.
  if (tunnel_status(easy) / 100 == 4) wait.reset();
  return {Error(Code::proxy_failed, shown_proxy(plan.proxy), std::move(detail)).in(plan.url), wait};
}

Try try_once(const Plan& plan, std::chrono::milliseconds pause) {
  const SigpipeSilence silence;
  Received received;
  const Easy easy(curl_easy_init());  // ends before what its options point to
  if (easy == nullptr || !set_options(easy.get(), plan, received)) {
    return {Error(Code::internal, "libcurl", "an option was refused"), {}};
  }
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) return judge_failure(easy.get(), code, plan, received, pause);
  return judge(easy.get(), plan.url, std::move(received), pause);
}

}  // namespace

Result<Answer> get(const std::string& url, const std::optional<std::string>& ca_pem,
                   const Limits& limits) {
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!kReady) return Error(Code::internal, "libcurl", "it cannot start");
  RATLS_TRY(std::string proxy, proxy_for(url));
  const Plan plan{.url = url, .ca_pem = ca_pem, .limits = limits, .proxy = std::move(proxy)};
  std::chrono::milliseconds pause{250};
  for (int count = 1;; ++count, pause *= 2) {
    if (time_left(limits).count() <= 0 || limits.stop.stop_requested()) {
      return unavailable(url, "no time is left for this request");
    }
    Try made = try_once(plan, pause);
    if (!made.wait || count == kTries || *made.wait >= time_left(limits)) {
      return std::move(made.outcome);
    }
    sleep(*made.wait, limits.stop);
  }
}

}  // namespace ratls::pccs
