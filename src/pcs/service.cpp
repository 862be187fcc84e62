// SPDX-License-Identifier: Apache-2.0
#include "pcs/service.h"

#include <mutex>

#include "pcs/answer.h"
#include "server/log.h"

namespace ratls::pcs {
namespace {

/// Renewed is the newest shelf that could be read. Thread-safety: any thread.
class Renewed {
 public:
  Renewed(ReadShelf read, std::chrono::seconds max_age)
      : read_(std::move(read)), max_age_(max_age) {}

  Result<std::shared_ptr<const Shelf>> get() {
    const std::lock_guard lock(mutex_);
    const UnixTime now = system_now();
    if (shelf_ != nullptr && now >= looked_ && now < looked_ + max_age_) return shelf_;
    auto read = read_();
    looked_ = now;
    if (read) {
      shelf_ = std::make_shared<const Shelf>(std::move(*read));
    } else if (shelf_ == nullptr) {
      return std::move(read).error();
    } else {
      server::log(server::LogLevel::error,
                  "older collateral is served on: " + read.error().message() + " (" +
                      read.error().where() + ")");
    }
    return shelf_;
  }

 private:
  const ReadShelf read_;
  const std::chrono::seconds max_age_;
  std::mutex mutex_;
  std::shared_ptr<const Shelf> shelf_;
  UnixTime looked_{};
};

}  // namespace

Result<void> serve_shelf(server::PlainServer& server, ReadShelf read,
                         std::chrono::seconds max_age) {
  const auto renewed = std::make_shared<Renewed>(std::move(read), max_age);
  RATLS_CHECK(renewed->get());
  for (const std::string_view path : kPaths) {
    server.route("GET", std::string(path), [renewed](const Request& request) {
      const auto shelf = renewed->get();
      return shelf ? answer(**shelf, request) : Response::text("", 503);
    });
  }
  return {};
}

}  // namespace ratls::pcs
