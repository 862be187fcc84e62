// SPDX-License-Identifier: Apache-2.0
#include "server/connection.h"
#include "server/log.h"

// The part of Connection that writes the access log.
namespace ratls::server {

void Connection::log_request(int status, std::uint64_t body_bytes, std::string_view cut_by) {
  if (!worker_.options().access_log) return;
  const std::string& method = exchange_ ? exchange_->method() : parser_->request().method;
  const std::string& path = exchange_ ? exchange_->path() : parser_->request().path;
  const auto duration = std::chrono::steady_clock::now() - begun_;
  LogFields fields = {
      {"id", request_id_},
      {"method", method},
      {"path", path},
      {"status", status},
      {"bytes", static_cast<std::int64_t>(body_bytes)},
      {"duration_us", std::chrono::duration_cast<std::chrono::microseconds>(duration).count()}};
  const auto app = exchange_ ? exchange_->app() : std::nullopt;
  if (app) fields.push_back({"app", static_cast<std::int64_t>(*app)});
  if (!cut_by.empty()) fields.push_back({"cut_by", cut_by});
  worker_.log_access(fields);
}

/// log_unfinished is for an exchange that ends with its connection.
void Connection::log_unfinished() {
  const Exchange::State state = exchange_->state();
  std::string_view cut_by;
  if (state == Exchange::State::broken) cut_by = "app";
  if (state == Exchange::State::open) cut_by = "client";
  log_request(exchange_->status(), exchange_->body_bytes(), cut_by);
}

}  // namespace ratls::server
