// SPDX-License-Identifier: Apache-2.0
#include "sim/documents.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/reader.h"

namespace ratls::sim {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string upper_hex(BytesView bytes) {
  std::string text = to_hex(bytes);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

// The digits are the bytes as they stand in a report, where the number is little endian.
std::string misc_select_hex(std::uint32_t value) {
  Bytes bytes;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  return upper_hex(bytes);
}

// What Intel writes beside the components of a scalable platform; null: nothing.
struct ComponentName {
  const char* category;
  const char* type;
};
constexpr ComponentName kSgxNames[] = {{"BIOS", "Early Microcode Update"},
                                       {"OS/VMM", "SGX Late Microcode Update"},
                                       {"OS/VMM", "TXT SINIT"},
                                       {"BIOS", nullptr}};
constexpr ComponentName kSgxNamesForTdx[] = {{"BIOS", "Early Microcode Update"},
                                             {"OS/VMM", "SGX Late Microcode Update"},
                                             {"OS/VMM", "TXT SINIT"},
                                             {"BIOS", nullptr},
                                             {"BIOS", nullptr},
                                             {"BIOS", nullptr},
                                             {nullptr, nullptr},
                                             {"OS/VMM", "SEAMLDR ACM"}};
constexpr ComponentName kTdxNames[] = {
    {"OS/VMM", "TDX Module"}, {"OS/VMM", "TDX Module"}, {"OS/VMM", "TDX Late Microcode Update"}};

Json listed_components(const tcb::Components& components, std::span<const ComponentName> names) {
  Json list = Json::array();
  for (std::size_t i = 0; i < components.size(); ++i) {
    Json component{{"svn", components[i]}};
    if (i < names.size()) {
      if (names[i].category != nullptr) component["category"] = names[i].category;
      if (names[i].type != nullptr) component["type"] = names[i].type;
    }
    list.push_back(std::move(component));
  }
  return list;
}

Json tcb_of(const tcb::TcbLevel& level, const tcb::TcbInfo& info) {
  const bool tdx = info.id == tcb::TcbInfo::Id::tdx;
  Json out = Json::object();
  if (info.version == 2) {
    for (std::size_t i = 0; i < level.sgx_components.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      out["sgxtcbcomp" + std::string(2 - number.size(), '0') + number + "svn"] =
          level.sgx_components[i];
    }
  } else {
    out["sgxtcbcomponents"] = tdx ? listed_components(level.sgx_components, kSgxNamesForTdx)
                                  : listed_components(level.sgx_components, kSgxNames);
  }
  out["pcesvn"] = level.pce_svn;
  if (tdx) {
    out["tdxtcbcomponents"] = listed_components(level.tdx_components, kTdxNames);
  }
  return out;
}

template <class Level>
Json level_of(const Level& level, Json tcb) {
  Json out{{"tcb", std::move(tcb)},
           {"tcbDate", format_time(level.date)},
           {"tcbStatus", to_string(level.status)}};
  if (!level.advisories.empty()) out["advisoryIDs"] = level.advisories;
  return out;
}

void add_module(Json& out, const tcb::TdxModule& module) {
  out["mrsigner"] = upper_hex(module.mr_signer.view());
  out["attributes"] = upper_hex(module.attributes.view());
  out["attributesMask"] = upper_hex(module.attributes_mask.view());
}

Json module_identity_of(const tcb::TdxModuleIdentity& identity) {
  Json out{{"id", identity.id}};
  add_module(out, identity.module);
  out["tcbLevels"] = Json::array();
  for (const tcb::SvnLevel& level : identity.levels) {
    out["tcbLevels"].push_back(level_of(level, Json{{"isvsvn", level.isv_svn}}));
  }
  return out;
}

const char* id_of(tcb::QeIdentity::Id id) {
  switch (id) {
    case tcb::QeIdentity::Id::qe:
      return "QE";
    case tcb::QeIdentity::Id::td_qe:
      return "TD_QE";
    case tcb::QeIdentity::Id::qve:
      return "QVE";
  }
  return "";
}

Result<SignedDocument> sign_text(std::string text, const crypto::PrivateKey& signer) {
  RATLS_TRY(Bytes signature, signer.sign_raw(as_bytes(text)));
  return SignedDocument{std::move(text), std::move(signature)};
}

}  // namespace

std::string format_tcb_info(const tcb::TcbInfo& content) {
  Json out = Json::object();
  // Version 2 speaks of SGX only and has no id.
  if (content.version != 2) out["id"] = content.id == tcb::TcbInfo::Id::sgx ? "SGX" : "TDX";
  out["version"] = content.version;
  out["issueDate"] = format_time(content.issue_date);
  out["nextUpdate"] = format_time(content.next_update);
  out["fmspc"] = upper_hex(content.fmspc.view());
  out["pceId"] = upper_hex(content.pce_id.view());
  out["tcbType"] = 0;
  out["tcbEvaluationDataNumber"] = content.evaluation_number;
  if (content.tdx_module) add_module(out["tdxModule"], *content.tdx_module);
  for (const tcb::TdxModuleIdentity& identity : content.tdx_module_identities) {
    out["tdxModuleIdentities"].push_back(module_identity_of(identity));
  }
  out["tcbLevels"] = Json::array();
  for (const tcb::TcbLevel& level : content.levels) {
    out["tcbLevels"].push_back(level_of(level, tcb_of(level, content)));
  }
  return text_of(out);
}

std::string format_qe_identity(const tcb::QeIdentity& content) {
  Json out = Json::object();
  out["id"] = id_of(content.id);
  out["version"] = content.version;
  out["issueDate"] = format_time(content.issue_date);
  out["nextUpdate"] = format_time(content.next_update);
  out["tcbEvaluationDataNumber"] = content.evaluation_number;
  out["miscselect"] = misc_select_hex(content.misc_select);
  out["miscselectMask"] = misc_select_hex(content.misc_select_mask);
  out["attributes"] = upper_hex(content.attributes.view());
  out["attributesMask"] = upper_hex(content.attributes_mask.view());
  out["mrsigner"] = upper_hex(content.mr_signer.view());
  out["isvprodid"] = content.isv_prod_id;
  out["tcbLevels"] = Json::array();
  for (const tcb::SvnLevel& level : content.levels) {
    out["tcbLevels"].push_back(level_of(level, Json{{"isvsvn", level.isv_svn}}));
  }
  return text_of(out);
}

Result<SignedDocument> sign(const TcbInfoDraft& draft) {
  return sign_text(draft.text ? *draft.text : format_tcb_info(draft.content), *draft.signer);
}

Result<SignedDocument> sign(const QeIdentityDraft& draft) {
  return sign_text(draft.text ? *draft.text : format_qe_identity(draft.content), *draft.signer);
}

}  // namespace ratls::sim
