// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "ratls/bytes.h"

namespace ratls {

/// Tee is the kind of trusted execution environment that a quote speaks of.
enum class Tee { sgx, tdx };
std::string_view to_string(Tee tee) noexcept;  // "sgx", "tdx"

using MrEnclave = FixedBytes<32, struct MrEnclaveTag>;
using MrSigner = FixedBytes<32, struct MrSignerTag>;
using ReportData = FixedBytes<64, struct ReportDataTag>;
using CpuSvn = FixedBytes<16, struct CpuSvnTag>;
using IsvFamilyId = FixedBytes<16, struct IsvFamilyIdTag>;
using IsvExtProdId = FixedBytes<16, struct IsvExtProdIdTag>;
using ConfigId = FixedBytes<64, struct ConfigIdTag>;
/// SgxAttributes is FLAGS (8 bytes, little endian) and XFRM (8 bytes, little endian), as reported.
using SgxAttributes = FixedBytes<16, struct SgxAttributesTag>;
using QeVendorId = FixedBytes<16, struct QeVendorIdTag>;
using UserData = FixedBytes<20, struct UserDataTag>;
/// EcdsaSignature is r and s, 32 bytes each, big endian.
using EcdsaSignature = FixedBytes<64, struct EcdsaSignatureTag>;
/// EcdsaPublicKey is the affine x and y of a P-256 point, 32 bytes each, big endian.
using EcdsaPublicKey = FixedBytes<64, struct EcdsaPublicKeyTag>;

using TeeTcbSvn = FixedBytes<16, struct TeeTcbSvnTag>;
using MrSeam = FixedBytes<48, struct MrSeamTag>;
using MrSignerSeam = FixedBytes<48, struct MrSignerSeamTag>;
using SeamAttributes = FixedBytes<8, struct SeamAttributesTag>;
/// TdAttributes is 8 bytes, little endian: TUD (bits 0 to 7), SEC (8 to 31), OTHER (32 to 63).
using TdAttributes = FixedBytes<8, struct TdAttributesTag>;
using Xfam = FixedBytes<8, struct XfamTag>;
using MrTd = FixedBytes<48, struct MrTdTag>;
using MrConfigId = FixedBytes<48, struct MrConfigIdTag>;
using MrOwner = FixedBytes<48, struct MrOwnerTag>;
using MrOwnerConfig = FixedBytes<48, struct MrOwnerConfigTag>;
using Rtmr = FixedBytes<48, struct RtmrTag>;
using MrServiceTd = FixedBytes<48, struct MrServiceTdTag>;

/// Flags in SgxAttributes (Intel SDM vol. 3D, 34.7.1).
inline constexpr std::uint64_t kAttributeInit = 0x01;
inline constexpr std::uint64_t kAttributeDebug = 0x02;
inline constexpr std::uint64_t kAttributeMode64 = 0x04;
inline constexpr std::uint64_t kAttributeProvisionKey = 0x10;
inline constexpr std::uint64_t kAttributeEinitTokenKey = 0x20;

/// attribute_flags is the FLAGS half of the attributes.
std::uint64_t attribute_flags(const SgxAttributes& attributes) noexcept;

/// EnclaveReport is an SGX report body, 384 bytes (Intel SGX DCAP quote library reference, A.4).
struct EnclaveReport {
  static constexpr std::size_t kSize = 384;
  CpuSvn cpu_svn;
  std::uint32_t misc_select = 0;
  IsvExtProdId isv_ext_prod_id;
  SgxAttributes attributes;
  MrEnclave mr_enclave;
  MrSigner mr_signer;
  ConfigId config_id;
  std::uint16_t isv_prod_id = 0;
  std::uint16_t isv_svn = 0;
  std::uint16_t config_svn = 0;
  IsvFamilyId isv_family_id;
  ReportData report_data;

