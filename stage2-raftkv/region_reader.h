// A StorageReader of one region as of one moment.
#pragma once

#include <memory>

#include "common/storage/storage.h"
#include "lsm/db.h"
#include "proto/metapb.pb.h"

namespace tinykv {

// `region` is a copy: what becomes of the region meanwhile does not change what is read. `kv` must
// outlive the reader.
std::unique_ptr<StorageReader> MakeRegionReader(lsm::DB& kv, metapb::Region region,
                                                std::unique_ptr<const lsm::Snapshot> snapshot);

}  // namespace tinykv
