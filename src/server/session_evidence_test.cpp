// SPDX-License-Identifier: Apache-2.0
#include "server/session_evidence.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <future>
#include <thread>

#include "evidence/evidence.h"
#include "ratls/server.h"
#include "support/fake_quote.h"
#include "support/tls_client.h"
#include "tls/session_binding.h"

namespace ratls {
namespace {

using testing::Answer;
using testing::TlsClient;
using testing::TlsClientOptions;

constexpr std::string_view kGreeting = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

SessionNonce nonce() {
  SessionNonce out;
  out.bytes.fill(0x5a);
  return out;
}

std::string question(const SessionNonce& asked = nonce()) {
  return std::string("GET ") + SessionChallenge::kPath + "?nonce=" + to_hex(asked) +
         " HTTP/1.1\r\nHost: h\r\n\r\n";
}

/// SessionEvidenceTest has a server whose quotes a test can hold back, or refuse.
class SessionEvidenceTest : public ::testing::Test {
 protected:
  ~SessionEvidenceTest() override { let_go(); }

  void serve(ServerOptions options = {}) {
    options.port = 0;
    const QuoteSource source = [this](const ReportData& report_data) -> Result<Bytes> {
      ++quotes_;
      if (held_back_) let_go_.get_future().wait();
      if (refused_) return Error(Code::quote_unavailable, "test", "no quote");
      return testing::make_fake_quote({.report_data = report_data});
    };
    server_.emplace(options);
    server_->route("GET", "/", [](const Request&) { return Response::text("hello"); });
    CertificateOptions certificate;
    certificate.legacy_extension = false;
    ASSERT_TRUE(server_->start(Attester::create(source, certificate).value()).has_value());
    quotes_ = 0;
  }
  void hold_back() { held_back_ = true; }
  void let_go() {
    if (held_back_.exchange(false)) let_go_.set_value();
  }
  void wait_for_quote() const {
    while (quotes_ == 0) std::this_thread::yield();
  }
  std::uint16_t port() const { return server_->port(); }

