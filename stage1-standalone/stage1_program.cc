#include "stage1-standalone/stage1_program.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/env/executor.h"
#include "common/env/file_system.h"
#include "common/status.h"
#include "stage1-standalone/engine_metrics.h"
#include "stage1-standalone/engine_options.h"
#include "stage1-standalone/raw_handlers.h"
#include "stage1-standalone/standalone_storage.h"

namespace tinykv {
namespace {

// In the order in which they depend on one another; destroyed in the opposite order.
class Stage1Parts : public StageParts {
 public:
  explicit Stage1Parts(const ServerConfig& config)
      : background_(MakeThreadExecutor(
            {.threads = static_cast<int>(config.engine.background_threads), .name = "engine"})),
        writer_(MakeThreadExecutor({.threads = 1, .name = "writer"})) {}

  absl::Status Open(const ServerConfig& config, Server& server, Metrics& metrics) {
    TKV_ASSIGN_OR_RETURN(
        storage_, StandaloneStorage::Open(StorageOptions(config), JoinPath(config.data, "kv")));
    handlers_ = std::make_unique<RawHandlers>(*storage_, RawLimitsOf(config.limits));
    InstallRaw(server, *handlers_);
    engine_metrics_ = metrics.AddCollector(
        [this](MetricSink& sink) { CollectEngineMetrics(storage_->GetStatistics(), sink); });
    return absl::OkStatus();
  }

  absl::Status Close() override {
    engine_metrics_.reset();
    return storage_->Close();
  }

  nlohmann::json Status() override { return {{"engine", EngineStatus(storage_->GetStatistics())}}; }

 private:
  StandaloneStorageOptions StorageOptions(const ServerConfig& config) const {
    return {.engine = EngineOptions(config.engine, *background_),
            .writer = writer_.get(),
            .sync_writes = config.sync_writes};
  }

  std::unique_ptr<Executor> background_;
  std::unique_ptr<Executor> writer_;
  std::unique_ptr<StandaloneStorage> storage_;
  std::unique_ptr<RawHandlers> handlers_;
  std::unique_ptr<Metrics::Registration> engine_metrics_;
};

absl::StatusOr<std::unique_ptr<StageParts>> Open(const ServerConfig& config, Server& server,
                                                 Metrics& metrics) {
  auto parts = std::make_unique<Stage1Parts>(config);
  TKV_RETURN_IF_ERROR(parts->Open(config, server, metrics));
  return parts;
}

}  // namespace

ServerProgram Stage1Program() {
  return {.name = "stage1-server",
          .stage = 1,
          .purpose = "Serves one store that is alone: raw keys and values over TinyKV's protocol.",
          .open = Open};
}

}  // namespace tinykv
