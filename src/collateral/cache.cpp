// SPDX-License-Identifier: Apache-2.0
#include "collateral/cache.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/reader.h"
#include "collateral/parts.h"

namespace ratls::collateral {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPlatforms = 1024;
constexpr std::chrono::seconds kFailureHolds{5};
constexpr std::chrono::seconds kBetweenRenewals = std::chrono::minutes(5);
constexpr std::chrono::seconds kMaxAge = std::chrono::hours(24);

// A day after it was fetched, or in the last third of its life.
bool is_due(const PreparedCollateral& collateral, UnixTime fetched, UnixTime now) {
  const auto issued = std::max(collateral.parts().tcb_info->content.issue_date,
                               collateral.parts().qe_identity->content.issue_date);
  return now >= fetched + kMaxAge || now >= issued + (collateral.expires() - issued) * 2 / 3;
}

// What the policy would refuse as too old may be cured by a fetch.
bool is_new_enough(const PreparedCollateral& collateral, const CollateralRequest& request) {
  const auto& tcb_info = collateral.parts().tcb_info->content;
  const auto& qe_identity = collateral.parts().qe_identity->content;
  return std::min(tcb_info.evaluation_number, qe_identity.evaluation_number) >=
             request.min_evaluation_number &&
         std::min(tcb_info.issue_date, qe_identity.issue_date) >= request.issued_after;
}

UnixTime modified(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  if (error) return {};
  return std::chrono::floor<std::chrono::seconds>(std::chrono::file_clock::to_sys(time));
}

}  // namespace

CachedSource::CachedSource(std::unique_ptr<CollateralSource> source, std::string name,
                           TrustRoot root, fs::path dir, bool background, HighestNumbers numbers)
    : source_(std::move(source)),
      name_(std::move(name)),
      root_(std::move(root)),
      dir_(std::move(dir)),
      background_(background),
      numbers_(std::move(numbers)) {}

CachedSource::~CachedSource() = default;

std::shared_ptr<CachedSource::Entry> CachedSource::entry_for(const CollateralRequest& request) {
  const std::string key = request.tee + "/" + request.fmspc + "/" + request.pck_ca;
  const std::lock_guard lock(mutex_);
  if (entries_.size() > kMaxPlatforms) entries_.clear();
  auto& entry = entries_[key];
  if (entry == nullptr) {
    const std::string root = to_hex(crypto::sha256(root_.certificate_der()));
    const std::string all = name_ + "\n" + root + "\n" + key;
    const fs::path file = to_hex(crypto::sha256(as_bytes(all))) + ".json";
    entry = std::make_shared<Entry>(dir_.empty() ? fs::path() : dir_ / file);
  }
  return entry;
}

CachedSource::Prepared CachedSource::kept_for(Entry& entry, const CollateralRequest& request) {
  const std::lock_guard lock(entry.mutex);
  if (entry.kept == nullptr || !entry.kept->check_for(request)) return nullptr;
  return entry.kept;
}

bool CachedSource::should_renew(Entry& entry, const CollateralRequest& request) {
  const std::lock_guard lock(entry.mutex);
  if (entry.kept == nullptr) return false;
  const bool tried_lately =
      entry.attempted && std::chrono::steady_clock::now() < *entry.attempted + kBetweenRenewals;
  return !tried_lately &&
         (!is_new_enough(*entry.kept, request) || is_due(*entry.kept, entry.fetched, request.at));
}

Result<CachedSource::Prepared> CachedSource::find(const CollateralRequest& request) {
  // Collateral for a platform that is not named could be any platform's.
  if (request.fmspc.empty() || request.pck_ca.empty()) return find_unnamed(request);
  const std::shared_ptr<Entry> entry = entry_for(request);
  Prepared kept = kept_for(*entry, request);
  if (kept == nullptr) {
    const std::lock_guard fetching(entry->fetching);
    kept = kept_for(*entry, request);  // somebody else may have fetched in the meantime
    if (kept == nullptr) {
      read_disk(*entry);
      kept = kept_for(*entry, request);
    }
    if (kept == nullptr) return fetch(*entry, request);
  }
  if (!should_renew(*entry, request)) return kept;
  if (background_ && is_new_enough(*kept, request)) {
    refresh_in_background(entry, request);
    return kept;
  }
  const auto renewed = renew(*entry, request);
  return renewed ? *renewed : kept;
}