  std::atomic<int> quotes_ = 0;
  std::atomic<bool> held_back_ = false;
  std::atomic<bool> refused_ = false;
  std::promise<void> let_go_;
  std::optional<Server> server_;
};

TEST_F(SessionEvidenceTest, IsBoundToTheConnection) {
  serve();
  TlsClient client(port());
  const Answer answer = client.ask(question());
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "application/cbor");
  EXPECT_EQ(answer.header("cache-control"), "no-store");
  const Bytes body(answer.body.begin(), answer.body.end());
  const auto session = evidence::read_session_evidence(body);
  ASSERT_TRUE(session) << session.error().message();
  EXPECT_EQ(session->claims->session, tls::export_session(client.ssl(), nonce()));
  EXPECT_EQ(client.ask(kGreeting).body, "hello") << "the connection goes on";
}

TEST_F(SessionEvidenceTest, KeepsTheOrderAndHoldsNobodyElseUp) {
  ServerOptions options;
  options.threads = 1;
  serve(options);
  hold_back();
  TlsClient client(port());
  client.send(std::string(kGreeting) + question() + std::string(kGreeting));
  wait_for_quote();
  EXPECT_EQ(TlsClient(port()).ask(kGreeting).body, "hello");
  let_go();
  EXPECT_EQ(client.read_answer().body, "hello");
  EXPECT_EQ(client.read_answer().header("content-type"), "application/cbor");
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST_F(SessionEvidenceTest, ThatCannotBeMadeIsSaidSo) {
  serve();
  refused_ = true;
  TlsClient client(port());
  EXPECT_EQ(client.ask(question()).status, 503);
  refused_ = false;
  EXPECT_EQ(client.ask(question()).status, 200);
}

TEST_F(SessionEvidenceTest, IsNotMadeForMoreThanCanWait) {
  serve();
  hold_back();
  std::vector<std::unique_ptr<TlsClient>> clients;
  std::vector<pollfd> answered;
  for (int i = 0; i < 66; ++i) {  // one is the thread's already, 64 wait
    clients.push_back(std::make_unique<TlsClient>(port()));
    answered.push_back({clients.back()->fd(), POLLIN, 0});
    clients.back()->send(question());
    if (i == 0) wait_for_quote();
  }
  ASSERT_EQ(::poll(answered.data(), answered.size(), 20000), 1);
  let_go();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const bool was_turned_away = answered[i].revents != 0;
    const Answer answer = clients[i]->read_answer();
    EXPECT_EQ(answer.status, was_turned_away ? 503 : 200);
    EXPECT_EQ(answer.header("retry-after"), was_turned_away ? "1" : "");
  }
}

TEST_F(SessionEvidenceTest, IsGivenUpAfterATime) {
  ServerOptions options;
  options.upstream_timeout = std::chrono::seconds(1);
  serve(options);
  hold_back();
  TlsClient client(port());
  EXPECT_EQ(client.ask(question()).status, 503);
  // What was made for the first question is no answer to the second.
  SessionNonce other;
  other.bytes.fill(7);
  client.send(question(other));
  EXPECT_EQ(TlsClient(port()).ask(kGreeting).body, "hello");
  let_go();
  const Answer answer = client.read_answer();
  const auto session =
      evidence::read_session_evidence(Bytes(answer.body.begin(), answer.body.end()));
  ASSERT_TRUE(session);
  EXPECT_EQ(session->claims->session, tls::export_session(client.ssl(), other));
}

TEST_F(SessionEvidenceTest, IsNobodysWhenTheClientHasLeft) {
  serve();
  hold_back();
  {
    TlsClient client(port());
    client.send(question());
    wait_for_quote();
  }
  let_go();
  EXPECT_EQ(TlsClient(port()).ask(question()).status, 200);
}

TEST_F(SessionEvidenceTest, LeavesNoPlaceToThoseWhoHaveLeft) {
  ServerOptions options;
  options.threads = 1;
  serve(options);
  hold_back();
  std::vector<std::unique_ptr<TlsClient>> clients;
  for (int i = 0; i < 65; ++i) {
    clients.push_back(std::make_unique<TlsClient>(port()));
    clients.back()->send(question());
    if (i == 0) wait_for_quote();
  }
  clients.resize(1);
  // Their places are free as soon as the server has looked: once a second.
  TlsClient patient(port());
  pollfd turned_away{patient.fd(), POLLIN, 0};
  do {
    patient.send(question());
  } while (::poll(&turned_away, 1, 200) == 1 && patient.read_answer().status == 503);
  let_go();
  EXPECT_EQ(patient.read_answer().status, 200);
  EXPECT_EQ(clients[0]->read_answer().status, 200);
  EXPECT_LE(quotes_, 3) << "none was made for the others";
}

TEST_F(SessionEvidenceTest, IsNoClientsFirstRequest) {
  serve();
  TlsClient client(port());  // it has a request to come when the server stops
  TlsClient idle(port());
  EXPECT_EQ(idle.ask(kGreeting).status, 200);
  std::thread stopping([this] { server_->stop(); });
  EXPECT_TRUE(idle.is_ended()) << "the server stops";
  EXPECT_EQ(client.ask(question()).status, 200);
  EXPECT_EQ(client.ask(kGreeting).body, "hello");
  stopping.join();
}

TEST_F(SessionEvidenceTest, EndsWithTheServer) {
  ServerOptions options;
  options.drain_timeout = std::chrono::seconds(1);
  serve(options);
  hold_back();
  TlsClient client(port());
  TlsClient idle(port());
  EXPECT_EQ(idle.ask(kGreeting).status, 200);
  client.send(question());
  wait_for_quote();
  std::thread stopping([this] { server_->stop(); });
  EXPECT_TRUE(idle.is_ended()) << "the server stops";
  EXPECT_EQ(client.read_answer().status, 0) << "the quote takes longer than the server waits";
  let_go();
  stopping.join();
}

TEST_F(SessionEvidenceTest, NeedsTls13) {
  ServerOptions options;
  options.lowest_tls = TlsVersion::tls12;
  serve(options);
  TlsClientOptions old;
  old.highest_version = TLS1_2_VERSION;
  EXPECT_EQ(TlsClient(port(), old).ask(question()).status, 400);
  EXPECT_EQ(quotes_, 0);
}

TEST_F(SessionEvidenceTest, CanBeSwitchedOff) {
  ServerOptions options;
  options.session_evidence = false;
  serve(options);
  EXPECT_EQ(TlsClient(port()).ask(question()).status, 404);
  EXPECT_EQ(quotes_, 0);
}

}  // namespace
}  // namespace ratls
