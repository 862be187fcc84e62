// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include "base/reader.h"

namespace ratls::sim {
namespace {

constexpr std::uint32_t kEvaluationNumber = 20;
constexpr std::uint16_t kQeIsvSvn = 8;
constexpr std::uint16_t kQeIsvProdId = 1;
constexpr std::uint16_t kTdQeIsvProdId = 2;
constexpr std::uint8_t kTdxModuleVersion = 3;
constexpr std::uint8_t kTdxModuleSvn = 5;
constexpr std::uint8_t kTdxMicrocodeSvn = 2;
// INIT, MODE64 and PROVISION_KEY, as Intel's quoting enclave has them.
constexpr std::uint8_t kQeFlags = kAttributeInit | kAttributeMode64 | kAttributeProvisionKey;

constexpr std::chrono::seconds kBackdating = std::chrono::days(1);
// Documents are not to be backdated by much: their age counts for [tcb] max_collateral_age.
constexpr std::chrono::seconds kCollateralBackdating = std::chrono::minutes(5);

Lifetime certificate_lifetime(UnixTime now, int years) {
  return {now - kBackdating, now + std::chrono::days(365 * years)};
}

Lifetime collateral_lifetime(UnixTime now) {
  return {now - kCollateralBackdating, now + kCollateralLifetime};
}

// A measurement that says by its preimage that no real enclave has it.
template <class Measurement>
Measurement simulated_measurement(std::string_view of) {
  return {crypto::sha256(as_bytes("ratls simulation: "), as_bytes(of)).bytes};
}

template <class Measurement>
Measurement simulated_td_measurement(std::string_view of) {
  const Bytes hash = crypto::sha384(as_bytes("ratls simulation: " + std::string(of)));
  Measurement out;
  std::ranges::copy(hash, out.bytes.begin());
  return out;
}

UnixTime day(int year, unsigned month, unsigned day) {
  return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                               static_cast<int>(day));
}

EnclaveReport quoting_enclave(const x509::PckExtension& machine) {
  EnclaveReport report;
  report.cpu_svn = {machine.cpu_svn.bytes};
  report.attributes.bytes[0] = kQeFlags;
  report.attributes.bytes[8] = 0x03;
  report.mr_enclave = simulated_measurement<MrEnclave>("quoting enclave");
  report.mr_signer = simulated_measurement<MrSigner>("quoting enclave signer");
  report.isv_prod_id = kQeIsvProdId;
  report.isv_svn = kQeIsvSvn;
  return report;
}

tcb::TcbInfo plan_tcb_info(const x509::PckExtension& machine, Lifetime updates) {
  tcb::TcbInfo info;
  info.id = tcb::TcbInfo::Id::sgx;
  info.version = 3;
  info.issue_date = updates.not_before;
  info.next_update = updates.not_after;
  info.fmspc = {machine.fmspc.bytes};
  info.pce_id = {machine.pce_id.bytes};
  info.evaluation_number = kEvaluationNumber;
  info.levels.push_back({.sgx_components = machine.tcb_components,
                         .pce_svn = machine.pce_svn,
                         .status = TcbStatus::up_to_date,
                         .date = day(2025, 8, 13),
                         .advisories = {}});
  info.levels.push_back({.sgx_components = {},
                         .pce_svn = 0,
                         .status = TcbStatus::out_of_date,
                         .date = day(2023, 8, 9),
                         .advisories = {"INTEL-SA-00615", "INTEL-SA-00960"}});
  return info;
}

// A module of its own version, as Intel publishes them since TDX 1.4: its SVN is in its identity,
// and the levels of the platform keep the first number only for modules without one.
tcb::TcbInfo plan_tdx_tcb_info(const x509::PckExtension& machine, Lifetime updates) {
  tcb::TcbInfo info = plan_tcb_info(machine, updates);
  info.id = tcb::TcbInfo::Id::tdx;
  info.levels[0].tdx_components = {kTdxModuleSvn, 0, kTdxMicrocodeSvn};
  tcb::TdxModule module;
  module.attributes_mask.bytes.fill(0xFF);
  info.tdx_module = module;
  tcb::TdxModuleIdentity identity{
      .id = tcb::module_id(kTdxModuleVersion), .module = module, .levels = {}};
  identity.levels.push_back({.isv_svn = kTdxModuleSvn,
                             .status = TcbStatus::up_to_date,
                             .date = day(2025, 8, 13),
                             .advisories = {}});
  identity.levels.push_back({.isv_svn = kTdxModuleSvn - 2,
                             .status = TcbStatus::out_of_date,
                             .date = day(2024, 3, 13),
                             .advisories = {"INTEL-SA-01036"}});
  info.tdx_module_identities.push_back(std::move(identity));
  return info;
}

tcb::QeIdentity plan_qe_identity(const EnclaveReport& qe, Lifetime updates) {
  tcb::QeIdentity identity;
  identity.id = tcb::QeIdentity::Id::qe;
  identity.version = 2;
  identity.issue_date = updates.not_before;
  identity.next_update = updates.not_after;
  identity.evaluation_number = kEvaluationNumber;
  identity.misc_select_mask = 0xFFFFFFFF;
  // As Intel publishes it: all flags but MODE64, which it leaves open, and XFRM not at all.
  identity.attributes.bytes[0] = kQeFlags & ~kAttributeMode64;
  std::fill_n(identity.attributes_mask.bytes.begin(), 8, std::uint8_t{0xFF});
  identity.attributes_mask.bytes[0] = 0xFF & ~kAttributeMode64;
  identity.mr_signer = {qe.mr_signer.bytes};
  identity.isv_prod_id = qe.isv_prod_id;
  identity.levels.push_back({.isv_svn = kQeIsvSvn,
                             .status = TcbStatus::up_to_date,
                             .date = day(2025, 8, 13),
                             .advisories = {}});
  identity.levels.push_back({.isv_svn = kQeIsvSvn - 2,
                             .status = TcbStatus::out_of_date,
                             .date = day(2021, 11, 10),
                             .advisories = {"INTEL-SA-00615"}});
  return identity;
}

Result<void> make_missing(WorldKeys& keys) {
  for (Key* key : {&keys.root, &keys.pck_ca, &keys.pck, &keys.tcb_signing, &keys.attestation}) {
    if (*key) continue;
    RATLS_TRY(*key, make_key());
  }
  return {};
}

Result<std::string> issue_pem(const CertificateDraft& draft) {
  RATLS_TRY(const Bytes der, issue(draft));
  return x509::to_pem(der, "CERTIFICATE");
}

Result<std::string> issue_pck_pem(const WorldSpec& spec) {
  CertificateDraft draft = spec.pck;
  if (spec.machine) {
    draft.spec.extensions.push_back(sgx_extension(sgx_extension_fields(*spec.machine)));
  }
  return issue_pem(draft);
}

Result<CertificationData> certification_of(const WorldSpec& spec, std::string_view chain_pem) {
  const CertificationType type = spec.quote.certification.type;
  if (spec.certification_body) return CertificationData{type, *spec.certification_body};
  if (type == CertificationType::pck_chain || !spec.machine) {
    return CertificationData{type, pck_chain_body(chain_pem)};
  }
  RATLS_TRY(Bytes body, ppid_certification_body(type, *spec.machine));
  return CertificationData{type, std::move(body)};
}

}  // namespace

