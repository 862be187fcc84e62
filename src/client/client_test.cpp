// SPDX-License-Identifier: Apache-2.0
#include "ratls/client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>

#include "client/connection.h"
#include "support/attested_peer.h"
#include "support/raw_server.h"

namespace ratls {
namespace {

using testing::answer_all;
using testing::Context;
using testing::Identity;
using testing::IdentityOptions;
using testing::make_identity;
using testing::make_platform;
using testing::make_server_context;
using testing::must;
using testing::ok_answer;
using testing::Platform;
using testing::RawPeer;
using testing::RawServer;

template <class T>
Code code_of(const Result<T>& result) {
  return result ? Code::ok : result.error().code();
}

// The clients talk to this machine: no proxy of the developer's.
ClientOptions local_options() {
  ClientOptions options;
  options.use_environment_proxy = false;
  return options;
}

class ClientTest : public ::testing::Test {
 protected:
  Client make_client(const std::string& url, const ClientOptions& options = local_options()) const {
    return must(Client::create(url, platform_.policy, options, platform_.source));
  }

  const UnixTime now_ = system_now();
  const Platform platform_ = make_platform(now_);
  const Identity identity_ = make_identity(platform_, now_);
  const Context context_ = make_server_context(identity_);
};

std::string echo(const std::string& request) { return ok_answer(request); }

TEST_F(ClientTest, GetsAnAnswerWithTheIdentityOfTheServer) {
  RawServer server(answer_all(
      context_.get(), [](const std::string&) { return ok_answer("hello", "X-Name: value\r\n"); }));
  Client client = make_client(server.url());
  EXPECT_EQ(client.last_verdict(), nullptr);
  const auto response = client.get("/");
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->header("x-name"), "value");
  ASSERT_NE(response->session, nullptr);
  EXPECT_EQ(response->identity().enclave->mr_enclave, platform_.world.quote_spec.report.mr_enclave);
  EXPECT_TRUE(response->identity().simulated);
  ASSERT_NE(client.last_verdict(), nullptr);
  EXPECT_TRUE(client.last_verdict()->accepted());
}

TEST_F(ClientTest, SendsMethodHeadersAndBody) {
  RawServer server(answer_all(context_.get(), echo));
  Client client = make_client(server.url() + "/base");
  ClientRequest request;
  request.method = "PUT";
  request.path = "/x?y=z";
  request.headers = {{"X-One", "1"}, {"X-Empty", ""}};
  request.body = std::string("a\0b", 3);
  const auto response = client.request(request);
  ASSERT_TRUE(response);
  EXPECT_TRUE(response->body.starts_with("PUT /base/x?y=z HTTP/1.1\r\n")) << response->body;
  EXPECT_NE(response->body.find("\r\nX-One: 1\r\n"), std::string::npos);
  EXPECT_NE(response->body.find("\r\nX-Empty:\r\n"), std::string::npos);
  EXPECT_NE(response->body.find("\r\nContent-Length: 3\r\n"), std::string::npos);
  EXPECT_EQ(response->body.find("Content-Type"), std::string::npos);
  EXPECT_EQ(response->body.find("Accept-Encoding"), std::string::npos);
  EXPECT_TRUE(response->body.ends_with(request.body));
  const auto posted = client.post("/", std::string(5000, 'x'));
  ASSERT_TRUE(posted);
  EXPECT_TRUE(posted->body.starts_with("POST /base/ HTTP/1.1\r\n"));
  EXPECT_NE(posted->body.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(posted->body.find("Expect"), std::string::npos);
}

TEST_F(ClientTest, HeadHasNoBody) {
  RawServer server(answer_all(context_.get(), [](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  }));
  Client client = make_client(server.url());
  ClientRequest request;
  request.method = "HEAD";
  const auto response = client.request(request);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->header("content-length"), "5");
}

TEST_F(ClientTest, KeepsTheConnection) {
  RawServer server(answer_all(context_.get(), echo));
  Client client = make_client(server.url());
  const int asked = platform_.source->asked();
  for (int i = 0; i < 3; ++i) {
    const auto response = client.get("/");
    ASSERT_TRUE(response);
    EXPECT_NE(response->session, nullptr);
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(platform_.source->asked(), asked + 1);
}

TEST_F(ClientTest, AcceptsOtherNamesUnlessThePolicyChecksThem) {
  IdentityOptions options;
  options.not_before = now_ - std::chrono::hours(1);
  options.not_after = now_ + std::chrono::hours(1);
  options.names = {"elsewhere.example"};
  const Context other = make_server_context(make_identity(platform_, options));
  RawServer server(answer_all(other.get(), echo));
  EXPECT_TRUE(make_client(server.url()).get("/"));
  Policy policy = platform_.policy;
  policy.session.check_name = true;
  Client strict = must(Client::create(server.url(), policy, local_options(), platform_.source));
  EXPECT_EQ(code_of(strict.get("/")), Code::name_mismatch);
}

TEST_F(ClientTest, ChecksAddressesByThePolicyToo) {
  IdentityOptions options;
  options.not_before = now_ - std::chrono::hours(1);
  options.not_after = now_ + std::chrono::hours(1);
  options.names = {"127.0.0.1"};
  const Context named = make_server_context(make_identity(platform_, options));
  RawServer server(answer_all(named.get(), echo));
  Policy policy = platform_.policy;
  policy.session.check_name = true;
  Client client = must(Client::create(server.url(), policy, local_options(), platform_.source));
  const auto response = client.get("/");
  ASSERT_TRUE(response);
  EXPECT_TRUE(response->identity().name_checked);
}

// Each server says whether a byte of application data came through.
TEST_F(ClientTest, SendsNothingToARefusedServer) {
  Policy other = platform_.policy;
  other.enclaves.front().mr_enclave->bytes[0] ^= 1;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Context context = make_server_context(identity_);
    SSL_CTX_set_max_proto_version(context.get(), version);
    RawServer server(answer_all(context.get(), echo));
    Client client = must(Client::create(server.url(), other, local_options(), platform_.source));
    const auto response = client.post("/", "secret");
    ASSERT_EQ(code_of(response), Code::identity_mismatch);
    EXPECT_EQ(server.data_read(), 0U);
    ASSERT_NE(client.last_verdict(), nullptr);
    EXPECT_FALSE(client.last_verdict()->accepted());
    EXPECT_EQ(client.last_verdict()->result.error().where(), response.error().where());
    EXPECT_TRUE(client.last_verdict()->report.authenticated);
  }
}

TEST_F(ClientTest, NeverRepeatsARefusal) {
  Policy other = platform_.policy;
  other.enclaves.front().mr_enclave->bytes[0] ^= 1;
  ClientOptions options = local_options();
  options.retries = 3;
  RawServer server(answer_all(context_.get(), echo));
  Client client = must(Client::create(server.url(), other, options, platform_.source));
  EXPECT_EQ(code_of(client.get("/")), Code::identity_mismatch);
  EXPECT_EQ(code_of(client.connect()), Code::identity_mismatch);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ClientTest, TwoPoliciesForOneServerDoNotMix) {
  Policy other = platform_.policy;
  other.enclaves.front().mr_enclave->bytes[0] ^= 1;
  RawServer server(answer_all(context_.get(), echo));
  Client accepting = make_client(server.url());
  Client refusing = must(Client::create(server.url(), other, local_options(), platform_.source));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(accepting.get("/"));
    EXPECT_EQ(code_of(refusing.get("/")), Code::identity_mismatch);
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(ClientTest, RefusesAServerWithoutEvidence) {
  IdentityOptions options;
  options.not_before = now_ - std::chrono::hours(1);
  options.not_after = now_ + std::chrono::hours(1);
  options.evidence = IdentityOptions::Evidence::none;
  const Context plain = make_server_context(make_identity(platform_, options));
  RawServer server(answer_all(plain.get(), echo));
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::evidence_missing);
  EXPECT_EQ(server.data_read(), 0U);
}

TEST_F(ClientTest, RefusesAnExpiredCertificate) {
  IdentityOptions options;
  options.not_before = now_ - std::chrono::hours(2);
  options.not_after = now_ - std::chrono::hours(1);
  const Context expired = make_server_context(make_identity(platform_, options));
  RawServer server(answer_all(expired.get(), echo));
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::certificate_expired);
}

