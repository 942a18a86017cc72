// Whole processes: each test forks children that call RunServer(), and sees what their users see:
// output, exit status, signals. This binary starts no thread of its own, so that forking is safe.
#include "common/server/server_main.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/env/file_system.h"
#include "common/env/temporary_directory.h"
#include "common/status.h"
#include "common/text_test_util.h"

namespace tinykv {
namespace {

// Parts that say on standard output when they are closed.
class ToyParts : public StageParts {
 public:
  absl::Status Close() override {
    std::printf("closed\n");
    return absl::OkStatus();
  }
  nlohmann::json Status() override { return {{"engine", {{"keys", 3}}}}; }
};

// Parts whose closing never ends.
class StuckParts : public ToyParts {
 public:
  absl::Status Close() override {
    for (;;) pause();
  }
};

// Parts that cannot be closed well.
class FailingParts : public ToyParts {
 public:
  absl::Status Close() override { return Internal("the disk is gone"); }
};

template <typename Parts>
ServerProgram Toy() {
  return {.name = "toy-server",
          .stage = 1,
          .purpose = "A toy.",
          .open = [](const ServerConfig&, Server&, Metrics&) { return std::make_unique<Parts>(); }};
}

ServerProgram ToyThatDoesNotOpen() {
  ServerProgram program = Toy<ToyParts>();
  program.open = [](const ServerConfig& config, Server&,
                    Metrics&) -> absl::StatusOr<std::unique_ptr<StageParts>> {
    return DataLoss(config.data, "/000001.log: offset 4096: checksum mismatch");
  };
  return program;
}

// There is no room on the disk while this file is there.
std::string FullMark(const ServerConfig& config) {
  return JoinPath(DirectoryOf(config.data), "full");
}
bool HasRoom(const ServerConfig& config) { return !PosixFileSystem().Exists(FullMark(config)); }

// Parts that are stopped for good once they have met a full disk.
class StoppableParts : public ToyParts {
 public:
  explicit StoppableParts(const ServerConfig& config) : config_(config) {}

  absl::Status Health() override {
    if (!HasRoom(config_)) is_stopped_ = true;
    return is_stopped_ ? ResourceExhausted("no space left") : absl::OkStatus();
  }
  nlohmann::json Status() override { return {{"stopped", !Health().ok()}}; }

 private:
  const ServerConfig& config_;
  std::atomic<bool> is_stopped_ = false;
};

ServerProgram ToyOnADisk() {
  ServerProgram program = Toy<ToyParts>();
  program.open = [](const ServerConfig& config, Server&,
                    Metrics&) -> absl::StatusOr<std::unique_ptr<StageParts>> {
    if (!HasRoom(config)) return ResourceExhausted("no space left");
    return std::make_unique<StoppableParts>(config);
  };
  program.has_room = HasRoom;
  return program;
}

// A process that runs a server.
class Child {
 public:
  Child(const ServerProgram& program, std::vector<std::string> arguments) {
    int output[2], errors[2];
    TKV_CHECK(pipe(output) == 0 && pipe(errors) == 0);
    pid_ = fork();
    TKV_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      dup2(output[1], STDOUT_FILENO);
      dup2(errors[1], STDERR_FILENO);
      for (const int fd : {output[0], output[1], errors[0], errors[1]}) close(fd);
      arguments.insert(arguments.begin(), program.name);
      std::vector<char*> argv;
      argv.reserve(arguments.size());
      for (std::string& argument : arguments) argv.push_back(argument.data());
      const int exit_status = RunServer(program, static_cast<int>(argv.size()), argv.data());
      std::fflush(stdout);
      _exit(exit_status);
    }
    close(output[1]);
    close(errors[1]);
    output_ = fdopen(output[0], "r");
    errors_ = fdopen(errors[0], "r");
  }

  // It is dead when the test ends, whatever happened.
  ~Child() {
    if (!waited_) {
      Signal(SIGKILL);
      Wait();
    }
    std::fclose(output_);
    std::fclose(errors_);
  }

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next line, without its end; empty at the end of the output. Waits for it.
  std::string OutputLine() { return Line(output_); }
  std::string ErrorLine() { return Line(errors_); }
  std::string Output() { return Rest(output_); }
  std::string Errors() { return Rest(errors_); }

  void Signal(int number) { kill(pid_, number); }

  // Waits for its end. Its exit status, or minus the signal that ended it.
  int Wait() {
    int status = 0;
    TKV_CHECK(waitpid(pid_, &status, 0) == pid_);
    waited_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  static std::string Line(FILE* file) {
    std::string line;
    for (int c; (c = std::fgetc(file)) != EOF && c != '\n';) line += static_cast<char>(c);
    return line;
  }
  static std::string Rest(FILE* file) {
    std::string rest;
    for (int c; (c = std::fgetc(file)) != EOF;) rest += static_cast<char>(c);
    return rest;
  }

  pid_t pid_;
  bool waited_ = false;
  FILE* output_;
  FILE* errors_;
};

class ServerMainTest : public testing::Test {
 protected:
  // Flags with which a server starts, and `more`, which win.
  std::vector<std::string> Flags(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> flags = {"--config=" + config_};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }

