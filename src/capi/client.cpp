// SPDX-License-Identifier: Apache-2.0
#include "capi/handles.h"

struct ratls_client {
  ratls::Client client;
};

struct ratls_response {
  ratls::ResponseStream stream;
  std::string identity;  // made when it is first asked for
};

namespace ratls::capi {
namespace {

using Milliseconds = std::optional<std::chrono::milliseconds>;

// Ten years: far from what overflows.
constexpr std::int64_t kMaxTimeout = std::int64_t{1000} * 3600 * 24 * 3650;

Result<Milliseconds> timeout_of(std::int64_t value, std::string_view what) {
  if (value == 0) return Milliseconds();
  if (value < 0 || value > kMaxTimeout) {
    return Error(Code::usage, std::string(what), "out of range");
  }
  return Milliseconds(value);
}

Result<ClientOptions> client_options(const ratls_client_options& given) {
  RATLS_CHECK(check_size(given.size, sizeof(given), "ratls_client_options"));
  ClientOptions options;
  RATLS_TRY(const auto connect, timeout_of(given.connect_timeout, "connect_timeout"));
  RATLS_TRY(const auto stall, timeout_of(given.stall_timeout, "stall_timeout"));
  RATLS_TRY(const auto total, timeout_of(given.total_timeout, "total_timeout"));
  options.connect_timeout = connect.value_or(options.connect_timeout);
  options.stall_timeout = stall.value_or(options.stall_timeout);
  options.total_timeout = total.value_or(options.total_timeout);
  options.retries = given.retries;
  options.max_redirects = given.max_redirects;
  options.proxy = text_of(given.proxy);
  options.use_environment_proxy = given.proxy == nullptr;
  options.cache = cache_options(given.cache_dir);
  return options;
}

Result<ClientRequest> request_of(const ratls_request& given) {
  RATLS_CHECK(check_size(given.size, sizeof(given), "ratls_request"));
  ClientRequest request;
  request.method = given.method == nullptr ? "GET" : given.method;
  request.path = text_of(given.path);
  if (given.header_count > 0) RATLS_CHECK(check_pointers({given.headers}));
  for (const ratls_header& header : std::span(given.headers, given.header_count)) {
    RATLS_CHECK(check_pointers({header.name, header.value}));
    request.headers.emplace_back(header.name, header.value);
  }
  if (given.body_size > 0) {
    RATLS_CHECK(check_pointers({given.body}));
    request.body.assign(static_cast<const char*>(given.body), given.body_size);
  }
  RATLS_TRY(request.connect_timeout, timeout_of(given.connect_timeout, "connect_timeout"));
  RATLS_TRY(request.stall_timeout, timeout_of(given.stall_timeout, "stall_timeout"));
  RATLS_TRY(request.total_timeout, timeout_of(given.total_timeout, "total_timeout"));
  return request;
}

// A refusal is told with its report, any other failure without.
ratls_code failed(ratls_error** error, const Error& failure, const Verdict* verdict) {
  return set_error(error, failure, verdict == nullptr || verdict->accepted() ? nullptr : verdict);
}

}  // namespace
}  // namespace ratls::capi

using namespace ratls::capi;

ratls_code ratls_client_open(const char* url, const ratls_policy* policy,
                             const ratls_client_options* options, ratls_client** client,
                             ratls_error** error) {
  if (client != nullptr) *client = nullptr;
  return guarded(error, [&]() -> ratls::Result<void> {
    RATLS_CHECK(check_pointers({url, policy, client}));
    const ratls_client_options defaults = RATLS_CLIENT_OPTIONS_INIT;
    RATLS_TRY(auto chosen, client_options(options == nullptr ? defaults : *options));
    RATLS_TRY(auto made, ratls::Client::create(url, policy->policy, std::move(chosen)));
    *client = new ratls_client{std::move(made)};
    return {};
  });
}

void ratls_client_free(ratls_client* client) { delete client; }

ratls_code ratls_client_verify(ratls_client* client, ratls_report** report, ratls_error** error) {
  if (report != nullptr) *report = nullptr;
  std::shared_ptr<const ratls::Verdict> verdict;
  std::optional<ratls::Error> failure;
  const ratls_code code = guarded(error, [&]() -> ratls::Result<void> {
    RATLS_CHECK(check_pointers({client, report}));
    const auto session = client->client.connect([&](const auto& heard) { verdict = heard; });
    if (!session) failure = session.error();
    // An accepted verdict alone proves nothing: the peer has to show its key in the handshake.
    if (verdict != nullptr && (session || !verdict->accepted())) {
      *report = make_report(ratls::outcome_of(*verdict));
    }
    return {};
  });
  if (code != RATLS_OK || !failure) return code;
  return failed(error, *failure, verdict.get());
}

ratls_code ratls_client_request(ratls_client* client, const ratls_request* request,
                                ratls_response** response, ratls_error** error) {
  if (response != nullptr) *response = nullptr;
  std::shared_ptr<const ratls::Verdict> verdict;
  std::optional<ratls::Error> failure;
  const ratls_code code = guarded(error, [&]() -> ratls::Result<void> {
    RATLS_CHECK(check_pointers({client, request, response}));
    RATLS_TRY(auto wanted, request_of(*request));
    wanted.on_verdict = [&](const auto& heard) { verdict = heard; };
    auto stream = client->client.open(wanted);
    if (stream) {
      *response = new ratls_response{std::move(*stream), ""};
    } else {
      failure = stream.error();
    }
    return {};
  });
  if (code != RATLS_OK || !failure) return code;
  return failed(error, *failure, verdict.get());
}

int ratls_response_status(const ratls_response* response) {
  return response == nullptr ? 0 : response->stream.status();
}

size_t ratls_response_header_count(const ratls_response* response) {
  return response == nullptr ? 0 : response->stream.headers().size();
}

const char* ratls_response_header_name(const ratls_response* response, size_t index) {
  if (index >= ratls_response_header_count(response)) return nullptr;
  return response->stream.headers()[index].first.c_str();
}

const char* ratls_response_header_value(const ratls_response* response, size_t index) {
  if (index >= ratls_response_header_count(response)) return nullptr;
  return response->stream.headers()[index].second.c_str();
}

const char* ratls_response_find_header(const ratls_response* response, const char* name) {
  if (response == nullptr || name == nullptr) return nullptr;
  const std::string_view value = response->stream.header(name);
  return value.data();  // the end of a std::string, or of nothing
}

const char* ratls_response_identity(ratls_response* response) {
  if (response == nullptr) return nullptr;
  const ratls_code code = guarded(nullptr, [&]() -> ratls::Result<void> {
    if (!response->identity.empty()) return {};
    const ratls::Outcome outcome{.report = response->stream.identity(), .error = std::nullopt};
    response->identity = ratls::report_json_text(outcome);
    return {};
  });
  return code == RATLS_OK ? response->identity.c_str() : nullptr;
}

ratls_code ratls_response_read(ratls_response* response, void* buffer, size_t size, size_t* got,
                               ratls_error** error) {
  if (got != nullptr) *got = 0;
  return guarded(error, [&]() -> ratls::Result<void> {
    RATLS_CHECK(check_pointers({response, buffer, got}));
    RATLS_TRY(*got, response->stream.read({static_cast<std::uint8_t*>(buffer), size}));
    return {};
  });
}

void ratls_response_free(ratls_response* response) { delete response; }