Result<CachedSource::Prepared> CachedSource::find_unnamed(const CollateralRequest& request) {
  RATLS_TRY(Prepared found, source_->find(request));
  const auto accepted = numbers_.accept(*found);
  if (!accepted) return accepted.error().in(name_);
  return found;
}

// For what is there but old: one thread fetches, the others go on with the old.
Result<CachedSource::Prepared> CachedSource::renew(Entry& entry, const CollateralRequest& request) {
  const std::unique_lock fetching(entry.fetching, std::try_to_lock);
  if (!fetching) return Error(Code::collateral_unavailable, name_, "it is being fetched");
  auto fetched = fetch(entry, request);
  if (fetched && !(*fetched)->check_for(request)) {
    return Error(Code::collateral_unavailable, name_, "what was fetched cannot be used");
  }
  return fetched;
}

Result<CachedSource::Prepared> CachedSource::fetch(Entry& entry, const CollateralRequest& request) {
  {
    const std::lock_guard lock(entry.mutex);
    if (entry.unfit && std::chrono::steady_clock::now() < *entry.attempted + kFailureHolds) {
      return *entry.unfit;
    }
  }
  auto found = source_->find(request);
  if (found) {
    const auto accepted = numbers_.accept(**found);
    if (!accepted) found = accepted.error().in(name_);
  }
  const std::lock_guard lock(entry.mutex);
  entry.unfit.reset();
  entry.attempted = std::chrono::steady_clock::now();
  if (!found || !(*found)->check_for(request)) {
    entry.unfit = found;
    return found;
  }
  entry.kept = *found;
  entry.fetched = request.at;
  write_disk(entry);
  return found;
}

bool CachedSource::write_disk(const Entry& entry) const {
  if (entry.path.empty() || !make_private_folder(dir_)) return false;
  const std::string text = format_collateral(entry.kept->collateral());
  return replace_file(entry.path, as_bytes(text), FileMode::secret).has_value();
}

void CachedSource::read_disk(Entry& entry) {
  if (entry.path.empty()) return;
  const auto content = read_file(entry.path, kMaxCollateralSize);
  if (!content) return;
  auto collateral = parse_collateral(as_text(*content));
  Prepared prepared;
  if (collateral) {
    prepared = PreparedCollateral::prepare(std::move(*collateral), root_, "cache");
  }
  // What was written here was authentic; other content is damage.
  const bool is_whole = prepared != nullptr && prepared->check_at(prepared->expires());
  if (!is_whole || !numbers_.accept(*prepared)) {
    std::error_code error;
    fs::remove(entry.path, error);
    return;
  }
  const std::lock_guard lock(entry.mutex);
  entry.kept = std::move(prepared);
  entry.fetched = modified(entry.path);
}

void CachedSource::refresh_in_background(std::shared_ptr<Entry> entry,
                                         const CollateralRequest& request) {
  if (refreshing_.exchange(true)) return;
  const std::lock_guard lock(mutex_);
  const auto run = [this, entry = std::move(entry), request](const std::stop_token& stop) {
    CollateralRequest stoppable = request;
    stoppable.stop = stop;
    const auto renewed = renew(*entry, stoppable);  // when it fails, the old is handed out on
    refreshing_ = false;
  };
  try {
    refresher_ = std::jthread(run);
  } catch (const std::system_error&) {  // no thread to be had: the next one tries again
    refreshing_ = false;
  }
}

}  // namespace ratls::collateral

namespace ratls {

std::filesystem::path default_cache_dir() {
  const auto absolute = [](const char* name) {
    const char* value = std::getenv(name);
    const std::filesystem::path path = value == nullptr ? "" : value;
    return path.is_absolute() ? path : std::filesystem::path();
  };
  if (const auto cache = absolute("XDG_CACHE_HOME"); !cache.empty()) {
    return cache / "ratls" / "collateral";
  }
  const auto home = absolute("HOME");
  return home.empty() ? home : home / ".cache" / "ratls" / "collateral";
}

std::unique_ptr<CollateralSource> with_cache(std::unique_ptr<CollateralSource> source,
                                             const CachedAs& as, const TrustRoot& root,
                                             const CacheOptions& options) {
  return std::make_unique<collateral::CachedSource>(
      std::move(source), as.name, root, as.on_disk ? options.dir : std::filesystem::path(),
      options.background, collateral::HighestNumbers(options.dir, root, as.baseline));
}

}  // namespace ratls