x509::PckExtension default_machine(PckCa pck_ca) {
  x509::PckExtension machine;
  const auto ppid = crypto::sha256(as_bytes("ratls simulation: platform"));
  std::copy_n(ppid.bytes.begin(), machine.ppid.bytes.size(), machine.ppid.bytes.begin());
  machine.tcb_components = {14, 14, 3, 3, 255, 255, 1};
  machine.pce_svn = 13;
  machine.cpu_svn = {machine.tcb_components};
  machine.fmspc = {{0x00, 0x60, 0x6A, 0x00, 0x00, 0x00}};
  if (pck_ca == PckCa::platform) {
    machine.sgx_type = x509::PckExtension::SgxType::scalable;
    machine.platform_instance_id.emplace();
    std::copy_n(ppid.bytes.begin() + 16, machine.platform_instance_id->bytes.size(),
                machine.platform_instance_id->bytes.begin());
  }
  return machine;
}

EnclaveReport default_enclave() {
  EnclaveReport report;
  report.cpu_svn = {default_machine(PckCa::platform).cpu_svn.bytes};
  report.attributes.bytes[0] = kAttributeInit | kAttributeMode64;
  report.attributes.bytes[8] = 0x03;  // XFRM: x87 and SSE
  report.mr_enclave = simulated_measurement<MrEnclave>("enclave");
  report.mr_signer = simulated_measurement<MrSigner>("enclave signer");
  report.isv_prod_id = 1;
  report.isv_svn = 1;
  return report;
}

TdReport default_td() {
  TdReport td;
  td.tee_tcb_svn.bytes = {kTdxModuleSvn, kTdxModuleVersion, kTdxMicrocodeSvn};
  td.mr_seam = simulated_td_measurement<MrSeam>("TDX module");
  td.td_attributes.bytes[3] = kTdSeptVeDisable >> 24;
  td.xfam.bytes = {0xE7, 0x02, 0x06};  // what Linux guests use: x87 to AMX
  td.mr_td = simulated_td_measurement<MrTd>("firmware");
  td.rtmr[0] = simulated_td_measurement<Rtmr>("firmware settings");
  td.rtmr[1] = simulated_td_measurement<Rtmr>("kernel");
  td.rtmr[2] = simulated_td_measurement<Rtmr>("command line and initrd");
  return td;
}

