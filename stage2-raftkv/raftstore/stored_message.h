// Protobuf messages as values of an engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/status.h"
#include "lsm/db.h"

namespace tinykv::raftstore {

// Errors: kDataLoss, naming `what`, if `bytes` are no such message.
template <typename Message>
absl::StatusOr<Message> ParseStored(std::string_view bytes, std::string_view what) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return DataLoss(what, " is damaged: ", bytes.size(), " bytes that are no ",
                    message.GetTypeName());
  }
  return message;
}

// The message at `key`; nothing if there is none. Errors: as above, and those of DB::Get().
template <typename Message>
absl::StatusOr<std::optional<Message>> ReadStored(lsm::DB& db, lsm::ColumnFamilyId column_family,
                                                  const std::string& key, std::string_view what) {
  TKV_ASSIGN_OR_RETURN(const auto bytes, db.Get({}, column_family, key));
  if (!bytes) return std::nullopt;
  TKV_ASSIGN_OR_RETURN(Message message, ParseStored<Message>(*bytes, what));
  return message;
}

}  // namespace tinykv::raftstore
