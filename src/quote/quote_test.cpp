// SPDX-License-Identifier: Apache-2.0
#include "ratls/quote.h"

#include <gtest/gtest.h>

#include <numeric>

#include "support/vectors.h"

namespace ratls {
namespace {

void put(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
void put(Bytes& out, const Bytes& bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

Bytes counting(std::size_t size, std::uint8_t first) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

// What a test changes in an otherwise good quote.
struct Shape {
  std::uint16_t version = 3;
  std::uint16_t key_type = 2;
  std::uint32_t tee_type = 0;
  Bytes vendor = *parse_hex("939a7233f79c4ca9940a0db3957f0607", 16, "vendor");
  std::uint16_t outer_type = 6;
  int outer_size_change = 0;
  Bytes qe_auth = counting(32, 7);
  int qe_auth_size_change = 0;
  std::uint16_t certification_type = 5;
  Bytes certification = counting(100, 9);
  int certification_size_change = 0;
  int auth_size_change = 0;
  std::optional<std::uint32_t> auth_size = std::nullopt;
  // Of the descriptor of version 5; the body has the type's right size but for a change.
  std::uint16_t body_type = 1;
  int body_size_change = 0;
};

std::size_t body_size(const Shape& shape) {
  if (shape.version < 5) return shape.tee_type == 0x81 ? 584 : 384;
  return shape.body_type == 2 ? 584 : shape.body_type == 3 ? 648 : 384;
}

Bytes make_qe_part(const Shape& shape) {
  Bytes out = counting(384, 100);
  put(out, counting(64, 200));
  put(out, shape.qe_auth.size() + shape.qe_auth_size_change, 2);
  put(out, shape.qe_auth);
  put(out, shape.certification_type, 2);
  put(out, shape.certification.size() + shape.certification_size_change, 4);
  put(out, shape.certification);
  return out;
}

Bytes make_quote(const Shape& shape) {
  Bytes auth = counting(64, 20);
  put(auth, counting(64, 30));
  const Bytes qe_part = make_qe_part(shape);
  if (shape.version != 3) {
    put(auth, shape.outer_type, 2);
    put(auth, qe_part.size() + shape.outer_size_change, 4);
  }
  put(auth, qe_part);

  Bytes out;
  put(out, shape.version, 2);
  put(out, shape.key_type, 2);
  put(out, shape.tee_type, 4);
  put(out, 0x0908, 2);
  put(out, 0x0d0c, 2);
  put(out, shape.vendor);
  put(out, counting(20, 50));
  if (shape.version == 5) {
    put(out, shape.body_type, 2);
    put(out, body_size(shape) + shape.body_size_change, 4);
  }
  put(out, counting(body_size(shape), 0));
  put(out, shape.auth_size.value_or(auth.size() + shape.auth_size_change), 4);
  put(out, auth);
  return out;
}

Code parse_code(const Bytes& bytes) {
  auto quote = parse_quote(bytes);
  return quote ? Code::ok : quote.error().code();
}
Code parse_code(const Shape& shape) { return parse_code(make_quote(shape)); }

template <class Fixed>
Bytes bytes_of(const Fixed& fixed) {
  return Bytes(fixed.bytes.begin(), fixed.bytes.end());
}

TEST(ParseQuote, ReadsEveryFieldOfVersion3) {
  const Bytes bytes = make_quote({});
  auto quote = parse_quote(bytes);
  ASSERT_TRUE(quote) << quote.error().message();
  EXPECT_EQ(quote->header.version, 3);
  EXPECT_EQ(quote->header.attestation_key_type, 2);
  EXPECT_EQ(quote->header.tee_type, 0u);
  EXPECT_EQ(quote->header.qe_svn, 0x0908);
  EXPECT_EQ(quote->header.pce_svn, 0x0d0c);
  EXPECT_EQ(bytes_of(quote->header.user_data), counting(20, 50));
  EXPECT_EQ(quote->tee(), Tee::sgx);
  EXPECT_EQ(bytes_of(quote->enclave()->mr_enclave), counting(32, 64));
  EXPECT_EQ(bytes_of(quote->signature.signature), counting(64, 20));
  EXPECT_EQ(bytes_of(quote->signature.attestation_key), counting(64, 30));
  EXPECT_EQ(quote->signature.qe_report_bytes, counting(384, 100));
  EXPECT_EQ(bytes_of(quote->signature.qe_report.cpu_svn), counting(16, 100));
  EXPECT_EQ(bytes_of(quote->signature.qe_report_signature), counting(64, 200));
  EXPECT_EQ(quote->signature.qe_auth_data, counting(32, 7));
  EXPECT_EQ(quote->signature.certification_data.type, CertificationType::pck_chain);
  EXPECT_EQ(quote->signature.certification_data.body, counting(100, 9));
  EXPECT_EQ(quote->signed_bytes, Bytes(bytes.begin(), bytes.begin() + 432));
  EXPECT_EQ(quote->size, bytes.size());
}

TEST(ParseQuote, ReadsVersion4) {
  const Bytes bytes = make_quote({.version = 4});
  auto quote = parse_quote(bytes);
  ASSERT_TRUE(quote) << quote.error().message();
  EXPECT_EQ(quote->header.version, 4);
  EXPECT_EQ(quote->signature.qe_report_bytes, counting(384, 100));
  EXPECT_EQ(quote->signature.qe_auth_data, counting(32, 7));
  EXPECT_EQ(quote->signature.certification_data.type, CertificationType::pck_chain);
  EXPECT_EQ(quote->signature.certification_data.body, counting(100, 9));
  EXPECT_EQ(quote->size, bytes.size());
}

TEST(ParseQuote, IgnoresBytesAfterTheQuote) {
  Bytes bytes = make_quote({});
  const std::size_t size = bytes.size();
  bytes.resize(size + 100 * 1024, 0xAA);
  auto quote = parse_quote(bytes);
  ASSERT_TRUE(quote) << quote.error().message();
  EXPECT_EQ(quote->size, size);
}

TEST(ParseQuote, ReadsEveryBodyThatIntelMakes) {
  struct Row {
    Shape shape;
    Tee tee;
    std::size_t body_offset;
    std::size_t signed_size;
    bool td15;
  };
  for (const Row& row :
       {Row{{.version = 4, .tee_type = 0x81}, Tee::tdx, 48, 48 + 584, false},
        Row{{.version = 5, .body_type = 1}, Tee::sgx, 54, 54 + 384, false},
        Row{{.version = 5, .tee_type = 0x81, .body_type = 2}, Tee::tdx, 54, 54 + 584, false},
        Row{{.version = 5, .tee_type = 0x81, .body_type = 3}, Tee::tdx, 54, 54 + 648, true}}) {
    const Bytes bytes = make_quote(row.shape);
    const auto quote = parse_quote(bytes);
    ASSERT_TRUE(quote) << quote.error().message() << " at " << quote.error().where();
    EXPECT_EQ(quote->tee(), row.tee);
    EXPECT_EQ(quote->body_offset, row.body_offset);
    EXPECT_EQ(quote->signed_bytes.size(), row.signed_size);
    EXPECT_TRUE(std::equal(quote->signed_bytes.begin(), quote->signed_bytes.end(), bytes.begin()));
    EXPECT_EQ(quote->size, bytes.size());
    EXPECT_EQ(quote->enclave() != nullptr, row.tee == Tee::sgx);
    EXPECT_EQ(quote->td() != nullptr, row.tee == Tee::tdx);
    EXPECT_EQ(quote->td() != nullptr && quote->td()->tee_tcb_svn2.has_value(), row.td15);
    EXPECT_EQ(bytes_of(quote->report_data()), counting(64, row.tee == Tee::sgx ? 320 % 256 : 8));
    EXPECT_EQ(quote->signature.qe_auth_data, counting(32, 7));
  }
}

TEST(ParseQuote, RejectsABodyThatIsNotWhatTheDescriptorSays) {
  for (const int change : {-1, 1, 64, -384}) {
    EXPECT_EQ(parse_code(Shape{.version = 5, .body_size_change = change}), Code::quote_malformed);
  }
  for (const std::uint16_t type : {0, 4, 5, 65535}) {
    EXPECT_EQ(parse_code(Shape{.version = 5, .tee_type = 0x81, .body_type = type}),
              Code::quote_unsupported)
        << type;
  }
  EXPECT_EQ(parse_code(Shape{.version = 5, .tee_type = 0, .body_type = 2}),
            Code::quote_unsupported);
  EXPECT_EQ(parse_code(Shape{.version = 5, .tee_type = 0x81, .body_type = 1}),
            Code::quote_unsupported);
}

TEST(ParseQuote, RejectsEveryTruncation) {
  for (std::uint16_t version : {3, 4, 5}) {
    const Bytes bytes = make_quote({.version = version});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(parse_code(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))),
                Code::quote_malformed)
          << "version " << version << " cut to " << size;
    }
  }
}

TEST(ParseQuote, RejectsOtherVersions) {
  for (std::uint16_t version : {0, 1, 2, 6, 259, 65535}) {
    EXPECT_EQ(parse_code(Shape{.version = version}), Code::quote_unsupported) << version;
  }
  Bytes next = make_quote({.version = 5, .body_type = 1});
  ASSERT_TRUE(parse_quote(next));
  next[0] = 6;  // in the form of version 5
  EXPECT_EQ(parse_quote(next).error().code(), Code::quote_unsupported);
}

TEST(ParseQuote, RejectsOtherKeyTypes) {
  for (std::uint16_t type : {0, 1, 3, 65535}) {
    EXPECT_EQ(parse_code(Shape{.key_type = type}), Code::quote_unsupported) << type;
  }
}

TEST(ParseQuote, RejectsOtherTeeTypesInEveryVersion) {
  EXPECT_EQ(parse_code(Shape{.version = 3, .tee_type = 0x81}), Code::quote_unsupported);
  for (std::uint16_t version : {3, 4, 5}) {
    for (std::uint32_t type : {1u, 0x82u, 0x81000000u, 0xFFFFFFFFu}) {
      EXPECT_EQ(parse_code(Shape{.version = version, .tee_type = type}), Code::quote_unsupported)
          << version << " " << type;
    }
  }
}

TEST(ParseQuote, RejectsOtherVendors) {
  EXPECT_EQ(parse_code(Shape{.vendor = Bytes(16, 0)}), Code::quote_unsupported);
}

TEST(ParseQuote, RejectsAuthDataSizeThatDoesNotFit) {
  for (std::uint16_t version : {3, 4}) {
    for (int change : {-1, 1, 100}) {
      EXPECT_EQ(parse_code(Shape{.version = version, .auth_size_change = change}),
                Code::quote_malformed)
          << version << " " << change;
    }
    for (std::uint32_t size : {0u, 1u, 127u, 0x80000000u, 0xFFFFFFF0u, 0xFFFFFFFFu}) {
      EXPECT_EQ(parse_code(Shape{.version = version, .auth_size = size}), Code::quote_malformed)
          << version << " " << size;
    }
  }
}

TEST(ParseQuote, RejectsAuthDataOneByteLongerThanItsContent) {
  Bytes bytes = make_quote({.auth_size_change = 1});
  bytes.push_back(0);
  EXPECT_EQ(parse_code(bytes), Code::quote_malformed);
}

TEST(ParseQuote, RejectsCertificationDataSizeThatDoesNotFit) {
  for (std::uint16_t version : {3, 4}) {
    for (int change : {-100, -1, 1, 0x7FFFFFFF, -101}) {
      EXPECT_EQ(parse_code(Shape{.version = version, .certification_size_change = change}),
                Code::quote_malformed)
          << version << " " << change;
    }
  }
}

TEST(ParseQuote, RejectsQeAuthDataSizeThatRunsPastTheEnd) {
  EXPECT_EQ(parse_code(Shape{.qe_auth_size_change = 10000}), Code::quote_malformed);
  EXPECT_EQ(parse_code(Shape{.qe_auth = {}, .qe_auth_size_change = 65535}), Code::quote_malformed);
}

TEST(ParseQuote, TakesEmptyQeAuthData) {
  auto quote = parse_quote(make_quote({.qe_auth = {}}));
  ASSERT_TRUE(quote) << quote.error().message();
  EXPECT_TRUE(quote->signature.qe_auth_data.empty());
}

TEST(ParseQuote, RejectsOuterCertificationDataOfOtherType) {
  for (std::uint16_t type : {0, 1, 5, 7, 65535}) {
    EXPECT_EQ(parse_code(Shape{.version = 4, .outer_type = type}),
              Code::certification_data_unsupported)
        << type;
  }
}

TEST(ParseQuote, RejectsOuterCertificationDataSizeThatDoesNotFit) {
  for (int change : {-1, 1, -500, 0x7FFFFFFF}) {
    EXPECT_EQ(parse_code(Shape{.version = 4, .outer_size_change = change}), Code::quote_malformed)
        << change;
  }
}

TEST(ParseQuote, RejectsUnknownCertificationTypes) {
  for (std::uint16_t version : {3, 4}) {
    for (std::uint16_t type : {0, 4, 6, 7, 8, 65535}) {
      EXPECT_EQ(parse_code(Shape{.version = version, .certification_type = type}),
                Code::certification_data_unsupported)
          << version << " " << type;
    }
  }
}

TEST(ParseQuote, DemandsTheSizeOfPpidCertificationData) {
  struct Row {
    std::uint16_t type;
    std::size_t size;
    Code code;
  };
  constexpr Code kUnsupported = Code::certification_data_unsupported;
  for (const Row& row :
       {Row{1, 36, Code::ok}, Row{1, 34, Code::ok}, Row{1, 35, kUnsupported},
        Row{1, 0, kUnsupported}, Row{2, 276, Code::ok}, Row{2, 404, kUnsupported},
        Row{3, 404, Code::ok}, Row{3, 276, kUnsupported}, Row{3, 3548, kUnsupported}}) {
    EXPECT_EQ(parse_code(Shape{.certification_type = row.type, .certification = Bytes(row.size)}),
              row.code)
        << row.type << " " << row.size;
  }
}

TEST(ParseQuote, RejectsMoreThanTheLargestQuote) {
  const std::size_t others = make_quote({.certification = {}}).size();
  EXPECT_EQ(parse_code(Shape{.certification = Bytes(kMaxQuoteSize - others)}), Code::ok);
  EXPECT_EQ(parse_code(Shape{.certification = Bytes(kMaxQuoteSize - others + 1)}),
            Code::quote_malformed);
}

TEST(ParseEnclaveReport, PutsEveryFieldInItsPlace) {
  const Bytes bytes = counting(384, 0);
  auto report = parse_enclave_report(bytes);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(bytes_of(report->cpu_svn), counting(16, 0));
  EXPECT_EQ(report->misc_select, 0x13121110u);
  EXPECT_EQ(bytes_of(report->isv_ext_prod_id), counting(16, 32));
  EXPECT_EQ(bytes_of(report->attributes), counting(16, 48));
  EXPECT_EQ(bytes_of(report->mr_enclave), counting(32, 64));
  EXPECT_EQ(bytes_of(report->mr_signer), counting(32, 128));
  EXPECT_EQ(bytes_of(report->config_id), counting(64, 192));
  EXPECT_EQ(report->isv_prod_id, 0x0100);
  EXPECT_EQ(report->isv_svn, 0x0302);
  EXPECT_EQ(report->config_svn, 0x0504);
  EXPECT_EQ(bytes_of(report->isv_family_id), counting(16, 48));
  EXPECT_EQ(bytes_of(report->report_data), counting(64, 64));
}

TEST(ParseEnclaveReport, RejectsOtherSizes) {
  for (std::size_t size : {0u, 383u, 385u}) {
    auto report = parse_enclave_report(Bytes(size));
    ASSERT_FALSE(report) << size;
    EXPECT_EQ(report.error().code(), Code::quote_malformed);
  }
}

TEST(ParseTdReport, PutsEveryFieldInItsPlace) {
  const Bytes bytes = counting(648, 0);
  const auto report = parse_td_report(bytes);
  ASSERT_TRUE(report) << report.error().message();
  const auto at = [](std::size_t size, std::size_t offset) {
    return counting(size, static_cast<std::uint8_t>(offset));
  };
  EXPECT_EQ(bytes_of(report->tee_tcb_svn), at(16, 0));
  EXPECT_EQ(bytes_of(report->mr_seam), at(48, 16));
  EXPECT_EQ(bytes_of(report->mr_signer_seam), at(48, 64));
  EXPECT_EQ(bytes_of(report->seam_attributes), at(8, 112));
  EXPECT_EQ(bytes_of(report->td_attributes), at(8, 120));
  EXPECT_EQ(bytes_of(report->xfam), at(8, 128));
  EXPECT_EQ(bytes_of(report->mr_td), at(48, 136));
  EXPECT_EQ(bytes_of(report->mr_config_id), at(48, 184));
  EXPECT_EQ(bytes_of(report->mr_owner), at(48, 232));
  EXPECT_EQ(bytes_of(report->mr_owner_config), at(48, 280));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(bytes_of(report->rtmr[i]), at(48, 328 + 48 * i)) << i;
  }
  EXPECT_EQ(bytes_of(report->report_data), at(64, 520));
  ASSERT_TRUE(report->tee_tcb_svn2 && report->mr_service_td);
  EXPECT_EQ(bytes_of(*report->tee_tcb_svn2), at(16, 584));
  EXPECT_EQ(bytes_of(*report->mr_service_td), at(48, 600));
}

