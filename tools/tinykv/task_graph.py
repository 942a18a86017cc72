"""The drawing of which task needs which hole, as the book shows it at the beginning of a stage."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from .points import Task

BEGIN, END = "<!-- tasks: begin -->", "<!-- tasks: end -->"
BETWEEN = re.compile(rf"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)

# Tasks that need this many holes or more, and all that there are, share a box and an arrow.
MANY = 3
WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def by_chapter(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    """The tasks of each stage, by the chapter that has their drawing."""
    chapters: dict[str, list[Task]] = {}
    for task in tasks:
        chapters.setdefault(f"docs/book/stage{task.part[0]}/index.md", []).append(task)
    return chapters


def mermaid(tasks: Sequence[Task]) -> str:
    """The drawing of one stage, part by part."""
    parts = list(dict.fromkeys(task.part for task in tasks))
    lines = ["flowchart LR"]
    earlier: dict[str, list[str]] = {}  # the holes of the parts before, by the id of their box
    for part in parts:
        of_part = [task for task in tasks if task.part == part]
        known = {hole for holes in earlier.values() for hole in holes}
        needed = dict.fromkeys(hole for task in of_part for hole in task.holes)
        own = [hole for hole in needed if hole not in known]
        suffix, title = (f"_{part}", f"part {part}, ") if len(parts) > 1 else ("", "")
        lines += part_lines(of_part, own, earlier, suffix, title)
        earlier[f"holes{suffix}"] = own
    return "\n".join(lines)


def part_lines(
    tasks: Sequence[Task],
    own: Sequence[str],
    earlier: Mapping[str, Sequence[str]],
    suffix: str,
    title: str,
) -> Iterator[str]:
    """The boxes of a part, and the arrows to its tasks; `own` are the holes that are its own."""
    whole = [task for task in tasks if len(own) >= MANY and set(task.holes) >= set(own)]
    single = [task for task in tasks if task not in whole]
    yield f'  subgraph holes{suffix} ["{title}holes: what you write"]'
    yield from (f'    {node("hole", hole)}["{hole}"]' for hole in own)
    yield from ("  end", f'  subgraph tasks{suffix} ["{title}tasks: what is graded"]')
    yield from (f'    {node("task", task.id)}["{label(task)}"]' for task in single)
    if whole:
        yield f'    whole{suffix}["{"<br/>".join(map(label, whole))}"]'
    yield "  end"
    for task in single:
        yield from (f"  {node('hole', hole)} --> {node('task', task.id)}" for hole in task.holes)
    if whole:
        yield f'  holes{suffix} ==>|"all {number(len(own))}"| whole{suffix}'
        needed = {hole for task in whole for hole in task.holes}
        yield from (
            f"  {box} ==> whole{suffix}"
            for box, of_box in earlier.items()
            if needed >= set(of_box)
        )


def node(kind: str, name: str) -> str:
    """A name that Mermaid takes."""
    return f"{kind}_{name.replace('-', '_')}"


def label(task: Task) -> str:
    """A task with its points."""
    return f"{task.id}: {task.points}"


def number(count: int) -> str:
    """A count in words, where they are short."""
    return WORDS[count] if count < len(WORDS) else str(count)


def drawn(chapter: str, graph: str) -> str | None:
    """A chapter with this drawing between its marks; None if it has no marks."""
    if not BETWEEN.search(chapter):
        return None
    return BETWEEN.sub(lambda _: f"\n\n```mermaid\n{graph}\n```\n\n", chapter, count=1)


def findings(chapters: Mapping[str, str | None], tasks: Sequence[Task]) -> Iterator[str]:
    """What is wrong with the drawings of the book; a chapter that is not there is None."""
    for name, of_stage in by_chapter(tasks).items():
        text = chapters.get(name)
        if text is None:
            yield f"{name}: there is no such chapter, and graders/points.toml has tasks of it"
            continue
        right = drawn(text, mermaid(of_stage))
        if right is None:
            yield f"{name}:1: has no drawing of its tasks between {BEGIN} and {END}"
        elif right != text:
            line = text.count("\n", 0, text.index(BEGIN)) + 1
            yield f"{name}:{line}: not the graph of graders/points.toml; --write-graph mends it"
