"""The report of ./tinykv grade for programs: JSON, JUnit's XML, and GitHub's summary of a step.

docs/grading.md says what is in them; tools are built on it, so names stay.
"""
from __future__ import annotations

import html
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from . import verdicts
from .grade_report import closing_line, details
from .grade_result import Report, TaskResult
from .points import MANIFEST

# Characters that XML cannot hold, escaped or not.
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"

# GitHub refuses a summary beyond 1 MiB, and a step's failures together should stay below.
DETAILS_LENGTH_MAX = 20_000


def as_json(report: Report) -> str:
    """One object."""
    content = {
        "points": report.points,
        "max_points": report.max_points,
        "seed_base": report.seed_base,
        "preset": report.preset,
        "tasks": [json_of(task) for task in report.tasks],
        "errors": list(report.errors),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def json_of(task: TaskResult) -> dict[str, object]:
    """One task."""
    return {
        "task": task.task,
        "part": task.part,
        "verdict": task.verdict,
        "points": task.points,
        "max_points": task.max_points,
        "seed": task.seed,
        "seeds": task.seeds,
        "seconds": task.seconds,
        "peak_memory_mb": task.peak_memory_mb,
        "sentence": task.sentence,
        "program": task.program,
        "shrunk": task.shrunk,
        "events": list(task.events),
        "note": task.note,
        "draws": task.draws,
        "trace": task.trace,
        "replay": task.replay,
    }


def as_junit(report: Report) -> str:
    """A test suite for each part, a test case for each task."""
    root = ElementTree.Element("testsuites", name="tinykv grade")
    for part in report.parts:
        name = f"part {part.id}: {part.title}"
        suite = ElementTree.SubElement(root, "testsuite", name=xml_text(name))
        tasks = report.tasks_of(part)
        count(suite, len(tasks), failures(tasks), sum(task.seconds for task in tasks))
        for task in tasks:
            add_case(suite, f"part {part.id}", task)
    if report.errors:
        suite = ElementTree.SubElement(root, "testsuite", name=MANIFEST)
        count(suite, len(report.errors), len(report.errors), 0)
        for error in map(xml_text, report.errors):
            case = ElementTree.SubElement(suite, "testcase", classname=MANIFEST, name=error)
            ElementTree.SubElement(case, "failure", message=error, type="error")
    number = len(report.tasks) + len(report.errors)
    failed = failures(report.tasks) + len(report.errors)
    count(root, number, failed, sum(task.seconds for task in report.tasks))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def count(element: ElementTree.Element, tests: int, failed: int, seconds: float) -> None:
    """The numbers that readers of JUnit show first."""
    element.set("tests", str(tests))
    element.set("failures", str(failed))
    element.set("errors", "0")
    element.set("time", f"{seconds:.3f}")


def failures(tasks: Sequence[TaskResult]) -> int:
    """How many did not pass."""
    return sum(task.verdict != verdicts.PASSED for task in tasks)


def add_case(suite: ElementTree.Element, part: str, task: TaskResult) -> None:
    """A task; whatever is not a pass is a failure."""
    case = ElementTree.SubElement(
        suite, "testcase", classname=part, name=xml_text(task.task), time=f"{task.seconds:.3f}"
    )
    if task.verdict == verdicts.PASSED:
        return
    message = f"{task.verdict}: {task.sentence}" if task.sentence else task.verdict
    failure = ElementTree.SubElement(
        case, "failure", message=xml_text(message), type=xml_text(task.verdict)
    )
    failure.text = xml_text("\n".join(details(task)))


def xml_text(text: str) -> str:
    """Text without what XML cannot hold."""
    return NOT_XML.sub("\ufffd", text)


def add_step_summary(report: Report) -> None:
    """Where a workflow of GitHub runs this, appends a table to what it shows of the step."""
    path = os.environ.get(STEP_SUMMARY)
    if not path:
        return
    with open(path, "a", encoding="utf-8") as file:
        file.write(as_markdown(report))


def as_markdown(report: Report) -> str:
    """A table of all tasks, and the failures folded below it."""
    lines = []
    for part in report.parts:
        lines += [
            *(f"### Part {part.id}: {html.escape(part.title)}", ""),
            *("| task | verdict | points | promise |", "| --- | --- | --- | --- |"),
        ]
        for task in report.tasks_of(part):
            mark = "✅" if task.verdict == verdicts.PASSED else "❌"
            mark = "⬜" if task.verdict == verdicts.NOT_STARTED else mark
            earned = f"{task.points}/{task.max_points}"
            lines.append(f"| {task.task} | {mark} {task.verdict} | {earned} | {cell(task.title)} |")
        lines.append("")
    for task in report.tasks:
        if task.verdict not in (verdicts.PASSED, verdicts.NOT_STARTED):
            lines += folded(f"{task.task}: {task.verdict}", "\n".join(details(task)))
    for program, output in report.compiler_output.items():
        lines += folded(f"{program} does not compile", output)
    lines += [f"**error:** {html.escape(error)}\n" for error in report.errors]
    return "\n".join([*lines, f"**{closing_line(report)}**", ""]) + "\n"


def cell(text: str) -> str:
    """Text for a cell of a table in Markdown."""
    return html.escape(text).replace("|", "\\|")


def folded(title: str, text: str) -> list[str]:
    """A block that opens on a click."""
    if len(text) > DETAILS_LENGTH_MAX:
        text = text[:DETAILS_LENGTH_MAX] + "\n…"
    summary = f"<details><summary>{html.escape(title)}</summary>"
    return [summary, "", f"<pre>{html.escape(text)}</pre>", "", "</details>", ""]
