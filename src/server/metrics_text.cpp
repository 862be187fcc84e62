// SPDX-License-Identifier: Apache-2.0
#include "server/metrics_text.h"

namespace ratls::server {
namespace {

using AllMetrics = std::vector<const WorkerMetrics*>;

/// Family appends the samples of one metric.
class Family {
 public:
  Family(std::string& out, std::string name, std::string_view type, std::string_view help)
      : out_(out), name_(std::move(name)) {
    out_ += "# HELP " + name_ + " ";
    out_ += help;
    out_ += "\n# TYPE " + name_ + " ";
    out_ += type;
    out_ += "\n";
  }

  Family& sample(std::string_view suffix, std::string_view labels, const std::string& value) {
    out_ += name_;
    out_ += suffix;
    out_ += labels;
    out_ += " " + value + "\n";
    return *this;
  }
  Family& sample(std::string_view labels, std::uint64_t value) {
    return sample("", labels, std::to_string(value));
  }

 private:
  std::string& out_;
  std::string name_;
};

std::string label(std::string_view name, std::string_view value) {
  return "{" + std::string(name) + "=\"" + std::string(value) + "\"}";
}

template <class Read>
std::uint64_t sum(const AllMetrics& workers, Read read) {
  std::uint64_t total = 0;
  for (const WorkerMetrics* worker : workers) total += read(*worker);
  return total;
}

std::string seconds_of(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const std::string fraction = std::to_string(nanoseconds % kSecond);
  return std::to_string(nanoseconds / kSecond) + "." + std::string(9 - fraction.size(), '0') +
         fraction;
}

void write_histogram(Family family, const std::vector<const Histogram*>& parts) {
  std::uint64_t count = 0;
  std::uint64_t nanoseconds = 0;
  for (const Histogram* part : parts) nanoseconds += part->nanoseconds();
  for (std::size_t index = 0; index <= Histogram::kBounds.size(); ++index) {
    for (const Histogram* part : parts) count += part->bucket(index);
    const bool is_last = index == Histogram::kBounds.size();
    family.sample("_bucket", label("le", is_last ? "+Inf" : Histogram::kBounds[index].seconds),
                  std::to_string(count));
  }
  family.sample("_sum", "", seconds_of(nanoseconds)).sample("_count", "", std::to_string(count));
}

void write_connections(std::string& out, const Service& service, const AllMetrics& workers) {
  const auto handshaking = sum(workers, [](const auto& of) { return of.handshaking.load(); });
  const auto idle = sum(workers, [](const auto& of) { return of.idle.load(); });
  const std::uint64_t all = service.connections + service.turned_away;
  const std::uint64_t known = std::min(all, handshaking + idle);  // they are of another moment
  Family(out, "ratls_connections", "gauge", "Open connections.")
      .sample(label("state", "handshaking"), handshaking)
      .sample(label("state", "idle"), idle)
      .sample(label("state", "busy"), all - known);
  Family(out, "ratls_connections_queued", "gauge", "Connections that wait for a place.")
      .sample("", service.queued);
  Family(out, "ratls_connections_accepted_total", "counter", "Connections of clients.")
      .sample("", sum(workers, [](const auto& of) { return of.accepted.value(); }));
  Family(out, "ratls_connections_turned_away_total", "counter",
         "Connections that got 503 for want of a place.")
      .sample("", sum(workers, [](const auto& of) { return of.turned_away.value(); }));
}

void write_handshakes(std::string& out, const AllMetrics& workers) {
  constexpr std::array kReasons = {"alert", "closed", "protocol", "timeout"};
  Family family(out, "ratls_handshakes_total", "counter", "TLS handshakes by how they ended.");
  family.sample(label("result", "ok"),
                sum(workers, [](const auto& of) { return of.handshakes.value(); }));
  for (std::size_t index = 0; index < kReasons.size(); ++index) {
    family.sample(label("result", kReasons[index]), sum(workers, [&](const auto& of) {
                    return of.handshake_failures[index].value();
                  }));
  }
}

void write_requests(std::string& out, const AllMetrics& workers) {
  constexpr std::array kClasses = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  Family family(out, "ratls_requests_total", "counter", "Answered requests by class of status.");
  for (std::size_t index = 0; index < kClasses.size(); ++index) {
    family.sample(label("status", kClasses[index]),
                  sum(workers, [&](const auto& of) { return of.answers[index].value(); }));
  }
  Family(out, "ratls_requests_unfinished_total", "counter",
         "Requests to the app that ended without a whole answer.")
      .sample("", sum(workers, [](const auto& of) { return of.unfinished.value(); }));
  std::vector<const Histogram*> parts;
  for (const WorkerMetrics* worker : workers) parts.push_back(&worker->latency);
  write_histogram(Family(out, "ratls_request_duration_seconds", "histogram",
                         "From the first byte of a request to the end of its answer."),
                  parts);
}

void write_certificate(std::string& out, const CertificateMetrics& metrics, const Staple* staple) {
  write_histogram(Family(out, "ratls_quote_duration_seconds", "histogram",
                         "Time to make a certificate with its quotes."),
                  {&metrics.duration});
  Family(out, "ratls_quote_failures_total", "counter", "Certificates that could not be made.")
      .sample("", metrics.failures.value());
  std::uint64_t made = 0;
  for (std::size_t index = 0; index <= Histogram::kBounds.size(); ++index) {
    made += metrics.duration.bucket(index);
  }
  Family(out, "ratls_certificate_renewals_total", "counter", "Certificates after the first.")
      .sample("", made == 0 ? 0 : made - 1);
  Family(out, "ratls_certificate_expiry_timestamp_seconds", "gauge", "End of the certificate.")
      .sample("", "", std::to_string(metrics.expires));
  const auto expires = staple == nullptr ? std::nullopt : staple->expires();
  if (!expires) return;
  Family(out, "ratls_collateral_expiry_timestamp_seconds", "gauge",
         "End of the collateral that is handed out.")
      .sample("", "", std::to_string(expires->time_since_epoch().count()));
}

void write_sessions(std::string& out, const SessionMetrics& metrics) {
  write_histogram(Family(out, "ratls_session_evidence_duration_seconds", "histogram",
                         "Time to make evidence for a session with its quote."),
                  {&metrics.duration});
  Family(out, "ratls_session_evidence_failures_total", "counter",
         "Evidence for sessions that could not be made.")
      .sample("", metrics.failures.value());
  Family(out, "ratls_session_evidence_turned_away_total", "counter",
         "Questions for evidence while too many waited.")
      .sample("", metrics.turned_away.value());
}

void write_app(std::string& out, const Upstreams& upstreams, const Counter& restarts,
               const AllMetrics& workers) {
  std::uint64_t ready = 0;
  std::uint64_t in_flight = 0;
  for (std::size_t index = 0; index < upstreams.size(); ++index) {
    ready += upstreams.at(index).up() ? 1 : 0;
    in_flight += upstreams.at(index).in_flight();
  }
  Family(out, "ratls_app_processes", "gauge", "Processes or addresses of the app.")
      .sample("", upstreams.size());
  Family(out, "ratls_app_processes_ready", "gauge", "Those that accept connections.")
      .sample("", ready);
  Family(out, "ratls_app_restarts_total", "counter", "Processes that were started again.")
      .sample("", restarts.value());
  Family(out, "ratls_app_requests_in_flight", "gauge", "Requests that the app is at.")
      .sample("", in_flight);
  Family family(out, "ratls_app_failures_total", "counter",
                "Requests without an answer from the app, by the status that tells it.");
  constexpr std::array kStatuses = {"502", "503", "504"};
  for (std::size_t index = 0; index < kStatuses.size(); ++index) {
    family.sample(label("status", kStatuses[index]), sum(workers, [&](const auto& of) {
                    return of.upstream_failures[index].value();
                  }));
  }
}

}  // namespace

std::string metrics_text(const Watched& watched) {
  const AllMetrics workers = watched.workers.metrics();
  std::string out;
  Family(out, "ratls_build_info", "gauge", "The version of ratls.")
      .sample(label("version", RATLS_VERSION), 1);
  Family(out, "ratls_start_time_seconds", "gauge", "When the server was started.")
      .sample("", "", std::to_string(watched.metrics.started.time_since_epoch().count()));
  write_connections(out, watched.workers.service(), workers);
  write_handshakes(out, workers);
  write_requests(out, workers);
  write_certificate(out, watched.metrics.certificates, watched.staple);
  write_sessions(out, watched.metrics.sessions);
  if (watched.upstreams != nullptr) {
    write_app(out, *watched.upstreams, watched.metrics.app_restarts, workers);
  }
  return out;
}

}  // namespace ratls::server
