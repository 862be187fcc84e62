// SPDX-License-Identifier: Apache-2.0
// A service that adds numbers inside an enclave. usage: hello [DIR [HOST]]
// Gramine's files are in DIR; in a container HOST is 0.0.0.0.
#include <iostream>

#include "ratls/server.h"

int fail(const ratls::Error& error) {
  std::cerr << "error: " << error.message() << "\nhint: " << error.hint() << '\n';
  return ratls::exit_code(error.code());
}

int main(int argc, char** argv) {
  ratls::Server::block_signals();  // until run_until_signal
  auto quotes = ratls::gramine_quote_source(argc > 1 ? argv[1] : "/dev/attestation");
  if (!quotes) return fail(quotes.error());
  auto attester = ratls::Attester::create(*quotes, {});
  if (!attester) return fail(attester.error());

  ratls::Server server({.host = argc > 2 ? argv[2] : "127.0.0.1", .port = 8000});
  server.route("POST", "/sum", [](const ratls::Request& request) {
    const auto body = request.json();
    if (!body || !body->is_array()) {
      return ratls::Response::json({{"error", "send an array of numbers"}}, 400);
    }
    double sum = 0;
    for (const auto& number : *body) {
      if (number.is_number()) sum += number.get<double>();
    }
    return ratls::Response::json({{"count", body->size()}, {"sum", sum}});
  });

  const auto started = server.start(*attester);
  if (!started) return fail(started.error());
  std::cout << "ready " << server.url() << "/sum" << std::endl;
  server.run_until_signal();
}
