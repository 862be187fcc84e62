// SPDX-License-Identifier: Apache-2.0
#include "x509/builder.h"

#include <arpa/inet.h>

#include <optional>

#include "base/reader.h"
#include "x509/algorithms.h"
#include "x509/der.h"

namespace ratls::x509 {
namespace {

Bytes copy(BytesView view) { return Bytes(view.begin(), view.end()); }

Error failed(std::string_view field, std::string_view why) {
  return Error(Code::internal, std::string(field), std::string(why));
}

Bytes concatenated(const std::vector<Bytes>& parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Bytes positive_integer(BytesView big_endian) {
  while (big_endian.size() > 1 && big_endian[0] == 0) big_endian = big_endian.subspan(1);
  Bytes content = copy(big_endian);
  if (content.empty() || (content[0] & 0x80) != 0) content.insert(content.begin(), 0x00);
  return der_tlv(kTagInteger, content);
}

Result<Bytes> serial_number(BytesView serial) {
  const bool zero = std::all_of(serial.begin(), serial.end(), [](auto byte) { return byte == 0; });
  if (serial.size() > 20 || zero)
    return failed("serial", "a positive number of 1 to 20 bytes is needed");
  return positive_integer(serial);
}

// RFC 5280 4.1.2.5: UTCTime to the end of 2049, GeneralizedTime after it.
Result<Bytes> time_element(UnixTime time) {
  const std::string text = format_time(time);  // "2024-03-13T00:00:00Z"
  const auto year = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time)).year();
  if (year < std::chrono::year(1950) || year > std::chrono::year(9999)) {
    return failed("time", "the years 1950 to 9999 can be written, not " + text);
  }
  std::string digits;
  for (char c : text) {
    if (c != '-' && c != ':' && c != 'T') digits += c;
  }
  if (year < std::chrono::year(2050)) return der_tlv(kTagUtcTime, as_bytes(digits.substr(2)));
  return der_tlv(kTagGeneralizedTime, as_bytes(digits));
}

// RFC 4519 2 and RFC 5280 4.1.2.4: 2.5.4.N.
std::optional<std::uint8_t> attribute_number(std::string_view short_name) {
  if (short_name == "CN") return std::uint8_t{3};
  if (short_name == "C") return std::uint8_t{6};
  if (short_name == "L") return std::uint8_t{7};
  if (short_name == "ST") return std::uint8_t{8};
  if (short_name == "O") return std::uint8_t{10};
  return std::nullopt;
}

Result<Bytes> name_element(const std::vector<NameAttribute>& attributes) {
  Bytes rdns;
  for (const NameAttribute& attribute : attributes) {
    const auto number = attribute_number(attribute.short_name);
    if (!number || attribute.value.empty()) {
      return failed("name", "\"" + attribute.short_name + "\" has no value or is unknown");
    }
    const std::uint8_t type = attribute.short_name == "C" ? kTagPrintableString : kTagUtf8String;
    const std::array<std::uint8_t, 3> oid{0x55, 0x04, *number};
    const Bytes rdn =
        der_tlv(kTagSet, der_sequence({der_oid(oid), der_tlv(type, as_bytes(attribute.value))}));
    rdns.insert(rdns.end(), rdn.begin(), rdn.end());
  }
  return der_tlv(kTagSequence, rdns);
}

Bytes extension_element(const Extension& extension) {
  const Bytes critical = extension.critical ? Bytes{kTagBoolean, 0x01, 0xFF} : Bytes{};
  return der_sequence({der_oid(extension.oid), critical, der_octet_string(extension.value)});
}

Bytes extensions_element(const std::vector<Extension>& extensions, std::uint8_t context_number) {
  if (extensions.empty()) return {};
  std::vector<Bytes> elements;
  for (const Extension& extension : extensions) elements.push_back(extension_element(extension));
  return der_tlv(context_constructed(context_number),
                 der_tlv(kTagSequence, concatenated(elements)));
}

Bytes algorithm_element() { return der_sequence({der_oid(kOidEcdsaSha256)}); }

Bytes bit_string(BytesView bytes) {
  Bytes content{0x00};
  content.insert(content.end(), bytes.begin(), bytes.end());
  return der_tlv(kTagBitString, content);
}

Result<Bytes> signed_object(const Bytes& tbs, const crypto::PrivateKey& key) {
  RATLS_TRY(const Bytes raw, key.sign_raw(tbs));
  const BytesView both(raw);
  const BytesView r = both.first(raw.size() / 2);
  const BytesView s = both.subspan(raw.size() / 2);
  const Bytes signature = der_sequence({positive_integer(r), positive_integer(s)});
  return der_sequence({tbs, algorithm_element(), bit_string(signature)});
}

Extension make_extension(BytesView oid, Bytes value) {
  return {copy(oid), false, std::move(value)};
}

Bytes key_identifier(BytesView spki) { return copy(crypto::sha256(spki).view().first(20)); }

std::optional<Bytes> address_bytes(const std::string& text) {
  std::array<std::uint8_t, 16> address{};
  if (inet_pton(AF_INET, text.c_str(), address.data()) == 1)
    return copy(BytesView(address).first(4));
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return copy(address);
  return std::nullopt;
}

}  // namespace

