// SPDX-License-Identifier: Apache-2.0
#include "x509/pck_extension.h"

#include <gtest/gtest.h>

#include "x509/builder.h"
#include "x509/der.h"

namespace ratls::x509 {
namespace {

// One field of the extension: the suffix of its OID and its value.
struct Field {
  std::vector<unsigned> suffix;
  Bytes value;

  Bytes der() const {
    Oid oid = sgx_extension_oid();
    for (unsigned number : suffix) oid.push_back(static_cast<std::uint8_t>(number));
    return der_sequence({der_oid(oid), value});
  }
};

Bytes sequence_of(const std::vector<Field>& fields) {
  Bytes content;
  for (const Field& field : fields) {
    const Bytes der = field.der();
    content.insert(content.end(), der.begin(), der.end());
  }
  return der_tlv(kTagSequence, content);
}

std::vector<Field> tcb_fields() {
  std::vector<Field> fields;
  for (unsigned i = 1; i <= 16; ++i) fields.push_back({{2, i}, der_integer(200 + i)});
  fields.push_back({{2, 17}, der_integer(65535)});
  fields.push_back({{2, 18}, der_octet_string(Bytes(16, 0xC5))});
  return fields;
}

std::vector<Field> processor_fields(const std::vector<Field>& tcb = tcb_fields()) {
  return {{{1}, der_octet_string(Bytes(16, 0x11))},
          {{2}, sequence_of(tcb)},
          {{3}, der_octet_string(Bytes{0x00, 0x01})},
          {{4}, der_octet_string(Bytes{0x00, 0x60, 0x6A, 0, 0, 0})},
          {{5}, der_tlv(kTagEnumerated, Bytes{0})}};
}

std::vector<Field> platform_fields() {
  std::vector<Field> fields = processor_fields();
  fields.push_back({{6}, der_octet_string(Bytes(16, 0x66))});
  const Bytes yes{0x01, 0x01, 0xFF};
  const Bytes no{0x01, 0x01, 0x00};
  fields.push_back({{7}, sequence_of({{{7, 1}, yes}, {{7, 2}, no}, {{7, 3}, yes}})});
  return fields;
}

Certificate certificate_with(std::vector<Bytes> values) {
  Certificate out;
  for (Bytes& value : values)
    out.extensions.push_back({sgx_extension_oid(), false, std::move(value)});
  return out;
}

Result<PckExtension> parse(const std::vector<Field>& fields) {
  return parse_pck_extension(certificate_with({sequence_of(fields)}));
}

void expect_refused(const std::vector<Field>& fields, std::string_view what) {
  const auto result = parse(fields);
  ASSERT_FALSE(result) << what;
  EXPECT_EQ(result.error().code(), Code::pck_chain_malformed) << what;
  EXPECT_TRUE(result.error().where().starts_with("SGX extension")) << what;
}

// The fields with the value of one of them replaced.
std::vector<Field> with_value(std::vector<Field> fields, unsigned last_number, const Bytes& value) {
  for (Field& field : fields) {
    if (field.suffix.back() == last_number) field.value = value;
  }
  return fields;
}
std::vector<Field> without(std::vector<Field> fields, unsigned last_number) {
  std::erase_if(fields, [&](const Field& field) { return field.suffix.back() == last_number; });
  return fields;
}

TEST(ParsePckExtension, ReadsProcessorFields) {
  const PckExtension extension = parse(processor_fields()).value();
  EXPECT_EQ(to_hex(extension.ppid), std::string(32, '1'));
  for (unsigned i = 0; i < 16; ++i) EXPECT_EQ(extension.tcb_components[i], 201 + i);
  EXPECT_EQ(extension.pce_svn, 65535);
  EXPECT_EQ(to_hex(extension.cpu_svn), "c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5");
  EXPECT_EQ(to_hex(extension.pce_id), "0001");
  EXPECT_EQ(to_hex(extension.fmspc), "00606a000000");
  EXPECT_EQ(extension.sgx_type, PckExtension::SgxType::standard);
  EXPECT_FALSE(extension.platform_instance_id);
}

TEST(ParsePckExtension, ReadsPlatformFields) {
  const PckExtension extension =
      parse(with_value(platform_fields(), 5, der_tlv(kTagEnumerated, Bytes{2}))).value();
  EXPECT_EQ(extension.sgx_type, PckExtension::SgxType::scalable_with_integrity);
  ASSERT_TRUE(extension.platform_instance_id);
  EXPECT_EQ(to_hex(*extension.platform_instance_id), std::string(32, '6'));
}

TEST(ParsePckExtension, TakesAnyOrder) {
  std::vector<Field> tcb = tcb_fields();
  std::reverse(tcb.begin(), tcb.end());
  std::vector<Field> fields = processor_fields(tcb);
  std::reverse(fields.begin(), fields.end());
  EXPECT_EQ(parse(fields).value().tcb_components[0], 201);
}

TEST(ParsePckExtension, RefusesMissingFields) {
  for (unsigned number = 1; number <= 5; ++number) {
    expect_refused(without(processor_fields(), number), std::to_string(number));
  }
  for (unsigned number = 1; number <= 18; ++number) {
    expect_refused(processor_fields(without(tcb_fields(), number)),
                   "tcb " + std::to_string(number));
  }
  expect_refused({}, "all");
  expect_refused(without(platform_fields(), 6), "configuration without an instance");
  expect_refused(without(platform_fields(), 7), "an instance without configuration");
}

TEST(ParsePckExtension, RefusesDuplicateFields) {
  for (const Field& field : platform_fields()) {
    std::vector<Field> fields = platform_fields();
    fields.push_back(field);
    expect_refused(fields, std::to_string(field.suffix.back()));
  }
  for (const Field& field : tcb_fields()) {
    std::vector<Field> tcb = tcb_fields();
    tcb.push_back(field);
    expect_refused(processor_fields(tcb), "tcb " + std::to_string(field.suffix.back()));
  }
}

TEST(ParsePckExtension, RefusesUnknownFields) {
  for (const std::vector<unsigned>& suffix :
       std::vector<std::vector<unsigned>>{{8}, {0}, {}, {1, 1}, {2, 1}}) {
    std::vector<Field> fields = processor_fields();
    fields.push_back({suffix, der_octet_string(Bytes(16, 1))});
    expect_refused(fields, "unknown");
  }
  for (const std::vector<unsigned>& suffix :
       std::vector<std::vector<unsigned>>{{2, 19}, {2, 0}, {3, 1}, {2}}) {
    std::vector<Field> tcb = tcb_fields();
    tcb.push_back({suffix, der_integer(1)});
    expect_refused(processor_fields(tcb), "unknown in tcb");
  }
}

TEST(ParsePckExtension, RefusesTheNumbersOfFieldsUnderOtherArcs) {
  std::vector<Field> fields = processor_fields();
  fields[0].suffix = {9, 1};
  expect_refused(fields, "the PPID elsewhere");
  std::vector<Field> tcb = tcb_fields();
  tcb[0].suffix = {3, 1};
  expect_refused(processor_fields(tcb), "a component elsewhere");
}

TEST(ParsePckExtension, RefusesOtherSizes) {
  const std::vector<std::pair<unsigned, std::size_t>> sizes{{1, 16}, {3, 2}, {4, 6}, {6, 16}};
  for (const auto& [number, size] : sizes) {
    for (std::size_t wrong : {std::size_t{0}, size - 1, size + 1}) {
      expect_refused(with_value(platform_fields(), number, der_octet_string(Bytes(wrong, 1))),
                     std::to_string(number));
    }
  }
  expect_refused(processor_fields(with_value(tcb_fields(), 18, der_octet_string(Bytes(15, 1)))),
                 "cpu_svn");
}

TEST(ParsePckExtension, RefusesNumbersOutOfRange) {
  for (unsigned number = 1; number <= 16; ++number) {
    expect_refused(processor_fields(with_value(tcb_fields(), number, der_integer(256))), "svn");
  }
  expect_refused(processor_fields(with_value(tcb_fields(), 17, der_integer(65536))), "pce_svn");
  expect_refused(processor_fields(with_value(tcb_fields(), 1, {kTagInteger, 1, 0xFF})), "negative");
  expect_refused(processor_fields(with_value(tcb_fields(), 1, {kTagInteger, 2, 0, 1})),
                 "long form");
  expect_refused(with_value(processor_fields(), 5, der_tlv(kTagEnumerated, Bytes{3})), "type");
}

TEST(ParsePckExtension, RefusesOtherTypes) {
  expect_refused(with_value(processor_fields(), 1, der_integer(1)), "ppid");
  expect_refused(with_value(processor_fields(), 2, der_octet_string(Bytes(16, 1))), "tcb");
  expect_refused(with_value(processor_fields(), 5, der_integer(0)), "sgx_type");
  expect_refused(processor_fields(with_value(tcb_fields(), 1, der_octet_string(Bytes{1}))), "svn");
  expect_refused(with_value(platform_fields(), 7, sequence_of({{{7, 1}, der_integer(1)}})),
                 "configuration");
  expect_refused(with_value(platform_fields(), 7, sequence_of({{{7, 4}, {0x01, 0x01, 0xFF}}})),
                 "configuration 4");
}

TEST(ParsePckExtension, RefusesBytesLeftOver) {
  Bytes value = sequence_of(processor_fields());
  value.push_back(0);
  EXPECT_FALSE(parse_pck_extension(certificate_with({value})));
  Bytes two = der_octet_string(Bytes(16, 1));
  two.push_back(0x05);
  two.push_back(0x00);
  expect_refused(with_value(processor_fields(), 1, two), "two values");
}

TEST(ParsePckExtension, NeedsExactlyOneExtension) {
  const Bytes value = sequence_of(processor_fields());
  EXPECT_TRUE(parse_pck_extension(certificate_with({value})));
  EXPECT_EQ(parse_pck_extension(certificate_with({})).error().code(), Code::pck_chain_malformed);
  EXPECT_EQ(parse_pck_extension(certificate_with({value, value})).error().code(),
            Code::pck_chain_malformed);
}

TEST(SgxExtensionOid, IsIntelsArc) {
  EXPECT_EQ(oid_to_text(sgx_extension_oid()), "1.2.840.113741.1.13.1");
  EXPECT_EQ(oid_to_text(sgx_extension_oid({2, 18})), "1.2.840.113741.1.13.1.2.18");
}

}  // namespace
}  // namespace ratls::x509
