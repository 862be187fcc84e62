// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "capi/handles.h"
#include "ratls/server.h"
#include "sim/platform.h"
#include "support/temporary_dir.h"
#include "tee/tee.h"

namespace ratls::capi {
namespace {

using nlohmann::json;

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* handle) const { Free(handle); }
};
using PolicyHandle = std::unique_ptr<ratls_policy, Freed<ratls_policy, ratls_policy_free>>;
using VerifierHandle = std::unique_ptr<ratls_verifier, Freed<ratls_verifier, ratls_verifier_free>>;
using ReportHandle = std::unique_ptr<ratls_report, Freed<ratls_report, ratls_report_free>>;
using CertificateHandle =
    std::unique_ptr<ratls_certificate, Freed<ratls_certificate, ratls_certificate_free>>;
using ClientHandle = std::unique_ptr<ratls_client, Freed<ratls_client, ratls_client_free>>;
using ResponseHandle = std::unique_ptr<ratls_response, Freed<ratls_response, ratls_response_free>>;
using ErrorHandle = std::unique_ptr<ratls_error, Freed<ratls_error, ratls_error_free>>;

// Machine is one simulated platform with a policy file.
struct Machine {
  testing::TemporaryDir dir;
  std::string policy_path = (dir.path() / "sim" / "policy.toml").string();
  std::string sim_dir = (dir.path() / "sim").string();

  Machine() { EXPECT_TRUE(sim::Platform::init(sim_dir, {}, system_now())); }

  PolicyHandle policy() const {
    ratls_policy* policy = nullptr;
    EXPECT_EQ(ratls_policy_load(policy_path.c_str(), &policy, nullptr), RATLS_OK);
    return PolicyHandle(policy);
  }
  // The same with more in it.
  PolicyHandle policy(const std::string& more) const {
    std::ifstream file(policy_path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    ratls_policy* policy = nullptr;
    EXPECT_EQ(ratls_policy_parse((text + more).c_str(), text.size() + more.size(), sim_dir.c_str(),
                                 &policy, nullptr),
              RATLS_OK);
    return PolicyHandle(policy);
  }
  CertificateHandle certificate(
      ratls_certificate_options options = RATLS_CERTIFICATE_OPTIONS_INIT) const {
    options.tee = "sim";
    options.sim_dir = sim_dir.c_str();
    ratls_certificate* certificate = nullptr;
    EXPECT_EQ(ratls_certificate_make(&options, &certificate, nullptr), RATLS_OK);
    return CertificateHandle(certificate);
  }
};

ClientHandle open_client(const std::string& url, const ratls_policy* policy) {
  ratls_client_options options = RATLS_CLIENT_OPTIONS_INIT;
  options.proxy = options.cache_dir = "";
  ratls_client* client = nullptr;
  EXPECT_EQ(ratls_client_open(url.c_str(), policy, &options, &client, nullptr), RATLS_OK);
  return ClientHandle(client);
}

VerifierHandle open_verifier(const ratls_policy* policy) {
  ratls_verifier* verifier = nullptr;
  EXPECT_EQ(ratls_verifier_open(policy, "", &verifier, nullptr), RATLS_OK);
  return VerifierHandle(verifier);
}

// What has begun is read to its end.
std::string body_of(ratls_response* response) {
  std::string body;
  char part[1000];
  for (size_t got = 1; got > 0;) {
    if (ratls_response_read(response, part, sizeof(part), &got, nullptr) != RATLS_OK) return "?";
    body.append(part, got);
  }
  return body;
}

class CInterface : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.route("POST", "/echo", [this](const Request& request) {
      ++requests_;
      return Response{.status = 201,
                      .headers = {{"X-Seen", std::string(request.header("x-sent"))}},
                      .body = request.body};
    });
    auto source = open_tee("sim", machine_.sim_dir);
    ASSERT_TRUE(source);
    auto attester = Attester::create(std::move(*source), {});
    ASSERT_TRUE(attester && server_.start(std::move(*attester)));
  }

  // The body is the caller's, as long as the request is used.
  static ratls_request echo_request(std::string&& body) = delete;
  static ratls_request echo_request(const std::string& body) {
    static const ratls_header kHeaders[] = {{"X-Sent", "seen"}};
    ratls_request request = RATLS_REQUEST_INIT;
    request.method = "POST";
    request.path = "/echo";
    request.headers = kHeaders;
    request.header_count = 1;
    request.body = body.data();
    request.body_size = body.size();
    return request;
  }

  const Machine machine_;
  std::atomic<int> requests_ = 0;
  Server server_{{.host = "127.0.0.1", .port = 0}};
};

