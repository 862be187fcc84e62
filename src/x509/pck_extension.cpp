// SPDX-License-Identifier: Apache-2.0
#include "x509/pck_extension.h"

#include <cstdlib>
#include <map>

#include "x509/der.h"

namespace ratls::x509 {
namespace {

constexpr Code kMalformed = Code::pck_chain_malformed;

/// Fields are the values of a SEQUENCE of SEQUENCE{OID, value} by the last number of their OID.
using Fields = std::map<unsigned, DerElement>;

// Intel PCK profile 1.3.5: the order is not fixed. A field that is not in the profile, or twice in
// the certificate, is refused: Intel's verification library counts the fields.
Result<Fields> read_fields(BytesView sequence, std::initializer_list<unsigned> arc,
                           unsigned last_number, std::string_view where) {
  DerReader outer(sequence, kMalformed);
  RATLS_TRY(DerReader list, outer.enter(kTagSequence, where));
  RATLS_CHECK(outer.end(where));
  const Oid prefix = sgx_extension_oid(arc);
  Fields out;
  while (!list.at_end()) {
    RATLS_TRY(DerReader field, list.enter(kTagSequence, where));
    RATLS_TRY(const BytesView oid, field.oid(where));
    const bool under_arc =
        oid.size() == prefix.size() + 1 && std::equal(prefix.begin(), prefix.end(), oid.begin());
    const unsigned number = oid.back();
    if (!under_arc || number < 1 || number > last_number) {
      return field.fail(where, "no field has the OID " + oid_to_text(oid));
    }
    RATLS_TRY(const DerElement value, field.element(where));
    RATLS_CHECK(field.end(where));
    if (!out.emplace(number, value).second) {
      return field.fail(where, oid_to_text(oid) + " occurs more than once");
    }
  }
  return out;
}

Result<DerElement> field_of(const Fields& fields, unsigned number, std::string_view where) {
  const auto found = fields.find(number);
  if (found == fields.end()) return Error(kMalformed, std::string(where), "the field is missing");
  return found->second;
}

template <class Fixed>
Result<Fixed> fixed_field(const Fields& fields, unsigned number, std::string_view where) {
  RATLS_TRY(const DerElement value, field_of(fields, number, where));
  DerReader reader(value.whole, kMalformed);
  RATLS_TRY(const BytesView content, reader.octet_string(where));
  if (content.size() != Fixed::kSize) {
    return reader.fail(where, std::to_string(Fixed::kSize) + " bytes are needed, got " +
                                  std::to_string(content.size()));
  }
  Fixed out;
  std::copy(content.begin(), content.end(), out.bytes.begin());
  return out;
}

Result<std::uint64_t> number_field(const Fields& fields, unsigned number, std::uint64_t max,
                                   std::string_view where, Tag tag = kTagInteger) {
  RATLS_TRY(const DerElement value, field_of(fields, number, where));
  return DerReader(value.whole, kMalformed).unsigned_integer(max, where, tag);
}

constexpr unsigned kTcbComponents = 16;
constexpr unsigned kTcbPceSvn = 17;
constexpr unsigned kTcbCpuSvn = 18;

Result<void> read_tcb(const DerElement& tcb, PckExtension& out) {
  RATLS_TRY(const Fields fields, read_fields(tcb.whole, {2}, kTcbCpuSvn, "tcb"));
  for (unsigned i = 1; i <= kTcbComponents; ++i) {
    RATLS_TRY(const std::uint64_t svn,
              number_field(fields, i, 255, "tcb.component " + std::to_string(i)));
    out.tcb_components[i - 1] = static_cast<std::uint8_t>(svn);
  }
  RATLS_TRY(const std::uint64_t pce_svn, number_field(fields, kTcbPceSvn, 65535, "tcb.pce_svn"));
  out.pce_svn = static_cast<std::uint16_t>(pce_svn);
  RATLS_TRY(out.cpu_svn, fixed_field<decltype(out.cpu_svn)>(fields, kTcbCpuSvn, "tcb.cpu_svn"));
  return {};
}

// Dynamic platform, cached keys, SMT enabled: written as FF or 00, not as defaults. No verdict
// depends on them.
Result<void> check_configuration(const DerElement& configuration) {
  RATLS_TRY(const Fields fields, read_fields(configuration.whole, {7}, 3, "configuration"));
  for (const auto& [number, value] : fields) {
    RATLS_CHECK(DerReader(value.whole, kMalformed).boolean("configuration"));
  }
  return {};
}

Result<PckExtension> read_extension(BytesView value) {
  RATLS_TRY(const Fields fields, read_fields(value, {}, 7, "sgx"));
  PckExtension out;
  RATLS_TRY(out.ppid, fixed_field<decltype(out.ppid)>(fields, 1, "ppid"));
  RATLS_TRY(const DerElement tcb, field_of(fields, 2, "tcb"));
  RATLS_CHECK(read_tcb(tcb, out));
  RATLS_TRY(out.pce_id, fixed_field<decltype(out.pce_id)>(fields, 3, "pce_id"));
  RATLS_TRY(out.fmspc, fixed_field<decltype(out.fmspc)>(fields, 4, "fmspc"));
  RATLS_TRY(const std::uint64_t type, number_field(fields, 5, 2, "sgx_type", kTagEnumerated));
  out.sgx_type = static_cast<PckExtension::SgxType>(type);
  if (fields.contains(6)) {
    using InstanceId = decltype(out.platform_instance_id)::value_type;
    RATLS_TRY(out.platform_instance_id, fixed_field<InstanceId>(fields, 6, "platform_instance_id"));
  }
  if (fields.contains(7)) RATLS_CHECK(check_configuration(fields.at(7)));
  // Processor CA: 1 to 5; Platform CA: 1 to 7 (Intel QVL, PckCertificate counts five or seven).
  if (fields.contains(6) != fields.contains(7)) {
    return Error(kMalformed, "configuration", "it comes with platform_instance_id or not at all");
  }
  return out;
}

}  // namespace

Oid sgx_extension_oid(std::initializer_list<unsigned> suffix) {
  Oid out{0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 0x01, 0x0D, 0x01};
  for (unsigned number : suffix) {
    // Each number of the profile is one byte.
    if (number > 0x7F) std::abort();
    out.push_back(static_cast<std::uint8_t>(number));
  }
  return out;
}

Result<PckExtension> parse_pck_extension(const Certificate& pck) {
  const auto found = pck.find(sgx_extension_oid());
  if (found.size() != 1) {
    return Error(kMalformed, "SGX extension",
                 "exactly one is needed, got " + std::to_string(found.size()));
  }
  auto extension = read_extension(found[0]->value);
  if (!extension) return extension.error().in("SGX extension");
  return extension;
}

}  // namespace ratls::x509