Bytes der_tlv(std::uint8_t tag, BytesView content) {
  Bytes out{tag};
  const std::size_t size = content.size();
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else {
    Bytes length;
    for (std::size_t left = size; left != 0; left >>= 8) {
      length.push_back(static_cast<std::uint8_t>(left));
    }
    out.push_back(static_cast<std::uint8_t>(0x80 | length.size()));
    out.insert(out.end(), length.rbegin(), length.rend());
  }
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

Bytes der_sequence(std::initializer_list<Bytes> parts) {
  return der_tlv(kTagSequence, concatenated(parts));
}

Bytes der_integer(std::uint64_t value) {
  Bytes big_endian;
  for (int shift = 56; shift >= 0; shift -= 8) {
    big_endian.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  return positive_integer(big_endian);
}

Bytes der_oid(BytesView oid_content) { return der_tlv(kTagOid, oid_content); }

Bytes der_octet_string(BytesView content) { return der_tlv(kTagOctetString, content); }

Result<Bytes> build_certificate(const CertificateSpec& spec, const crypto::PrivateKey& issuer_key) {
  if (spec.subject_spki.empty()) return failed("subject_spki", "the key is missing");
  RATLS_TRY(const Bytes serial, serial_number(spec.serial));
  RATLS_TRY(const Bytes issuer, name_element(spec.issuer));
  RATLS_TRY(const Bytes subject, name_element(spec.subject));
  RATLS_TRY(const Bytes not_before, time_element(spec.not_before));
  RATLS_TRY(const Bytes not_after, time_element(spec.not_after));
  const Bytes tbs =
      der_sequence({der_tlv(context_constructed(0), der_integer(2)), serial, algorithm_element(),
                    issuer, der_sequence({not_before, not_after}), subject, spec.subject_spki,
                    extensions_element(spec.extensions, 3)});
  return signed_object(tbs, issuer_key);
}

Result<Bytes> build_crl(const CrlSpec& spec, const crypto::PrivateKey& issuer_key) {
  RATLS_TRY(const Bytes issuer, name_element(spec.issuer));
  RATLS_TRY(const Bytes this_update, time_element(spec.this_update));
  RATLS_TRY(const Bytes next_update, time_element(spec.next_update));
  RATLS_TRY(const Bytes issuer_spki, issuer_key.spki_der());
  std::vector<Bytes> entries;
  for (const Bytes& revoked : spec.revoked_serials) {
    RATLS_TRY(const Bytes serial, serial_number(revoked));
    entries.push_back(der_sequence({serial, this_update}));
  }
  // RFC 5280 5.1.2.6: without entries the list is absent.
  const Bytes list = entries.empty() ? Bytes{} : der_tlv(kTagSequence, concatenated(entries));
  const std::vector<Extension> extensions{
      authority_key_identifier(issuer_spki),
      make_extension(kOidCrlNumber, der_integer(spec.crl_number))};
  const Bytes tbs = der_sequence({der_integer(1), algorithm_element(), issuer, this_update,
                                  next_update, list, extensions_element(extensions, 0)});
  return signed_object(tbs, issuer_key);
}

Extension basic_constraints(bool is_ca, std::optional<std::uint8_t> path_length) {
  const Bytes ca = is_ca ? Bytes{kTagBoolean, 0x01, 0xFF} : Bytes{};
  const Bytes length = is_ca && path_length ? der_integer(*path_length) : Bytes{};
  return {copy(kOidBasicConstraints), true, der_sequence({ca, length})};
}

Extension key_usage(std::uint16_t bits) {
  unsigned last = 0;
  std::array<std::uint8_t, 2> bytes{};
  for (unsigned bit = 0; bit < 9; ++bit) {
    if ((bits >> bit & 1U) == 0) continue;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | 0x80U >> bit % 8);
    last = bit;
  }
  Bytes content{static_cast<std::uint8_t>(7 - last % 8)};
  content.insert(content.end(), bytes.begin(), bytes.begin() + 1 + last / 8);
  return {copy(kOidKeyUsage), true, der_tlv(kTagBitString, content)};
}

Extension server_auth() {
  return make_extension(kOidExtendedKeyUsage,
                        der_sequence({der_oid(oid_from_text("1.3.6.1.5.5.7.3.1"))}));
}

Extension subject_alt_names(const std::vector<std::string>& names) {
  std::vector<Bytes> elements;
  for (const std::string& name : names) {
    const auto address = address_bytes(name);
    elements.push_back(address ? der_tlv(context_primitive(7), *address)
                               : der_tlv(context_primitive(2), as_bytes(name)));
  }
  return make_extension(kOidSubjectAltName, der_tlv(kTagSequence, concatenated(elements)));
}

Extension subject_key_identifier(BytesView subject_spki) {
  return make_extension(kOidSubjectKeyIdentifier, der_octet_string(key_identifier(subject_spki)));
}

Extension authority_key_identifier(BytesView issuer_spki) {
  return make_extension(kOidAuthorityKeyIdentifier,
                        der_sequence({der_tlv(context_primitive(0), key_identifier(issuer_spki))}));
}

// RFC 5280 4.2.1.13: DistributionPoint, its name [0], of it fullName [0], a list of GeneralName.
Extension crl_distribution_point(std::string_view url) {
  const Bytes uri = der_tlv(context_primitive(6), as_bytes(url));
  const Bytes full_name = der_tlv(context_constructed(0), uri);
  const Bytes point = der_sequence({der_tlv(context_constructed(0), full_name)});
  return make_extension(kOidCrlDistributionPoints, der_sequence({point}));
}

}  // namespace ratls::x509
