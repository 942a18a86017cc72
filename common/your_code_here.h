// YourCodeHere: what stands where a student's code will be.
//
// The hand-out is the reference with its solutions cut out; each leaves a line
// YourCodeHere("1-raw-get"). It throws, so that what is left compiles whatever the function
// returns, and so that graders say "not started" instead of "crashed". The reference itself calls
// it nowhere.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace tinykv {

// A hole was reached. The only exception that code of ours throws outside graders/.
class NotStarted : public std::exception {
 public:
  explicit NotStarted(std::string_view hole);

  const std::string& hole() const { return hole_; }
  // "not started: 1-raw-get".
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string hole_;
  std::string text_;
};

// Throws NotStarted.
[[noreturn]] void YourCodeHere(std::string_view hole);

// The hole that a text names in the words of NotStarted::what(), wherever in it, or "". Errors of a
// server come as text.
std::string HoleNamedIn(std::string_view text);

}  // namespace tinykv
