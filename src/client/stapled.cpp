// SPDX-License-Identifier: Apache-2.0
#include "client/stapled.h"

#include <openssl/ssl.h>

#include <array>

#include "base/reader.h"
#include "client/easy.h"
#include "client/text.h"
#include "collateral/endorsed_source.h"

namespace ratls::client {
namespace {

using Prepared = std::shared_ptr<const PreparedCollateral>;

constexpr const char* kPath = "/.well-known/ratls/collateral";
constexpr std::size_t kMaxSize = 1024 * 1024;
constexpr std::chrono::milliseconds kTimeLimit{5000};

/// Download is one answer while it arrives.
struct Download {
  std::string body;
  bool too_large = false;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& download = *static_cast<Download*>(self);
  download.too_large = download.too_large || size * count > kMaxSize - download.body.size();
  if (download.too_large) return CURL_WRITEFUNC_ERROR;
  try {
    download.body.append(data, size * count);
  } catch (...) {  // no exception may pass through libcurl's C code
    return CURL_WRITEFUNC_ERROR;
  }
  return size * count;
}

// Who answers does not matter: collateral is signed, and nothing is told to the server.
int take_any(X509_STORE_CTX*, void*) { return 1; }

CURLcode set_context(CURL*, void* context, void*) {
  auto* tls = static_cast<SSL_CTX*>(context);
  SSL_CTX_set_keylog_callback(tls, nullptr);
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(tls, take_any, nullptr);
  return CURLE_OK;
}

/// Endpoint asks the server for what it hands out.
class Endpoint final : public CollateralSource {
 public:
  Endpoint(Url url, Proxy proxy, ClientOptions options, TrustRoot root)
      : url_(std::move(url)),
        proxy_(std::move(proxy)),
        options_(std::move(options)),
        root_(std::move(root)) {
    url_.path = kPath;
    url_.query.clear();
    options_.total_timeout = kTimeLimit;
    options_.connect_timeout = std::min(options_.connect_timeout, kTimeLimit);
  }

  Result<Prepared> find(const CollateralRequest&) override {
    RATLS_TRY(const std::string body, download());
    auto collateral = parse_collateral(body);
    if (!collateral) return collateral.error().in(url_.text());
    return PreparedCollateral::prepare(std::move(*collateral), root_, collateral::kStapled);
  }

 private:
  Error unavailable(std::string detail) const {
    return Error(Code::collateral_unavailable, url_.text(), std::move(detail));
  }

  Result<std::string> download() const {
    Download download;
    std::array<char, CURL_ERROR_SIZE> text{};
    RATLS_TRY(const List resolved, make_list(options_.resolve));
    RATLS_TRY(const Easy easy, new_easy());  // ends before what its options point to
    Options set(easy.get());
    set_connection(easy.get(), set, url_, proxy_, options_, resolved);
    set.set(CURLOPT_ERRORBUFFER, text.data())
        .set(CURLOPT_TIMEOUT_MS, static_cast<long>(kTimeLimit.count()))
        .set(CURLOPT_WRITEFUNCTION, &take_body)
        .set(CURLOPT_WRITEDATA, static_cast<void*>(&download))
        .set(CURLOPT_SSL_CTX_FUNCTION, &set_context);
    RATLS_CHECK(set.done());
    const CURLcode code = perform(easy.get());
    if (download.too_large) return unavailable("the answer is larger than 1 MiB");
    if (code != CURLE_OK) {
      const std::string_view said = text.data();
      return unavailable(said.empty() ? curl_easy_strerror(code) : printable(said));
    }
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) return std::move(download.body);
    return unavailable("the server answers " + std::to_string(status) +
                       (status == 404 ? ": it hands out no collateral" : ""));
  }

  Url url_;
  const Proxy proxy_;
  ClientOptions options_;
  const TrustRoot root_;
};

class StapledSource final : public CollateralSource {
 public:
  StapledSource(std::unique_ptr<CollateralSource> endpoint, const TrustRoot& root,
                const std::filesystem::path& dir)
      : brought_(root, dir), endpoint_(std::move(endpoint)) {}

  Result<Prepared> find(const CollateralRequest& request) override {
    auto brought = brought_.find(request);
    if (brought && (*brought)->check_for(request)) return brought;
    auto handed_out = endpoint_->find(request);
    const auto is_nothing = [](const Result<Prepared>& found) {
      return !found && found.error().code() == Code::collateral_unavailable;
    };
    return is_nothing(handed_out) && !is_nothing(brought) ? brought : handed_out;
  }

  void verified(const PreparedCollateral& collateral) override {
    brought_.verified(collateral);
    endpoint_->verified(collateral);
  }

 private:
  collateral::EndorsedSource brought_;
  const std::unique_ptr<CollateralSource> endpoint_;
};

}  // namespace

std::unique_ptr<CollateralSource> open_stapled(Url origin, Proxy proxy, ClientOptions options,
                                               const TrustRoot& root) {
  const CacheOptions cache = options.cache;
  auto endpoint =
      std::make_unique<Endpoint>(std::move(origin), std::move(proxy), std::move(options), root);
  // The server chooses, so that what it chose is not kept on disk, where others would find it.
  return std::make_unique<StapledSource>(
      with_cache(std::move(endpoint),
                 {.name = collateral::kStapled, .baseline = Baseline::stapled, .on_disk = false},
                 root, cache),
      root, cache.dir);
}

}  // namespace ratls::client
