// SPDX-License-Identifier: Apache-2.0
// A policy that demands fresh evidence, and servers that give it, or do not.
#include <gtest/gtest.h>

#include "client/connection.h"
#include "ratls/channel.h"
#include "ratls/client.h"
#include "support/attested_peer.h"
#include "support/raw_server.h"
#include "tls/session_binding.h"

namespace ratls {
namespace {

using testing::Context;
using testing::make_identity;
using testing::make_platform;
using testing::make_server_context;
using testing::must;
using testing::ok_answer;
using testing::Platform;
using testing::RawPeer;
using testing::RawServer;

constexpr std::string_view kQuestion = "GET /.well-known/ratls/session-evidence?nonce=";

class SessionTest : public ::testing::Test {
 protected:
  /// evidence is an honest server's answer to a question on its connection.
  std::string evidence(RawPeer& peer, const std::string& question) const {
    const auto nonce = must(parse_fixed_hex<SessionNonce>(
        std::string_view(question).substr(kQuestion.size(), 64), "nonce"));
    const auto attester = must(Attester::create(
        [this](const ReportData& data) { return platform_.world.quote(data); }, {}));
    const Bytes made = must(attester.attest_session(tls::bind_session(peer.ssl(), nonce).value()));
    return ok_answer(std::string(made.begin(), made.end()));
  }

  /// serve answers questions with answer, all else with what was asked.
  using Answer = std::function<std::string(RawPeer& peer, const std::string& question)>;
  RawServer::Serve serve(Answer answer, int requests_per_connection = 100) {
    return [this, answer = std::move(answer), requests_per_connection](RawPeer& peer) {
      if (!peer.accept_tls(context_.get())) return;
      for (int count = 0; count < requests_per_connection; ++count) {
        const std::string request = peer.read_request();
        if (request.empty()) return;
        const bool is_question = request.starts_with(kQuestion);
        ++(is_question ? questions_ : requests_);
        if (!peer.write(is_question ? answer(peer, request) : ok_answer(request))) return;
      }
      peer.close_notify();
    };
  }
  RawServer::Serve serve_honestly(int requests_per_connection = 100) {
    return serve(
        [this](RawPeer& peer, const std::string& question) { return evidence(peer, question); },
        requests_per_connection);
  }

  Client client_for(const RawServer& server, ClientOptions options = {}) const {
    Policy policy = platform_.policy;
    policy.session.fresh = true;
    options.use_environment_proxy = false;
    return must(Client::create(server.url(), std::move(policy), options, platform_.source));
  }

  Code get(Client& client) const {
    ClientRequest request;
    request.path = "/secret";
    request.headers = {{"Authorization", "secret"}};
    const auto response = client.request(request);
    return response ? Code::ok : response.error().code();
  }

