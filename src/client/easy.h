// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <type_traits>

#include "client/options.h"
#include "client/url.h"

namespace ratls::client {

struct FreeEasy {
  void operator()(CURL* easy) const noexcept;
};
/// Easy is one libcurl handle with its own pool of connections.
using Easy = std::unique_ptr<CURL, FreeEasy>;

/// new_easy prepares libcurl once for the process, without OpenSSL's configuration file.
/// Errors: internal, also when libcurl's TLS is not OpenSSL's.
Result<Easy> new_easy();

/// perform runs the transfer. Blocks.
CURLcode perform(CURL* easy);

/// Line is a libcurl handle whose transfer is moved step by step, with a pool for the one
/// connection that it keeps. Thread-safety: one thread at a time.
class Line {
 public:
  /// Errors: as new_easy.
  static Result<std::unique_ptr<Line>> open();
  Line(Easy easy, CURLM* pool) : pool_(pool), easy_(std::move(easy)) {}
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  CURL* easy() const noexcept { return easy_.get(); }
  /// start begins the transfer that the handle's options describe. Errors: internal.
  Result<void> start();
  /// step moves the transfer and gives its outcome once it has ended. Blocks: until something has
  /// moved, a second at most.
  std::optional<CURLcode> step();
  /// resume lets a transfer go on that a callback has paused.
  CURLcode resume();
  /// set_attested remembers that the server has given fresh evidence for the session of the
  /// connection that is kept here.
  void set_attested() noexcept { attested_ = true; }
  bool attested() const noexcept { return attested_; }
  /// stop ends the transfer. A connection in the middle of one is closed.
  void stop() noexcept;

 private:
  CURLM* pool_;
  Easy easy_;
  bool started_ = false;
  bool attested_ = false;
};

/// Options sets options of a handle and remembers whether all were taken.
class Options {
 public:
  explicit Options(CURL* easy) : easy_(easy) {}

  template <class T>
  Options& set(CURLoption option, T value) {
    static_assert(std::is_same_v<T, long> || std::is_pointer_v<T> || std::is_null_pointer_v<T>);
    // The function, not the macro of the same name, whose type checks cannot see through T.
    const CURLcode code = [&] {
      if constexpr (std::is_null_pointer_v<T>) {
        return (curl_easy_setopt)(easy_, option, static_cast<void*>(nullptr));
      } else {
        return (curl_easy_setopt)(easy_, option, value);
      }
    }();
    if (first_error_ == CURLE_OK) first_error_ = code;
    return *this;
  }

  /// done fails when an option was refused: a connection without it is not the one that was meant.
  Result<void> done() const;

 private:
  CURL* easy_;
  CURLcode first_error_ = CURLE_OK;
};

/// set_connection resets the handle (kept connections stay) and sets all that a connection to url
/// needs, apart from its TLS context.
void set_connection(CURL* easy, Options& set, const Url& url, const Proxy& proxy,
                    const ClientOptions& options);

}  // namespace ratls::client