TEST_F(ClientTest, TalksToATls12Server) {
  SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
  RawServer server(answer_all(context_.get(), echo));
  const auto response = make_client(server.url()).get("/");
  ASSERT_TRUE(response);
  EXPECT_NE(response->session, nullptr);
}

TEST_F(ClientTest, JudgesEveryConnectionAndResumesNone) {
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_SERVER);
  std::atomic<int> resumed = 0;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX_set_max_proto_version(context_.get(), version);
    RawServer server([&](RawPeer& peer) {
      if (!peer.accept_tls(context_.get())) return;
      resumed += SSL_session_reused(peer.ssl());
      peer.read_request();
      peer.write(ok_answer("x", "Connection: close\r\n"));
      peer.close_notify();
    });
    Client client = make_client(server.url());
    const int asked = platform_.source->asked();
    EXPECT_TRUE(client.get("/"));
    EXPECT_TRUE(client.get("/"));
    EXPECT_EQ(server.connections(), 2);
    EXPECT_EQ(platform_.source->asked(), asked + 2);
  }
  EXPECT_EQ(resumed, 0);
}

TEST_F(ClientTest, ConnectVerifiesWithoutARequest) {
  RawServer server(answer_all(context_.get(), echo));
  Client client = make_client(server.url());
  const auto session = client.connect();
  ASSERT_TRUE(session) << session.error().message();
  ASSERT_NE(*session, nullptr);
  EXPECT_TRUE((*session)->peer().report().authenticated);
  EXPECT_TRUE(client.connect());
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.data_read(), 0U);
  EXPECT_TRUE(client.get("/"));
}

