// SPDX-License-Identifier: Apache-2.0
#include "ratls/client.h"

#include "client/connection.h"
#include "client/stapled.h"
#include "collateral/endorsed_source.h"
#include "ratls/pccs.h"
#include "tls/openssl_setup.h"

namespace ratls {

struct Client::State {
  State(client::Url origin, PeerVerifier peer, ClientOptions options, client::Proxy proxy)
      : url(std::move(origin)),
        connection(std::move(peer), std::move(options), std::move(proxy), system_now) {}

  const client::Url url;
  client::Connection connection;
};

struct ResponseStream::State {
  std::shared_ptr<Client::State> client;
  int status = 0;
  client::Headers headers;
  std::shared_ptr<const AttestedSession> session;
  std::unique_ptr<client::Answer> answer;  // null once it has been read to its end
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

// open_stapled may be empty: then there is no server to ask, only what the certificate brings.
Result<std::shared_ptr<CollateralSource>> open_sources(
    const Verifier& verifier, const std::optional<CacheOptions>& cache,
    const std::function<std::unique_ptr<CollateralSource>()>& open_stapled) {
  tls::set_up_openssl();  // before libcurl would, with the configuration file
  const auto open = [&](const std::string& name) -> Result<std::unique_ptr<CollateralSource>> {
    if (name != "stapled") return open_service(name, verifier, cache);
    if (open_stapled) return open_stapled();
    const auto dir = cache ? cache->dir : std::filesystem::path();
    return std::unique_ptr<CollateralSource>(
        std::make_unique<collateral::EndorsedSource>(verifier.root(), dir));
  };
  const Policy& policy = verifier.policy();
  return open_collateral_sources(policy.collateral.sources, policy.base_dir, verifier.root(), open);
}

Result<ClientOptions> limits_of(const ClientRequest& request, const ClientOptions& options) {
  ClientOptions limits = options;
  limits.connect_timeout = request.connect_timeout.value_or(options.connect_timeout);
  limits.stall_timeout = request.stall_timeout.value_or(options.stall_timeout);
  limits.total_timeout = request.total_timeout.value_or(options.total_timeout);
  RATLS_CHECK(client::check_options(limits));
  return limits;
}

}  // namespace

Result<std::shared_ptr<CollateralSource>> open_policy_sources(
    const Verifier& verifier, const std::optional<CacheOptions>& cache) {
  return open_sources(verifier, cache, nullptr);
}

std::string_view ClientResponse::header(std::string_view name) const {
  return client::find_header(headers, name);
}

ResponseStream::ResponseStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
ResponseStream::ResponseStream(ResponseStream&&) noexcept = default;
ResponseStream& ResponseStream::operator=(ResponseStream&&) noexcept = default;
ResponseStream::~ResponseStream() = default;

int ResponseStream::status() const noexcept { return state_->status; }
const client::Headers& ResponseStream::headers() const noexcept { return state_->headers; }
const std::shared_ptr<const AttestedSession>& ResponseStream::session() const noexcept {
  return state_->session;
}

std::string_view ResponseStream::header(std::string_view name) const {
  return client::find_header(state_->headers, name);
}

Result<std::size_t> ResponseStream::read(std::span<std::uint8_t> into) {
  if (state_->answer == nullptr) return std::size_t{0};
  if (into.empty()) return Error(Code::usage, "read", "the buffer is empty");
  RATLS_TRY(const std::size_t size, state_->answer->attempt->read(into));
  if (size == 0) state_->client->connection.close(std::move(state_->answer));
  return size;
}

Client::Client(std::shared_ptr<State> state) : state_(std::move(state)) {}
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
    const auto open_stapled = [&] {
      return client::open_stapled(origin, proxy, options, verifier.root());
    };
    RATLS_TRY(source, open_sources(verifier, options.cache, open_stapled));
  }
  PeerVerifier peer(std::move(verifier), std::move(source), origin.host);
  return Client(std::make_shared<State>(std::move(origin), std::move(peer), std::move(options),
                                        std::move(proxy)));
}

Result<ClientResponse> Client::request(const ClientRequest& request, const BodySink& sink) {
  RATLS_TRY(client::Message message, client::make_message(state_->url, request));
  RATLS_TRY(const ClientOptions limits, limits_of(request, state_->connection.options()));
  return state_->connection.send(std::move(message), limits, sink, request.on_verdict);
}

Result<ResponseStream> Client::open(const ClientRequest& request) {
  RATLS_TRY(client::Message message, client::make_message(state_->url, request));
  RATLS_TRY(const ClientOptions limits, limits_of(request, state_->connection.options()));
  RATLS_TRY(auto answer, state_->connection.open(std::move(message), limits, request.on_verdict));
  const client::Attempt& attempt = *answer->attempt;
  auto state = std::make_unique<ResponseStream::State>(
      ResponseStream::State{.client = state_,
                            .status = attempt.head().status(),
                            .headers = attempt.head().headers(),
                            .session = attempt.session(),
                            .answer = std::move(answer)});
  return ResponseStream(std::move(state));
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

Result<std::shared_ptr<const AttestedSession>> Client::connect(const VerdictListener& on_verdict) {
  return state_->connection.connect(state_->url, on_verdict);
}

Result<std::unique_ptr<Channel>> Client::dial(const VerdictListener& on_verdict) {
  return state_->connection.dial(state_->url, on_verdict);
}

std::shared_ptr<const Verdict> Client::last_verdict() const {
  return state_->connection.last_verdict();
}

}  // namespace ratls
