// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.h"

#include <algorithm>

namespace ratls::server {

void Histogram::observe(std::chrono::nanoseconds duration) noexcept {
  duration = std::max(duration, std::chrono::nanoseconds(0));
  std::size_t index = 0;
  while (index < kBounds.size() && duration > kBounds[index].most) ++index;
  buckets_[index].add();
  nanoseconds_.add(static_cast<std::uint64_t>(duration.count()));
}

Result<AttestedCertificate> CertificateMetrics::certify(const Attester& attester, UnixTime now) {
  const auto begin = std::chrono::steady_clock::now();
  auto certificate = attester.certify(now);
  if (!certificate) {
    failures.add();
    return certificate;
  }
  duration.observe(std::chrono::steady_clock::now() - begin);
  expires = certificate->not_after().time_since_epoch().count();
  return certificate;
}

Result<Bytes> SessionMetrics::attest(const Attester& attester, const SessionBinding& binding) {
  const auto begin = std::chrono::steady_clock::now();
  auto made = attester.attest_session(binding);
  if (made) {
    duration.observe(std::chrono::steady_clock::now() - begin);
  } else {
    failures.add();
  }
  return made;
}

}  // namespace ratls::server
