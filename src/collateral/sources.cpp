// SPDX-License-Identifier: Apache-2.0
#include <mutex>
#include <optional>

#include "base/file.h"
#include "base/reader.h"
#include "ratls/collateral.h"

namespace ratls {
namespace {

using Prepared = std::shared_ptr<const PreparedCollateral>;

/// FileSource reads a collateral file when it is first needed, and again once what it holds is out
/// of date: somebody may have put newer collateral there.
class FileSource final : public CollateralSource {
 public:
  FileSource(std::filesystem::path path, TrustRoot root)
      : path_(std::move(path)), root_(std::move(root)) {}

  Result<Prepared> find(const CollateralRequest& request) override {
    const std::lock_guard lock(mutex_);
    if (prepared_ != nullptr && prepared_->usable_at(request.at)) return prepared_;
    RATLS_TRY(prepared_, read());
    return prepared_;
  }

 private:
  Result<Prepared> read() const {
    auto content = read_file(path_, kMaxCollateralSize);
    if (!content) {
      return Error(Code::collateral_unavailable, path_.string(), content.error().detail());
    }
    auto collateral = parse_collateral(as_text(*content));
    if (!collateral) return collateral.error().in(path_.string());
    return PreparedCollateral::prepare(std::move(*collateral), root_, "file");
  }

  const std::filesystem::path path_;
  const TrustRoot root_;
  std::mutex mutex_;
  Prepared prepared_;
};

/// AbsentSource stands for a kind of source that this version does not have.
class AbsentSource final : public CollateralSource {
 public:
  explicit AbsentSource(std::string name) : name_(std::move(name)) {}
  Result<Prepared> find(const CollateralRequest&) override {
    return Error(Code::collateral_unavailable, name_,
                 "this source is not available here; use file:PATH or --collateral");
  }

 private:
  const std::string name_;
};

/// OrderedSources asks one after the other. The first with usable collateral decides. When none
/// has, the first that had anything does, so that the verifier can say what is wrong with it.
class OrderedSources final : public CollateralSource {
 public:
  explicit OrderedSources(std::vector<std::unique_ptr<CollateralSource>> sources)
      : sources_(std::move(sources)) {}

  Result<Prepared> find(const CollateralRequest& request) override {
    std::optional<Result<Prepared>> first;
    std::string where;
    std::string detail;
    for (const auto& source : sources_) {
      auto found = source->find(request);
      if (found && (*found)->usable_at(request.at)) return found;
      if (found || found.error().code() != Code::collateral_unavailable) {
        if (!first) first = std::move(found);
        continue;
      }
      where += (where.empty() ? "" : ", ") + found.error().where();
      detail += (detail.empty() ? "" : "; ") + found.error().detail();
    }
    if (first) return *std::move(first);
    return Error(Code::collateral_unavailable, std::move(where), std::move(detail));
  }

 private:
  const std::vector<std::unique_ptr<CollateralSource>> sources_;
};

}  // namespace

Result<std::shared_ptr<CollateralSource>> open_collateral_sources(
    const std::vector<std::string>& sources, const std::filesystem::path& base_dir,
    const TrustRoot& root, const SourceOpener& open_remote) {
  std::vector<std::unique_ptr<CollateralSource>> opened;
  for (const std::string& source : sources) {
    if (source.starts_with("file:") && source.size() > 5) {
      opened.push_back(std::make_unique<FileSource>(base_dir / source.substr(5), root));
      continue;
    }
    const bool is_remote =
        source == "pcs" || source.starts_with("https://") || source.starts_with("http://");
    if (is_remote && open_remote) {
      RATLS_TRY(auto remote, open_remote(source));
      opened.push_back(std::move(remote));
    } else if (source == "pcs" || source == "stapled" || source.starts_with("https://")) {
      opened.push_back(std::make_unique<AbsentSource>(source));
    } else {
      return Error(Code::policy_invalid, "collateral.sources", "\"" + source + "\" is no source");
    }
  }
  if (opened.empty()) return Error(Code::policy_invalid, "collateral.sources", "none is named");
  return std::shared_ptr<CollateralSource>(std::make_shared<OrderedSources>(std::move(opened)));
}

}  // namespace ratls