TEST(ParseTdReport, TakesTheTwoSizesOnly) {
  EXPECT_FALSE(parse_td_report(Bytes(584)).value().tee_tcb_svn2);
  for (const std::size_t size : {0u, 583u, 585u, 647u, 649u, 885u}) {
    const auto report = parse_td_report(Bytes(size));
    ASSERT_FALSE(report) << size;
    EXPECT_EQ(report.error().code(), Code::quote_malformed);
  }
}

TEST(TdReport, DebugIsBitZeroOfTheAttributes) {
  TdReport report;
  EXPECT_FALSE(report.debug());
  report.td_attributes = {{0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
  EXPECT_FALSE(report.debug());
  report.td_attributes = {{0x01}};
  EXPECT_TRUE(report.debug());
  report.td_attributes = {{0, 0, 0, 0x10, 0, 0, 0, 0x80}};
  EXPECT_EQ(attribute_bits(report.td_attributes), kTdSeptVeDisable | kTdPerfmon);
}

TEST(EnclaveReport, DebugIsBitOneOfTheFlags) {
  EnclaveReport report;
  EXPECT_FALSE(report.debug());
  report.attributes.bytes[0] = 0x05;
  EXPECT_FALSE(report.debug());
  report.attributes.bytes[0] = 0x02;
  EXPECT_TRUE(report.debug());
}

TEST(AttributeFlags, AreLittleEndian) {
  SgxAttributes attributes;
  attributes.bytes[0] = 0x05;
  attributes.bytes[7] = 0x80;
  attributes.bytes[8] = 0xFF;
  EXPECT_EQ(attribute_flags(attributes), 0x8000000000000005u);
}

TEST(Tee, HasNames) {
  EXPECT_EQ(to_string(Tee::sgx), "sgx");
  EXPECT_EQ(to_string(Tee::tdx), "tdx");
}

// In these cases the fault is not in the quote, although their class says format.
bool fault_is_elsewhere(const std::string& id) { return id.ends_with("-tcb-qe-swapped-docs"); }

// A missing final NUL, which the certificate chain does not need, is all that is wrong; Intel's
// library takes it, here lengths must fit exactly.
bool stricter_here(const std::string& id) { return id == "sgx3-certsize-minus1"; }

TEST(QuoteVectors, ParserAgreesWithTheCases) {
  const auto dir = testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  std::size_t parsed = 0, refused = 0;
  for (const auto& entry : testing::read_cases(*dir)) {
    if (!entry.contains("quote")) continue;
    const std::string id = entry["id"];
    const Bytes bytes = testing::read_vector(*dir / entry["quote"].get<std::string>());
    const std::string failure = testing::text_in(entry["expected"], "failure_class");
    const Code code = parse_code(bytes);
    const bool must_refuse =
        (failure == "FORMAT" || failure == "UNSUPPORTED") && !fault_is_elsewhere(id);
    if (must_refuse) {
      EXPECT_EQ(exit_code(code), 3) << id;
      ++refused;
    } else if (!stricter_here(id)) {
      EXPECT_EQ(code, Code::ok) << id;
      ++parsed;
    }
  }
  EXPECT_GT(parsed, 100u);
  EXPECT_GT(refused, 100u);
}

TEST(QuoteVectors, ReadsTheReportsOfTds) {
  const auto dir = testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  const auto read = [&](const char* id) {
    return parse_quote(testing::read_vector(*dir / "real" / id / "quote.bin")).value();
  };
  const Quote version4 = read("tdx-oe-tdx_quote-uptodate");
  ASSERT_NE(version4.td(), nullptr);
  EXPECT_EQ(version4.signed_bytes.size(), 48u + TdReport::kSize10);
  EXPECT_FALSE(version4.td()->mr_service_td);
  const Quote version5 = read("tdx-go-tdx-guest-v5-uptodate");
  ASSERT_NE(version5.td(), nullptr);
  EXPECT_EQ(version5.signed_bytes.size(), 48u + 6 + TdReport::kSize15);
  EXPECT_TRUE(version5.td()->tee_tcb_svn2 && version5.td()->mr_service_td);
  EXPECT_FALSE(version5.td()->debug());
}

TEST(QuoteVectors, EveryFlippedByteIsHandled) {
  const auto dir = testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  const Bytes good = testing::read_vector(*dir / "real/sgx-phala-sgx_quote-cfgswhard/quote.bin");
  ASSERT_FALSE(good.empty());
  const auto original = parse_quote(good);
  ASSERT_TRUE(original);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0xFF;
    const auto quote = parse_quote(bad);
    if (quote) {
      // No byte is without a place: what was read must differ, or the byte was in the signed part.
      EXPECT_TRUE(quote->signed_bytes != original->signed_bytes ||
                  quote->signature.qe_report_bytes != original->signature.qe_report_bytes ||
                  quote->signature.signature != original->signature.signature ||
                  quote->signature.attestation_key != original->signature.attestation_key ||
                  quote->signature.qe_report_signature != original->signature.qe_report_signature ||
                  quote->signature.qe_auth_data != original->signature.qe_auth_data ||
                  quote->signature.certification_data.body !=
                      original->signature.certification_data.body)
          << i;
    } else {
      EXPECT_EQ(exit_code(quote.error().code()), 3) << i;
    }
  }
}

}  // namespace
}  // namespace ratls
