// SPDX-License-Identifier: Apache-2.0
#include "sim/state.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/reader.h"

namespace ratls::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr PckCa kPckCa = PckCa::platform;
constexpr int kVersion = 1;

Error unusable(std::string_view where, std::string detail) {
  return Error(Code::platform_unavailable, std::string(where), std::move(detail));
}

struct NamedKey {
  const char* name;
  Key WorldKeys::*key;
};
constexpr std::array<NamedKey, 5> kKeys{{{"root", &WorldKeys::root},
                                         {"pck_ca", &WorldKeys::pck_ca},
                                         {"pck", &WorldKeys::pck},
                                         {"tcb_signing", &WorldKeys::tcb_signing},
                                         {"attestation", &WorldKeys::attestation}}};

struct NamedCertificate {
  const char* name;
  Bytes PlatformState::*certificate;
};
constexpr std::array<NamedCertificate, 4> kCertificates{
    {{"root", &PlatformState::root},
     {"pck_ca", &PlatformState::pck_ca},
     {"pck", &PlatformState::pck},
     {"tcb_signing", &PlatformState::tcb_signing}}};

std::string certificate_pem(BytesView der) { return x509::to_pem(der, "CERTIFICATE"); }

Result<const Json*> member(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return unusable(name, "the member is missing");
  return &*found;
}

Result<std::string> text_member(const Json& object, const char* name) {
  RATLS_TRY(const Json* value, member(object, name));
  if (!value->is_string()) return unusable(name, "the member is no string");
  return value->get<std::string>();
}

Result<std::uint64_t> number_member(const Json& object, const char* name, std::uint64_t max) {
  RATLS_TRY(const Json* value, member(object, name));
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > max) {
    return unusable(name, "the member is no number up to " + std::to_string(max));
  }
  return value->get<std::uint64_t>();
}

template <class Fixed>
Result<Fixed> hex_member(const Json& object, const char* name) {
  RATLS_TRY(const std::string text, text_member(object, name));
  auto value = parse_fixed_hex<Fixed>(text, name);
  if (!value) return unusable(name, value.error().detail());
  return value;
}

Result<Key> key_member(const Json& object, const char* name) {
  RATLS_TRY(std::string pem, text_member(object, name));
  auto key = crypto::PrivateKey::from_pem(as_bytes(pem));
  if (!key) return unusable(name, key.error().detail());
  if (key->type() != crypto::KeyType::p256) return unusable(name, "the key is not on P-256");
  return std::make_shared<const crypto::PrivateKey>(std::move(key).value());
}

Result<Bytes> certificate_member(const Json& object, const char* name) {
  RATLS_TRY(const std::string pem, text_member(object, name));
  auto chain = x509::parse_pem_chain(as_bytes(pem), 1, Code::platform_unavailable);
  if (!chain) return chain.error().in(name);
  return std::move(chain->front().der);
}

Json format_enclave(const EnclaveReport& enclave) {
  return {{"mr_enclave", to_hex(enclave.mr_enclave)},
          {"mr_signer", to_hex(enclave.mr_signer)},
          {"isv_prod_id", enclave.isv_prod_id},
          {"isv_svn", enclave.isv_svn},
          {"attributes", to_hex(enclave.attributes)}};
}

Result<EnclaveReport> parse_enclave(const Json& object) {
  EnclaveReport enclave;
  RATLS_TRY(enclave.mr_enclave, hex_member<MrEnclave>(object, "mr_enclave"));
  RATLS_TRY(enclave.mr_signer, hex_member<MrSigner>(object, "mr_signer"));
  RATLS_TRY(const std::uint64_t isv_prod_id, number_member(object, "isv_prod_id", 0xFFFF));
  RATLS_TRY(const std::uint64_t isv_svn, number_member(object, "isv_svn", 0xFFFF));
  RATLS_TRY(enclave.attributes, hex_member<SgxAttributes>(object, "attributes"));
  enclave.isv_prod_id = static_cast<std::uint16_t>(isv_prod_id);
  enclave.isv_svn = static_cast<std::uint16_t>(isv_svn);
  return enclave;
}

constexpr std::array<const char*, 4> kRtmrs{"rtmr0", "rtmr1", "rtmr2", "rtmr3"};

Json format_td(const TdReport& td) {
  Json out{{"mr_td", to_hex(td.mr_td)}};
  for (std::size_t i = 0; i < kRtmrs.size(); ++i) out[kRtmrs[i]] = to_hex(td.rtmr[i]);
  out["td_attributes"] = to_hex(td.td_attributes);
  return out;
}

Result<TdReport> parse_td(const Json& object) {
  TdReport td = default_td();
  RATLS_TRY(td.mr_td, hex_member<MrTd>(object, "mr_td"));
  for (std::size_t i = 0; i < kRtmrs.size(); ++i) {
    RATLS_TRY(td.rtmr[i], hex_member<Rtmr>(object, kRtmrs[i]));
  }
  RATLS_TRY(td.td_attributes, hex_member<TdAttributes>(object, "td_attributes"));
  return td;
}

