// How tinykv-ctl writes bytes as text and reads them back: on its command line, in what it prints,
// and in the files of load and dump.
//
// Escaped text is printable ASCII: "\\" is a backslash and "\xNN" the byte NN; in what is read, \n,
// \r, \t, \0 and \" are understood, too. A line of a TSV file is an escaped key, a tab, and an
// escaped value; so no byte of either can be mistaken for the tab or the end of the line.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/client/raw_client.h"

namespace tinykv::ctl {

// Whether text stands for itself (--raw) or is escaped.
enum class TextForm { kEscaped, kLiteral };

// The bytes that an argument of the command line means. Errors: kInvalidArgument if it has an
// unknown escape or one that is cut off.
absl::StatusOr<std::string> BytesOfText(std::string_view text, TextForm form);

// The inverse.
std::string TextOfBytes(std::string_view bytes, TextForm form);

// `line` is without its newline. Errors: kInvalidArgument, saying what is wrong with it.
absl::StatusOr<KeyValue> ParseTsvLine(std::string_view line);

// KEY, tab, VALUE, newline. In the literal form it is for people: it may not be read back.
std::string TsvLine(const KeyValue& pair, TextForm form = TextForm::kEscaped);

}  // namespace tinykv::ctl
