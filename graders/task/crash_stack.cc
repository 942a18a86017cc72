#include "graders/task/crash_stack.h"

#include <execinfo.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace tinykv::grading {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::array kSignals = {SIGABRT};
constexpr auto kSetDeathCallback = __sanitizer_set_death_callback;
#else
constexpr std::array kSignals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr auto kSetDeathCallback = [](void (*)()) {};
#endif

// Space for a handler to run in when the stack itself has overflowed.
alignas(16) std::array<char, 64 << 10> handler_stack;

// Never freed, since a process may die while it is being ended.
std::string& NotedProgram() {
  static auto* const program = new std::string;
  return *program;
}

void Print(const char* text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
}

void PrintProgram() {
  if (NotedProgram().empty()) return;
  Print("*** the program:\n");
  Print(NotedProgram().c_str());
}

// Only calls what a signal handler may call. SA_RESETHAND has put back the default action.
void PrintStack(int signal) {
  PrintProgram();
  Print("*** SIG");
  Print(sigabbrev_np(signal));
  Print(": stack:\n");
  std::array<void*, 64> frames;
  const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
  backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
  raise(signal);
}

}  // namespace

void InstallCrashStack() {
  NotedProgram();
  // The first call loads a library, which a handler must not do.
  std::array<void*, 1> frame;
  backtrace(frame.data(), static_cast<int>(frame.size()));

  const stack_t stack = {
      .ss_sp = handler_stack.data(), .ss_flags = 0, .ss_size = handler_stack.size()};
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_handler = PrintStack;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_ONSTACK);
  for (const int signal : kSignals) sigaction(signal, &action, nullptr);
  kSetDeathCallback(PrintProgram);
}

void NoteProgram(std::string program) { NotedProgram() = std::move(program); }

}  // namespace tinykv::grading
