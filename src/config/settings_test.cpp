// SPDX-License-Identifier: Apache-2.0
#include "config/settings.h"
#include "support/source_dir.h"

#include <gmock/gmock.h>

#include <fstream>

namespace ratls::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path kExample = ratls::testing::source_dir() / "examples/serve.toml";

TEST(ParseSettings, KeepsTheDefaultsOfWhatIsNotThere) {
  const auto settings = parse_settings("", "/etc");
  ASSERT_TRUE(settings.has_value());
  EXPECT_TRUE(check_reload(Settings(), *settings).has_value());
  EXPECT_EQ(settings->certificate, CertificateOptions());
  EXPECT_EQ(settings->server.request_timeout, ServerOptions().request_timeout);
  EXPECT_FALSE(settings->server.access_log);
  EXPECT_TRUE(settings->server.session_evidence);
}

constexpr std::string_view kEveryKey = R"(
listen = "[::1]:8443"
tee = "sim"
sim = "platform"
threads = 3
min_tls = "1.2"
staple = "collateral.json"
endorse = true
session_evidence = false
[certificate]
lifetime = "12h"
names = ["a.example", "b.example"]
key_type = "p384"
legacy_extension = false
[app]
command = ["app", "{fd}"]
workers = 4
start_timeout = "5s"
[limits]
header_bytes = 1000
body_bytes = 2000
min_body_rate = 0
connections = 30
queued = 4
[timeouts]
handshake = "1s"
queue = "0s"
request = "2s"
keep_alive = "3s"
write = "4s"
upstream = "5s"
stream = "6s"
drain = "0s"
[log]
format = "json"
level = "warning"
access = true
[admin]
listen = "127.0.0.1:9100"
)";

TEST(ParseSettings, ReadsWhatIsServedWhereAndHow) {
  const auto settings = parse_settings(kEveryKey, "/etc");
  ASSERT_TRUE(settings.has_value()) << settings.error().where() << settings.error().message();
  EXPECT_EQ(settings->listen, "[::1]:8443");
  EXPECT_EQ(settings->tee.tee, "sim");
  EXPECT_EQ(settings->tee.sim_dir, "/etc/platform");
  EXPECT_EQ(settings->staple, "/etc/collateral.json");
  EXPECT_TRUE(settings->endorse);
  EXPECT_FALSE(settings->server.session_evidence);
  EXPECT_EQ(settings->certificate.lifetime, hours(12));
  EXPECT_THAT(settings->certificate.names, ElementsAre("a.example", "b.example"));
  EXPECT_EQ(settings->certificate.key, CertificateKey::p384);
  EXPECT_FALSE(settings->certificate.legacy_extension);
  const AppOptions app = app_options(*settings);
  EXPECT_THAT(app.command, ElementsAre("app", "{fd}"));
  EXPECT_EQ(app.processes, 4u);
  EXPECT_EQ(app.start_timeout, seconds(5));
}

TEST(ParseSettings, ReadsTheServersOptions) {
  const auto settings = parse_settings(kEveryKey, "/etc");
  ASSERT_TRUE(settings.has_value()) << settings.error().where() << settings.error().message();
  const ServerOptions& server = settings->server;
  EXPECT_EQ(server.threads, 3u);
  EXPECT_EQ(server.lowest_tls, TlsVersion::tls12);
  EXPECT_EQ(server.max_header_bytes, 1000u);
  EXPECT_EQ(server.max_body_bytes, 2000u);
  EXPECT_EQ(server.max_connections, 30u);
  EXPECT_EQ(server.max_queued, 4u);
  EXPECT_EQ(server.min_body_rate, 0u);
  EXPECT_EQ(server.handshake_timeout, seconds(1));
  EXPECT_EQ(server.queue_timeout, seconds(0));
  EXPECT_EQ(server.request_timeout, seconds(2));
  EXPECT_EQ(server.keep_alive_timeout, seconds(3));
  EXPECT_EQ(server.write_timeout, seconds(4));
  EXPECT_EQ(server.upstream_timeout, seconds(5));
  EXPECT_EQ(server.stream_timeout, seconds(6));
  EXPECT_EQ(server.drain_timeout, seconds(0));
  EXPECT_EQ(settings->log.format, server::LogFormat::json);
  EXPECT_EQ(settings->log.level, server::LogLevel::warning);
  EXPECT_TRUE(server.access_log);
  EXPECT_EQ(settings->admin_listen, "127.0.0.1:9100");
}

