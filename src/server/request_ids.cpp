// SPDX-License-Identifier: Apache-2.0
#include "server/request_ids.h"

#include <openssl/rand.h>

namespace ratls::server {

std::string RequestIds::next() {
  if (used_ == random_.size()) {
    // An id proves nothing: without randomness requests have the same, and are answered.
    if (RAND_bytes(random_.data(), static_cast<int>(random_.size())) != 1) random_.fill(0);
    used_ = 0;
  }
  const std::string id = to_hex(BytesView(random_).subspan(used_, kIdBytes));
  used_ += kIdBytes;
  return id;
}

}  // namespace ratls::server