  bool debug() const noexcept { return (attribute_flags(attributes) & kAttributeDebug) != 0; }
};

/// Bits of TdAttributes that Intel has given a meaning (Intel TDX Module Base Architecture
/// Specification, "ATTRIBUTES"); all others are reserved and zero.
inline constexpr std::uint64_t kTdDebug = 1ULL << 0;
inline constexpr std::uint64_t kTdLass = 1ULL << 27;
inline constexpr std::uint64_t kTdSeptVeDisable = 1ULL << 28;
inline constexpr std::uint64_t kTdMigratable = 1ULL << 29;
inline constexpr std::uint64_t kTdProtectionKeys = 1ULL << 30;
inline constexpr std::uint64_t kTdKeyLocker = 1ULL << 31;
inline constexpr std::uint64_t kTdTpa = 1ULL << 62;
inline constexpr std::uint64_t kTdPerfmon = 1ULL << 63;

/// attribute_bits is the number that the bytes of TdAttributes are.
std::uint64_t attribute_bits(const TdAttributes& attributes) noexcept;

/// TdReport is a TD report body: 584 bytes (TDX 1.0), or 648 with the last two fields (TDX 1.5;
/// Intel TDX DCAP quote library reference, A.3).
struct TdReport {
  static constexpr std::size_t kSize10 = 584;
  static constexpr std::size_t kSize15 = 648;
  TeeTcbSvn tee_tcb_svn;  ///< [0] SVN and [1] version of the TDX module at the TD's launch
  MrSeam mr_seam;
  MrSignerSeam mr_signer_seam;  ///< zero for a module of Intel's
  SeamAttributes seam_attributes;
  TdAttributes td_attributes;
  Xfam xfam;
  MrTd mr_td;
  MrConfigId mr_config_id;
  MrOwner mr_owner;
  MrOwnerConfig mr_owner_config;
  std::array<Rtmr, 4> rtmr;
  ReportData report_data;
  std::optional<TeeTcbSvn> tee_tcb_svn2;     ///< TDX 1.5: of the TDX module that runs now
  std::optional<MrServiceTd> mr_service_td;  ///< TDX 1.5: hash of the bound service TDs

  bool debug() const noexcept { return (attribute_bits(td_attributes) & kTdDebug) != 0; }
};

/// QuoteHeader is the first 48 bytes of a quote (same reference, A.3 and A.4).
struct QuoteHeader {
  static constexpr std::size_t kSize = 48;
  std::uint16_t version = 0;
  std::uint16_t attestation_key_type = 0;
  std::uint32_t tee_type = 0;
  std::uint16_t qe_svn = 0;   ///< version 3; reserved later
  std::uint16_t pce_svn = 0;  ///< version 3; reserved later
  QeVendorId qe_vendor_id;
  UserData user_data;
};

/// CertificationType says how a quote names its PCK certificate.
enum class CertificationType : std::uint16_t {
  ppid_clear = 1,    ///< PPID in clear text, CPUSVN, PCESVN, PCEID
  ppid_rsa2048 = 2,  ///< the same, PPID encrypted
  ppid_rsa3072 = 3,  ///< the same, PPID encrypted
  pck_chain = 5,     ///< PEM: leaf, intermediate, root
  qe_report = 6,     ///< outer data since version 4: QE report, then inner certification data
};

/// CertificationData names the PCK certificate of the platform.
struct CertificationData {
  CertificationType type = CertificationType::pck_chain;
  Bytes body;
};

/// QuoteSignature is the quote's authentication data (same reference, A.4).
struct QuoteSignature {
  EcdsaSignature signature;  ///< by the attestation key over header and body
  EcdsaPublicKey attestation_key;
  Bytes qe_report_bytes;  ///< the 384 bytes that qe_report_signature covers
  EnclaveReport qe_report;
  EcdsaSignature qe_report_signature;  ///< by the PCK key
  Bytes qe_auth_data;                  ///< at most 65535 bytes
  CertificationData certification_data;
};

/// Quote is a parsed quote; nothing in it is verified.
/// Owns: all its bytes. Thread-safety: const calls from any thread.
struct Quote {
  QuoteHeader header;
  std::variant<EnclaveReport, TdReport> body;
  QuoteSignature signature;
  Bytes signed_bytes;  ///< header, body descriptor (version 5) and body: what was signed
  std::size_t body_offset = QuoteHeader::kSize;  ///< of the body in signed_bytes
  std::size_t size = 0;  ///< bytes of the quote itself; what follows it is ignored, as Intel does

  Tee tee() const noexcept { return enclave() != nullptr ? Tee::sgx : Tee::tdx; }
  const EnclaveReport* enclave() const noexcept { return std::get_if<EnclaveReport>(&body); }
  const TdReport* td() const noexcept { return std::get_if<TdReport>(&body); }
  const ReportData& report_data() const noexcept {
    return enclave() != nullptr ? enclave()->report_data : td()->report_data;
  }
};

/// A quote is at most this long here: more is refused before it is read.
inline constexpr std::size_t kMaxQuoteSize = 64 * 1024;

/// parse_quote reads an SGX quote of version 3, 4 or 5, or a TDX quote of version 4 or 5 (TD
/// reports 1.0 and 1.5). Bytes after the quote are ignored and never read (Intel's library does the
/// same, Gramine trims them). Caller must still: verify it; see ratls/verifier.h. Errors:
/// quote_malformed, quote_unsupported, certification_data_unsupported.
Result<Quote> parse_quote(BytesView bytes);

/// parse_enclave_report reads exactly 384 bytes. Errors: quote_malformed.
Result<EnclaveReport> parse_enclave_report(BytesView bytes);

/// parse_td_report reads exactly 584 or 648 bytes. Errors: quote_malformed.
Result<TdReport> parse_td_report(BytesView bytes);

}  // namespace ratls