TEST_F(ClientTest, IgnoresCaFilesAndKeyLogOfTheEnvironment) {
  const auto dir =
      std::filesystem::temp_directory_path() / ("ratls-client-" + std::to_string(::getpid()));
  std::filesystem::create_directory(dir);
  IdentityOptions options;
  options.not_before = now_ - std::chrono::hours(1);
  options.not_after = now_ + std::chrono::hours(1);
  options.evidence = IdentityOptions::Evidence::none;
  const Identity plain = make_identity(platform_, options);
  std::ofstream(dir / "ca.pem") << x509::to_pem(plain.certificate, "CERTIFICATE");
  ::setenv("SSL_CERT_FILE", (dir / "ca.pem").c_str(), 1);
  ::setenv("CURL_CA_BUNDLE", (dir / "ca.pem").c_str(), 1);
  ::setenv("SSLKEYLOGFILE", (dir / "keys").c_str(), 1);
  const Context unattested = make_server_context(plain);
  RawServer trusted_by_file(answer_all(unattested.get(), echo));
  RawServer attested(answer_all(context_.get(), echo));
  EXPECT_EQ(code_of(make_client(trusted_by_file.url()).get("/")), Code::evidence_missing);
  EXPECT_TRUE(make_client(attested.url()).get("/"));
  EXPECT_TRUE(fetch_certificate(attested.url(), local_options()));
  std::error_code absent;
  const auto written = std::filesystem::file_size(dir / "keys", absent);
  EXPECT_TRUE(absent || written == 0) << "the keys of an attested connection were logged";
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE"}) ::unsetenv(name);
  std::filesystem::remove_all(dir);
}

TEST_F(ClientTest, KeptConnectionEndsWithItsVerdict) {
  std::atomic<std::int64_t> offset = 0;
  const std::function<UnixTime()> clock = [&] {
    return now_ + std::chrono::seconds(offset.load());
  };
  RawServer server(answer_all(context_.get(), echo));
  const client::Url url = must(client::parse_url(server.url()));
  client::Connection connection(
      PeerVerifier(must(Verifier::create(platform_.policy)), platform_.source, url.host, clock),
      local_options(), {}, clock);
  const client::Message message = must(client::make_message(url, ClientRequest{}));
  const auto first = connection.send(message, nullptr);
  ASSERT_TRUE(first);
  offset = (first->session->peer().expires() - now_).count();
  EXPECT_TRUE(connection.send(message, nullptr));
  EXPECT_EQ(server.connections(), 1);
  offset = offset + 1;
  EXPECT_EQ(code_of(connection.send(message, nullptr)), Code::certificate_expired);
  EXPECT_EQ(server.connections(), 2);
  offset = 0;
  EXPECT_TRUE(connection.send(message, nullptr));
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(ClientTest, StreamsToASink) {
  constexpr std::size_t kParts = 1024;
  const std::string part(65536, 'x');
  RawServer server([&](RawPeer& peer) {
    if (!peer.accept_tls(context_.get()) || peer.read_request().empty()) return;
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kParts * part.size()) +
               "\r\n\r\n");
    for (std::size_t i = 0; i < kParts; ++i) peer.write(part);
  });
  ClientOptions options = local_options();
  options.max_body_bytes = 1000;  // of answers kept in memory
  Client client = make_client(server.url(), options);
  std::size_t received = 0;
  std::size_t largest = 0;
  const auto response = client.request({}, [&](BytesView bytes) {
    received += bytes.size();
    largest = std::max(largest, bytes.size());
    return true;
  });
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(received, kParts * part.size());
  EXPECT_LE(largest, 1024U * 1024U);
  EXPECT_EQ(response->body, "");
}