TEST(ParseSettings, ReadsWhereAnAppIs) {
  const auto path = parse_settings("[app]\nupstream = \"unix:app.sock\"\n", "/run");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->upstream, "unix:/run/app.sock");
  const auto address =
      parse_settings("staple = \"pcs\"\n[app]\nupstream = \"http://[::1]:1\"\n", "");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->upstream, "http://[::1]:1");
  EXPECT_EQ(address->staple, "pcs");
}

TEST(ParseSettings, NamesLineAndKeyOfAMistake) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"port = 1", "line 1: port"},
      {"\nthreads = \"2\"", "line 2: threads"},
      {"threads = 0", "line 1: threads"},
      {"threads = 257", "line 1: threads"},
      {"listen = \"8000\"", "line 1: listen"},
      {"listen = 8000", "line 1: listen"},
      {"tee = \"sgx\"", "line 1: tee"},
      {"tee = \"gramine:\"", "line 1: tee"},
      {"sim = \"x\"", "line 1: sim"},
      {"staple = \"\"", "line 1: staple"},
      {"min_tls = \"1.1\"", "line 1: min_tls"},
      {"min_tls = 1.3", "line 1: min_tls"},
      {"certificate = 1", "line 1: certificate"},
      {"[certificate]\nlifetime = \"1m\"", "line 2: certificate.lifetime"},
      {"[certificate]\nlifetime = \"90d\"", "line 2: certificate.lifetime"},
      {"[certificate]\nlifetime = \"12\"", "line 2: certificate.lifetime"},
      {"[certificate]\nnames = [\"a b\"]", "line 2: certificate.names"},
      {"[certificate]\nnames = \"a\"", "line 2: certificate.names"},
      {"[certificate]\nkey_type = \"rsa\"", "line 2: certificate.key_type"},
      {"[certificate]\nlegacy_extension = 1", "line 2: certificate.legacy_extension"},
      {"[app]\nupstream = \"http://192.0.2.1:1\"", "line 2: app.upstream"},
      {"[app]\ncommand = []", "line 2: app.command"},
      {"[app]\ncommand = [\"app\"]", "line 2: app.command"},
      {"[app]\ncommand = [\"{fd}\"]\nworkers = 0", "line 3: app.workers"},
      {"[app]\ncommand = [\"{fd}\"]\nstart_timeout = \"0s\"", "line 3: app.start_timeout"},
      {"[limits]\nheader_bytes = 255", "line 2: limits.header_bytes"},
      {"[limits]\nconnections = 0", "line 2: limits.connections"},
      {"[limits]\nbody_bytes = -1", "line 2: limits.body_bytes"},
      {"[timeouts]\nrequest = 30", "line 2: timeouts.request"},
      {"[timeouts]\nrequest = \"0s\"", "line 2: timeouts.request"},
      {"[timeouts]\nrequest = \"2d\"", "line 2: timeouts.request"},
      {"[timeouts]\nidle = \"1s\"", "line 2: timeouts.idle"},
      {"[log]\nlevel = \"debug\"", "line 2: log.level"},
      {"[log]\nformat = \"xml\"", "line 2: log.format"},
      {"[log]\naccess = \"on\"", "line 2: log.access"},
      {"[admin]\nlisten = \"9100\"", "line 2: admin.listen"},
      {"[admin]\nport = 1", "line 2: admin.port"},
      {"threads = 1\nthreads = 2", "line 2"},
      {"threads =", "line 1"},
  };
  for (const auto& [text, place] : cases) {
    const auto settings = parse_settings(text, "");
    ASSERT_FALSE(settings.has_value()) << text;
    EXPECT_EQ(settings.error().code(), Code::config_invalid) << text;
    EXPECT_EQ(settings.error().where(), place) << settings.error().detail();
  }
}