TEST(CInterfaceCodes, AreThoseOfTheLibrary) {
  EXPECT_STREQ(ratls_version(), "0.1.0");
  EXPECT_EQ(ratls_abi_version(), std::uint32_t{RATLS_ABI_VERSION});
  EXPECT_EQ(ratls_exit_code(RATLS_TCB_OUT_OF_DATE), 6);
  EXPECT_STREQ(ratls_code_name(RATLS_TCB_OUT_OF_DATE), "tcb_out_of_date");
  EXPECT_STREQ(ratls_code_name(static_cast<ratls_code>(999)), "internal");
  // The header's text, because an enumeration in C cannot be listed.
  std::ifstream file(RATLS_SOURCE_DIR "/include/ratls.h");
  const std::string header((std::istreambuf_iterator<char>(file)), {});
  for (const CodeInfo& info : all_codes()) {
    std::string line = "  RATLS_" + std::string(info.name) + " = ";
    for (char& c : line) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    EXPECT_NE(header.find(line + std::to_string(static_cast<int>(info.code))), std::string::npos)
        << line;
    EXPECT_STREQ(ratls_code_hint(static_cast<ratls_code>(info.code)),
                 std::string(info.hint).c_str());
  }
}

TEST_F(CInterface, SendsARequestToAVerifiedServer) {
  const auto client = open_client(server_.url(), machine_.policy().get());
  const std::string sent(100000, 'x');
  for (int i = 0; i < 2; ++i) {
    const ratls_request request = echo_request(sent);
    ratls_response* made = nullptr;
    ratls_error* error = nullptr;
    ASSERT_EQ(ratls_client_request(client.get(), &request, &made, &error), RATLS_OK);
    const ResponseHandle response(made);
    EXPECT_EQ(error, nullptr);
    EXPECT_EQ(ratls_response_status(made), 201);
    EXPECT_STREQ(ratls_response_find_header(made, "x-SEEN"), "seen");
    EXPECT_EQ(ratls_response_find_header(made, "x-none"), nullptr);
    EXPECT_EQ(body_of(made), sent);
    const json identity = json::parse(ratls_response_identity(made));
    EXPECT_EQ(identity["accepted"], true);
    EXPECT_EQ(identity["proves"], "session");
    EXPECT_EQ(identity["simulated"], true);
    bool found = false;
    for (size_t at = 0; at < ratls_response_header_count(made); ++at) {
      found = found || (std::string(ratls_response_header_name(made, at)) == "X-Seen" &&
                        std::string(ratls_response_header_value(made, at)) == "seen");
    }
    EXPECT_TRUE(found);
    EXPECT_EQ(ratls_response_header_name(made, ratls_response_header_count(made)), nullptr);
  }
  EXPECT_EQ(requests_, 2);
}

TEST_F(CInterface, RefusesAnotherEnclaveBeforeAByteIsSent) {
  const Machine other;
  const auto client = open_client(server_.url(), other.policy().get());
  const std::string secret = "secret";
  const ratls_request request = echo_request(secret);
  ratls_response* response = nullptr;
  ratls_error* made = nullptr;
  EXPECT_EQ(ratls_client_request(client.get(), &request, &response, &made), RATLS_ROOT_UNTRUSTED);
  const ErrorHandle error(made);
  EXPECT_EQ(response, nullptr);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(ratls_error_code(made), RATLS_ROOT_UNTRUSTED);
  EXPECT_EQ(requests_, 0);
  const json report = json::parse(ratls_error_report(made));
  EXPECT_EQ(report["accepted"], false);
  EXPECT_EQ(report["code"], "root_untrusted");
  EXPECT_EQ(report["exit_code"], 4);
}

TEST_F(CInterface, VerifiesAServerWithoutARequest) {
  ratls_report* made = nullptr;
  EXPECT_EQ(ratls_client_verify(open_client(server_.url(), machine_.policy().get()).get(), &made,
                                nullptr),
            RATLS_OK);
  ReportHandle report(made);
  EXPECT_EQ(ratls_report_accepted(made), 1);
  const Machine other;
  ratls_error* error = nullptr;
  EXPECT_EQ(
      ratls_client_verify(open_client(server_.url(), other.policy().get()).get(), &made, &error),
      RATLS_ROOT_UNTRUSTED);
  report.reset(made);
  EXPECT_EQ(ratls_report_accepted(made), 0);
  EXPECT_EQ(ratls_report_code(made), RATLS_ROOT_UNTRUSTED);
  EXPECT_STREQ(ratls_report_json(made), ratls_error_report(error));
  ratls_error_free(error);
}

TEST_F(CInterface, AFailureWithoutAVerdictHasNoReport) {
  const int port = server_.port();
  const auto client =
      open_client("https://127.0.0.1:" + std::to_string(port), machine_.policy().get());
  server_.stop();
  ratls_error* error = nullptr;
  ratls_response* response = nullptr;
  const ratls_request request = RATLS_REQUEST_INIT;
  EXPECT_EQ(ratls_client_request(client.get(), &request, &response, &error),
            RATLS_CONNECTION_FAILED);
  EXPECT_EQ(ratls_error_report(error), nullptr);
  EXPECT_NE(ratls_error_hint(error), nullptr);
  ratls_error_free(error);
}

