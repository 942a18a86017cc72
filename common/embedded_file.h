// EmbeddedFile: a file of the source tree that is compiled into the program, so that the program is
// all there is to carry. tinykv_embed (common/cmake/tinykv.cmake) makes a function of such files;
// who calls it declares it:
//
//   namespace tinykv { std::span<const EmbeddedFile> TracePageFiles(); }
#pragma once

#include <span>
#include <string_view>

namespace tinykv {

struct EmbeddedFile {
  std::string_view name = {};  // as in CMakeLists.txt: relative to its folder
  std::string_view content = {};
};

}  // namespace tinykv
