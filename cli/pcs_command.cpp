// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/file.h"
#include "base/reader.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "config/endpoint.h"
#include "pcs/service.h"
#include "server/signals.h"
#include "sim/platform.h"

namespace ratls::cli {
namespace {

namespace fs = std::filesystem;

// Its documents are valid for 30 days.
constexpr std::chrono::seconds kSimulatedAge = std::chrono::hours(24);
constexpr std::chrono::seconds kFileAge = std::chrono::seconds(10);

int serve_pcs(const std::string& listen, pcs::ReadShelf read, std::chrono::seconds max_age) {
  server::block_termination_signals();
  const auto endpoint = config::parse_endpoint(listen, "--listen");
  if (!endpoint) return print_error(endpoint.error());
  server::PlainServer server({.host = endpoint->host, .port = endpoint->port});
  const auto served = pcs::serve_shelf(server, std::move(read), max_age);
  if (!served) return print_error(served.error());
  const auto started = server.start();
  if (!started) return print_error(started.error());
  print_ready(server.url() + "/");
  server::wait_for_termination();
  server.stop();
  return 0;
}

Result<void> add_file(pcs::Shelf& shelf, const fs::path& path) {
  RATLS_TRY(const Bytes content, read_file(path, kMaxCollateralSize));
  auto collateral = parse_collateral(as_text(content));
  if (!collateral) return collateral.error().in(path.string());
  auto added = shelf.add(std::move(*collateral));
  if (!added) return added.error().in(path.string());
  return {};
}

Result<void> add_folder(pcs::Shelf& shelf, const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".json") files.push_back(entry->path());
  }
  if (error) return Error(Code::file_unreadable, folder.string(), error.message());
  std::ranges::sort(files);
  for (const fs::path& file : files) RATLS_CHECK(add_file(shelf, file));
  return {};
}

Result<pcs::Shelf> read_paths(const std::vector<std::string>& paths) {
  pcs::Shelf shelf;
  for (const std::string& path : paths) {
    RATLS_CHECK(fs::is_directory(path) ? add_folder(shelf, path) : add_file(shelf, path));
  }
  return shelf;
}

}  // namespace

int sim_pcs(const SimPcsArguments& arguments) {
  const fs::path dir = sim_dir(arguments.dir);
  const auto read = [dir]() -> Result<pcs::Shelf> {
    RATLS_TRY(const sim::Platform platform, sim::Platform::load(dir));
    RATLS_TRY(Collateral collateral, platform.collateral(system_now()));
    pcs::Shelf shelf;
    RATLS_CHECK(shelf.add(std::move(collateral)));
    return shelf;
  };
  return serve_pcs(arguments.listen, read, kSimulatedAge);
}

int collateral_serve(const CollateralServeArguments& arguments) {
  return serve_pcs(
      arguments.listen, [paths = arguments.paths] { return read_paths(paths); }, kFileAge);
}

}  // namespace ratls::cli
