// SPDX-License-Identifier: Apache-2.0
#include "units_reporter.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace ratls::bench {
namespace {

double quantile(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1) + 0.5)];
}

}  // namespace

bool UnitsReporter::ReportContext(const Context&) { return true; }

void UnitsReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
    Row& row = rows_[run.family_index];
    row.name = run.run_name.function_name;
    row.times.push_back(run.GetAdjustedCPUTime());
  }
}

void UnitsReporter::Finalize() {
  double one = 0;
  for (auto& [index, row] : rows_) {
    std::ranges::sort(row.times);
    if (row.name == unit_) one = quantile(row.times, 0.5);
  }
  if (one == 0) {
    std::fprintf(stderr, "bench: %s was not run, so there is no unit\n", unit_.c_str());
    return;
  }
  std::printf("%-42s %8s   %s\n", "processor time", "units", "middle half");
  for (const auto& [index, row] : rows_) {
    std::printf("%-42s %8.2f   %.2f to %.2f\n", row.name.c_str(), quantile(row.times, 0.5) / one,
                quantile(row.times, 0.25) / one, quantile(row.times, 0.75) / one);
  }
  std::printf("1 unit: %s of this run\n", unit_.c_str());
}

int run_in_units(int count, char** arguments, const std::string& unit) {
  std::array<std::string, 3> defaults{"--benchmark_enable_random_interleaving=true",
                                      "--benchmark_repetitions=15", "--benchmark_min_time=0.05"};
  std::vector<char*> all(arguments, arguments + count);
  // Before the user's, of which the last one wins.
  for (std::string& option : defaults) all.insert(all.begin() + 1, option.data());
  count = static_cast<int>(all.size());
  benchmark::Initialize(&count, all.data());
  if (benchmark::ReportUnrecognizedArguments(count, all.data())) return 2;
  UnitsReporter reporter(unit);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return 0;
}

}  // namespace ratls::bench
