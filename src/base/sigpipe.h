// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ratls {

/// SigpipeSilence keeps SIGPIPE from this thread in its scope: libcurl's TLS writes raise it when
/// the server has gone, and changing the process's handler is not a library's business.
class SigpipeSilence {
 public:
  SigpipeSilence() noexcept;
  ~SigpipeSilence();
  SigpipeSilence(const SigpipeSilence&) = delete;
  SigpipeSilence& operator=(const SigpipeSilence&) = delete;

 private:
  bool pending_before_ = false;
  bool blocked_before_ = false;
};

}  // namespace ratls