  // The one line with which a server that cannot start ends.
  std::string Refusal(const ServerProgram& program, const std::vector<std::string>& flags,
                      int exit_status) {
    Child child(program, flags);
    const std::string line = child.ErrorLine();
    EXPECT_EQ(child.Errors(), "") << line;
    EXPECT_EQ(child.Wait(), exit_status);
    EXPECT_TRUE(StartsWith(line, "toy-server: "));
    return line.substr(std::min<size_t>(line.size(), 12));
  }

  void SetUp() override {
    ASSERT_TRUE(WriteFileAtomically(PosixFileSystem(), config_,
                                    Concat("listen = \"127.0.0.1:0\"\n"
                                           "status_listen = \"127.0.0.1:0\"\n"
                                           "data = \"",
                                           data_, "\"\n"))
                    .ok());
  }

  TemporaryDirectory directory_;
  const std::string config_ = JoinPath(directory_.path(), "server.toml");
  const std::string data_ = JoinPath(directory_.path(), "data");
};

// What follows "KEY=" in a line of the log.
std::string FieldOf(const std::string& line, const std::string& key) {
  const size_t begin = line.find(" " + key + "=") + key.size() + 2;
  return line.substr(begin, line.find(' ', begin) - begin);
}

TEST_F(ServerMainTest, ServesUntilASignalAndClosesItsParts) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Child child(Toy<ToyParts>(), Flags());
    const std::string address = child.OutputLine();
    EXPECT_TRUE(StartsWith(address, "127.0.0.1:"));
    const std::string serving = child.ErrorLine();
    EXPECT_EQ(FieldOf(serving, "address"), address);

    const auto response =
        httplib::Client("http://" + FieldOf(serving, "status_address")).Get("/status");
    ASSERT_TRUE(response);
    const auto status = nlohmann::json::parse(response->body);
    EXPECT_EQ(status["serving"], true);
    EXPECT_EQ(status["stage"], 1);
    EXPECT_EQ(status["address"], address);
    EXPECT_EQ(status["data"], data_);
    EXPECT_EQ(status["requests_in_flight"], 0);
    EXPECT_EQ(status["engine"]["keys"], 3);

    child.Signal(signal);
    EXPECT_EQ(child.Wait(), 0);
    EXPECT_EQ(child.Output(), "closed\n");
    EXPECT_TRUE(Contains(child.Errors(), "stopped"));
  }
}

TEST_F(ServerMainTest, OpensAgainWhatAFullDiskHasStoppedOnceThereIsRoom) {
  const std::string mark = JoinPath(directory_.path(), "full");
  const auto fill = [&] { return WriteFileAtomically(PosixFileSystem(), mark, "").ok(); };
  ASSERT_TRUE(fill());
  Child child(ToyOnADisk(), Flags());
  EXPECT_TRUE(Contains(child.ErrorLine(), "the disk is full"));
  ASSERT_TRUE(PosixFileSystem().Remove(mark).ok());
  const std::string address = child.OutputLine();
  const std::string serving = child.ErrorLine();
  EXPECT_EQ(FieldOf(serving, "address"), address);

  const std::string status_address = FieldOf(serving, "status_address");
  const auto is_stopped = [&] {
    const auto answer = httplib::Client("http://" + status_address).Get("/status");
    return answer && nlohmann::json::parse(answer->body)["stopped"] == true;
  };
  EXPECT_FALSE(is_stopped());
  ASSERT_TRUE(fill());
  EXPECT_TRUE(is_stopped());
  ASSERT_TRUE(PosixFileSystem().Remove(mark).ok());
  EXPECT_TRUE(Contains(child.ErrorLine(), "the disk is full"));
  EXPECT_EQ(FieldOf(child.ErrorLine(), "address"), address);
  EXPECT_FALSE(is_stopped());

  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_EQ(child.Output(), "closed\nclosed\n");
}

TEST_F(ServerMainTest, EndsWhileItWaitsForRoomWhenItIsTold) {
  ASSERT_TRUE(WriteFileAtomically(PosixFileSystem(), JoinPath(directory_.path(), "full"), "").ok());
  Child child(ToyOnADisk(), Flags());
  EXPECT_TRUE(Contains(child.ErrorLine(), "the disk is full"));
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 0);

  ServerProgram program = ToyOnADisk();
  program.has_room = nullptr;
  EXPECT_EQ(Refusal(program, Flags(), 1), "no space left");
}

TEST_F(ServerMainTest, EndsAtOnceOnASecondSignal) {
  Child child(Toy<StuckParts>(), Flags());
  child.OutputLine();
  child.Signal(SIGTERM);
  while (child.ErrorLine().find("stopping") == std::string::npos) continue;
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), -SIGTERM);
}