QuoteSpec plan_quote(const x509::PckExtension& machine, const EnclaveReport& enclave,
                     const WorldKeys& keys) {
  QuoteSpec quote;
  quote.qe_report = quoting_enclave(machine);
  quote.header.version = 3;
  quote.header.attestation_key_type = 2;  // ECDSA with P-256
  quote.header.qe_svn = quote.qe_report.isv_svn;
  quote.header.pce_svn = machine.pce_svn;
  quote.header.qe_vendor_id = {{0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A, 0x0D,
                                0xB3, 0x95, 0x7F, 0x06, 0x07}};
  quote.report = enclave;
  quote.report.cpu_svn = {machine.cpu_svn.bytes};
  // The length that hardware has: 0, 1, ... 31.
  for (std::uint8_t i = 0; i < 32; ++i) quote.qe_auth_data.push_back(i);
  quote.attestation_key = keys.attestation;
  quote.qe_report_signer = keys.pck;
  return quote;
}

QuoteSpec plan_td_quote(const x509::PckExtension& machine, const TdReport& td,
                        const WorldKeys& keys) {
  QuoteSpec quote = plan_quote(machine, default_enclave(), keys);
  quote.header.version = 4;
  quote.header.tee_type = kTeeTypeTdx;
  quote.header.qe_svn = 0;  // reserved now
  quote.header.pce_svn = 0;
  quote.td = td;
  quote.qe_report.mr_enclave = simulated_measurement<MrEnclave>("TD quoting enclave");
  quote.qe_report.isv_prod_id = kTdQeIsvProdId;
  return quote;
}

Bytes pck_chain_body(std::string_view pck_chain_pem) {
  Bytes body(pck_chain_pem.begin(), pck_chain_pem.end());
  body.push_back(0);
  return body;
}

Result<WorldSpec> plan_world(WorldBasics basics) {
  RATLS_CHECK(make_missing(basics.keys));
  const WorldKeys& keys = basics.keys;
  const Lifetime updates = collateral_lifetime(basics.now);
  WorldSpec spec;
  RATLS_TRY(spec.root, draft_root(keys.root, certificate_lifetime(basics.now, 20)));
  RATLS_TRY(spec.pck_ca, draft_pck_ca(basics.pck_ca, keys.pck_ca, spec.root,
                                      certificate_lifetime(basics.now, 15)));
  RATLS_TRY(spec.pck, draft_pck(keys.pck, spec.pck_ca, certificate_lifetime(basics.now, 7)));
  RATLS_TRY(spec.tcb_signing,
            draft_tcb_signing(keys.tcb_signing, spec.root, certificate_lifetime(basics.now, 7)));
  spec.machine = basics.machine.value_or(default_machine(basics.pck_ca));
  spec.root_crl = draft_crl(spec.root, updates, basics.crl_number);
  spec.pck_crl = draft_crl(spec.pck_ca, updates, basics.crl_number);
  spec.quote = basics.td ? plan_td_quote(*spec.machine, *basics.td, keys)
                         : plan_quote(*spec.machine, basics.enclave, keys);
  spec.tcb_info = {
      basics.td ? plan_tdx_tcb_info(*spec.machine, updates) : plan_tcb_info(*spec.machine, updates),
      {},
      keys.tcb_signing};
  spec.qe_identity = {plan_qe_identity(spec.quote.qe_report, updates), {}, keys.tcb_signing};
  if (basics.td) spec.qe_identity.content.id = tcb::QeIdentity::Id::td_qe;
  RATLS_TRY(spec.stranger, make_key());
  return spec;
}

Result<World> build_world(const WorldSpec& spec) {
  World world;
  RATLS_TRY(world.root_der, issue(spec.root));
  world.root_pem = x509::to_pem(world.root_der, "CERTIFICATE");
  RATLS_TRY(const std::string pck_ca, issue_pem(spec.pck_ca));
  RATLS_TRY(const std::string pck, issue_pck_pem(spec));
  RATLS_TRY(const std::string tcb_signing, issue_pem(spec.tcb_signing));
  world.pck_chain_pem = pck + pck_ca + world.root_pem;
  Collateral& collateral = world.collateral;
  collateral.pck_crl_issuer_chain = pck_ca + world.root_pem;
  RATLS_TRY(collateral.root_ca_crl, issue(spec.root_crl));
  RATLS_TRY(collateral.pck_crl, issue(spec.pck_crl));
  collateral.tcb_info_issuer_chain = tcb_signing + world.root_pem;
  collateral.qe_identity_issuer_chain = collateral.tcb_info_issuer_chain;
  RATLS_TRY(auto tcb_info, sign(spec.tcb_info));
  collateral.tcb_info = std::move(tcb_info.text);
  collateral.tcb_info_signature = std::move(tcb_info.signature);
  RATLS_TRY(auto qe_identity, sign(spec.qe_identity));
  collateral.qe_identity = std::move(qe_identity.text);
  collateral.qe_identity_signature = std::move(qe_identity.signature);
  world.quote_spec = spec.quote;
  RATLS_TRY(world.quote_spec.certification, certification_of(spec, world.pck_chain_pem));
  if (spec.quote.certification.type != CertificationType::pck_chain) {
    collateral.pck_certificate_chain = world.pck_chain_pem;
  }
  return world;
}

Result<Bytes> World::quote(const ReportData& report_data) const {
  QuoteSpec spec = quote_spec;
  put_report_data(spec, report_data);
  return make_quote(spec);
}

}  // namespace ratls::sim
