// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "ratls/client.h"
#include "support/attested_peer.h"
#include "support/raw_server.h"

// What goes wrong on the way, and what is repeated; redirects; proxies.
namespace ratls {
namespace {

using testing::answer_all;
using testing::Context;
using testing::Identity;
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

class ClientFailures : public ::testing::Test {
 protected:
  ClientFailures() { options_.use_environment_proxy = false; }

  Client make_client(const std::string& url) const {
    return must(Client::create(url, platform_.policy, options_, platform_.source));
  }
  // Serves one request of each connection with these bytes; the connection then just ends.
  RawServer::Serve answer_and_drop(std::string answer) const {
    return [this, answer = std::move(answer)](RawPeer& peer) {
      if (!peer.accept_tls(context_.get()) || peer.read_request().empty()) return;
      peer.write(answer);
    };
  }

  ClientOptions options_;
  const UnixTime now_ = system_now();
  const Platform platform_ = make_platform(now_);
  const Identity identity_ = make_identity(platform_, now_);
  const Context context_ = make_server_context(identity_);
};

TEST_F(ClientFailures, NobodyListens) {
  std::string url;
  {
    url = RawServer([](RawPeer&) {}).url();
  }
  Client client = make_client(url);
  EXPECT_EQ(code_of(client.get("/")), Code::connection_failed);
  EXPECT_EQ(code_of(client.connect()), Code::connection_failed);
  EXPECT_EQ(code_of(fetch_certificate(url, options_)), Code::connection_failed);
  EXPECT_EQ(client.last_verdict(), nullptr);
}

TEST_F(ClientFailures, NameDoesNotResolve) {
  EXPECT_EQ(code_of(make_client("https://host.invalid").get("/")), Code::connection_failed);
}

TEST_F(ClientFailures, ServerSpeaksNoTls) {
  RawServer server([](RawPeer& peer) {
    peer.read();
    peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::handshake_failed);
  EXPECT_EQ(code_of(fetch_certificate(server.url(), options_)), Code::handshake_failed);
}

TEST_F(ClientFailures, ServerClosesWithinTheHandshake) {
  RawServer server([](RawPeer& peer) { peer.read(); });
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::handshake_failed);
  EXPECT_EQ(code_of(make_client(server.url()).connect()), Code::handshake_failed);
}

TEST_F(ClientFailures, ServerNeverFinishesTheHandshake) {
  RawServer server([](RawPeer& peer) {
    while (!peer.read().empty()) {
    }
  });
  options_.connect_timeout = std::chrono::milliseconds(100);
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::timeout);
  EXPECT_EQ(code_of(fetch_certificate(server.url(), options_)), Code::timeout);
}

TEST_F(ClientFailures, ServerNeverAnswers) {
  RawServer server([this](RawPeer& peer) {
    if (!peer.accept_tls(context_.get())) return;
    while (!peer.read().empty()) {
    }
  });
  options_.stall_timeout = std::chrono::milliseconds(100);
  options_.retries = 3;
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::timeout);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientFailures, ServerKeepsDripping) {
  RawServer server([this](RawPeer& peer) {
    if (!peer.accept_tls(context_.get())) return;
    peer.read();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (peer.write("x")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  options_.total_timeout = std::chrono::milliseconds(300);
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::timeout);
}

TEST_F(ClientFailures, TruncatedAnswersAreNone) {
  for (const char* answer :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
        // Ended by the connection, which ends without a close_notify.
        "HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"}) {
    RawServer server(answer_and_drop(answer));
    const auto response = make_client(server.url()).get("/");
    EXPECT_EQ(code_of(response), Code::connection_closed) << answer;
  }
}

TEST_F(ClientFailures, TruncatedHeadWithCloseNotifyIsNone) {
  for (const char* answer : {"", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"}) {
    RawServer server([&](RawPeer& peer) {
      if (!peer.accept_tls(context_.get()) || peer.read_request().empty()) return;
      peer.write(answer);
      peer.close_notify();
    });
    EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::connection_closed) << answer;
  }
}

TEST_F(ClientFailures, OtherTransferCodingsAreRefused) {
  for (const char* head :
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        // libcurl keeps the coding for the final answer.
        "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: gzip\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        // libcurl does not unfold: for it the body ends with the connection.
        "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\nabc"}) {
    RawServer server(answer_and_drop(head));
    EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::connection_closed) << head;
  }
}

TEST_F(ClientFailures, EndlessTrailersAreCutOff) {
  std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  for (int count = 0; count < 300; ++count) answer += "A: " + std::string(1000, 'x') + "\r\n";
  RawServer server(answer_and_drop(answer + "\r\n"));
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::answer_too_large);
}

