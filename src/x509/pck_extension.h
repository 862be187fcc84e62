// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "x509/certificate.h"

namespace ratls::x509 {

/// PckExtension is the SGX extension of a PCK certificate, OID 1.2.840.113741.1.13.1
/// (Intel SGX PCK Certificate and CRL Profile Specification, 1.3.5).
struct PckExtension {
  FixedBytes<16, struct PpidTag> ppid;
  std::array<std::uint8_t, 16> tcb_components{};  ///< SGX TCB Comp01 to Comp16 SVN
  std::uint16_t pce_svn = 0;
  FixedBytes<16, struct PckCpuSvnTag> cpu_svn;
  FixedBytes<2, struct PckPceIdTag> pce_id;
  FixedBytes<6, struct PckFmspcTag> fmspc;
  enum class SgxType { standard = 0, scalable = 1, scalable_with_integrity = 2 };
  SgxType sgx_type = SgxType::standard;
  // Platform CA only:
  std::optional<FixedBytes<16, struct PlatformInstanceIdTag>> platform_instance_id;
};

/// parse_pck_extension finds and reads the extension; exactly one, every mandatory field once.
/// Errors: pck_chain_malformed.
Result<PckExtension> parse_pck_extension(const Certificate& pck);

/// The OID content of the extension and of its fields: 1.2.840.113741.1.13.1[.N[.M]].
Oid sgx_extension_oid(std::initializer_list<unsigned> suffix = {});

}  // namespace ratls::x509