TEST_F(ClientTest, SinkMayEndTheTransfer) {
  RawServer server(answer_all(context_.get(), echo));
  Client client = make_client(server.url());
  EXPECT_EQ(code_of(client.request({}, [](BytesView) { return false; })), Code::file_unwritable);
  EXPECT_EQ(code_of(client.request({}, [](BytesView) -> bool { throw std::runtime_error("x"); })),
            Code::internal);
  EXPECT_TRUE(client.get("/"));
}

TEST_F(ClientTest, LimitsTheBody) {
  ClientOptions options = local_options();
  options.max_body_bytes = 4;
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"}) {
    RawServer server(answer_all(context_.get(), [&](const std::string&) { return answer; }));
    EXPECT_EQ(code_of(make_client(server.url(), options).get("/")), Code::answer_too_large);
    options.max_body_bytes = 5;
    EXPECT_TRUE(make_client(server.url(), options).get("/"));
    options.max_body_bytes = 4;
  }
}

TEST_F(ClientTest, RefusesInjectionBeforeConnecting) {
  RawServer server(answer_all(context_.get(), echo));
  Client client = make_client(server.url());
  ClientRequest request;
  request.headers = {{"X", "a\r\nY: b"}};
  EXPECT_EQ(code_of(client.request(request)), Code::usage);
  EXPECT_EQ(code_of(client.get("/ HTTP/1.1\r\nX: y")), Code::url_invalid);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(ClientTest, CreateRefusesWhatCannotWork) {
  const auto create = [&](const std::string& url, const Policy& policy, ClientOptions options) {
    return code_of(Client::create(url, policy, options, platform_.source));
  };
  EXPECT_EQ(create("http://host", platform_.policy, {}), Code::url_invalid);
  EXPECT_EQ(create("https://host", Policy{}, local_options()), Code::policy_empty);
  ClientOptions options = local_options();
  options.proxy = "https://proxy";
  EXPECT_EQ(create("https://host", platform_.policy, options), Code::proxy_unsupported);
  options = local_options();
  options.retries = -1;
  EXPECT_EQ(create("https://host", platform_.policy, options), Code::usage);
}

TEST_F(ClientTest, TakesCollateralOfThePolicyWithoutASource) {
  RawServer server(answer_all(context_.get(), echo));
  const auto dir =
      std::filesystem::temp_directory_path() / ("ratls-collateral-" + std::to_string(::getpid()));
  std::filesystem::create_directory(dir);
  std::ofstream(dir / "collateral.json") << format_collateral(platform_.world.collateral);
  Policy policy = platform_.policy;
  policy.collateral.sources = {"file:collateral.json"};
  policy.base_dir = dir;
  Client client = must(Client::create(server.url(), policy, local_options()));
  const auto response = client.get("/");
  EXPECT_TRUE(response) << response.error().message();
  policy.collateral.sources = {"file:absent.json"};
  Client without = must(Client::create(server.url(), policy, local_options()));
  EXPECT_NE(code_of(without.get("/")), Code::ok);
  std::filesystem::remove_all(dir);
}

TEST_F(ClientTest, CallsThatOverlapHaveConnectionsOfTheirOwn) {
  constexpr int kThreads = 4;
  std::latch all_asked(kThreads);
  RawServer server(answer_all(context_.get(), [&](const std::string& request) {
    if (request.starts_with("GET /together ")) all_asked.arrive_and_wait();
    return ok_answer("x");
  }));
  Client client = make_client(server.url());
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      answered += client.get("/together") ? 1 : 0;
      answered += client.last_verdict() != nullptr ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 2 * kThreads);
  EXPECT_EQ(server.connections(), kThreads);
  EXPECT_TRUE(client.get("/"));
  EXPECT_EQ(server.connections(), kThreads);
}

TEST_F(ClientTest, MayBeMoved) {
  RawServer server(answer_all(context_.get(), echo));
  Client first = make_client(server.url());
  ASSERT_TRUE(first.get("/"));
  Client second = std::move(first);
  EXPECT_TRUE(second.get("/"));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientTest, FetchesACertificateWithoutARequest) {
  RawServer server(answer_all(context_.get(), echo));
  const auto der = fetch_certificate(server.url(), local_options());
  ASSERT_TRUE(der) << der.error().message();
  EXPECT_EQ(*der, identity_.certificate);
  EXPECT_EQ(server.data_read(), 0U);
  EXPECT_EQ(code_of(fetch_certificate("http://host", local_options())), Code::url_invalid);
  ClientOptions options = local_options();
  options.proxy = "https://proxy";
  EXPECT_EQ(code_of(fetch_certificate(server.url(), options)), Code::proxy_unsupported);
}

}  // namespace
}  // namespace ratls
