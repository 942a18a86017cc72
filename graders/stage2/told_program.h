// Programs that tell what they do: a run fills in a line for each step, and these lines are how the
// program is printed.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "graders/task/property.h"

namespace tinykv::grading {

template <typename Program>
using ToldRun = Result (*)(const Program& program, std::vector<std::string>& done);

// As CheckProgram(). The program's operator<< calls TellProgram().
template <typename Program>
Result CheckToldProgram(uint64_t seed, const rc::Gen<Program>& programs, ToldRun<Program> run) {
  return CheckProgram<Program>(seed, programs, [run](const Program& program) {
    std::vector<std::string> done;
    return run(program, done);
  });
}

template <typename Program>
std::ostream& TellProgram(std::ostream& out, const Program& program, ToldRun<Program> run) {
  std::vector<std::string> done;
  Guarded([&] { return run(program, done); });
  for (const std::string& line : done) out << line << '\n';
  return out;
}

}  // namespace tinykv::grading
