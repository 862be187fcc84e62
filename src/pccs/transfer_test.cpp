// SPDX-License-Identifier: Apache-2.0
#include "pccs/transfer.h"

#include <gmock/gmock.h>

#include <ctime>

#include "support/raw_server.h"

namespace ratls::pccs {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::RawPeer;
using testing::RawServer;

constexpr auto kLong = 60s;  // never waited for

// The outcome of one get, and how often the server was asked.
struct Asked {
  Result<Answer> outcome;
  int connections = 0;
  steady_clock::duration time{};
};

Asked ask(RawServer::Serve serve, steady_clock::duration limit = kLong, std::stop_token stop = {}) {
  RawServer server(std::move(serve));
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/tcb";
  const auto start = steady_clock::now();
  auto outcome = get(url, std::nullopt, {.deadline = start + limit, .stop = std::move(stop)});
  return {std::move(outcome), server.connections(), steady_clock::now() - start};
}

Code code_of(const Asked& asked) { return asked.outcome ? Code::ok : asked.outcome.error().code(); }

// Each connection gets the next of the answers, the last one again and again, and is closed.
RawServer::Serve answers(std::vector<std::string> list) {
  auto next = std::make_shared<std::atomic<std::size_t>>(0);
  return [list = std::move(list), next](RawPeer& peer) {
    peer.read_request();
    peer.write(list[std::min(next->fetch_add(1), list.size() - 1)]);
  };
}

// Writes a beginning, and then one thing for as long as the client is there.
RawServer::Serve endless(std::string begin, std::string more, std::chrono::milliseconds pause) {
  return [=](RawPeer& peer) {
    peer.read_request();
    if (!peer.write(begin)) return;
    if (more.empty()) peer.read();
    while (!more.empty() && peer.write(more)) std::this_thread::sleep_for(pause);
  };
}

std::string with_status(const std::string& status, const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n" + headers + "\r\n";
}

std::string http_date(std::time_t time) {
  std::array<char, 64> text{};
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text.data();
}

const std::string kOk = testing::ok_answer("body", "TCB-Info-Issuer-Chain: chain\r\n");

TEST(Get, GivesBodyAndChain) {
  const Asked asked = ask(answers({kOk}));
  ASSERT_EQ(code_of(asked), Code::ok);
  EXPECT_EQ(asked.outcome->status, 200);
  EXPECT_EQ(asked.outcome->body, "body");
  EXPECT_EQ(asked.outcome->chain, "chain");
}

// A byte now and then keeps a limit of silence from counting; the time as a whole does.
TEST(Get, DoesNotWaitForSlowAnswers) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  for (const auto& serve :
       {endless("", "", 20ms), endless(head + "X-A: ", "a", 20ms),
        endless(head, "X-A: a\r\n", 20ms),
        endless(head + "Content-Length: 9999\r\n\r\n", "x", 20ms),
        endless(head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 20ms)}) {
    const Asked asked = ask(serve, 300ms);
    EXPECT_EQ(code_of(asked), Code::collateral_unavailable);
    EXPECT_EQ(asked.connections, 1);
    EXPECT_LT(asked.time, kLong / 2);
  }
}

TEST(Get, EndsWhenItIsStopped) {
  std::stop_source stop;
  const Asked asked = ask(
      [&](RawPeer& peer) {
        peer.read_request();
        stop.request_stop();
        peer.read();
      },
      kLong, stop.get_token());
  EXPECT_EQ(code_of(asked), Code::collateral_unavailable);
  EXPECT_EQ(asked.connections, 1);
}

TEST(Get, BoundsTheBody) {
  const std::string large(2 << 20, 'x');
  for (const std::string& answer :
       {testing::ok_answer(large), "HTTP/1.1 200 OK\r\n\r\n" + large,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + large +
            "\r\n0\r\n\r\n"}) {
    const Asked asked = ask(answers({answer}));
    EXPECT_EQ(code_of(asked), Code::collateral_unavailable);
    EXPECT_EQ(asked.connections, 1);
  }
  const Asked fits = ask(answers({testing::ok_answer(large.substr(0, 1 << 20))}));
  ASSERT_EQ(code_of(fits), Code::ok);
  EXPECT_EQ(fits.outcome->body.size(), 1u << 20);
}

// They would fill the memory of a client that reads until the time is over.
TEST(Get, BoundsTheHead) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string line = "X-A: " + std::string(8000, 'a') + "\r\n";
  for (const auto& serve :
       {endless(head + "X-A: ", std::string(8000, 'a'), 0ms), endless(head, line, 0ms),
        endless("", "HTTP/1.1 103 Early Hints\r\n" + line + "\r\n", 0ms)}) {
    const Asked asked = ask(serve);
    EXPECT_EQ(code_of(asked), Code::collateral_unavailable);
    EXPECT_LT(asked.time, 12s);
  }
}

