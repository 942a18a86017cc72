"""Finding functions, includes and code in C++ text."""
from __future__ import annotations

import textwrap
import unittest

from tinykv import cpp_text


def names(text: str) -> list[str]:
    """The functions of a text as name@first-last."""
    found = cpp_text.functions(textwrap.dedent(text).lstrip("\n"))
    return [f"{function.name}@{function.first_line}-{function.last_line}" for function in found]


class CodeTest(unittest.TestCase):
    def test_comments_and_literals_are_blanked_and_nothing_moves(self) -> None:
        comments = ["// {", "/* { */"]
        strings = ['"{"', '"\\"{"', 'R"({")"', 'R"x({)")x"']
        for literal in [*comments, *strings, "'{'", "'\\''"]:
            code = cpp_text.code_of(f"a {literal}\nb")
            self.assertEqual(code, "a " + " " * len(literal) + "\nb", literal)

    def test_numbers_may_have_quotes(self) -> None:
        self.assertEqual(cpp_text.code_of("f(1'000, '{')"), "f(1'000,    )")

    def test_includes_are_found_with_their_lines(self) -> None:
        text = '#include <a>\n#include "b/c.h"\n// #include "d.h"\n#  include "e.h"\n'
        self.assertEqual(cpp_text.includes(text), [(2, "b/c.h"), (4, "e.h")])


class FunctionsTest(unittest.TestCase):
    def test_free_functions_in_namespaces(self) -> None:
        found = names(
            """
            namespace tinykv {
            namespace {
            int x = 1;
            // A comment.
            int F() { return 1; }
            }  // namespace

            template <class T>
            std::vector<T> G(const std::vector<T>& v,
                             T t = {}) {
              if (v.empty()) {
                return {};
              }
              return v;
            }
            extern "C" {
            void H() {}
            }
            }  // namespace tinykv
            """
        )
        self.assertEqual(found, ["F@5-5", "G@8-15", "H@17-17"])

    def test_methods_and_access_specifiers(self) -> None:
        found = names(
            """
            class ABSL_LOCKABLE("mutex") A final : public B<int()> {
             public:
              A() : b_(1), c_{2}, d_{} {
                Go();
              }
              ~A() override = default;

              int size() const noexcept { return size_; }
              auto begin() const -> std::vector<int>::iterator { return v_.begin(); }
              bool operator()(int a) const { return a > 0; }

             private:
              enum class Kind : uint8_t { kA, kB };
              struct Inner {
                int x = 0;
                int Get() const { return x; }
              };
              int size_ = 0;
              std::vector<int> v_ = {1, 2};
            };
            """
        )
        self.assertEqual(
            found, ["A@3-5", "size@8-8", "begin@9-9", "operator()@10-10", "Get@16-16"]
        )

    def test_what_stands_in_a_function_belongs_to_it(self) -> None:
        found = names(
            """
            void F() {
              struct Local {
                void G() {}
              };
              auto lambda = [](int x) { return x; };
              for (;;) {
              }
            }
            void K() {}
            """
        )
        self.assertEqual(found, ["F@1-8", "K@9-9"])

    def test_tests_have_their_names(self) -> None:
        found = names("TEST(Log, Grows) {\n}\nTEST_F(LogTest,\n       Shrinks) {\n}\n")
        self.assertEqual(found, ["TEST(Log, Grows)@1-2", "TEST_F(LogTest, Shrinks)@3-5"])

    def test_tables_and_macros_are_no_functions(self) -> None:
        found = names(
            """
            #define F(x) \\
              do {       \\
              } while (false)
            const std::map<int, int> kTable = {{1, F(2)}, {3, 4}};
            constexpr int kNumbers[] = {1, 2};
            static_assert(sizeof(int) == 4);
            struct Plain {
              int x{3};
            };
            void G() {}
            """
        )
        self.assertEqual(found, ["G@10-10"])

    def test_unbalanced_text_is_survived(self) -> None:
        names("}}} void F() { ((( {{{")
        names("")
