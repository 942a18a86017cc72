"""Reads C++ as text: comments and literals blanked, functions found by their braces.

A heuristic, for code that clang-format has laid out; tests/test_cpp_text.py says what it knows.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# What may hide braces and quotes. Numbers come first, for the quotes in 1'000'000.
LITERAL = re.compile(
    r"""
      \b\d[\w'.]*
    | (?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\((?:.|\n)*?\)(?P=mark)"
    | //(?:\\\n|[^\n])*
    | /\*(?:.|\n)*?\*/
    | "(?:\\.|[^"\\\n])*"
    | '(?:\\.|[^'\\\n])+'
    """,
    re.VERBOSE,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.MULTILINE)

BRACES = re.compile(r"[{}();]")
ACCESS = re.compile(r"\b(?:public|private|protected)\s*:(?!:)")
TEMPLATE = re.compile(r"\btemplate\s*<")
TYPE = re.compile(r"(?:typedef\s+|static\s+|inline\s+)*(?:class|struct|union)\b")
AFTER_PARAMETERS = r"(?:const|noexcept|override|final|mutable|&|\s)*"
ENDS_LIKE_A_FUNCTION = re.compile(rf"\){AFTER_PARAMETERS}$")
INITIALIZER_LIST = re.compile(rf"\){AFTER_PARAMETERS}:(?!:)")
ENDS_LIKE_A_MEMBER = re.compile(r"(?:\w|>)\s*$")
ENDS_LIKE_A_QUALIFIER = re.compile(r"\b(?:const|noexcept|override|final|mutable|try)\s*$")
MACRO = re.compile(r"[A-Z][A-Z0-9_]+")
NAME = re.compile(r"(operator\s*\S+?|[\w:~]+)\s*\(([^()]*)")


@dataclass(frozen=True)
class Function:
    """A function with a body; lines are counted from 1 and run to the closing brace."""

    name: str
    first_line: int
    last_line: int

    @property
    def length(self) -> int:
        """How many lines of a screen it takes."""
        return self.last_line - self.first_line + 1


@dataclass(frozen=True)
class Brace:
    """An open brace: what it opens, and where the text that introduces it begins."""

    kind: str  # "scope" (namespace, class), "function", "part" (of the head), "other"
    head_begin: int


def blank(match: re.Match) -> str:
    """Spaces instead of what was matched; lines stay where they are."""
    return re.sub(r"[^\n]", " ", match[0])


def code_of(text: str) -> str:
    """The text without comments and literals, every other character at its old place."""
    return LITERAL.sub(lambda m: m[0] if m[0][0].isdigit() else blank(m), text)


def includes(text: str) -> list[tuple[int, str]]:
    """The quoted includes, each with its line."""
    return [(line_of(text, match.start()), match[1]) for match in INCLUDE.finditer(text)]


def line_of(text: str, position: int) -> int:
    """The line, counted from 1, that a character stands in."""
    return text.count("\n", 0, position) + 1


def functions(text: str) -> Iterator[Function]:
    """All functions with bodies; a lambda is part of the function that it stands in."""
    code = DIRECTIVE.sub(blank, code_of(text))
    open_braces: list[Brace] = []
    head_begin = 0
    parentheses = 0  # open ones in the head
    for match in BRACES.finditer(code):
        at, mark = match.start(), match[0]
        in_scope = not open_braces or open_braces[-1].kind == "scope"
        if mark == "{":
            kind = "other"
            if in_scope:
                kind = "part" if parentheses > 0 else kind_of(code[head_begin:at])
            open_braces.append(Brace(kind, head_begin))
            if kind == "scope":
                head_begin = at + 1
        elif mark == "}":
            closed = open_braces.pop() if open_braces else Brace("scope", 0)
            if closed.kind == "function":
                yield function_at(code, closed.head_begin, at)
            if closed.kind != "part":
                head_begin, parentheses = at + 1, 0
        elif in_scope and mark == ";" and parentheses == 0:
            head_begin = at + 1
        elif in_scope and mark in "()":
            parentheses = max(0, parentheses + (1 if mark == "(" else -1))


def kind_of(head: str) -> str:
    """What a brace opens, judged by the text between the last statement and it."""
    head = without_templates(ACCESS.sub(" ", head)).strip()
    if re.search(r"\bnamespace\b", head) or head == "extern":  # extern "C", its literal blanked
        return "scope"
    if TYPE.match(head) and not ENDS_LIKE_A_FUNCTION.search(head):
        return "scope"
    if "(" not in head or head.endswith(("=", ",")):
        return "other"
    if INITIALIZER_LIST.search(head) and ENDS_LIKE_A_MEMBER.search(head):
        if not ENDS_LIKE_A_QUALIFIER.search(head):
            return "part"  # Foo() : a_(1), b_{2} {}
    return "function"


def without_templates(head: str) -> str:
    """The head without template<…>, whose `class` would mislead."""
    while match := TEMPLATE.search(head):
        end, depth = match.end(), 1
        while end < len(head) and depth > 0:
            depth += {"<": 1, ">": -1}.get(head[end], 0)
            end += 1
        head = head[: match.start()] + head[end:]
    return head


def function_at(code: str, head_begin: int, end: int) -> Function:
    """The function whose head begins after `head_begin` and whose body ends at `end`."""
    head = code[head_begin : code.index("{", head_begin)]
    if access := list(ACCESS.finditer(head)):
        head_begin += access[-1].end()
        head = head[access[-1].end() :]
    head_begin += len(head) - len(head.lstrip())
    name = NAME.search(without_templates(head))
    return Function(name_of(name), line_of(code, head_begin), line_of(code, end))


def name_of(match: re.Match | None) -> str:
    """A function's name; TEST(Suite, Case) is one too."""
    if match is None:
        return "a function"
    if MACRO.fullmatch(match[1]):
        return f"{match[1]}({' '.join(match[2].split())})"
    return match[1]
