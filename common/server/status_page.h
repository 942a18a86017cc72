// The page at / of a StatusServer: HTML that asks /status every second and shows what it says. It
// is complete in itself, because a machine in a laboratory may have no network but this one.
#pragma once

namespace tinykv {

extern const char kStatusPage[];

}  // namespace tinykv
