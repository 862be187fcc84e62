// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "ratls/quote.h"

namespace ratls::testing {

/// FakeQuote is what varies in a made-up quote.
struct FakeQuote {
  ReportData report_data;
  std::uint8_t mr_enclave = 0xe1;         ///< every byte of it
  std::size_t certification_size = 3600;  ///< that of a real PCK chain
};

/// make_fake_quote writes an SGX quote of version 3 that parses; its signatures and its PCK chain
/// are filler.
inline Bytes make_fake_quote(const FakeQuote& fake) {
  const auto append = [](Bytes& out, std::size_t count, std::uint8_t value) {
    out.insert(out.end(), count, value);
  };
  const auto append_le = [](Bytes& out, std::size_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  constexpr std::array<std::uint8_t, 16> kIntel{0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                                0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
  Bytes out;
  append_le(out, 3, 2);  // version
  append_le(out, 2, 2);  // attestation key type
  append(out, 8, 0);     // TEE type, SVNs
  out.insert(out.end(), kIntel.begin(), kIntel.end());
  append(out, 20, 0);
  Bytes body(EnclaveReport::kSize, 0);
  body[48] = kAttributeInit | kAttributeMode64;
  std::fill_n(body.begin() + 64, MrEnclave::kSize, fake.mr_enclave);
  std::ranges::copy(fake.report_data.bytes, body.begin() + 320);
  out.insert(out.end(), body.begin(), body.end());

  Bytes signature;
  append(signature, 64 + 64, 0x11);  // signature, attestation key
  append(signature, EnclaveReport::kSize, 0);
  append(signature, 64, 0x22);  // QE report signature
  append_le(signature, 32, 2);  // QE authentication data
  append(signature, 32, 0x33);
  append_le(signature, 5, 2);  // certification data type
  append_le(signature, fake.certification_size, 4);
  append(signature, fake.certification_size, 'x');
  append_le(out, signature.size(), 4);
  out.insert(out.end(), signature.begin(), signature.end());
  return out;
}

}  // namespace ratls::testing