TEST(LoadSettings, NamesTheFile) {
  const auto missing = load_settings("/nonexistent/serve.toml");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), Code::file_unreadable);
  const std::string path = ::testing::TempDir() + "ratls_settings.toml";
  std::ofstream(path) << "threads = 0\n";
  const auto bad = load_settings(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(bad.has_value());
  EXPECT_THAT(bad.error().where(), HasSubstr(path + ": line 1: threads"));
}

TEST(LoadSettings, ReadsTheExampleAndItsExamplesOfOtherValues) {
  const auto example = load_settings(kExample);
  EXPECT_TRUE(example.has_value()) << example.error().where() << example.error().message();
  // Each key that is commented out can be used as it stands.
  std::ifstream file(kExample);
  std::string table;
  std::size_t tried = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('[')) table = line;
    if (!line.starts_with("# ") || line.find(" = ") == std::string::npos) continue;
    const auto settings = parse_settings(table + "\n" + line.substr(2) + "\n", "/etc");
    EXPECT_TRUE(settings.has_value()) << line << settings.error().message();
    ++tried;
  }
  EXPECT_GE(tried, 5u);
}

TEST(CheckReload, NamesTheKeyThatNeedsARestart) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"listen = \"127.0.0.1:1\"", "listen"},
      {"[admin]\nlisten = \"127.0.0.1:1\"", "admin.listen"},
      {"tee = \"sim\"", "tee"},
      {"threads = 1", "threads"},
      {"min_tls = \"1.2\"", "min_tls"},
      {"staple = \"pcs\"", "staple"},
      {"endorse = true", "endorse"},
      {"session_evidence = false", "session_evidence"},
      {"[app]\nupstream = \"unix:/a\"", "app.upstream"},
      {"[app]\ncommand = [\"{fd}\"]", "app.command"},
      {"[app]\nworkers = 2", "app.workers"},
      {"[app]\nstart_timeout = \"1s\"", "app.start_timeout"},
  };
  for (const auto& [text, key] : cases) {
    const auto next = parse_settings(text, "");
    ASSERT_TRUE(next.has_value()) << text;
    const auto allowed = check_reload(Settings(), *next);
    ASSERT_FALSE(allowed.has_value()) << text;
    EXPECT_EQ(allowed.error().code(), Code::config_invalid);
    EXPECT_EQ(allowed.error().where(), key);
  }
  const auto simulated = parse_settings("tee = \"sim\"", "");
  const auto elsewhere = parse_settings("tee = \"sim\"\nsim = \"x\"", "");
  EXPECT_EQ(check_reload(*simulated, *elsewhere).error().where(), "sim");
}

TEST(CheckReload, LetsTheRestChange) {
  const auto next = parse_settings(
      "[certificate]\nlifetime = \"1h\"\nnames = [\"a\"]\nkey_type = \"p384\"\n"
      "legacy_extension = false\n[limits]\nheader_bytes = 300\nbody_bytes = 1\nconnections = 1\n"
      "[timeouts]\nhandshake = \"1s\"\nrequest = \"1s\"\nkeep_alive = \"1s\"\nwrite = \"1s\"\n"
      "upstream = \"1s\"\nstream = \"1s\"\ndrain = \"1s\"\n"
      "[log]\nformat = \"json\"\nlevel = \"error\"\naccess = true\n",
      "");
  ASSERT_TRUE(next.has_value());
  EXPECT_TRUE(check_reload(Settings(), *next).has_value());
}

}  // namespace
}  // namespace ratls::config
