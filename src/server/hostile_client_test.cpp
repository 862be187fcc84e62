// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/kdf.h>
#include <sys/resource.h>

#include <cstdlib>
#include <ctime>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "base/reader.h"
#include "ratls/server.h"
#include "support/fake_attester.h"
#include "support/raw_server.h"
#include "support/tls_client.h"

// Clients that want the server's time or memory for themselves.
namespace ratls {
namespace {

using ratls::testing::fake_attester;
using ratls::testing::TlsClient;
using std::chrono::seconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class HostileClient : public ::testing::Test {
 protected:
  void serve(ServerOptions options) {
    options.port = 0;
    server_ = std::make_unique<Server>(options);
    server_->route("GET", "/", [](const Request&) { return Response::text("here"); })
        .route("POST", "/echo",
               [](const Request& request) { return Response::text(request.body); });
    ASSERT_TRUE(server_->start(fake_attester()).has_value());
  }
  std::uint16_t port() const { return server_->port(); }

  std::unique_ptr<Server> server_;
};

TEST_F(HostileClient, IsAnsweredAfterKeyUpdates) {
  serve({.threads = 1});
  TlsClient client(port());
  for (int count = 0; count < 5000; ++count) {
    ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(client.ssl()), 1);
  }
  EXPECT_EQ(client.ask(kGet).status, 200);
  EXPECT_EQ(client.ask(kGet).status, 200);
}

// Keeps sending what has no plaintext in it, until the server ends the connection.
void flood_with_key_updates(const TlsClient& client) {
  while (SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
         SSL_do_handshake(client.ssl()) == 1) {
  }
  ERR_clear_error();
}

TEST_F(HostileClient, ServesOthersDuringKeyUpdates) {
  serve({.threads = 1, .keep_alive_timeout = seconds(2)});
  std::vector<std::future<void>> floods;
  for (int count = 0; count < 3; ++count) {
    floods.push_back(std::async(std::launch::async, [this] {
      const TlsClient client(port());
      flood_with_key_updates(client);
    }));
  }
  for (int count = 0; count < 5; ++count) EXPECT_EQ(TlsClient(port()).ask(kGet).status, 200);
  // Each ends only because its deadline is looked at while it floods.
  for (auto& flood : floods) flood.get();
}

/// RecordWriter protects records as the client of a connection does (RFC 8446 5.2, 7.3), for what
/// OpenSSL would not send.
class RecordWriter {
 public:
  /// The secret is the client's for application data, so many records of which it has sent.
  RecordWriter(const Bytes& secret, std::uint8_t records_sent) {
    key_ = expand(secret, "key", 16);
    nonce_ = expand(secret, "iv", 12);
    nonce_.back() ^= records_sent;
  }

  /// handshake_record has a part of a handshake message in it.
  std::string handshake_record(std::string_view part) const {
    std::string plain(part);
    plain += '\x16';  // handshake
    const std::size_t size = plain.size() + 16;
    std::string record = {'\x17', 3, 3, 0, static_cast<char>(size)};
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    int count = 0;
    std::string sealed(size, '\0');
    EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, key_.data(), nonce_.data());
    EVP_EncryptUpdate(context.get(), nullptr, &count, as_bytes(record).data(), 5);
    auto* const out = reinterpret_cast<unsigned char*>(sealed.data());
    EVP_EncryptUpdate(context.get(), out, &count, as_bytes(plain).data(),
                      static_cast<int>(plain.size()));
    EVP_EncryptFinal_ex(context.get(), out + count, &count);
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, out + plain.size());
    return record + sealed;
  }

 private:
  static Bytes expand(const Bytes& secret, std::string_view label, std::size_t size) {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), &EVP_PKEY_CTX_free);
    const std::string full = "tls13 " + std::string(label);
    std::string info = {0, static_cast<char>(size), static_cast<char>(full.size())};
    info += full + '\0';
    Bytes out(size);
    EVP_PKEY_derive_init(context.get());
    EVP_PKEY_CTX_set_hkdf_mode(context.get(), EVP_PKEY_HKDEF_MODE_EXPAND_ONLY);
    EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256());
    EVP_PKEY_CTX_set1_hkdf_key(context.get(), secret.data(), static_cast<int>(secret.size()));
    EVP_PKEY_CTX_add1_hkdf_info(context.get(), as_bytes(info).data(),
                                static_cast<int>(info.size()));
    EXPECT_EQ(EVP_PKEY_derive(context.get(), out.data(), &size), 1);
    return out;
  }

  Bytes key_;
  Bytes nonce_;
};

