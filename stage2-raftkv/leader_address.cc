#include "stage2-raftkv/leader_address.h"

#include <optional>
#include <utility>

#include "common/storage/region_error.h"

namespace tinykv {
namespace {

class AddressingStorage : public Storage {
 public:
  AddressingStorage(Storage& storage, std::map<StoreId, std::string> addresses)
      : storage_(storage), addresses_(std::move(addresses)) {}

  asio::awaitable<absl::Status> Write(const kvrpcpb::Context& context, WriteSet writes) override {
    absl::Status status = co_await storage_.Write(context, std::move(writes));
    if (!status.ok()) status = Addressed(std::move(status));
    co_return status;
  }

  asio::awaitable<absl::StatusOr<std::unique_ptr<StorageReader>>> Reader(
      const kvrpcpb::Context& context) override {
    auto reader = co_await storage_.Reader(context);
    if (!reader.ok()) reader = Addressed(reader.status());
    co_return reader;
  }

 private:
  absl::Status Addressed(absl::Status status) const {
    std::optional<errorpb::Error> error = RegionErrorOf(status);
    if (!error || !error->not_leader().has_leader()) return status;
    const auto found = addresses_.find(error->not_leader().leader().store_id());
    if (found == addresses_.end()) return status;
    error->mutable_not_leader()->set_leader_address(found->second);
    return RegionErrorStatus(*error);
  }

  Storage& storage_;
  const std::map<StoreId, std::string> addresses_;
};

}  // namespace

std::unique_ptr<Storage> WithLeaderAddresses(Storage& storage,
                                             std::map<StoreId, std::string> addresses) {
  return std::make_unique<AddressingStorage>(storage, std::move(addresses));
}

}  // namespace tinykv
