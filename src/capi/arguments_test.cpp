// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <memory>

#include "capi/handles.h"
#include "sim/platform.h"
#include "support/temporary_dir.h"

namespace ratls::capi {
namespace {

// A hex text of 32 bytes.
const std::string kMeasurement(64, 'a');

ratls_identity enclave_identity() {
  ratls_identity identity = RATLS_IDENTITY_INIT;
  identity.mr_enclave = kMeasurement.c_str();
  return identity;
}

// The policy that was made is looked into, which C cannot.
struct Made {
  ratls_code code;
  std::unique_ptr<ratls_policy> policy;
};
Made policy_of(const ratls_identity& identity, std::uint32_t accept = 0,
               const char* base = nullptr) {
  ratls_policy* policy = nullptr;
  const ratls_code code =
      ratls_policy_from_identities(base, &identity, 1, accept, &policy, nullptr);
  return {code, std::unique_ptr<ratls_policy>(policy)};
}

TEST(CPolicy, OfAnEnclave) {
  const Made made = policy_of(enclave_identity());
  ASSERT_EQ(made.code, RATLS_OK);
  const Policy& policy = made.policy->policy;
  ASSERT_EQ(policy.enclaves.size(), 1u);
  EXPECT_EQ(to_hex(*policy.enclaves[0].mr_enclave), kMeasurement);
  EXPECT_FALSE(policy.enclaves[0].isv_prod_id);
  EXPECT_EQ(policy.tcb.accept, std::vector{TcbStatus::up_to_date});
  EXPECT_FALSE(policy.dangerous_allow_debug);
  EXPECT_FALSE(policy.root_pem);
}

TEST(CPolicy, OfASignerNeedsProductAndVersion) {
  ratls_identity identity = RATLS_IDENTITY_INIT;
  identity.mr_signer = kMeasurement.c_str();
  EXPECT_EQ(policy_of(identity).code, RATLS_POLICY_INVALID);
  identity.isv_prod_id = 0;
  EXPECT_EQ(policy_of(identity).code, RATLS_POLICY_INVALID);
  identity.min_isv_svn = 0;
  const Made made = policy_of(identity);
  ASSERT_EQ(made.code, RATLS_OK);
  EXPECT_EQ(made.policy->policy.enclaves[0].isv_prod_id, 0);
  EXPECT_EQ(made.policy->policy.enclaves[0].min_isv_svn, 0);
  identity.min_isv_svn = 65536;
  EXPECT_EQ(policy_of(identity).code, RATLS_USAGE);
}

TEST(CPolicy, AStatusOfTwoConditionsNeedsBothFlags) {
  using enum TcbStatus;
  const auto accepted = [](std::uint32_t accept) {
    return policy_of(enclave_identity(), accept).policy->policy.tcb.accept;
  };
  EXPECT_EQ(accepted(RATLS_ACCEPT_OUT_OF_DATE), (std::vector{up_to_date, out_of_date}));
  EXPECT_EQ(accepted(RATLS_ACCEPT_SW_HARDENING_NEEDED),
            (std::vector{up_to_date, sw_hardening_needed}));
  EXPECT_EQ(accepted(RATLS_ACCEPT_CONFIGURATION_NEEDED | RATLS_ACCEPT_SW_HARDENING_NEEDED),
            (std::vector{up_to_date, configuration_needed, sw_hardening_needed,
                         configuration_and_sw_hardening_needed}));
  EXPECT_EQ(accepted(RATLS_ACCEPT_CONFIGURATION_NEEDED | RATLS_ACCEPT_OUT_OF_DATE),
            (std::vector{up_to_date, out_of_date, configuration_needed,
                         out_of_date_configuration_needed}));
  EXPECT_TRUE(
      policy_of(enclave_identity(), RATLS_ACCEPT_DEBUG).policy->policy.dangerous_allow_debug);
  EXPECT_EQ(policy_of(enclave_identity(), 16).code, RATLS_USAGE);
}

TEST(CPolicy, OfABase) {
  const testing::TemporaryDir dir;
  const std::string base = (dir.path() / "base.toml").string();
  std::ofstream(base) << "version = 1\n[session]\ncheck_name = true\n"
                         "[tcb]\naccept = [\"UpToDate\", \"OutOfDate\"]\n";
  const Made made = policy_of(enclave_identity(), RATLS_ACCEPT_SW_HARDENING_NEEDED, base.c_str());
  ASSERT_EQ(made.code, RATLS_OK);
  EXPECT_TRUE(made.policy->policy.session.check_name);
  EXPECT_EQ(made.policy->policy.tcb.accept.size(), 3u);
  ratls_policy* policy = nullptr;
  EXPECT_EQ(ratls_policy_from_identities(base.c_str(), nullptr, 0, 0, &policy, nullptr),
            RATLS_POLICY_EMPTY);
  // Identities of the base would be accepted beside the one that was asked for.
  std::ofstream(base, std::ios::app)
      << "[[enclave]]\nmr_enclave = \"" << std::string(64, 'b') << "\"\n";
  EXPECT_EQ(policy_of(enclave_identity(), 0, base.c_str()).code, RATLS_POLICY_INVALID);
  EXPECT_EQ(policy_of(enclave_identity(), 0, "/nonexistent").code, RATLS_FILE_UNREADABLE);
}

TEST(CPolicy, OfAText) {
  const std::string text = "version = 1\n[[enclave]]\nmr_enclave = \"" + kMeasurement + "\"\nno";
  ratls_policy* policy = nullptr;
  EXPECT_EQ(ratls_policy_parse(text.data(), text.size() - 3, nullptr, &policy, nullptr), RATLS_OK);
  ratls_policy_free(policy);
  ratls_error* error = nullptr;
  EXPECT_EQ(ratls_policy_parse(text.data(), text.size(), ".", &policy, &error),
            RATLS_POLICY_INVALID);
  EXPECT_EQ(policy, nullptr);
  EXPECT_NE(std::strstr(ratls_error_where(error), "line 4"), nullptr) << ratls_error_where(error);
  EXPECT_EQ(ratls_error_report(error), nullptr);
  ratls_error_free(error);
}

TEST(CArguments, NullIsRefusedAndAccessorsTakeIt) {
  ratls_error* error = nullptr;
  EXPECT_EQ(ratls_policy_load(nullptr, nullptr, &error), RATLS_USAGE);
  EXPECT_EQ(ratls_error_code(error), RATLS_USAGE);
  ratls_error_free(error);
  ratls_client* client = nullptr;
  EXPECT_EQ(ratls_client_open("https://a", nullptr, nullptr, &client, nullptr), RATLS_USAGE);
  ratls_response* response = nullptr;
  EXPECT_EQ(ratls_client_request(nullptr, nullptr, &response, nullptr), RATLS_USAGE);
  ratls_report* report = nullptr;
  EXPECT_EQ(ratls_verify_quote(nullptr, "", 0, RATLS_NOW, &report, nullptr), RATLS_USAGE);
  EXPECT_EQ(ratls_client_verify(nullptr, &report, nullptr), RATLS_USAGE);
  EXPECT_EQ(ratls_certificate_make(nullptr, nullptr, nullptr), RATLS_USAGE);
  EXPECT_EQ(ratls_certificate_write(nullptr, "a", "b", RATLS_PEM, nullptr), RATLS_USAGE);
  size_t got = 1;
  EXPECT_EQ(ratls_response_read(nullptr, &got, 1, &got, nullptr), RATLS_USAGE);
  EXPECT_EQ(got, 0u);
  EXPECT_EQ(ratls_error_code(nullptr), RATLS_OK);
  EXPECT_EQ(ratls_error_message(nullptr), nullptr);
  EXPECT_EQ(ratls_report_accepted(nullptr), 0);
  EXPECT_EQ(ratls_report_json(nullptr), nullptr);
  EXPECT_EQ(ratls_response_status(nullptr), 0);
  EXPECT_EQ(ratls_response_find_header(nullptr, "a"), nullptr);
  EXPECT_EQ(ratls_response_identity(nullptr), nullptr);
  EXPECT_EQ(ratls_certificate_key(nullptr, RATLS_PEM, &got), nullptr);
  ratls_policy_free(nullptr);
  ratls_client_free(nullptr);
}

TEST(CArguments, StructuresOfAnotherSizeAreRefused) {
  ratls_identity identity = enclave_identity();
  identity.size -= 1;
  EXPECT_EQ(policy_of(identity).code, RATLS_USAGE);
  ratls_certificate_options options{};
  ratls_certificate* certificate = nullptr;
  EXPECT_EQ(ratls_certificate_make(&options, &certificate, nullptr), RATLS_USAGE);
  const Made made = policy_of(enclave_identity());
  ratls_client_options client_options = RATLS_CLIENT_OPTIONS_INIT;
  client_options.size += 8;
  ratls_client* client = nullptr;
  EXPECT_EQ(ratls_client_open("https://a", made.policy.get(), &client_options, &client, nullptr),
            RATLS_USAGE);
}

TEST(CArguments, OptionsOutOfRangeAreRefused) {
  const Made made = policy_of(enclave_identity());
  const auto refused = [&](auto change) {
    ratls_client_options options = RATLS_CLIENT_OPTIONS_INIT;
    change(options);
    ratls_client* client = nullptr;
    const auto code = ratls_client_open("https://a", made.policy.get(), &options, &client, nullptr);
    ratls_client_free(client);
    return code;
  };
  EXPECT_EQ(refused([](auto&) {}), RATLS_OK);
  EXPECT_EQ(refused([](auto& o) { o.connect_timeout = -1; }), RATLS_USAGE);
  EXPECT_EQ(refused([](auto& o) { o.total_timeout = INT64_MAX; }), RATLS_USAGE);
  EXPECT_EQ(refused([](auto& o) { o.retries = -1; }), RATLS_USAGE);
  EXPECT_EQ(refused([](auto& o) { o.proxy = "https://proxy"; }), RATLS_PROXY_UNSUPPORTED);
}

TEST(CInterfaceCertificate, IsMadeAsAskedAndWritten) {
  const testing::TemporaryDir dir;
  const std::string sim_dir = (dir.path() / "sim").string();
  ASSERT_TRUE(sim::Platform::init(sim_dir, {}, system_now()));
  const char* names[] = {"enclave.example"};
  ratls_certificate_options options = RATLS_CERTIFICATE_OPTIONS_INIT;
  options.tee = "sim";
  options.sim_dir = sim_dir.c_str();
  options.names = names;
  options.name_count = 1;
  options.lifetime = 3600;
  options.key_type = RATLS_KEY_P384;
  options.dice_only = 1;
  ratls_certificate* made = nullptr;
  ASSERT_EQ(ratls_certificate_make(&options, &made, nullptr), RATLS_OK);
  const auto left = ratls_certificate_not_after(made) - system_now().time_since_epoch().count();
  EXPECT_GT(left, 3600 - 300 - 60);
  EXPECT_LE(left, 3600 - 300);
  size_t size = 0;
  const auto* key = static_cast<const char*>(ratls_certificate_key(made, RATLS_PEM, &size));
  const std::string key_pem(key, size);
  EXPECT_TRUE(key_pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_NE(ratls_certificate_key(made, RATLS_DER, nullptr), nullptr);
  EXPECT_EQ(ratls_certificate_key(made, 2, nullptr), nullptr);
  const std::string crt = (dir.path() / "crt").string();
  const std::string key_file = (dir.path() / "key").string();
  EXPECT_EQ(ratls_certificate_write(made, crt.c_str(), key_file.c_str(), RATLS_PEM, nullptr),
            RATLS_OK);
  std::ifstream file(key_file);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(file)), {}), key_pem);
  EXPECT_EQ(ratls_certificate_write(made, crt.c_str(), crt.c_str(), RATLS_PEM, nullptr),
            RATLS_USAGE);
  ratls_certificate_free(made);

  options.lifetime = 1;
  EXPECT_EQ(ratls_certificate_make(&options, &made, nullptr), RATLS_CONFIG_INVALID);
  options = RATLS_CERTIFICATE_OPTIONS_INIT;
  options.tee = "sim";
  options.sim_dir = "/nonexistent";
  EXPECT_EQ(ratls_certificate_make(&options, &made, nullptr), RATLS_PLATFORM_UNAVAILABLE);
  options.tee = "other";
  EXPECT_EQ(ratls_certificate_make(&options, &made, nullptr), RATLS_USAGE);
}

}  // namespace
}  // namespace ratls::capi
