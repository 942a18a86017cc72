#include "common/client/ctl/line_editor.h"

#include <histedit.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "common/strings.h"

namespace tinykv::ctl {
namespace {

constexpr int kHistoryLinesMax = 1000;

struct EditLineEnd {
  void operator()(EditLine* editor) const { el_end(editor); }
};
struct HistoryEnd {
  void operator()(History* history) const { history_end(history); }
};

// The longest text that all of `words` begin with. REQUIRES: !words.empty().
std::string CommonPrefix(const std::vector<std::string>& words) {
  std::string prefix = words.front();
  for (const std::string& word : words) {
    const auto end = std::mismatch(prefix.begin(), prefix.end(), word.begin(), word.end()).first;
    prefix.erase(end, prefix.end());
  }
  return prefix;
}

}  // namespace

struct LineEditor::State {
  explicit State(LineEditorOptions o) : options(std::move(o)) {}

  // libedit's callbacks find the State in the editor's client data.
  static State& Of(EditLine* editor) {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    return *static_cast<State*>(data);
  }

  static char* Prompt(EditLine* editor) { return Of(editor).options.prompt.data(); }

  static unsigned char Complete(EditLine* editor, int /*key*/) {
    const LineInfo* line = el_line(editor);
    const std::string_view typed(line->buffer, line->cursor - line->buffer);
    std::vector<std::string> matches;
    for (const std::string& word : Of(editor).options.words) {
      if (word.starts_with(typed)) matches.push_back(word);
    }
    if (matches.empty()) return CC_REFRESH_BEEP;
    std::string rest = CommonPrefix(matches).substr(typed.size());
    if (matches.size() == 1) rest += ' ';
    if (!rest.empty()) {
      el_insertstr(editor, rest.c_str());
      return CC_REFRESH;
    }
    std::fputc('\n', stdout);
    for (const std::string& match : matches) std::fprintf(stdout, "%s  ", match.c_str());
    std::fputc('\n', stdout);
    return CC_REDISPLAY;
  }

  LineEditorOptions options;
  std::unique_ptr<History, HistoryEnd> history;
  std::unique_ptr<EditLine, EditLineEnd> editor;
};

LineEditor::LineEditor(LineEditorOptions options)
    : state_(std::make_unique<State>(std::move(options))) {
  std::setlocale(LC_CTYPE, "");  // or libedit takes the bytes of UTF-8 for characters
  state_->history.reset(history_init());
  state_->editor.reset(el_init("tinykv-ctl", stdin, stdout, stderr));
  History* history = state_->history.get();
  HistEvent event;
  ::history(history, &event, H_SETSIZE, kHistoryLinesMax);
  ::history(history, &event, H_SETUNIQUE, 1);
  // It fails if there is no file yet.
  ::history(history, &event, H_LOAD, state_->options.history_path.c_str());

  EditLine* editor = state_->editor.get();
  el_set(editor, EL_CLIENTDATA, state_.get());
  el_set(editor, EL_PROMPT, &State::Prompt);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_HIST, &::history, history);
  el_set(editor, EL_ADDFN, "complete-word", "Complete the first word", &State::Complete);
  el_set(editor, EL_BIND, "^I", "complete-word", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  // While a line is edited ("-d" names that mode) Ctrl-C is a key like others; while a command runs
  // it ends the program.
  el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
  el_set(editor, EL_BIND, "^C", "em-kill-line", nullptr);
  el_source(editor, nullptr);  // the user's own ~/.editrc
}

LineEditor::~LineEditor() = default;

std::optional<std::string> LineEditor::Next() {
  int length = 0;
  const char* text = el_gets(state_->editor.get(), &length);
  if (text == nullptr || length <= 0) {
    std::fputc('\n', stdout);  // the shell's prompt gets a line of its own
    return std::nullopt;
  }
  std::string line(text, length);
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  if (!line.empty()) {
    HistEvent event;
    ::history(state_->history.get(), &event, H_ENTER, line.c_str());
    // Each time: the session may end by a signal.
    ::history(state_->history.get(), &event, H_SAVE, state_->options.history_path.c_str());
  }
  return line;
}

std::string DefaultHistoryPath() {
  const char* state_home = std::getenv("XDG_STATE_HOME");
  if (state_home != nullptr && *state_home != '\0') return Concat(state_home, "/tinykv_history");
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return Concat(home, "/.tinykv_history");
  return "";
}

}  // namespace tinykv::ctl
