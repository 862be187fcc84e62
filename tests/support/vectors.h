// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ratls/bytes.h"
#include "support/source_dir.h"

namespace ratls::testing {

/// vectors_dir is the folder of the shared test vectors: $RATLS_SHARED_DIR/vectors, or
/// ../shared/vectors beside the source tree; none when it is not there (tests then skip).
inline std::optional<std::filesystem::path> vectors_dir() {
  const char* given = std::getenv("RATLS_SHARED_DIR");
  const std::filesystem::path shared =
      given != nullptr ? std::filesystem::path(given) : source_dir() / "../shared";
  std::error_code error;
  const auto dir = std::filesystem::weakly_canonical(shared / "vectors", error);
  if (error || !std::filesystem::exists(dir / "cases.jsonl", error)) return std::nullopt;
  return dir;
}

/// read_vector reads a whole file of the vectors; empty when it is not there.
inline Bytes read_vector(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

/// text_in gives a string member, empty when it is absent or null.
inline std::string text_in(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// read_cases gives every line of cases.jsonl.
inline std::vector<nlohmann::json> read_cases(const std::filesystem::path& dir) {
  std::vector<nlohmann::json> cases;
  std::ifstream file(dir / "cases.jsonl");
  for (std::string line; std::getline(file, line);) cases.push_back(nlohmann::json::parse(line));
  return cases;
}

}  // namespace ratls::testing