  const UnixTime now_ = system_now();
  const Platform platform_ = make_platform(now_);
  const Context context_ = make_server_context(make_identity(platform_, now_));
  std::atomic<int> questions_ = 0;
  std::atomic<int> requests_ = 0;
};

TEST_F(SessionTest, IsAskedForOncePerConnection) {
  RawServer server(serve_honestly());
  Client client = client_for(server);
  for (int i = 0; i < 3; ++i) {
    const auto response = client.get("/path");
    ASSERT_TRUE(response) << response.error().message() << response.error().detail();
    EXPECT_TRUE(response->identity().fresh);
    EXPECT_TRUE(response->body.starts_with("GET /path HTTP/1.1\r\n"));
  }
  EXPECT_EQ(questions_, 1);
  EXPECT_EQ(requests_, 3);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_TRUE(client.last_verdict()->report.fresh);
}

TEST_F(SessionTest, IsAskedForByConnectToo) {
  RawServer server(serve_honestly());
  Client client = client_for(server);
  std::vector<bool> heard;
  const auto session =
      client.connect([&](const auto& verdict) { heard.push_back(verdict->report.fresh); });
  ASSERT_TRUE(session) << session.error().message();
  EXPECT_TRUE((*session)->peer().report().fresh);
  EXPECT_EQ(heard, (std::vector<bool>{true}));
  EXPECT_EQ(questions_, 1);
}

TEST_F(SessionTest, IsAskedForWithoutAnythingOfTheUsers) {
  std::string asked;
  RawServer server(serve([&](RawPeer& peer, const std::string& question) {
    asked = question;
    return evidence(peer, question);
  }));
  Client client = client_for(server);
  EXPECT_EQ(get(client), Code::ok);
  EXPECT_EQ(asked.find("secret"), asked.npos) << asked;
  EXPECT_EQ(asked.find("Authorization"), asked.npos) << asked;
}

TEST_F(SessionTest, WithoutEvidenceSeesNoRequest) {
  const auto refused = [&](const Answer& answer) {
    RawServer server(serve(answer));
    Client client = client_for(server);
    const Code code = get(client);
    EXPECT_EQ(requests_, 0);
    EXPECT_FALSE(client.last_verdict()->accepted());
    return code;
  };
  const auto answering = [](std::string answer) {
    return [answer = std::move(answer)](RawPeer&, const std::string&) { return answer; };
  };
  EXPECT_EQ(refused(answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")),
            Code::evidence_not_fresh);
  EXPECT_EQ(refused(answering("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")),
            Code::evidence_not_fresh);
  EXPECT_EQ(refused(answering(ok_answer(""))), Code::evidence_malformed);
  EXPECT_EQ(refused(answering(ok_answer("{}"))), Code::evidence_malformed);
  EXPECT_EQ(refused(answering(ok_answer(std::string(70000, 'x')))), Code::evidence_not_fresh);
}

// It holds the enclave's key and has the enclave make evidence for a connection of its own.
TEST_F(SessionTest, OfAThiefSeesNoRequest) {
  RawServer enclave(serve_honestly());
  std::string relayed;
  RawServer thief(serve([&](RawPeer&, const std::string& question) {
    Policy policy = platform_.policy;
    ClientOptions options;
    options.use_environment_proxy = false;
    Client relay = must(Client::create(enclave.url(), policy, options, platform_.source));
    const std::size_t end = question.find(" HTTP/1.1");
    const auto made = must(relay.get(question.substr(4, end - 4)));
    relayed = made.body;
    return ok_answer(made.body);
  }));
  Client client = client_for(thief);
  EXPECT_EQ(get(client), Code::evidence_not_fresh);
  EXPECT_GT(relayed.size(), 1000U) << "the enclave was glad to help";
  EXPECT_EQ(requests_, 0);
}

TEST_F(SessionTest, ThatHasEndedIsAskedForAnew) {
  RawServer server(serve_honestly(2));  // the question and one request
  Client client = client_for(server);
  EXPECT_EQ(get(client), Code::ok);
  EXPECT_EQ(get(client), Code::ok);
  EXPECT_EQ(questions_, 2);
  EXPECT_EQ(requests_, 2);
}

TEST_F(SessionTest, ThatEndsWithItsEvidenceIsNotUsed) {
  RawServer server(serve_honestly(1));  // the question alone
  Client client = client_for(server);
  EXPECT_EQ(get(client), Code::connection_closed);
  EXPECT_EQ(requests_, 0);
}

TEST_F(SessionTest, IsAskedForAgainWhenTheServerIsBusy) {
  RawServer server(serve([this](RawPeer& peer, const std::string& question) {
    if (questions_ > 1) return evidence(peer, question);
    return std::string("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  }));
  Client hasty = client_for(server);
  EXPECT_EQ(get(hasty), Code::quote_unavailable);
  EXPECT_EQ(hasty.last_verdict(), nullptr) << "there is none on the session";
  EXPECT_EQ(requests_, 0);
  questions_ = 0;
  ClientOptions patient;
  patient.retries = 1;
  Client client = client_for(server, patient);
  EXPECT_EQ(get(client), Code::ok);
  EXPECT_EQ(questions_, 2);
}

TEST_F(SessionTest, IsNotWaitedForWithoutEnd) {
  RawServer server([this](RawPeer& peer) {
    if (!peer.accept_tls(context_.get())) return;
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
    while (peer.write("x")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  ClientOptions options;
  options.total_timeout = std::chrono::milliseconds(300);
  Client client = client_for(server, options);
  EXPECT_EQ(get(client), Code::timeout);
}

// All but the question goes over a kept connection, and libcurl sends again over a new one when
// that turns out to be dead.
TEST_F(SessionTest, ThatDiesWithAPostDoesNotSeeItTwice) {
  std::atomic<int> posts = 0;
  RawServer server([&](RawPeer& peer) {
    if (!peer.accept_tls(context_.get())) return;
    for (;;) {
      const std::string request = peer.read_request();
      if (request.starts_with("POST")) ++posts;
      if (!request.starts_with(kQuestion) || !peer.write(evidence(peer, request))) return;
    }
  });
  Client client = client_for(server);
  const auto response = client.post("/pay", "x");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code(), Code::connection_closed);
  EXPECT_EQ(posts, 1);
}

TEST_F(SessionTest, IsAskedForBeforeAStream) {
  RawServer server(serve_honestly());
  Client client = client_for(server);
  ClientRequest request;
  request.path = "/stream";
  auto stream = client.open(request);
  ASSERT_TRUE(stream) << stream.error().message();
  EXPECT_TRUE(stream->identity().fresh);
  std::vector<std::uint8_t> part(100);
  EXPECT_GT(must(stream->read(part)), 0U);
  EXPECT_EQ(questions_, 1);
}

/// answer_of asks over a channel and gives what comes until its end.
std::string answer_of(Channel& channel) {
  std::size_t size = 0;
  EXPECT_EQ(channel.write("GET /path HTTP/1.1\r\n\r\n", size), Channel::Outcome::done);
  std::string arrived;
  std::array<char, 1000> buffer{};
  for (;;) {
    const auto outcome = channel.read(buffer, size);
    if (outcome == Channel::Outcome::done) {
      arrived.append(buffer.data(), size);
    } else if (outcome != Channel::Outcome::wait) {
      return arrived;
    }
  }
}

TEST_F(SessionTest, IsAskedForBeforeAChannelIsGivenAway) {
  RawServer server(serve_honestly(2));
  Client client = client_for(server);
  const auto channel = client.dial();
  ASSERT_TRUE(channel) << channel.error().message() << channel.error().detail();
  EXPECT_TRUE((*channel)->session()->peer().report().fresh);
  EXPECT_EQ(questions_, 1);
  EXPECT_TRUE(answer_of(**channel).starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(requests_, 1);
}

TEST_F(SessionTest, WithoutEvidenceIsNoChannel) {
  const auto refused = [&](const std::string& answer) {
    RawServer server(serve(
        [&](RawPeer& peer, const std::string& question) {
          return answer.empty() ? evidence(peer, question) + "more" : answer;
        },
        1));
    Client client = client_for(server);
    const auto channel = client.dial();
    EXPECT_TRUE(client.last_verdict() == nullptr || !client.last_verdict()->accepted());
    return channel ? Code::ok : channel.error().code();
  };
  EXPECT_EQ(refused("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
            Code::evidence_not_fresh);
  EXPECT_EQ(refused("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), Code::quote_unavailable);
  EXPECT_EQ(refused(ok_answer("{}")), Code::evidence_malformed);
  EXPECT_EQ(refused(ok_answer(std::string(70000, 'x'))), Code::evidence_not_fresh);
  EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Code::connection_closed);
  EXPECT_EQ(refused("HTTP/1.1 200 OK\r\n\r\n"), Code::connection_closed);
  EXPECT_EQ(refused("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            Code::evidence_not_fresh);
  EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nX: " + std::string(90000, 'x')), Code::answer_too_large);
  EXPECT_EQ(refused("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Code::connection_closed);
  EXPECT_EQ(refused(""), Code::connection_closed);
}

TEST_F(SessionTest, OfTls12IsRefused) {
  SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
  RawServer server(serve_honestly());
  Client client = client_for(server);
  EXPECT_EQ(get(client), Code::evidence_not_fresh);
  EXPECT_EQ(questions_ + requests_, 0);
  ASSERT_NE(client.last_verdict(), nullptr);
  EXPECT_FALSE(client.last_verdict()->accepted());
}

}  // namespace
}  // namespace ratls
