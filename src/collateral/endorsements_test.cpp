// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/cbor.h"
#include "base/reader.h"
#include "ratls/collateral.h"
#include "sim/world.h"

namespace ratls {
namespace {

const Collateral& collateral() {
  static const Collateral kCollateral =
      sim::build_world(sim::plan_world().value()).value().collateral;
  return kCollateral;
}

/// Parts is what an endorsements extension is made of, for a test to change.
struct Parts {
  std::uint64_t tag = 60000;
  Bytes version;
  std::vector<Bytes> items;            ///< each one CBOR
  std::optional<std::size_t> count{};  ///< in place of their number

  Bytes written() const {
    Bytes out;
    cbor::write_tag(out, tag);
    cbor::write_array(out, count.value_or(items.size() + 1));
    out.insert(out.end(), version.begin(), version.end());
    for (const Bytes& item : items) out.insert(out.end(), item.begin(), item.end());
    return out;
  }
};

Bytes byte_string(std::string_view content) {
  Bytes out;
  cbor::write_bytes(out, as_bytes(content));
  return out;
}

std::string document(const std::string& member, const std::string& text, BytesView signature) {
  return "{\"" + member + "\":" + text + ",\"signature\":\"" + to_hex(signature) + "\"}";
}

// As the specification orders them, every text followed by ending.
Parts good_parts(const std::string& ending) {
  const Collateral& c = collateral();
  Parts parts;
  cbor::write_unsigned(parts.version, 1);
  parts.items = {
      byte_string(document("tcbInfo", c.tcb_info, c.tcb_info_signature) + ending),
      byte_string(c.tcb_info_issuer_chain + ending),
      byte_string(std::string(as_text(c.pck_crl)) + ending),
      byte_string(std::string(as_text(c.root_ca_crl)) + ending),
      byte_string(c.pck_crl_issuer_chain + ending),
      byte_string(document("enclaveIdentity", c.qe_identity, c.qe_identity_signature) + ending),
      byte_string(c.qe_identity_issuer_chain + ending),
  };
  return parts;
}

void expect_same(const Result<Collateral>& read) {
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(format_collateral(*read), format_collateral(collateral()));
}

Code code_of(const Bytes& value) {
  const auto read = parse_endorsements(value);
  return read ? Code::ok : read.error().code();
}

const std::string kZero(1, '\0');

TEST(Endorsements, AreReadAsTheyAreWritten) {
  const Bytes written = format_endorsements(collateral());
  expect_same(parse_endorsements(written));
  // Head: tag 60000, 8 items, version 3.1 as DCAP writes it.
  EXPECT_EQ(to_hex(BytesView(written).first(9)), "d9ea60881a00010003");
}

TEST(Endorsements, ComeWithZeroBytesAtTheEndOfTextsOrWithout) {
  expect_same(parse_endorsements(good_parts("").written()));
  expect_same(parse_endorsements(good_parts(kZero).written()));
}

TEST(Endorsements, MayHaveATime) {
  Parts parts = good_parts("");
  parts.items.push_back(byte_string("2026-01-01T00:00:00Z" + kZero));
  expect_same(parse_endorsements(parts.written()));
  parts.items.push_back(byte_string("a tenth"));
  EXPECT_EQ(code_of(parts.written()), Code::collateral_malformed);
}

TEST(Endorsements, KeepTheLastByteOfACrlThatEndsInZero) {
  Parts parts = good_parts("");
  // A SEQUENCE whose content ends in a zero, alone and with the zero of a text behind it.
  const std::string crl("\x30\x02\x05\x00", 4);
  for (const std::string& ending : {std::string(), kZero}) {
    parts.items[2] = byte_string(crl + ending);
    const auto read = parse_endorsements(parts.written());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(to_hex(read->pck_crl), "30020500");
  }
}

TEST(Endorsements, TakeNoMoreThanOneZeroFromACrl) {
  const std::string crl("\x30\x02\x05\x00", 4);
  for (const std::string& ending : {kZero + kZero, std::string("\x05")}) {
    Parts parts = good_parts("");
    parts.items[2] = byte_string(crl + ending);
    EXPECT_EQ(as_text(parse_endorsements(parts.written())->pck_crl), crl + ending);
  }
}

TEST(Endorsements, AreAsManyAsTheySay) {
  for (const std::size_t count : {7, 9, 10, 11}) {
    Parts parts = good_parts("");
    parts.count = count;
    EXPECT_EQ(code_of(parts.written()), Code::collateral_malformed) << count;
  }
  Parts parts = good_parts("");
  parts.version.clear();
  parts.count = 8;
  EXPECT_EQ(code_of(parts.written()), Code::collateral_malformed);
}

TEST(Endorsements, TakeCrlsInHexAndPem) {
  Parts parts = good_parts("");
  parts.items[2] = byte_string(to_hex(collateral().pck_crl) + kZero);
  expect_same(parse_endorsements(parts.written()));
  parts.items[3] = byte_string("-----BEGIN X509 CRL-----\n" + kZero);
  EXPECT_EQ(parse_endorsements(parts.written())->root_ca_crl.back(), '\n');
}

TEST(Endorsements, OfAnotherShapeAreRefused) {
  const Bytes good = format_endorsements(collateral());
  for (std::size_t size : {std::size_t{0}, std::size_t{3}, good.size() / 2, good.size() - 1}) {
    EXPECT_EQ(code_of(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              Code::collateral_malformed);
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(code_of(longer), Code::collateral_malformed);

  Parts parts = good_parts("");
  parts.tag = 60001;
  EXPECT_EQ(code_of(parts.written()), Code::collateral_malformed);
  parts = good_parts("");
  parts.items.pop_back();
  EXPECT_EQ(code_of(parts.written()), Code::collateral_malformed);
  parts = good_parts("");
  parts.version = byte_string("1");
  EXPECT_EQ(code_of(parts.written()), Code::collateral_malformed);
  for (std::size_t i : {0, 2, 3, 5}) {  // the others are chains, which are read later
    parts = good_parts("");
    parts.items[i] = byte_string("{}");
    EXPECT_EQ(code_of(parts.written()), Code::collateral_malformed) << i;
  }
  for (std::size_t i = 0; i < 7; ++i) {
    parts = good_parts("");
    parts.items[i] = {0x01};  // a number
    EXPECT_EQ(code_of(parts.written()), Code::collateral_malformed) << i;
  }
}

}  // namespace
}  // namespace ratls
