// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over the files of its corpus, for builds without libFuzzer.
#include <cstdio>

#include "base/file.h"
#include "target.h"

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      const auto input = ratls::read_file(entry.path(), 64U * 1024 * 1024);
      if (!input) return 1;
      LLVMFuzzerTestOneInput(input->data(), input->size());
      ++count;
    }
  }
  std::printf("%zu inputs\n", count);
  return count == 0 ? 1 : 0;
}
