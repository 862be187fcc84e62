// SPDX-License-Identifier: Apache-2.0
#include "ratls/client.h"

#include <mutex>

#include "client/connection.h"
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

Result<std::shared_ptr<CollateralSource>> open_policy_sources(const Verifier& verifier) {
  tls::set_up_openssl();  // before libcurl would, with the configuration file
  const CollateralPolicy& wanted = verifier.policy().collateral;
  const PccsOptions options{.early = wanted.update == CollateralPolicy::Update::early,
                            .evaluation_number = wanted.evaluation_number,
                            .ca_pem = wanted.ca_pem};
  return open_collateral_sources(
      wanted.sources, verifier.policy().base_dir, verifier.root(),
      [&](const std::string& url) { return open_pccs(url, options, verifier.root()); });
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
    RATLS_TRY(source, open_policy_sources(verifier));
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
