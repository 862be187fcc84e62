// SPDX-License-Identifier: Apache-2.0
#include "pcs/answer.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "base/reader.h"
#include "crypto/crypto.h"
#include "x509/certificate.h"

namespace ratls::pcs {
namespace {

using Item = Shelf::Item;
using Query = std::map<std::string, std::string, std::less<>>;

// Names and values that need no percent-encoding are all that the API has.
std::optional<Query> parse_query(std::string_view target) {
  Query query;
  const std::size_t mark = target.find('?');
  std::string_view rest = mark == target.npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos) return std::nullopt;
    const auto added = query.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    if (!added.second) return std::nullopt;
  }
  return query;
}

bool has_only(const Query& query, std::initializer_list<std::string_view> known) {
  return std::ranges::all_of(
      query, [&](const auto& pair) { return std::ranges::find(known, pair.first) != known.end(); });
}

std::string value_of(const Query& query, std::string_view name) {
  const auto found = query.find(name);
  return found == query.end() ? "" : found->second;
}

// Intel's own answers to what fails have no body.
Response failure(int status, std::string text) {
  return Response::json({{"error", std::move(text)}}, status);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
  }
  return out;
}

Response document(std::string body, std::string_view type, std::string_view chain_header = "",
                  std::string_view chain = "") {
  Response response{200, {{"Content-Type", std::string(type)}}, std::move(body)};
  std::array<std::uint8_t, 16> id{};
  if (crypto::fill_random(id)) response.headers.emplace_back("Request-ID", to_hex(id));
  if (!chain_header.empty()) {
    response.headers.emplace_back(chain_header, percent_encoded(chain));
  }
  return response;
}

std::string signed_text(std::string_view member, const std::string& text, BytesView signature) {
  return "{\"" + std::string(member) + "\":" + text + ",\"signature\":\"" + to_hex(signature) +
         "\"}";
}

/// Number is which evaluation number is asked for; absent: the highest.
struct Number {
  bool is_valid = true;
  std::optional<std::uint32_t> value = std::nullopt;
};

Number number_of(const Query& query) {
  const std::string update = value_of(query, "update");
  const std::string text = value_of(query, "tcbEvaluationDataNumber");
  if (!update.empty() && (!text.empty() || (update != "early" && update != "standard"))) {
    return {.is_valid = false};
  }
  if (text.empty()) return {};
  std::uint32_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return {.is_valid = false};
  return {.value = value};
}

/// Found is the item that was asked for, or the status that says why there is none.
struct Found {
  const Item* item = nullptr;
  int status = 404;
};

// evaluation gives the number of an item that is asked for, or nothing for another one.
template <class Evaluation>
Found find_document(const Shelf& shelf, const Number& number, Evaluation evaluation) {
  Found found;
  std::optional<std::uint32_t> highest;
  bool is_older = false;
  for (const Item& item : shelf.items()) {
    const std::optional<std::uint32_t> of_item = evaluation(item);
    if (!of_item) continue;
    is_older = is_older || (number.value && *number.value < *of_item);
    if (number.value ? *of_item != *number.value : highest && *of_item <= *highest) continue;
    highest = of_item;
    found.item = &item;
  }
  if (found.item == nullptr && is_older) found.status = 410;
  return found;
}

Response tcb(const Shelf& shelf, const Query& query, tcb::TcbInfo::Id id) {
  const Number number = number_of(query);
  const auto fmspc = parse_fixed_hex<tcb::Fmspc>(value_of(query, "fmspc"), "fmspc");
  if (!number.is_valid || !fmspc ||
      !has_only(query, {"fmspc", "update", "tcbEvaluationDataNumber"})) {
    return failure(400, "fmspc (12 hex digits) and update or tcbEvaluationDataNumber are known");
  }
  const Found found = find_document(shelf, number, [&](const Item& item) {
    const bool wanted = item.tcb_info.id == id && item.tcb_info.fmspc == *fmspc;
    return wanted ? std::optional(item.tcb_info.evaluation_number) : std::nullopt;
  });
  if (found.item == nullptr) return failure(found.status, "no such TCB info");
  const Collateral& collateral = found.item->collateral;
  return document(signed_text("tcbInfo", collateral.tcb_info, collateral.tcb_info_signature),
                  "application/json", "TCB-Info-Issuer-Chain", collateral.tcb_info_issuer_chain);
}