TEST_F(ClientFailures, CloseNotifyEndsAnAnswerWithoutLength) {
  RawServer server([this](RawPeer& peer) {
    if (!peer.accept_tls(context_.get()) || peer.read_request().empty()) return;
    peer.write("HTTP/1.1 200 OK\r\n\r\nabc");
    peer.close_notify();
  });
  const auto response = make_client(server.url()).get("/");
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body, "abc");
}

TEST_F(ClientFailures, AnswerThatIsNoHttp) {
  RawServer server(answer_and_drop("SSH-2.0-OpenSSH\r\n"));
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::connection_closed);
}

TEST_F(ClientFailures, ServerGoneDuringUpload) {
  RawServer server([this](RawPeer& peer) {
    if (peer.accept_tls(context_.get())) peer.read();
  });
  Client client = make_client(server.url());
  EXPECT_EQ(code_of(client.post("/", std::string(32 * 1024 * 1024, 'x'))), Code::connection_closed);
}

TEST_F(ClientFailures, InterimResponsesDoNotLeakHeaders) {
  RawServer server(answer_all(context_.get(), [](const std::string&) {
    return "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" + ok_answer("x");
  }));
  const auto response = make_client(server.url()).get("/");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->header("x-early"), "");
}

// The first connections of a server that comes up late end in the handshake.
RawServer::Serve after_failures(SSL_CTX* context, int failures, std::atomic<int>& seen) {
  return [context, failures, &seen](RawPeer& peer) {
    if (seen++ < failures) {
      peer.read();
      return;
    }
    answer_all(context, [](const std::string& request) { return ok_answer(request); })(peer);
  };
}

TEST_F(ClientFailures, RepeatsConnectionErrors) {
  options_.retries = 1;
  std::atomic<int> seen = 0;
  RawServer server(after_failures(context_.get(), 1, seen));
  EXPECT_TRUE(make_client(server.url()).post("/", "x"));
  EXPECT_EQ(seen, 2);
  seen = 0;
  EXPECT_TRUE(make_client(server.url()).connect());
  seen = 0;
  EXPECT_TRUE(fetch_certificate(server.url(), options_));
}

TEST_F(ClientFailures, StopsRepeatingAtTheLimit) {
  options_.retries = 1;
  std::atomic<int> seen = 0;
  RawServer server(after_failures(context_.get(), 2, seen));
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::handshake_failed);
  EXPECT_EQ(seen, 2);
}

TEST_F(ClientFailures, RepeatsOnlyIdempotentRequests) {
  options_.retries = 1;
  RawServer server(answer_and_drop(""));
  EXPECT_EQ(code_of(make_client(server.url()).post("/", "x")), Code::connection_closed);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::connection_closed);
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(ClientFailures, DoesNotRepeatOnceAnAnswerHasBegun) {
  options_.retries = 1;
  RawServer server(answer_and_drop("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"));
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::connection_closed);
  EXPECT_EQ(server.connections(), 1);
}

// libcurl sends a request again when a kept connection ends without an answer.
TEST_F(ClientFailures, DoesNotPostTwiceWhenAKeptConnectionDies) {
  std::atomic<int> posts = 0;
  RawServer server([&](RawPeer& peer) {
    if (!peer.accept_tls(context_.get())) return;
    for (;;) {
      const std::string request = peer.read_request();
      if (request.starts_with("POST")) ++posts;
      if (!request.starts_with("GET") || !peer.write(ok_answer("x"))) return;
    }
  });
  Client client = make_client(server.url());
  ASSERT_TRUE(client.get("/"));
  EXPECT_EQ(code_of(client.post("/", "x")), Code::connection_closed);
  EXPECT_EQ(posts, 1);
}

TEST_F(ClientFailures, GetsAgainWhenAKeptConnectionDies) {
  std::atomic<int> requests = 0;
  RawServer server([&](RawPeer& peer) {
    if (!peer.accept_tls(context_.get())) return;
    while (!peer.read_request().empty()) {
      if (++requests == 2 || !peer.write(ok_answer("x"))) return;
    }
  });
  Client client = make_client(server.url());
  ASSERT_TRUE(client.get("/"));
  EXPECT_TRUE(client.get("/"));
  EXPECT_EQ(server.connections(), 2);
}

std::string redirect_answer(int status, const std::string& location) {
  return "HTTP/1.1 " + std::to_string(status) + " Elsewhere\r\nX-Old: 1\r\nLocation: " + location +
         "\r\nContent-Length: 3\r\n\r\nold";
}

