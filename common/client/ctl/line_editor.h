// LineEditor: reads lines from a terminal, with editing, a history that is kept in a file, and
// completion of the first word by the tab key. Ctrl-C empties the line, Ctrl-D ends the input.
//
// Thread-safety: none; there can be one at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tinykv::ctl {

struct LineEditorOptions {
  std::string prompt;
  std::vector<std::string> words;  // to complete, in the order in which they are shown
  std::string history_path;        // empty: the history is not kept
};

class LineEditor {
 public:
  explicit LineEditor(LineEditorOptions options);
  ~LineEditor();

  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // A line without its newline; nullopt at the end of the input.
  std::optional<std::string> Next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// $XDG_STATE_HOME/tinykv_history, or else ~/.tinykv_history; "" if neither is set.
std::string DefaultHistoryPath();

}  // namespace tinykv::ctl