Result<void> parse_members(const Json& object, PlatformState& state) {
  RATLS_TRY(const std::uint64_t version, number_member(object, "version", 0xFFFF));
  if (version != kVersion) {
    return unusable("version", "got " + std::to_string(version) + ", wanted 1: it was made by " +
                                   "another version of ratls");
  }
  constexpr std::uint64_t kMaxNumber = std::numeric_limits<std::uint32_t>::max();
  RATLS_TRY(state.crl_number, number_member(object, "crl_number", kMaxNumber));
  if (object.contains("td")) {
    RATLS_TRY(state.td, parse_td(object["td"]));
  } else {
    RATLS_TRY(const Json* enclave, member(object, "enclave"));
    RATLS_TRY(state.enclave, parse_enclave(*enclave));
  }
  RATLS_TRY(const Json* keys, member(object, "keys"));
  for (const NamedKey& named : kKeys) {
    RATLS_TRY(state.keys.*named.key, key_member(*keys, named.name));
  }
  RATLS_TRY(const Json* certificates, member(object, "certificates"));
  for (const NamedCertificate& named : kCertificates) {
    RATLS_TRY(state.*named.certificate, certificate_member(*certificates, named.name));
  }
  return {};
}

}  // namespace

Result<PlatformState> make_state(const x509::PckExtension& machine, UnixTime now) {
  PlatformState state;
  for (const NamedKey& named : kKeys) {
    RATLS_TRY(state.keys.*named.key, make_key());
  }
  WorldBasics basics;
  basics.now = now;
  basics.pck_ca = kPckCa;
  basics.machine = machine;
  basics.keys = state.keys;
  RATLS_TRY(WorldSpec spec, plan_world(std::move(basics)));
  spec.pck.spec.extensions.push_back(sgx_extension(sgx_extension_fields(machine)));
  RATLS_TRY(state.root, issue(spec.root));
  RATLS_TRY(state.pck_ca, issue(spec.pck_ca));
  RATLS_TRY(state.pck, issue(spec.pck));
  RATLS_TRY(state.tcb_signing, issue(spec.tcb_signing));
  state.machine = machine;
  return state;
}

Result<Bytes> format_state(const PlatformState& state) {
  Json object{{"version", kVersion}, {"crl_number", state.crl_number}};
  if (state.td) {
    object["td"] = format_td(*state.td);
  } else {
    object["enclave"] = format_enclave(state.enclave);
  }
  for (const NamedKey& named : kKeys) {
    RATLS_TRY(Bytes pem, (state.keys.*named.key)->to_pem());
    object["keys"][named.name] = as_text(pem);
    crypto::wipe(pem);
  }
  for (const NamedCertificate& named : kCertificates) {
    object["certificates"][named.name] = certificate_pem(state.*named.certificate);
  }
  const std::string text =
      object.dump(1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  return Bytes(text.begin(), text.end());
}

Result<PlatformState> parse_state(BytesView json) {
  const Json object = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return unusable("state", "it is no JSON object");
  PlatformState state;
  RATLS_CHECK(parse_members(object, state));
  RATLS_TRY(const auto pck, x509::parse_certificate(state.pck, Code::platform_unavailable));
  auto machine = x509::parse_pck_extension(pck);
  if (!machine) return unusable("certificates.pck", machine.error().detail());
  state.machine = std::move(machine).value();
  return state;
}

Result<Collateral> state_collateral(const PlatformState& state, UnixTime now) {
  WorldBasics basics;
  basics.now = now;
  basics.pck_ca = kPckCa;
  basics.machine = state.machine;
  basics.enclave = state.enclave;
  basics.td = state.td;
  basics.crl_number = state.crl_number;
  basics.keys = state.keys;
  RATLS_TRY(WorldSpec spec, plan_world(std::move(basics)));
  spec.root.issued = state.root;
  spec.pck_ca.issued = state.pck_ca;
  spec.pck.issued = state.pck;
  spec.tcb_signing.issued = state.tcb_signing;
  RATLS_TRY(World world, build_world(spec));
  return std::move(world.collateral);
}

Result<QuoteSpec> state_quote(const PlatformState& state) {
  QuoteSpec quote = state.td ? plan_td_quote(state.machine, *state.td, state.keys)
                             : plan_quote(state.machine, state.enclave, state.keys);
  quote.certification.type = CertificationType::pck_chain;
  quote.certification.body = pck_chain_body(
      certificate_pem(state.pck) + certificate_pem(state.pck_ca) + certificate_pem(state.root));
  RATLS_CHECK(certify_attestation_key(quote));
  return quote;
}

}  // namespace ratls::sim