TEST_F(ServerMainTest, RefusesAWrongConfigurationWithStatus2) {
  EXPECT_EQ(Refusal(Toy<ToyParts>(), Flags({"--log-level=loud"}), 2),
            "--log-level: \"loud\" is not one of debug, info, warning, error, off");
  EXPECT_TRUE(StartsWith(Refusal(Toy<ToyParts>(), Flags({"--limits.value-bytes=64MiB"}), 2),
                         "limits.message_bytes is 16MiB, too little for"));
  EXPECT_TRUE(StartsWith(Refusal(Toy<ToyParts>(), {"--config=/none"}, 2), "/none: "));
  EXPECT_FALSE(PosixFileSystem().Exists(data_));
}

TEST_F(ServerMainTest, TakesTheLogLevelFromTheEnvironmentUnlessItIsSet) {
  setenv("LOG_LEVEL", "loud", 1);
  EXPECT_TRUE(Contains(Refusal(Toy<ToyParts>(), Flags({"--check-config"}), 2), "loud"));
  Child child(Toy<ToyParts>(), Flags({"--check-config", "--log-level=error"}));
  EXPECT_EQ(child.Wait(), 0);
  unsetenv("LOG_LEVEL");
}

TEST_F(ServerMainTest, OnlyChecksAConfigurationWhenAskedTo) {
  Child child(Toy<ToyParts>(), Flags({"--check-config"}));
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_EQ(child.Output(), "");
  EXPECT_EQ(child.Errors(), "");
  EXPECT_FALSE(PosixFileSystem().Exists(data_));
}

TEST_F(ServerMainTest, PrintsHelpAndVersion) {
  Child help(Toy<ToyParts>(), {"--help"});
  const std::string text = help.Output();
  EXPECT_TRUE(Contains(text, "A toy."));
  EXPECT_TRUE(Contains(text, "--status-listen"));
  EXPECT_EQ(help.Wait(), 0);
  Child version(Toy<ToyParts>(), {"--version"});
  EXPECT_TRUE(StartsWith(version.Output(), "toy-server "));
  EXPECT_EQ(version.Wait(), 0);
}

TEST_F(ServerMainTest, SaysInOneLineWhyItCannotStart) {
  Child other(Toy<ToyParts>(), Flags());
  const std::string taken = other.OutputLine();
  EXPECT_EQ(Refusal(Toy<ToyParts>(), Flags(), 1),
            Concat("data directory ", data_, ": in use by another server"));
  const std::string elsewhere = Concat("--data=", directory_.path(), "/elsewhere");
  const std::string refusal = Concat("cannot listen on ", taken, ": Address already in use");
  EXPECT_EQ(Refusal(Toy<ToyParts>(), Flags({elsewhere, "--listen=" + taken}), 1), refusal);
  EXPECT_EQ(Refusal(Toy<ToyParts>(), Flags({elsewhere, "--status-listen=" + taken}), 1), refusal);
  EXPECT_EQ(Refusal(ToyThatDoesNotOpen(), Flags({"--data=" + data_ + "2"}), 1),
            Concat(data_, "2/000001.log: offset 4096: checksum mismatch"));
}

TEST_F(ServerMainTest, ClosesItsPartsAlsoWhenItCannotServe) {
  Child other(Toy<ToyParts>(), Flags());
  const std::string taken = other.OutputLine();
  Child child(Toy<ToyParts>(), Flags({"--data=" + data_ + "2", "--listen=" + taken}));
  EXPECT_EQ(child.Wait(), 1);
  EXPECT_EQ(child.Output(), "closed\n");
}

TEST_F(ServerMainTest, RefusesTheDataOfAnotherStage) {
  {
    Child child(Toy<ToyParts>(), Flags());
    child.OutputLine();
    child.Signal(SIGTERM);
    EXPECT_EQ(child.Wait(), 0);
  }
  ServerProgram stage2 = Toy<ToyParts>();
  stage2.stage = 2;
  std::vector<std::string> flags = Flags();
  flags.insert(flags.end(), {"--cluster.store-id", "1", "--cluster.stores", "1=127.0.0.1:20160"});
  EXPECT_TRUE(Contains(Refusal(stage2, flags, 1), "belongs to stage 1, and this is stage 2"));
}

TEST_F(ServerMainTest, RefusesSettingsOfAClusterForOneThatIsAlone) {
  std::vector<std::string> flags = Flags();
  flags.insert(flags.end(), {"--cluster.store-id", "1"});
  EXPECT_TRUE(Contains(Refusal(Toy<ToyParts>(), flags, 2), "settings of [cluster]"));
}

TEST_F(ServerMainTest, SaysThatItsPartsDidNotCloseWell) {
  Child child(Toy<FailingParts>(), Flags());
  child.OutputLine();
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 1);
  EXPECT_TRUE(Contains(child.Errors(), "toy-server: the disk is gone\n"));
}

}  // namespace
}  // namespace tinykv
