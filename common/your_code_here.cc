#include "common/your_code_here.h"

#include "common/strings.h"

namespace tinykv {
namespace {

constexpr std::string_view kMark = "not started: ";

}  // namespace

NotStarted::NotStarted(std::string_view hole) : hole_(hole), text_(Concat(kMark, hole)) {}

void YourCodeHere(std::string_view hole) { throw NotStarted(hole); }

std::string HoleNamedIn(std::string_view text) {
  const size_t mark = text.find(kMark);
  if (mark == std::string_view::npos) return "";
  const std::string_view rest = text.substr(mark + kMark.size());
  return std::string(rest.substr(0, rest.find_first_of(" \n;\"")));
}

}  // namespace tinykv
