// SPDX-License-Identifier: Apache-2.0
#include <map>
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

/// FolderSource takes the file that is named after the platform: "sgx-00606a000000-platform.json".
class FolderSource final : public CollateralSource {
 public:
  FolderSource(std::filesystem::path folder, TrustRoot root)
      : folder_(std::move(folder)), root_(std::move(root)) {}

  Result<Prepared> find(const CollateralRequest& request) override {
    const std::string name = request.tee + "-" + request.fmspc + "-" + request.pck_ca + ".json";
    const bool leads_elsewhere = name.find('/') != std::string::npos;
    if (request.fmspc.empty() || request.pck_ca.empty() || leads_elsewhere) {
      return Error(Code::collateral_unavailable, folder_.string(),
                   "the quote does not say of which platform it is; name a file");
    }
    return file(name)->find(request);
  }

 private:
  std::shared_ptr<FileSource> file(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (files_.size() > kMaxPlatforms) files_.clear();
    auto& file = files_[name];
    if (file == nullptr) file = std::make_shared<FileSource>(folder_ / name, root_);
    return file;
  }

  static constexpr std::size_t kMaxPlatforms = 1024;
  const std::filesystem::path folder_;
  const TrustRoot root_;
  std::mutex mutex_;  // for files_, never held while one is read
  std::map<std::string, std::shared_ptr<FileSource>> files_;
};

/// AbsentSource stands for a source that cannot be opened where it is asked for.
class AbsentSource final : public CollateralSource {
 public:
  explicit AbsentSource(std::string name) : name_(std::move(name)) {}
  Result<Prepared> find(const CollateralRequest&) override {
    return Error(Code::collateral_unavailable, name_, "this source is not available here");
  }

 private:
  const std::string name_;
};

/// OrderedSources asks one after the other. The first with usable collateral for the platform
/// decides. When none has, the first that had anything does, so that the verifier can say what is
/// wrong with it.
class OrderedSources final : public CollateralSource {
 public:
  struct Named {
    std::string name;  ///< as in the policy
    std::unique_ptr<CollateralSource> source;
  };
  explicit OrderedSources(std::vector<Named> sources) : sources_(std::move(sources)) {}

  Result<Prepared> find(const CollateralRequest& request) override {
    std::optional<Result<Prepared>> first;
    std::string where;
    std::string detail;
    for (const Named& named : sources_) {
      std::optional<Result<Prepared>> found;
      const Step step{.letters = "", .what = "collateral", .detail = named.name};
      const auto usable = told(request.on_step, step, [&]() -> Result<void> {
        found = named.source->find(request);
        if (!*found) return found->error();
        return (**found)->check_for(request);
      });
      if (usable) return *std::move(found);
      if (*found || found->error().code() != Code::collateral_unavailable) {
        if (!first) first = std::move(found);
        continue;
      }
      where += (where.empty() ? "" : ", ") + found->error().where();
      detail += (detail.empty() ? "" : "; ") + found->error().detail();
    }
    if (first) return *std::move(first);
    return Error(Code::collateral_unavailable, std::move(where), std::move(detail));
  }

  void verified(const PreparedCollateral& collateral) override {
    for (const Named& named : sources_) named.source->verified(collateral);
  }

 private:
  const std::vector<Named> sources_;
};

}  // namespace

Result<std::shared_ptr<CollateralSource>> open_collateral_sources(
    const std::vector<std::string>& sources, const std::filesystem::path& base_dir,
    const TrustRoot& root, const SourceOpener& open_remote) {
  std::vector<OrderedSources::Named> opened;
  for (const std::string& source : sources) {
    if (source.starts_with("file:") && source.size() > 5) {
      const std::filesystem::path path = base_dir / source.substr(5);
      if (source.ends_with('/')) {
        opened.push_back({source, std::make_unique<FolderSource>(path, root)});
      } else {
        opened.push_back({source, std::make_unique<FileSource>(path, root)});
      }
      continue;
    }
    const bool is_named = source == "pcs" || source == "stapled" || source.starts_with("https://");
    if (!is_named && !(open_remote && source.starts_with("http://"))) {
      return Error(Code::policy_invalid, "collateral.sources", "\"" + source + "\" is no source");
    }
    std::unique_ptr<CollateralSource> remote;
    if (open_remote) {
      RATLS_TRY(remote, open_remote(source));
    }
    if (remote == nullptr) remote = std::make_unique<AbsentSource>(source);
    opened.push_back({source, std::move(remote)});
  }
  if (opened.empty()) return Error(Code::policy_invalid, "collateral.sources", "none is named");
  return std::shared_ptr<CollateralSource>(std::make_shared<OrderedSources>(std::move(opened)));
}

}  // namespace ratls
