// SPDX-License-Identifier: Apache-2.0
#include "launch/launch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "crypto/crypto.h"
#include "support/fake_quote.h"
#include "x509/certificate.h"

namespace ratls::launch {
namespace {

const UnixTime kNow = UnixTime(std::chrono::seconds(1700000000));

Attester make_attester(QuoteSource source) {
  auto attester = Attester::create(std::move(source), {});
  if (!attester) ADD_FAILURE() << attester.error().message();
  return std::move(attester).value();
}

class Launch : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "ratls_launch_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    options_.files.certificate = dir_ / "cert.pem";
    options_.files.key = dir_ / "key.pem";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string content(const std::string& name) {
    std::ifstream file(dir_ / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::size_t files() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(dir_),
                                                  std::filesystem::directory_iterator()));
  }
  mode_t mode(const std::filesystem::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0);
    return status.st_mode;
  }
  // The status of the command, or the code of run when it returned.
  int run_in_child(const std::vector<std::string>& command) {
    options_.command = command;
    const pid_t child = ::fork();
    if (child == 0) {
      const Error error = run(attester_, options_, kNow);
      ::_exit(static_cast<int>(error.code()));
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }
  // sh -c script with the certificate as $1 and the key as $2.
  int run_script(const std::string& script) {
    return run_in_child({"sh", "-c", script, "sh", options_.files.certificate, options_.files.key});
  }

  std::filesystem::path dir_;
  LaunchOptions options_;
  Attester attester_ = make_attester([](const ReportData& data) -> Result<Bytes> {
    return ratls::testing::make_fake_quote({data});
  });
};

TEST_F(Launch, GivesTheCommandItsFilesAndItsStatus) {
  EXPECT_EQ(run_script("head -n 1 \"$1\" | grep -qx -e '-----BEGIN CERTIFICATE-----' || exit 1\n"
                       "head -n 1 \"$2\" | grep -qx -e '-----BEGIN PRIVATE KEY-----' || exit 2\n"
                       "test \"$(stat -c %a:%F \"$1\")\" = '644:regular file' || exit 3\n"
                       "test \"$(stat -c %a:%F \"$2\")\" = '600:regular file' || exit 4\n"
                       "exit 42"),
            42);
  EXPECT_EQ(files(), 2u);
}

TEST_F(Launch, WritesAKeyThatFitsTheCertificate) {
  EXPECT_EQ(run_in_child({"true"}), 0);
  const std::string pem = content("key.pem");
  const auto key = crypto::PrivateKey::from_pem(Bytes(pem.begin(), pem.end()));
  ASSERT_TRUE(key.has_value());
  const std::string certificate_pem = content("cert.pem");
  const auto chain = x509::parse_pem_chain(Bytes(certificate_pem.begin(), certificate_pem.end()), 1,
                                           Code::internal);
  ASSERT_TRUE(chain.has_value());
  EXPECT_EQ(chain->at(0).spki, key->spki_der().value());
}

TEST_F(Launch, WritesDer) {
  options_.files.format = FileFormat::der;
  EXPECT_EQ(run_in_child({"true"}), 0);
  const std::string der = content("cert.pem");
  EXPECT_TRUE(x509::parse_certificate(Bytes(der.begin(), der.end()), Code::internal).has_value());
  const std::string key = content("key.pem");
  ASSERT_FALSE(key.empty());
  EXPECT_EQ(key[0], 0x30);
  EXPECT_EQ(mode(options_.files.key) & 07777, 0600u);
}

TEST_F(Launch, RunsInTheSameProcessWithAllArguments) {
  const std::string out = dir_ / "out";
  EXPECT_EQ(run_in_child({"/bin/sh", "-c", "printf '%s|' \"$@\" > \"$0\"", out, "a b", "", "*"}),
            0);
  EXPECT_EQ(content("out"), "a b||*|");
}

TEST_F(Launch, ReplacesExistingFiles) {
  std::ofstream(options_.files.key) << "old";
  std::ofstream(options_.files.certificate) << "old";
  ASSERT_EQ(::chmod(options_.files.key.c_str(), 0666), 0);
  EXPECT_EQ(run_in_child({"true"}), 0);
  EXPECT_NE(content("key.pem"), "old");
  EXPECT_NE(content("cert.pem"), "old");
  EXPECT_EQ(mode(options_.files.key) & 07777, 0600u);
}

TEST_F(Launch, FollowsNoLinks) {
  std::ofstream(dir_ / "victim") << "untouched";
  std::filesystem::create_symlink(dir_ / "victim", options_.files.key);
  EXPECT_EQ(run_in_child({"true"}), 0);
  EXPECT_EQ(content("victim"), "untouched");
  EXPECT_TRUE(S_ISREG(mode(options_.files.key)));
}

TEST_F(Launch, RemovesTheFilesWhenTheCommandCannotRun) {
  for (const char* command : {"/nonexistent/command", "ratls-no-such-command", "/"}) {
    options_.command = {command};
    EXPECT_EQ(run(attester_, options_, kNow).code(), Code::command_not_run) << command;
    EXPECT_EQ(files(), 0u) << command;
  }
}

TEST_F(Launch, RemovesTheKeyWhenTheCertificateCannotBeWritten) {
  options_.command = {"true"};
  options_.files.certificate = dir_ / "none" / "cert.pem";
  EXPECT_EQ(run(attester_, options_, kNow).code(), Code::file_unwritable);
  EXPECT_EQ(files(), 0u);
}

TEST_F(Launch, WritesNothingWithoutQuote) {
  const Attester attester = make_attester([](const ReportData&) -> Result<Bytes> {
    return Error(Code::quote_unavailable, "quote", "no device");
  });
  options_.command = {"true"};
  EXPECT_EQ(run(attester, options_, kNow).code(), Code::quote_unavailable);
  EXPECT_EQ(files(), 0u);
}

TEST_F(Launch, RefusesIncompleteOptions) {
  const auto refused = [&](auto change) {
    LaunchOptions options = options_;
    options.command = {"true"};
    change(options);
    return run(attester_, options, kNow).code() == Code::usage;
  };
  EXPECT_TRUE(refused([](LaunchOptions& o) { o.command.clear(); }));
  EXPECT_TRUE(refused([](LaunchOptions& o) { o.command = {""}; }));
  EXPECT_TRUE(refused([](LaunchOptions& o) { o.files.key.clear(); }));
  EXPECT_TRUE(refused([](LaunchOptions& o) { o.files.certificate.clear(); }));
  EXPECT_TRUE(refused([](LaunchOptions& o) { o.files.key = o.files.certificate; }));
  EXPECT_TRUE(refused([&](LaunchOptions& o) { o.files.key = dir_ / "." / "cert.pem"; }));
  EXPECT_EQ(files(), 0u);
}

// What a command started without ratls would find: no descriptors and no signal settings of ours.
TEST_F(Launch, LeavesDescriptorsAndSignalsAlone) {
  const std::string script =
      "ls /proc/self/fd > \"$3\" && grep -E '^Sig(Blk|Ign)' /proc/self/status >> \"$3\"";
  const auto command = [&](const std::string& name) {
    return std::vector<std::string>{"sh", "-c", script, "sh", "-", "-", dir_ / name};
  };
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<std::string> plain = command("plain");
    std::vector<char*> arguments;
    for (std::string& argument : plain) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    ::execvp("sh", arguments.data());
    ::_exit(127);
  }
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(run_in_child(command("launched")), 0);
  EXPECT_FALSE(content("plain").empty());
  EXPECT_EQ(content("launched"), content("plain"));
}

}  // namespace
}  // namespace ratls::launch
