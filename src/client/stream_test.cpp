// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ratls/client.h"
#include "support/attested_peer.h"
#include "support/raw_server.h"

namespace ratls {
namespace {

using testing::answer_all;
using testing::must;
using testing::ok_answer;
using testing::RawPeer;
using testing::RawServer;

ClientOptions local_options() {
  ClientOptions options;
  options.use_environment_proxy = false;
  return options;
}

class StreamTest : public ::testing::Test {
 protected:
  Client make_client(const std::string& url, const ClientOptions& options = local_options()) const {
    return must(Client::create(url, platform_.policy, options, platform_.source));
  }

  const testing::Platform platform_ = testing::make_platform(system_now());
  const testing::Context context_ =
      testing::make_server_context(testing::make_identity(platform_, system_now()));
};

std::string echo(const std::string& request) { return ok_answer(request); }

std::string read_to_end(ResponseStream& stream, std::size_t part_size) {
  std::string body;
  std::vector<std::uint8_t> part(part_size);
  for (;;) {
    const auto size = stream.read(part);
    if (!size) return "error: " + std::string(describe(size.error().code()).name);
    if (*size == 0) return body;
    body.append(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*size));
  }
}

TEST_F(StreamTest, StreamsABodyLargerThanItMayKeep) {
  std::string content(3 << 20, 'a');
  for (std::size_t i = 0; i < content.size(); i += 1000)
    content[i] = static_cast<char>('b' + i % 24);
  RawServer server(answer_all(
      context_.get(), [&](const std::string&) { return ok_answer(content, "X-Name: value\r\n"); }));
  ClientOptions options = local_options();
  options.max_body_bytes = 1000;
  Client client = make_client(server.url(), options);
  for (const std::size_t part_size : {std::size_t{1} << 20, std::size_t{777}}) {
    auto stream = client.open({});
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ(stream->status(), 200);
    EXPECT_EQ(stream->header("x-NAME"), "value");
    EXPECT_EQ(stream->identity().enclave->mr_enclave, platform_.world.quote_spec.report.mr_enclave);
    EXPECT_TRUE(read_to_end(*stream, part_size) == content);
    EXPECT_EQ(read_to_end(*stream, part_size), "");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(StreamTest, AStreamOutlivesItsClientAndMayEndEarly) {
  RawServer server(answer_all(
      context_.get(), [](const std::string&) { return ok_answer(std::string(2 << 20, 'x')); }));
  auto client = std::make_unique<Client>(make_client(server.url()));
  auto first = client->open({});
  auto second = client->open({});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(server.connections(), 2);
  { const ResponseStream ended = std::move(*first); }
  EXPECT_TRUE(client->get("/"));
  EXPECT_EQ(server.connections(), 3);
  client.reset();
  EXPECT_EQ(read_to_end(*second, 4096).size(), std::size_t{2 << 20});
}

TEST_F(StreamTest, AStreamThatStallsEndsWithAnError) {
  RawServer server([&](RawPeer& peer) {
    if (!peer.accept_tls(context_.get())) return;
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    peer.read_request();  // until the client has gone
  });
  ClientOptions options = local_options();
  options.stall_timeout = std::chrono::milliseconds(300);
  auto stream = make_client(server.url(), options).open({});
  ASSERT_TRUE(stream);
  EXPECT_EQ(read_to_end(*stream, 100), "error: timeout");
  EXPECT_EQ(read_to_end(*stream, 100), "error: timeout");
}

TEST_F(StreamTest, TellsWhoAsksOfTheVerdict) {
  RawServer server(answer_all(context_.get(), echo));
  Client client = make_client(server.url());
  std::vector<std::shared_ptr<const Verdict>> heard;
  ClientRequest request;
  request.on_verdict = [&](const auto& verdict) { heard.push_back(verdict); };
  EXPECT_TRUE(client.request(request));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_TRUE(heard[0]->accepted());
  EXPECT_TRUE(client.request(request));  // on the kept connection
  EXPECT_EQ(heard.size(), 1u);
  EXPECT_TRUE(client.connect(request.on_verdict));
  EXPECT_EQ(heard.size(), 2u);
}

TEST_F(StreamTest, ARequestMayHaveTimeLimitsOfItsOwn) {
  RawServer server([&](RawPeer& peer) {
    if (!peer.accept_tls(context_.get())) return;
    peer.read_request();
    peer.read_request();  // until the client has gone
  });
  Client client = make_client(server.url());
  ClientRequest request;
  request.total_timeout = std::chrono::milliseconds(200);
  EXPECT_EQ(client.request(request).error().code(), Code::timeout);
  request.stall_timeout = std::chrono::milliseconds(-1);
  EXPECT_EQ(client.request(request).error().code(), Code::usage);
}

}  // namespace
}  // namespace ratls
