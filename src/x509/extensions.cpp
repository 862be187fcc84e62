// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>

#include "x509/algorithms.h"
#include "x509/structures.h"

namespace ratls::x509 {
namespace {

// RFC 5280 4.2.1.9
Result<void> read_basic_constraints(DerReader value, Certificate& out) {
  RATLS_TRY(DerReader fields, value.enter(kTagSequence, "basicConstraints"));
  RATLS_CHECK(value.end("basicConstraints"));
  out.is_ca = false;
  if (fields.next_is(kTagBoolean)) {
    RATLS_TRY(const bool is_ca, fields.boolean("basicConstraints.cA"));
    // X.690 11.5: a DEFAULT value is not encoded.
    if (!is_ca) return fields.fail("basicConstraints.cA", "an encoded default");
    out.is_ca = true;
  }
  if (!fields.at_end()) {
    RATLS_TRY(const std::uint64_t length,
              fields.unsigned_integer(255, "basicConstraints.pathLenConstraint"));
    if (!*out.is_ca) return fields.fail("basicConstraints", "a path length without cA");
    out.path_length = static_cast<std::uint8_t>(length);
  }
  return fields.end("basicConstraints");
}

// RFC 5280 4.2.1.3: nine named bits, the first in the highest bit of the first byte, not all zero.
// X.690 11.2.2 leaves out zero bits at the end; issuers in use write them (dstack).
Result<void> read_key_usage(DerReader value, Certificate& out) {
  RATLS_TRY(const DerElement bits, value.element(kTagBitString, "keyUsage"));
  RATLS_CHECK(value.end("keyUsage"));
  if (bits.content.size() < 2 || bits.content.size() > 3 || bits.content[0] > 7) {
    return value.fail("keyUsage", "1 to 9 bits are needed");
  }
  if ((bits.content.back() & ((1U << bits.content[0]) - 1)) != 0) {
    return value.fail("keyUsage", "unused bits that are not zero");
  }
  unsigned usage = 0;
  for (unsigned bit = 0; bit < 8 * (bits.content.size() - 1); ++bit) {
    if ((bits.content[1 + bit / 8] >> (7 - bit % 8) & 1) != 0) usage |= 1U << bit;
  }
  if (usage == 0 || usage >= 1U << 9) return value.fail("keyUsage", "1 to 9 bits are needed");
  out.key_usage = static_cast<std::uint16_t>(usage);
  return {};
}

// RFC 5280 4.2.1.12
Result<void> read_extended_key_usage(DerReader value, Certificate& out) {
  RATLS_TRY(DerReader list, value.enter(kTagSequence, "extKeyUsage"));
  RATLS_CHECK(value.end("extKeyUsage"));
  if (list.at_end()) return list.fail("extKeyUsage", "an empty list");
  std::vector<Oid> purposes;
  while (!list.at_end()) {
    RATLS_TRY(const BytesView purpose, list.oid("extKeyUsage"));
    purposes.emplace_back(purpose.begin(), purpose.end());
  }
  out.extended_key_usage = std::move(purposes);
  return {};
}

// RFC 5280 4.2.1.6: the bytes of an IPv4 or IPv6 address.
std::optional<std::string> address_text(BytesView address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.size() == 4 ? AF_INET : AF_INET6;
  if (address.size() != 4 && address.size() != 16) return std::nullopt;
  if (inet_ntop(family, address.data(), text.data(), text.size()) == nullptr) return std::nullopt;
  return std::string(text.data());
}

Result<void> read_general_name(DerReader& list, Certificate& out) {
  RATLS_TRY(const DerElement name, list.element("subjectAltName"));
  const std::uint8_t number = name.tag & 0x1F;
  // Choices 0, 3, 4 and 5 of GeneralName are constructed.
  const bool constructed = number == 0 || (number >= 3 && number <= 5);
  const std::uint8_t wanted = constructed ? context_constructed(number) : context_primitive(number);
  if (number > 8 || name.tag != wanted) {
    return list.fail("subjectAltName", "no GeneralName has this tag");
  }
  if (name.tag == context_primitive(2)) {
    // A NUL or a control character could make two readers see two names.
    const bool printable = std::all_of(name.content.begin(), name.content.end(),
                                       [](std::uint8_t c) { return c > 0x20 && c < 0x7F; });
    if (name.content.empty() || !printable) {
      return list.fail("subjectAltName.dNSName", "printable characters are needed");
    }
    out.dns_names.emplace_back(as_text(name.content));
  }
  if (name.tag == context_primitive(7)) {
    const auto text = address_text(name.content);
    if (!text) return list.fail("subjectAltName.iPAddress", "4 or 16 bytes are needed");
    out.ip_addresses.push_back(*text);
  }
  return {};
}

Result<void> read_subject_alt_name(DerReader value, Certificate& out) {
  RATLS_TRY(DerReader list, value.enter(kTagSequence, "subjectAltName"));
  RATLS_CHECK(value.end("subjectAltName"));
  if (list.at_end()) return list.fail("subjectAltName", "an empty list");
  while (!list.at_end()) RATLS_CHECK(read_general_name(list, out));
  return {};
}

constexpr std::array<BytesView, 4> kReadExtensions{kOidBasicConstraints, kOidKeyUsage,
                                                   kOidExtendedKeyUsage, kOidSubjectAltName};

struct KnownExtension {
  BytesView oid;
  std::string_view name;
  Result<void> (*read)(DerReader value, Certificate& out);
};

}  // namespace

const Extension* Certificate::unknown_critical(std::initializer_list<BytesView> known) const {
  for (const Extension& extension : extensions) {
    const auto is_it = [&](BytesView oid) { return same_bytes(oid, extension.oid); };
    if (extension.critical && std::ranges::none_of(kReadExtensions, is_it) &&
        std::ranges::none_of(known, is_it)) {
      return &extension;
    }
  }
  return nullptr;
}

Result<void> check_profile(const Certificate& certificate, Code on_error, std::string_view where) {
  const std::array<std::pair<BytesView, std::string_view>, 5> demanded{{
      {kOidAuthorityKeyIdentifier, "authorityKeyIdentifier"},
      {kOidCrlDistributionPoints, "cRLDistributionPoints"},
      {kOidSubjectKeyIdentifier, "subjectKeyIdentifier"},
      {kOidKeyUsage, "keyUsage"},
      {kOidBasicConstraints, "basicConstraints"},
  }};
  for (const auto& [oid, name] : demanded) {
    if (certificate.find(oid).empty()) {
      return Error(on_error, std::string(where),
                   std::string(name) + " is missing, which Intel's profile demands");
    }
  }
  return {};
}

Result<void> read_known_extensions(Certificate& certificate, Code on_error) {
  const std::array<KnownExtension, 4> known{{
      {kOidBasicConstraints, "basicConstraints", read_basic_constraints},
      {kOidKeyUsage, "keyUsage", read_key_usage},
      {kOidExtendedKeyUsage, "extKeyUsage", read_extended_key_usage},
      {kOidSubjectAltName, "subjectAltName", read_subject_alt_name},
  }};
  for (const KnownExtension& entry : known) {
    const auto found = certificate.find(entry.oid);
    // RFC 5280 4.2: not more than one instance of an extension.
    if (found.size() > 1) {
      return Error(on_error, std::string(entry.name), "the extension occurs more than once");
    }
    if (!found.empty()) RATLS_CHECK(entry.read(DerReader(found[0]->value, on_error), certificate));
  }
  return {};
}

}  // namespace ratls::x509
