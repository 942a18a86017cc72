#include "common/client/ctl/text_format.h"

#include "common/status.h"
#include "common/strings.h"

namespace tinykv::ctl {

absl::StatusOr<std::string> BytesOfText(std::string_view text, TextForm form) {
  if (form == TextForm::kLiteral) return std::string(text);
  std::string bytes;
  if (!Unescape(text, &bytes)) {
    return InvalidArgument(
        Quote(text),
        " has a bad escape; there are \\n \\r \\t \\0 \\\" \\\\ and \\xNN with two "
        "hexadecimal digits");
  }
  return bytes;
}

std::string TextOfBytes(std::string_view bytes, TextForm form) {
  return form == TextForm::kLiteral ? std::string(bytes) : Escape(bytes);
}

absl::StatusOr<KeyValue> ParseTsvLine(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos) {
    return InvalidArgument("no tab between key and value: ", Quote(line));
  }
  const std::string_view value = line.substr(tab + 1);
  if (value.find('\t') != std::string_view::npos) {
    return InvalidArgument("more than one tab (inside a value it is written \\t): ", Quote(line));
  }
  KeyValue pair;
  TKV_ASSIGN_OR_RETURN(pair.key, BytesOfText(line.substr(0, tab), TextForm::kEscaped));
  TKV_ASSIGN_OR_RETURN(pair.value, BytesOfText(value, TextForm::kEscaped));
  return pair;
}

std::string TsvLine(const KeyValue& pair, TextForm form) {
  return Concat(TextOfBytes(pair.key, form), '\t', TextOfBytes(pair.value, form), '\n');
}

}  // namespace tinykv::ctl