Response qe_identity(const Shelf& shelf, const Query& query, tcb::QeIdentity::Id id) {
  const Number number = number_of(query);
  if (!number.is_valid || !has_only(query, {"update", "tcbEvaluationDataNumber"})) {
    return failure(400, "update or tcbEvaluationDataNumber are known");
  }
  const Found found = find_document(shelf, number, [&](const Item& item) {
    const bool wanted = item.qe_identity.id == id;
    return wanted ? std::optional(item.qe_identity.evaluation_number) : std::nullopt;
  });
  if (found.item == nullptr) return failure(found.status, "no such identity");
  const Collateral& collateral = found.item->collateral;
  return document(
      signed_text("enclaveIdentity", collateral.qe_identity, collateral.qe_identity_signature),
      "application/json", "SGX-Enclave-Identity-Issuer-Chain", collateral.qe_identity_issuer_chain);
}

const Item* newest(const Shelf& shelf, const std::string& ca) {
  const Item* newest = nullptr;
  for (const Item& item : shelf.items()) {
    if (!ca.empty() && item.pck_ca != ca) continue;
    if (newest == nullptr || item.crl_issued > newest->crl_issued) newest = &item;
  }
  return newest;
}

Response pck_crl(const Shelf& shelf, const Query& query) {
  const std::string ca = value_of(query, "ca");
  const std::string encoding = value_of(query, "encoding");
  const bool is_ca = ca == "platform" || ca == "processor";
  const bool is_encoding = encoding.empty() || encoding == "pem" || encoding == "der";
  if (!is_ca || !is_encoding || !has_only(query, {"ca", "encoding"})) {
    return failure(400, "ca (platform, processor) and encoding (pem, der) are known");
  }
  const Item* item = newest(shelf, ca);
  if (item == nullptr) return failure(404, "no such CRL");
  const Collateral& collateral = item->collateral;
  const bool is_der = encoding == "der";
  return document(is_der ? std::string(as_text(collateral.pck_crl))
                         : x509::to_pem(collateral.pck_crl, "X509 CRL"),
                  is_der ? "application/pkix-crl" : "application/x-pem-file",
                  "SGX-PCK-CRL-Issuer-Chain", collateral.pck_crl_issuer_chain);
}

Response root_crl(const Shelf& shelf, bool as_hex) {
  const Item* item = newest(shelf, "");
  if (item == nullptr) return failure(404, "no such CRL");
  const Bytes& crl = item->collateral.root_ca_crl;
  return as_hex ? document(to_hex(crl), "text/plain")
                : document(std::string(as_text(crl)), "application/pkix-crl");
}

// Servers are "E3" to "E5" with Intel; collateral does not say which.
Response fmspcs(const Shelf& shelf) {
  nlohmann::json list = nlohmann::json::array();
  for (const Item& item : shelf.items()) {
    const nlohmann::json entry{{"fmspc", to_hex(item.tcb_info.fmspc)}, {"platform", "all"}};
    if (std::ranges::find(list, entry) == list.end()) list.push_back(entry);
  }
  return document(list.dump(), "application/json");
}

}  // namespace

Response answer(const Shelf& shelf, const Request& request) {
  const auto query = parse_query(request.target);
  if (!query) return failure(400, "the query is malformed");
  const std::string_view path = request.path;
  const bool tdx = path.starts_with("/tdx/");
  if (path.ends_with("/tcb")) {
    return tcb(shelf, *query, tdx ? tcb::TcbInfo::Id::tdx : tcb::TcbInfo::Id::sgx);
  }
  if (path.ends_with("/qe/identity")) {
    return qe_identity(shelf, *query, tdx ? tcb::QeIdentity::Id::td_qe : tcb::QeIdentity::Id::qe);
  }
  if (path.ends_with("/pckcrl")) return pck_crl(shelf, *query);
  if (path.ends_with("/fmspcs")) return fmspcs(shelf);
  return root_crl(shelf, path.ends_with("/rootcacrl"));
}

}  // namespace ratls::pcs