TEST(Get, RepeatsWhatIsCut) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  for (const std::string& cut :
       {std::string(), head, head + "Content-Le", head + "Content-Length: 10\r\n\r\nhalf",
        head + "Transfer-Encoding: chunked\r\n\r\n10\r\nhalf",
        head + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"}) {
    const Asked failed = ask(answers({cut}));
    EXPECT_EQ(code_of(failed), Code::collateral_unavailable) << cut;
    EXPECT_EQ(failed.connections, 3) << cut;
    const Asked repeated = ask(answers({cut, kOk}));
    ASSERT_EQ(code_of(repeated), Code::ok) << cut;
    EXPECT_EQ(repeated.outcome->body, "body");
    EXPECT_EQ(repeated.connections, 2) << cut;
  }
}

TEST(Get, RefusesWhatIsNoHttp) {
  for (const std::string& answer :
       {std::string("body"), std::string("\x15\x03\x03"), std::string("HTTP/1.1 20x OK\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nbody"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: four\r\n\r\nbody"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nbody")}) {
    EXPECT_EQ(code_of(ask(answers({answer}))), Code::collateral_unavailable) << answer;
  }
}

TEST(Get, FollowsNoRedirect) {
  RawServer other(answers({kOk}));
  const std::string location =
      "Location: http://127.0.0.1:" + std::to_string(other.port()) + "/\r\n";
  for (const char* status : {"301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect",
                             "308 Permanent Redirect"}) {
    const Asked asked = ask(answers({with_status(status, location)}));
    EXPECT_EQ(code_of(asked), Code::collateral_unavailable) << status;
    EXPECT_EQ(asked.connections, 1) << status;
  }
  EXPECT_EQ(other.connections(), 0);
}

TEST(Get, HasACodeForEachStatus) {
  EXPECT_EQ(ask(answers({with_status("404 Not Found")})).outcome->status, 404);
  EXPECT_EQ(code_of(ask(answers({with_status("410 Gone")}))), Code::collateral_number_retired);
  for (const char* final_one : {"204 No Content", "206 Partial Content", "400 Bad Request",
                                "401 Unauthorized", "403 Forbidden"}) {
    const Asked asked = ask(answers({with_status(final_one)}));
    EXPECT_EQ(code_of(asked), Code::collateral_unavailable) << final_one;
    EXPECT_EQ(asked.connections, 1) << final_one;
  }
  for (const char* passing : {"429 Too Many Requests", "500 Error", "503 Unavailable"}) {
    const Asked asked = ask(answers({with_status(passing)}));
    EXPECT_EQ(code_of(asked), Code::collateral_unavailable) << passing;
    EXPECT_EQ(asked.connections, 3) << passing;
  }
}

TEST(Get, WaitsAsLongAsItIsAsked) {
  for (const std::string& after : {std::string("1"), http_date(std::time(nullptr) + 3)}) {
    const Asked asked =
        ask(answers({with_status("503 Unavailable", "Retry-After: " + after + "\r\n"), kOk}));
    EXPECT_EQ(code_of(asked), Code::ok) << after;
    EXPECT_EQ(asked.connections, 2) << after;
    EXPECT_GE(asked.time, 900ms) << after;  // without it: 250 ms
  }
}

TEST(Get, DoesNotWaitForLong) {
  for (const std::string& after :
       {std::string("6"), std::string("3600"), http_date(std::time(nullptr) + 3600)}) {
    const Asked asked =
        ask(answers({with_status("429 Too Many Requests", "Retry-After: " + after + "\r\n"), kOk}));
    EXPECT_EQ(code_of(asked), Code::collateral_unavailable) << after;
    EXPECT_EQ(asked.connections, 1) << after;
  }
  // Nor beyond the end of its own time.
  const Asked asked = ask(answers({with_status("503 Unavailable", "Retry-After: 3\r\n"), kOk}), 2s);
  EXPECT_EQ(code_of(asked), Code::collateral_unavailable);
  EXPECT_EQ(asked.connections, 1);
}

TEST(Get, TakesItsOwnPauseForAnOddRetryAfter) {
  for (const std::string& after :
       {std::string("-5"), std::string("soon"), http_date(std::time(nullptr) - 3600)}) {
    const Asked asked =
        ask(answers({with_status("503 Unavailable", "Retry-After: " + after + "\r\n"), kOk}));
    EXPECT_EQ(code_of(asked), Code::ok) << after;
    EXPECT_EQ(asked.connections, 2) << after;
  }
}

}  // namespace
}  // namespace ratls::pccs
