"""Stacks: from addresses to lines of our own source, with names that fit a line."""
from __future__ import annotations

import os
from unittest import mock

from tinykv import stack

from .helpers import ScratchTest

# Answers each address with a line of its own, as addr2line -C -f -i -p does.
ADDR2LINE = """#!/bin/sh
echo "$*" > addr2line.log
root=$(pwd)
shift 6
for address; do
  case $address in
  0x9) echo "tinykv::grading::PrintStack(int) at $root/graders/task/crash_stack.cc:33" ;;
  0x20) echo "tinykv::Abort(unsigned long) at $root/a.cc:36 (discriminator 2)"
        echo " (inlined by) tinykv::(anonymous namespace)::Caller() at $root/b.cc:7" ;;
  0x2f) echo "std::function::operator()() at /usr/include/c++/12/bits/std_function.h:292" ;;
  0x3f) echo "Generated() at $root/build/release/x.pb.cc:2" ;;
  0x4f) echo "main at $root/c.cc:58" ;;
  *) echo "?? ??:0" ;;
  esac
done
"""


class StackTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        self.program("addr2line", ADDR2LINE)
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        patch = mock.patch.dict(os.environ, {"PATH": path})
        patch.start()
        self.addCleanup(patch.stop)
        self.grader = self.file("build/release/bin/grade-1")

    def text(self, *frames: str) -> str:
        """What a program prints as it dies."""
        return "\n".join(["last words", "*** SIGABRT: stack:", *frames, "more"])

    def test_only_frames_of_our_source_are_shown_innermost_first(self) -> None:
        own = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60]
        frames = [f"{self.grader}(+{offset:#x})[{offset + 0x1000:#x}]" for offset in own]
        frames[1:1] = ["/lib/libc.so.6(abort+0xd3)[0x7f48c0444472]"]
        frames[0] = f"{self.grader}(+0xa)[0x100a]"
        found = stack.readable(self.text(*frames), self.root)
        self.assertEqual(found, ["a.cc:36  Abort(unsigned long)", "b.cc:7  Caller()", "c.cc:58  main"])
        asked = (self.root / "addr2line.log").read_text()
        # Addresses that calls return to are one instruction too far; the one that was struck is not.
        self.assertEqual(
            asked, f"-C -f -i -p -e {self.grader} 0x9 0x20 0x2f 0x3f 0x4f 0x5f\n"
        )

    def test_a_frame_with_a_symbol_is_found_by_its_address(self) -> None:
        frames = [
            f"{self.grader}(+0xa)[0x55f20000100a]",
            f"{self.grader}(_ZN6tinykv1fEv+0x10)[0x55f200001050]",
        ]
        self.assertEqual(stack.readable(self.text(*frames), self.root), ["c.cc:58  main"])

    def test_without_a_stack_there_is_none(self) -> None:
        self.assertEqual(stack.readable("", self.root), [])
        self.assertEqual(stack.readable("*** stack smashing detected ***", self.root), [])
        self.assertEqual(stack.readable(self.text(), self.root), [])
        self.assertEqual(stack.readable(self.text("/no/such(+0x1)[0x1]"), self.root), [])

    def test_the_program_it_died_in_is_found(self) -> None:
        text = "words\n*** the program:\n1. put\n2. get\n" + self.text("x")[11:]
        self.assertEqual(stack.program_in(text), "1. put\n2. get\n")
        self.assertEqual(stack.program_in("==1==ABORTING\n*** the program:\n1. put\n"), "1. put\n")
        self.assertEqual(stack.program_in(self.text("x")), "")

    def test_a_sanitizers_report_keeps_frames_of_our_source(self) -> None:
        report = "\n".join(
            [
                "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
                f"    #0 0x55 in tinykv::Get(std::vector<int, std::allocator<int> >) {self.root}/a.cc:3:9",
                "    #1 0x56 in std::function<void ()>::operator()() const /usr/include/c++/12/f.h:591",
                f"    #2 0x57 in tinykv::grading::GraderMain() {self.root}/graders/task/grader_main.cc:1",
                "    #3 0x58  (/lib/x86_64-linux-gnu/libc.so.6+0x27249)",
                "freed by thread T0 here:",
                "    #0 0x59 in main ../../b.cc:7",
                "    #1 0x60 in Generated() proto/gen/a.pb.h:1",
                "Shadow bytes around the buggy address:",
                "  0x0c: fa",
                "*** the program:",
                "1. put",
            ]
        )
        self.assertEqual(
            stack.with_own_frames(report, self.root).splitlines(),
            [
                "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
                "    a.cc:3  Get(…)",
                "freed by thread T0 here:",
                "    b.cc:7  main",
            ],
        )

    def test_a_deep_stack_is_cut(self) -> None:
        frames = [f"{self.grader}(+0x50)[0x50]"] * 60
        found = stack.readable(self.text(*frames), self.root)
        self.assertEqual(found[-1], f"… and {60 - 1 - stack.FRAMES_MAX} frames more")

    def test_names_are_made_to_fit(self) -> None:
        for name, short in {
            "tinykv::(anonymous namespace)::Abort(unsigned long)": "Abort(unsigned long)",
            "std::vector<tinykv::Pair, std::allocator<tinykv::Pair> >::at(unsigned long)":
                "std::vector<…>::at(unsigned long)",
            "tinykv::F(std::__cxx11::basic_string<char, std::char_traits<char>, "
            "std::allocator<char> > const&)": "F(std::string const&)",
            "tinykv::F(std::basic_string_view<char, std::char_traits<char> >)":
                "F(std::string_view)",
            "tinykv::Put(tinykv::Put(int)::_ZN6tinykv3PutEi.Frame*) [clone .actor]": "Put(…)",
            "tinykv::operator<<(std::ostream&, int)": "operator<<(std::ostream&, int)",
            "tinykv::operator<(int, int)": "operator<(int, int)",
            "tinykv::A::operator()(int) const": "A::operator()(int) const",
            "main": "main",
            "f(": "f(",
        }.items():
            self.assertEqual(stack.short_name(name), short)
        self.assertLessEqual(len(stack.short_name("x" * 500)), stack.NAME_LENGTH_MAX)
