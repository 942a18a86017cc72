#!/usr/bin/env python3
"""Tells GitHub what ./tinykv grade --json found.

    python3 -I RELEASE/graders/classroom/report.py POINTS.json [PART…]

Points are counted anew: what a task is worth stands in the release's graders/points.toml, and of
the report only verdicts are believed, where they are among those that there are. It writes

  - a table, to the run's summary;
  - two notices, in the words that GitHub Classroom's reporter has for its points;
  - the outputs points, max_points and result, the last being base64 of JSON in the form that
    classroom-resources/autograding-grading-reporter reads;

and exits with 0 only if all tasks passed.
"""
from __future__ import annotations

import base64
import json
import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

PASSED = "passed"
VERDICTS = {
    PASSED, "not started", "wrong", "stuck", "crashed", "too slow", "not built", "not run",
}


@dataclass(frozen=True)
class Row:
    """One task of the manifest, and how it went."""

    task: str
    part: str
    title: str
    verdict: str
    points_max: int

    @property
    def points(self) -> int:
        """What the task earned."""
        return self.points_max if self.verdict == PASSED else 0


def main(words: list[str]) -> int:
    """The program."""
    if not words:
        sys.exit("usage: python3 -I RELEASE/graders/classroom/report.py POINTS.json [PART…]")
    release = Path(__file__).resolve().parents[2]
    rows = rows_of(release / "graders/points.toml", verdicts_in(Path(words[0])), words[1:])
    points, points_max = sum(row.points for row in rows), sum(row.points_max for row in rows)
    append_to("GITHUB_STEP_SUMMARY", table(rows, points, points_max))
    outputs = f"points={points}\nmax_points={points_max}\nresult={encoded(rows, points_max)}\n"
    append_to("GITHUB_OUTPUT", outputs)
    totals = json.dumps({"totalPoints": points, "maxPoints": points_max})
    print(f"::notice title=Autograding complete::Points {points}/{points_max}")
    print(f"::notice title=Autograding report::{totals}")
    return 0 if rows and points == points_max else 1


def verdicts_in(report: Path) -> dict[str, str]:
    """The verdict of each task, as reported; none where there is no report."""
    try:
        tasks = json.loads(report.read_text(encoding="utf-8"))["tasks"]
        return {str(one["task"]): str(one["verdict"]) for one in tasks}
    except (OSError, ValueError, KeyError, TypeError):
        print("::error::the graders left no report; see the step before")
        return {}


def rows_of(manifest: Path, verdicts: dict[str, str], parts: list[str]) -> list[Row]:
    """All tasks of these parts, or all, whether they are reported or not."""
    tasks = tomllib.loads(manifest.read_text(encoding="utf-8"))["task"]
    rows = []
    for task in tasks:
        if parts and task["part"] not in parts:
            continue
        verdict = verdicts.get(task["id"], "not run")
        verdict = verdict if verdict in VERDICTS else "not run"
        rows.append(Row(task["id"], task["part"], task["title"], verdict, task["points"]))
    return rows


def table(rows: list[Row], points: int, points_max: int) -> str:
    """The summary, in Markdown."""
    lines = [f"## {points} of {points_max} points", ""]
    lines += ["| task | verdict | points | claim |", "| --- | --- | --- | --- |"]
    for row in rows:
        earned = f"{row.points}/{row.points_max}"
        lines.append(f"| {row.task} | {row.verdict} | {earned} | {row.title} |")
    return "\n".join(lines) + "\n"


def encoded(rows: list[Row], points_max: int) -> str:
    """The rows in the form that Classroom's reporter reads."""
    tests = [
        {
            "name": row.task,
            "status": "pass" if row.verdict == PASSED else "fail",
            "score": row.points,
            "message": row.verdict,
            "test_code": f"./tinykv grade --only {row.task}",
            "filename": "",
            "line_no": 0,
            "duration": 0,
        }
        for row in rows
    ]
    status = "pass" if all(row.verdict == PASSED for row in rows) else "fail"
    result = {"version": 3, "status": status, "max_score": points_max, "tests": tests}
    return base64.b64encode(json.dumps(result).encode()).decode()


def append_to(variable: str, text: str) -> None:
    """Adds to the file that a variable of the runner names; elsewhere to nothing."""
    if path := os.environ.get(variable):
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
