// SPDX-License-Identifier: Apache-2.0
#include "capi/handles.h"
#include "policy/rules.h"

namespace ratls::capi {
namespace {

Result<std::optional<std::uint16_t>> number_of(std::int32_t value, std::string_view what) {
  if (value < 0) return std::optional<std::uint16_t>();
  if (value > 65535) return Error(Code::usage, std::string(what), "at most 65535 is possible");
  return std::optional(static_cast<std::uint16_t>(value));
}

Result<EnclaveIdentity> identity_of(const ratls_identity& given) {
  RATLS_CHECK(check_size(given.size, sizeof(ratls_identity), "ratls_identity"));
  EnclaveIdentity identity;
  if (given.mr_enclave != nullptr) {
    RATLS_TRY(identity.mr_enclave, parse_fixed_hex<MrEnclave>(given.mr_enclave, "mr_enclave"));
  }
  if (given.mr_signer != nullptr) {
    RATLS_TRY(identity.mr_signer, parse_fixed_hex<MrSigner>(given.mr_signer, "mr_signer"));
  }
  RATLS_TRY(identity.isv_prod_id, number_of(given.isv_prod_id, "isv_prod_id"));
  RATLS_TRY(identity.min_isv_svn, number_of(given.min_isv_svn, "min_isv_svn"));
  return identity;
}

Result<Policy> policy_of(const char* base, std::span<const ratls_identity> identities,
                         std::uint32_t accept) {
  constexpr std::uint32_t kKnown = RATLS_ACCEPT_DEBUG | RATLS_ACCEPT_OUT_OF_DATE |
                                   RATLS_ACCEPT_CONFIGURATION_NEEDED |
                                   RATLS_ACCEPT_SW_HARDENING_NEEDED;
  if ((accept & ~kKnown) != 0) return Error(Code::usage, "accept", "a flag that is not known");
  Policy policy;
  if (base != nullptr) {
    RATLS_TRY(policy, load_policy_base(base));
  }
  for (const ratls_identity& given : identities) {
    RATLS_TRY(EnclaveIdentity identity, identity_of(given));
    policy.enclaves.push_back(std::move(identity));
  }
  const auto has = [accept](std::uint32_t flag) { return (accept & flag) != 0; };
  policy::accept_conditions({.out_of_date = has(RATLS_ACCEPT_OUT_OF_DATE),
                             .configuration_needed = has(RATLS_ACCEPT_CONFIGURATION_NEEDED),
                             .sw_hardening_needed = has(RATLS_ACCEPT_SW_HARDENING_NEEDED)},
                            policy.tcb);
  if (has(RATLS_ACCEPT_DEBUG)) policy.dangerous_allow_debug = true;
  RATLS_CHECK(check_policy(policy));
  return policy;
}

template <class Make>
ratls_code make_policy(ratls_policy** policy, ratls_error** error, Make make) noexcept {
  if (policy != nullptr) *policy = nullptr;
  return guarded(error, [&]() -> Result<void> {
    RATLS_CHECK(check_pointers({policy}));
    RATLS_TRY(Policy made, make());
    *policy = new ratls_policy{std::move(made)};
    return {};
  });
}

}  // namespace
}  // namespace ratls::capi

using namespace ratls::capi;

ratls_code ratls_policy_load(const char* path, ratls_policy** policy, ratls_error** error) {
  return make_policy(policy, error, [&]() -> ratls::Result<ratls::Policy> {
    RATLS_CHECK(check_pointers({path}));
    return ratls::load_policy(path);
  });
}

ratls_code ratls_policy_parse(const char* toml, size_t size, const char* base_dir,
                              ratls_policy** policy, ratls_error** error) {
  return make_policy(policy, error, [&]() -> ratls::Result<ratls::Policy> {
    RATLS_CHECK(check_pointers({toml}));
    return ratls::parse_policy(std::string_view(toml, size), text_of(base_dir));
  });
}

ratls_code ratls_policy_from_identities(const char* base, const ratls_identity* identities,
                                        size_t count, uint32_t accept, ratls_policy** policy,
                                        ratls_error** error) {
  return make_policy(policy, error, [&]() -> ratls::Result<ratls::Policy> {
    if (count > 0) RATLS_CHECK(check_pointers({identities}));
    return policy_of(base, std::span(identities, count), accept);
  });
}

void ratls_policy_free(ratls_policy* policy) { delete policy; }