// Each thread has a policy of its own, half of them for another platform.
TEST_F(CInterface, ThreadsWithDifferentPoliciesDoNotDisturbEachOther) {
  constexpr int kThreads = 64;
  const Machine other;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const bool accepts = i % 2 == 0;
      const std::string sent = std::to_string(i);
      const auto client = open_client(server_.url(), (accepts ? machine_ : other).policy().get());
      for (int round = 0; round < 3; ++round) {
        const ratls_request request = echo_request(sent);
        ratls_response* made = nullptr;
        ratls_error* error = nullptr;
        const ratls_code code = ratls_client_request(client.get(), &request, &made, &error);
        const ResponseHandle response(made);
        const bool as_wanted = accepts ? code == RATLS_OK && body_of(made) == sent
                                       : code == RATLS_ROOT_UNTRUSTED && ratls_error_report(error);
        right += as_wanted ? 1 : 0;
        ratls_error_free(error);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 3 * kThreads);
  EXPECT_EQ(requests_, 3 * kThreads / 2);
}

TEST(CInterfaceBytes, JudgesCertificates) {
  const Machine machine;
  const Machine other;
  const auto certificate = machine.certificate();
  const auto verifier = open_verifier(machine.policy().get());
  ratls_report* made = nullptr;
  for (const ratls_file_format format : {RATLS_PEM, RATLS_DER}) {
    size_t size = 0;
    const void* bytes = ratls_certificate_bytes(certificate.get(), format, &size);
    EXPECT_EQ(ratls_verify_certificate(verifier.get(), bytes, size, RATLS_NOW, &made, nullptr),
              RATLS_OK);
    ReportHandle report(made);
    const json accepted = json::parse(ratls_report_json(made));
    EXPECT_EQ(accepted["proves"], "certificate");
    EXPECT_EQ(accepted["time_source"], "system");
    const auto stranger = open_verifier(other.policy().get());
    ratls_error* error = nullptr;
    EXPECT_EQ(ratls_verify_certificate(stranger.get(), bytes, size, RATLS_NOW, &made, &error),
              RATLS_ROOT_UNTRUSTED);
    report.reset(made);
    EXPECT_EQ(ratls_report_accepted(made), 0);
    EXPECT_NE(ratls_report_hint(made), nullptr);
    EXPECT_NE(ratls_error_report(error), nullptr);
    ratls_error_free(error);
    EXPECT_EQ(ratls_verify_certificate(verifier.get(), bytes, size, 1000000000, &made, nullptr),
              RATLS_PCK_CHAIN_EXPIRED);
    report.reset(made);
    EXPECT_EQ(json::parse(ratls_report_json(made))["time_source"], "given");
  }
}

TEST(CInterfaceBytes, JudgesPeersAsSessions) {
  const Machine machine;
  const auto certificate = machine.certificate();
  size_t size = 0;
  const void* der = ratls_certificate_bytes(certificate.get(), RATLS_DER, &size);
  const auto verifier = open_verifier(machine.policy("[session]\ncheck_name = true\n").get());
  ratls_report* made = nullptr;
  EXPECT_EQ(ratls_verify_peer(verifier.get(), der, size, "localhost", &made, nullptr), RATLS_OK);
  ReportHandle report(made);
  EXPECT_EQ(json::parse(ratls_report_json(made))["proves"], "session");
  EXPECT_EQ(json::parse(ratls_report_json(made))["name_checked"], true);
  EXPECT_EQ(ratls_verify_peer(verifier.get(), der, size, "other", &made, nullptr),
            RATLS_NAME_MISMATCH);
  report.reset(made);
  EXPECT_EQ(ratls_verify_peer(verifier.get(), der, size, nullptr, &made, nullptr), RATLS_USAGE);
  EXPECT_EQ(made, nullptr);
  const auto fresh = open_verifier(machine.policy("[session]\nfresh = true\n").get());
  EXPECT_EQ(ratls_verify_peer(fresh.get(), der, size, "localhost", &made, nullptr),
            RATLS_EVIDENCE_NOT_FRESH);
  report.reset(made);
}

TEST(CInterfaceBytes, JudgesQuotes) {
  const Machine machine;
  const auto source = open_tee("sim", machine.sim_dir);
  ASSERT_TRUE(source);
  Bytes quote = (*source)(ReportData{}).value();
  const auto verifier = open_verifier(machine.policy().get());
  ratls_report* made = nullptr;
  EXPECT_EQ(
      ratls_verify_quote(verifier.get(), quote.data(), quote.size(), RATLS_NOW, &made, nullptr),
      RATLS_OK);
  ReportHandle report(made);
  EXPECT_EQ(json::parse(ratls_report_json(made))["proves"], "quote");
  quote[400] ^= 1;  // within the report body
  EXPECT_EQ(
      ratls_verify_quote(verifier.get(), quote.data(), quote.size(), RATLS_NOW, &made, nullptr),
      RATLS_QUOTE_UNTRUSTED);
  report.reset(made);
  EXPECT_EQ(ratls_verify_quote(verifier.get(), quote.data(), 100, RATLS_NOW, &made, nullptr),
            RATLS_QUOTE_MALFORMED);
  report.reset(made);
}

}  // namespace
}  // namespace ratls::capi