TEST_F(ClientFailures, FollowsRedirectsWithinTheOrigin) {
  RawServer server(answer_all(context_.get(), [](const std::string& request) {
    if (request.find(" /a ") != std::string::npos) return redirect_answer(303, "/b");
    if (request.find(" /c ") != std::string::npos) return redirect_answer(308, "b");
    return ok_answer(request);
  }));
  Client client = make_client(server.url());
  const auto seen = client.post("/a", "body");
  ASSERT_TRUE(seen) << seen.error().message();
  EXPECT_TRUE(seen->body.starts_with("GET /b "));
  EXPECT_EQ(seen->header("x-old"), "");
  std::string sunk;
  ClientRequest request;
  request.method = "POST";
  request.path = "/c";
  request.body = "body";
  const auto repeated = client.request(request, [&](BytesView part) {
    sunk.append(part.begin(), part.end());
    return true;
  });
  ASSERT_TRUE(repeated);
  EXPECT_TRUE(sunk.starts_with("POST /b ")) << sunk;
  EXPECT_TRUE(sunk.ends_with("body"));
}

TEST_F(ClientFailures, RefusesRedirectsToElsewhere) {
  RawServer other(answer_all(context_.get(), [](const std::string&) { return ok_answer("x"); }));
  for (const std::string& location :
       {other.url(), std::string("http://127.0.0.1/"), std::string("//other/"),
        std::string("https://user@127.0.0.1/"), std::string("file:///etc/passwd")}) {
    RawServer server(answer_all(
        context_.get(), [&](const std::string&) { return redirect_answer(302, location); }));
    EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::redirect_refused) << location;
  }
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(ClientFailures, LimitsRedirects) {
  RawServer server(
      answer_all(context_.get(), [](const std::string&) { return redirect_answer(302, "/"); }));
  options_.max_redirects = 2;
  EXPECT_EQ(code_of(make_client(server.url()).get("/")), Code::redirect_refused);
  options_.max_redirects = 0;
  const auto handed_back = make_client(server.url()).get("/");
  ASSERT_TRUE(handed_back);
  EXPECT_EQ(handed_back->status, 302);
  EXPECT_EQ(handed_back->body, "old");
}

// A proxy of few lines: takes CONNECT and carries bytes to one port.
RawServer::Serve tunnel_to(int port, std::string& first_line) {
  return [port, &first_line](RawPeer& peer) {
    const std::string head = peer.read_request();
    first_line = head;
    const int far = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::connect(far, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        peer.write("HTTP/1.1 200 Tunnel\r\nX-Proxy: 1\r\n\r\n")) {
      std::thread back([&] {
        std::array<char, 4096> part{};
        for (long n = 0; (n = ::recv(far, part.data(), part.size(), 0)) > 0;) {
          peer.write(std::string_view(part.data(), static_cast<std::size_t>(n)));
        }
        ::shutdown(peer.fd(), SHUT_RDWR);
      });
      for (std::string part; !(part = peer.read()).empty();) {
        ::send(far, part.data(), part.size(), MSG_NOSIGNAL);
      }
      ::shutdown(far, SHUT_RDWR);
      back.join();
    }
    ::close(far);
  };
}

TEST_F(ClientFailures, TunnelsThroughAnHttpProxy) {
  RawServer server(answer_all(context_.get(), [](const std::string& r) { return ok_answer(r); }));
  std::string asked;
  {
    RawServer proxy(tunnel_to(server.port(), asked));
    options_.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
    // The name is the proxy's to resolve, and the verdict is about the far end.
    Client client = make_client("https://server.invalid:8000");
    ClientRequest request;
    request.headers = {{"X-Secret", "1"}};
    const auto response = client.request(request);
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->header("x-proxy"), "");
    EXPECT_NE(response->session, nullptr);
    EXPECT_NE(response->body.find("X-Secret"), std::string::npos);
    EXPECT_TRUE(client.connect());
    EXPECT_EQ(*fetch_certificate("https://server.invalid:8000", options_), identity_.certificate);
  }
  EXPECT_TRUE(asked.starts_with("CONNECT server.invalid:8000 HTTP/1.1\r\n")) << asked;
  EXPECT_EQ(asked.find("X-Secret"), std::string::npos);
}

TEST_F(ClientFailures, ProxyThatRefusesIsNoAnswer) {
  RawServer proxy([](RawPeer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK?\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  });
  RawServer refusing([](RawPeer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\nx");
  });
  options_.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  EXPECT_EQ(code_of(make_client("https://server.invalid").get("/")), Code::handshake_failed);
  options_.proxy = "http://127.0.0.1:" + std::to_string(refusing.port());
  EXPECT_EQ(code_of(make_client("https://server.invalid").get("/")), Code::proxy_failed);
}

}  // namespace
}  // namespace ratls
