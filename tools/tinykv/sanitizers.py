"""What the sanitizers are told, for tests and for graders."""
from __future__ import annotations

import os

# What the environment says already comes after it, and wins.
OPTIONS = {
    "ASAN_OPTIONS": "strict_string_checks=1:check_initialization_order=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1",
}


def environment() -> dict[str, str]:
    """The variables to set for a program that may have been built with a sanitizer."""
    own = {name: os.environ.get(name) for name in OPTIONS}
    return {name: f"{text}:{own[name]}" if own[name] else text for name, text in OPTIONS.items()}
