// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ratls::bench {

/// UnitsReporter prints processor times in units of another benchmark of the same run, because
/// absolute times say more about the machine and its neighbours than about the program: medians
/// of all repetitions, with the middle half of them.
class UnitsReporter final : public benchmark::BenchmarkReporter {
 public:
  /// unit is the name of the benchmark that counts as 1.
  explicit UnitsReporter(std::string unit) : unit_(std::move(unit)) {}

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  struct Row {
    std::string name;
    std::vector<double> times;
  };
  const std::string unit_;
  std::map<std::int64_t, Row> rows_;  ///< in the order of registration
};

/// run_in_units is the rest of main after the benchmarks were registered: 15 repetitions of each in
/// random order, unless the arguments say otherwise. Gives the exit code.
int run_in_units(int count, char** arguments, const std::string& unit);

}  // namespace ratls::bench
