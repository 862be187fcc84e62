// SPDX-License-Identifier: Apache-2.0
#include "client/easy.h"

#include <string_view>

#include "base/sigpipe.h"
#include "tls/openssl_setup.h"

namespace ratls::client {
namespace {

// Why libcurl cannot be used, or an empty text.
std::string prepare_libcurl() {
  tls::set_up_openssl();  // before libcurl would, with the configuration file
  // Too late when the application has used libcurl before: then the name below decides.
  curl_global_sslset(CURLSSLBACKEND_OPENSSL, nullptr, nullptr);
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return "libcurl cannot start";
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  const std::string_view tls = info->ssl_version == nullptr ? "" : info->ssl_version;
  if (!tls.starts_with("OpenSSL/")) return "libcurl's TLS is \"" + std::string(tls) + "\"";
  return "";
}

}  // namespace

void FreeEasy::operator()(CURL* easy) const noexcept {
  const SigpipeSilence silence;  // a close_notify is a write too
  curl_easy_cleanup(easy);
}

Result<List> make_list(const std::vector<std::string>& texts) {
  List list;
  for (const std::string& text : texts) {
    curl_slist* longer = curl_slist_append(list.get(), text.c_str());
    if (longer == nullptr) return Error(Code::internal, "libcurl", "out of memory");
    if (list == nullptr) list.reset(longer);
  }
  return list;
}

Result<Easy> new_easy() {
  static const std::string kProblem = prepare_libcurl();
  if (!kProblem.empty()) return Error(Code::internal, "libcurl", kProblem);
  Easy easy(curl_easy_init());
  if (easy == nullptr) return Error(Code::internal, "libcurl", "out of memory");
  return easy;
}

CURLcode perform(CURL* easy) {
  const SigpipeSilence silence;
  return curl_easy_perform(easy);
}

Result<std::unique_ptr<Line>> Line::open() {
  RATLS_TRY(Easy easy, new_easy());
  CURLM* pool = curl_multi_init();
  if (pool == nullptr) return Error(Code::internal, "libcurl", "out of memory");
  curl_multi_setopt(pool, CURLMOPT_MAXCONNECTS, 1L);
  return std::make_unique<Line>(std::move(easy), pool);
}

Line::~Line() {
  stop();
  const SigpipeSilence silence;
  curl_multi_cleanup(pool_);
}

Result<void> Line::start() {
  const CURLMcode code = curl_multi_add_handle(pool_, easy_.get());
  if (code != CURLM_OK) return Error(Code::internal, "libcurl", curl_multi_strerror(code));
  started_ = true;
  return {};
}

std::optional<CURLcode> Line::step() {
  constexpr int kLongestWait = 1000;  // milliseconds; the time limits are looked at in between
  const SigpipeSilence silence;
  int running = 0;
  CURLMcode moved = curl_multi_poll(pool_, nullptr, 0, kLongestWait, nullptr);
  if (moved == CURLM_OK) moved = curl_multi_perform(pool_, &running);
  if (moved != CURLM_OK) return CURLE_FAILED_INIT;
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(pool_, &left);
  if (message == nullptr || message->msg != CURLMSG_DONE) return std::nullopt;
  const CURLcode code = message->data.result;
  stop();
  return code;
}

CURLcode Line::resume() {
  const SigpipeSilence silence;
  return curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
}

void Line::stop() noexcept {
  if (!started_) return;
  const SigpipeSilence silence;
  curl_multi_remove_handle(pool_, easy_.get());
  started_ = false;
}

Result<void> Options::done() const {
  if (first_error_ == CURLE_OK) return {};
  return Error(Code::internal, "libcurl", curl_easy_strerror(first_error_));
}

void set_connection(CURL* easy, Options& set, const Url& url, const Proxy& proxy,
                    const ClientOptions& options, const List& resolved) {
  curl_easy_reset(easy);
  set.set(CURLOPT_URL, url.text().c_str())
      .set(CURLOPT_PROTOCOLS_STR, "https")
      .set(CURLOPT_REDIR_PROTOCOLS_STR, "https")
      .set(CURLOPT_FOLLOWLOCATION, 0L)
      .set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1))
      .set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED))
      .set(CURLOPT_HSTS_CTRL, 0L)
      .set(CURLOPT_NOSIGNAL, 1L)
      .set(CURLOPT_TCP_NODELAY, 1L)
      .set(CURLOPT_MAXCONNECTS, 1L)
      .set(CURLOPT_BUFFERSIZE, 128L * 1024L)
      .set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  // An empty text, unlike none, keeps libcurl from asking the environment.
  set.set(CURLOPT_PROXY, proxy.url.c_str())
      .set(CURLOPT_NOPROXY, "")
      .set(CURLOPT_RESOLVE, resolved.get())
      .set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L)
      .set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  // With VERIFYPEER 0 libcurl would ignore a refusal. The names and the CA files are not libcurl's
  // to check: the TLS context's callback decides alone, in every handshake.
  set.set(CURLOPT_SSL_VERIFYPEER, 1L)
      .set(CURLOPT_SSL_VERIFYHOST, 0L)
      .set(CURLOPT_CAINFO, nullptr)
      .set(CURLOPT_CAPATH, nullptr)
      .set(CURLOPT_SSL_SESSIONID_CACHE, 0L)
      .set(CURLOPT_SSL_OPTIONS, 0L)
      .set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
}

}  // namespace ratls::client
