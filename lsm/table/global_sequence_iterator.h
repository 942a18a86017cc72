// Entries of an ingested table, with the sequence number that the table got.
#pragma once

#include <memory>

#include "lsm/format/internal_key.h"
#include "lsm/iterator.h"

namespace tinykv::lsm {

// Over the entries of `base`, each at `sequence`. REQUIRES: in `base` every user key occurs once,
// with sequence number 0.
std::unique_ptr<Iterator> NewGlobalSequenceIterator(std::unique_ptr<Iterator> base,
                                                    SequenceNumber sequence);

}  // namespace tinykv::lsm
