// The version of the project, as --version and /status tell it.
#pragma once

namespace tinykv {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace tinykv