// OpenSSL writes nothing before the message is whole, although the socket takes everything.
TEST_F(HostileClient, DoesNotKeepAnAnswerBusyByHalfAMessage) {
  std::promise<void> may_answer;
  auto permitted = may_answer.get_future().share();
  const testing::RawServer app([permitted](testing::RawPeer& peer) {
    if (peer.read_request().empty()) return;
    permitted.wait();
    peer.write(testing::ok_answer("from the app"));
    peer.read();
  });
  server_ = std::make_unique<Server>(ServerOptions{.port = 0, .threads = 1});
  ASSERT_TRUE(server_->forward_to("http://127.0.0.1:" + std::to_string(app.port())));
  ASSERT_TRUE(server_->start(fake_attester()).has_value());
  static std::string secret_line;
  TlsClient client(port(), {.keylog = [](const SSL*, const char* line) {
                     if (std::string_view(line).starts_with("CLIENT_TRAFFIC_SECRET_0")) {
                       secret_line = line;
                     }
                   }});
  ASSERT_EQ(std::string_view(SSL_get_cipher(client.ssl())), "TLS_AES_128_GCM_SHA256");
  const Bytes secret =
      parse_hex(secret_line.substr(secret_line.rfind(' ') + 1), 32, "secret").value();
  ASSERT_TRUE(client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"));
  const std::string record = RecordWriter(secret, 1).handshake_record({"\x18\0\0\x01", 4});
  ASSERT_EQ(::send(client.fd(), record.data(), record.size(), 0), std::ssize(record));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  may_answer.set_value();
  const std::clock_t before = std::clock();  // of processor time
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 8);
  const std::string rest = RecordWriter(secret, 2).handshake_record({"\0", 1});
  ASSERT_EQ(::send(client.fd(), rest.data(), rest.size(), 0), std::ssize(rest));
  EXPECT_EQ(client.read_answer().body, "from the app");
}

TEST_F(HostileClient, LeavesDescriptorsForARenewal) {
  const auto connect_three = [this] {
    const rlimit room_for_two{69, 69};
    if (::setrlimit(RLIMIT_NOFILE, &room_for_two) != 0) std::_Exit(2);
    serve({.threads = 1});
    TlsClient first(port());
    TlsClient second(port());
    auto third = std::async(std::launch::async, [this] { return TlsClient(port()).connected(); });
    const bool waits =
        third.wait_for(std::chrono::milliseconds(300)) == std::future_status::timeout;
    const bool served = first.ask(kGet).status == 200 && second.ask(kGet).status == 200;
    std::_Exit(waits && served ? 0 : 1);
  };
  EXPECT_EXIT(connect_three(), ::testing::ExitedWithCode(0), "");
}

TEST_F(HostileClient, RefusesBodiesThatTogetherTakeTooMuch) {
  serve({.threads = 1, .max_body_bytes = 1000});
  std::vector<std::unique_ptr<TlsClient>> clients;
  for (int count = 0; count < 16; ++count) {
    clients.push_back(std::make_unique<TlsClient>(port()));
    clients.back()->send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" +
                         std::string(990, 'b'));
    // It is an answer to a later request on another connection that shows how far the server is.
    EXPECT_EQ(TlsClient(port()).ask(kGet).status, 200);
  }
  TlsClient late(port());
  late.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" +
            std::string(990, 'b'));
  EXPECT_EQ(late.read_answer().status, 503);
  EXPECT_TRUE(late.is_ended());
  for (auto& client : clients) {
    EXPECT_EQ(client->ask(std::string(10, 'b')).body, std::string(990, 'b') + std::string(10, 'b'));
  }
  EXPECT_EQ(
      TlsClient(port()).ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").body,
      "abc");
}

}  // namespace
}  // namespace ratls
