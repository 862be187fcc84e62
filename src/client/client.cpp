// SPDX-License-Identifier: Apache-2.0
#include "ratls/client.h"

#include <mutex>

#include "client/connection.h"
#include "client/stapled.h"
#include "ratls/pccs.h"
#include "tls/openssl_setup.h"

namespace ratls {

struct Client::State {
  State(client::Url origin, PeerVerifier peer, ClientOptions options, client::Proxy proxy)
      : url(std::move(origin)),
        connection(std::move(peer), std::move(options), std::move(proxy), system_now) {}

  const client::Url url;
  std::mutex mutex;  // for connection's calls, not for its last verdict
  client::Connection connection;
};

namespace {

Baseline baseline_of(const CollateralPolicy& policy) {
  if (policy.evaluation_number) return Baseline::pinned;
  return policy.update == CollateralPolicy::Update::early ? Baseline::early : Baseline::standard;
}

// How a service is asked, so that different answers lie in different places.
std::string name_of(const std::string& service, const CollateralPolicy& policy) {
  if (policy.evaluation_number) return service + " " + std::to_string(*policy.evaluation_number);
  return service + (policy.update == CollateralPolicy::Update::early ? " early" : " standard");
}

Result<std::unique_ptr<CollateralSource>> open_service(const std::string& service,
                                                       const Verifier& verifier,
                                                       const std::optional<CacheOptions>& cache) {
  const CollateralPolicy& policy = verifier.policy().collateral;
  const PccsOptions options{.early = policy.update == CollateralPolicy::Update::early,
                            .evaluation_number = policy.evaluation_number,
                            .ca_pem = policy.ca_pem};
  RATLS_TRY(auto source, open_pccs(service, options, verifier.root()));
  if (!cache) return source;
  return with_cache(std::move(source),
                    {.name = name_of(service, policy), .baseline = baseline_of(policy)},
                    verifier.root(), *cache);
}

// open_stapled may be empty: then there is no server to ask.
Result<std::shared_ptr<CollateralSource>> open_sources(
    const Verifier& verifier, const std::optional<CacheOptions>& cache,
    const std::function<std::unique_ptr<CollateralSource>()>& open_stapled) {
  tls::set_up_openssl();  // before libcurl would, with the configuration file
  const auto open = [&](const std::string& name) -> Result<std::unique_ptr<CollateralSource>> {
    if (name != "stapled") return open_service(name, verifier, cache);
    if (!open_stapled) return std::unique_ptr<CollateralSource>();
    return open_stapled();
  };
  const Policy& policy = verifier.policy();
  return open_collateral_sources(policy.collateral.sources, policy.base_dir, verifier.root(), open);
}

}  // namespace

Result<std::shared_ptr<CollateralSource>> open_policy_sources(
    const Verifier& verifier, const std::optional<CacheOptions>& cache) {
  return open_sources(verifier, cache, nullptr);
}

std::string_view ClientResponse::header(std::string_view name) const {
  return client::find_header(headers, name);
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::create(const std::string& url, Policy policy, ClientOptions options,
                              std::shared_ptr<CollateralSource> source) {
  tls::set_up_openssl();
  RATLS_TRY(client::Url origin, client::parse_url(url));
  RATLS_CHECK(client::check_options(options));
  RATLS_TRY(client::Proxy proxy, client::choose_proxy(options, origin.host));
  RATLS_TRY(Verifier verifier, Verifier::create(std::move(policy)));
  if (source == nullptr) {
    // The server chooses what it hands out, so that what was chosen is kept by no other name, and
    // the highest numbers count across servers.
    const auto open_stapled = [&] {
      return with_cache(client::open_stapled(origin, proxy, options, verifier.root()),
                        {.name = "stapled", .on_disk = false}, verifier.root(), options.cache);
    };
    RATLS_TRY(source, open_sources(verifier, options.cache, open_stapled));
  }
  PeerVerifier peer(std::move(verifier), std::move(source), origin.host);
  return Client(std::make_unique<State>(std::move(origin), std::move(peer), std::move(options),
                                        std::move(proxy)));
}

Result<ClientResponse> Client::request(const ClientRequest& request, const BodySink& sink) {
  RATLS_TRY(client::Message message, client::make_message(state_->url, request));
  const std::lock_guard lock(state_->mutex);
  return state_->connection.send(std::move(message), sink);
}

Result<ClientResponse> Client::get(const std::string& path) {
  ClientRequest wanted;
  wanted.path = path;
  return request(wanted);
}

Result<ClientResponse> Client::post(const std::string& path, std::string body,
                                    const std::string& content_type) {
  return request({.method = "POST",
                  .path = path,
                  .headers = {{"Content-Type", content_type}},
                  .body = std::move(body)});
}

Result<std::shared_ptr<const AttestedSession>> Client::connect() {
  const std::lock_guard lock(state_->mutex);
  return state_->connection.connect(state_->url);
}

std::shared_ptr<const Verdict> Client::last_verdict() const {
  return state_->connection.last_verdict();
}

}  // namespace ratls
