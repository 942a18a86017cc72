"""The page that shows a simulated run (graders/sim/trace_page.html), in a real browser.

Each test fills the template with a trace, adds a script that plays the user, and reads what that
script saw from the document that the browser prints.
"""
from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from .helpers import ScratchTest

TEMPLATE = Path(__file__).resolve().parents[2] / "graders/sim/trace_page.html"
PLACEHOLDER = "/*TRACE*/"
BROWSER = shutil.which("chromium") or ""
# A snap sees neither our temporary folders nor our pages in them.
USABLE = BROWSER != "" and not BROWSER.startswith("/snap/")

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
    " --disable-background-networking --disable-component-update --window-size=1400,900"
    " --enable-logging=stderr --dump-dom"
)

# Before the page's own script.
RECORDER = """
<script>
const troubles = [];
for (const name of ["error", "warn"]) {
  console[name] = (...words) => troubles.push(words.join(" "));
}
window.addEventListener("error", (event) => troubles.push(String(event.message)));
</script>
"""

# After it. What `play` returns is what the test sees.
PLAYER = """
<script>
{  // names of its own
const all = (selector) => [...document.querySelectorAll(selector)];
const texts = (selector) => all(selector).map((found) => found.textContent);
const text = (selector) => texts(selector).join("|");
const press = (key, target = document.body) =>
  target.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
const at = () => Number(text(".row.selected .number"));
const shown = () => texts(".row .number").map(Number);
const chip = (name) => all(".chip").find((found) => found.children[0].textContent === name ||
                                                  found.children[1]?.textContent === name);
const type = (words) => {
  const box = document.querySelector("#filter");
  box.value = words;
  box.dispatchEvent(new Event("input"));
};
const result = document.createElement("pre");
result.id = "result";
try {
  const seen = (() => { PLAY })();
  result.textContent = JSON.stringify({seen, troubles});
} catch (error) {
  result.textContent = JSON.stringify({troubles: [...troubles, String(error.stack)]});
}
document.body.append(result);
}
</script>
"""


class Story:
    """A made-up trace, told step by step; what is said last of a node is its view."""

    def __init__(self, nodes: int, sentence: str = "") -> None:
        self.steps: list[dict] = []
        self.trace = {
            "task": "2a-sim-safety",
            "seed": 17,
            "verdict": "wrong" if sentence else "passed",
            "sentence": sentence,
            "program": "cut {1} | {2, 3}\nmend all\n",
            "nodes": list(range(1, nodes + 1)),
            "steps": self.steps,
        }
        self.messages = 0

    def step(self, kind: str, node: int, text: str, **more: object) -> Story:
        self.steps.append(
            {"t": len(self.steps) * 1_500_000, "kind": kind, "node": node, "text": text, **more}
        )
        return self

    def note(self, node: int, text: str) -> Story:
        return self.step("note", node, text)

    def send(self, node: int, peer: int, text: str) -> int:
        self.messages += 1
        self.step("send", node, text, peer=peer, message=self.messages)
        return self.messages

    def become(self, of: int, role: str, term: int, last: int = 0, **more: object) -> Story:
        """How a node stands after the step that was told last."""
        bars = [["first", 1], ["last", last], ["commit", min(last, 2)]]
        view = {"up": True, "role": role, "term": term, "bars": bars, "details": [], **more}
        self.steps[-1].setdefault("views", {})[str(of)] = view
        return self


def election() -> dict:
    """Three nodes: an election with a lost vote, a second copy, a crash and a violation."""
    story = Story(3, "Two leaders in term 2.").note(0, "begins")
    for node in (1, 2, 3):
        story.become(node, "follower", 1, last=3, details=["has not voted"])
    story.note(1, "times out").become(1, "candidate", 2, last=3, details=["voted for 1"])
    to_2 = story.send(1, 2, "RequestVote term 2")
    to_3 = story.send(1, 3, "RequestVote term 2")
    story.step("receive", 2, "RequestVote term 2", peer=1, message=to_2)
    story.become(2, "follower", 2, last=3, details=["voted for 1"])
    lost = story.send(2, 1, "RequestVoteResponse term 2, granted")
    story.step("drop", 2, "RequestVoteResponse term 2, granted", peer=1, message=lost)
    story.step("receive", 3, "RequestVote term 2", peer=1, message=to_3)
    story.step("receive", 3, "RequestVote term 2", peer=1, message=to_3)
    story.note(1, "becomes leader").become(1, "leader", 2, last=4, details=["voted for 1"])
    story.send(1, 2, "Heartbeat term 2")
    story.note(3, "crashes").become(3, "follower", 1, last=3, up=False)
    story.step("violation", 2, "Two leaders in term 2.")
    story.note(3, "starts").become(3, "follower", 1, last=3)
    return story.trace


VIOLATION = 13  # the step of election(), from 1


def long_run(steps: int) -> dict:
    """Five nodes that do nothing but send; eight messages are under way at a time."""
    story = Story(5)
    under_way: list[dict] = []
    for turn in range(steps // 2):
        sender = turn % 5 + 1
        peer = (sender + turn // 5 % 4) % 5 + 1
        story.send(sender, peer, f"Append term {turn // 100}, after {turn}")
        under_way.append(story.steps[-1])
        sent = under_way.pop(0) if len(under_way) > 8 else under_way.pop()
        receiver = sent["peer"]
        story.step("receive", receiver, sent["text"], peer=sent["node"], message=sent["message"])
        role = "leader" if turn % 50 < 25 else "candidate"
        story.become(receiver, role, turn // 100, last=turn)
    return story.trace


class TemplateTest(unittest.TestCase):
    def test_it_has_one_place_for_the_trace_and_names_nothing_outside_itself(self) -> None:
        template = TEMPLATE.read_text(encoding="utf-8")
        self.assertEqual(template.count(PLACEHOLDER), 1)
        self.assertIsNone(re.search(r"https?:|//\w+\.\w|@import|url\(|\b(src|href)=", template))
        self.assertNotIn("innerHTML", template)


@unittest.skipUnless(USABLE, "chromium is not installed: apt-get install chromium")
class TracePageTest(ScratchTest):
    def play(self, trace: dict, script: str, address: str = "") -> dict:
        """Shows a trace, runs the script in the page and returns what it returns."""
        data = json.dumps(trace).replace("<", "\\u003c")
        page = TEMPLATE.read_text(encoding="utf-8").replace(PLACEHOLDER, data)
        page = page.replace("<body>", "<body>" + RECORDER, 1)
        page = page.replace("</body>", PLAYER.replace("PLAY", script) + "</body>")
        path = self.file("page.html", page)
        own = [f"--user-data-dir={self.root}/browser", f"file://{path}{address}"]
        answer = subprocess.run(
            [BROWSER, *FLAGS.split(), *own],
            capture_output=True, text=True, timeout=120, check=False,
        )
        self.assertEqual(re.findall(r":CONSOLE.*", answer.stderr), [])
        found = re.search(r'<pre id="result">(.*?)</pre>', answer.stdout, re.DOTALL)
        self.assertIsNotNone(found, answer.stderr)
        result = json.loads(html.unescape(found[1]))
        self.assertEqual(result["troubles"], [])
        return result["seen"]

    def test_it_shows_the_finding_and_the_run(self) -> None:
        seen = self.play(election(), """
            const kinds = ["lost", "copy", "under-way"];
            return {
              title: text("h1"), verdict: text("#verdict"), seed: text("#seed"),
              sentence: document.querySelector("#sentence").firstChild.textContent,
              isBad: document.querySelector("#sentence").className,
              program: text("#program"), isFolded: !document.querySelector("#plan").open,
              lanes: texts("#head .lane"), rows: texts(".row .text"), who: texts(".row .who"),
              arrows: all(".arrow").length, tips: all(".tip").length,
              dots: all("circle.dot").length,
              special: kinds.map((kind) => all(`.arrow.${kind}`).length),
              pills: texts(".pill text"), violations: texts(".row.violation .number"),
            };
        """)
        self.assertEqual(seen["title"], "2a-sim-safety")
        self.assertEqual((seen["verdict"], seen["seed"]), ("wrong", "seed 17"))
        self.assertEqual((seen["sentence"], seen["isBad"]), ("Two leaders in term 2.", "bad"))
        self.assertEqual(seen["program"], "cut {1} | {2, 3}\nmend all\n")
        self.assertTrue(seen["isFolded"])
        self.assertEqual(seen["lanes"], ["Node 1", "Node 2", "Node 3"])
        self.assertEqual(seen["rows"], [step["text"] for step in election()["steps"]])
        self.assertEqual(seen["who"][:7], ["", "1", "1→2", "1→3", "2←1", "2→1", "2✕1"])
        # Arrived: one of node 2's, two of node 3's; lost: the vote; under way: the heartbeat.
        self.assertEqual((seen["arrows"], seen["tips"], seen["dots"]), (5, 3, 4))
        self.assertEqual(seen["special"], [1, 1, 1])
        self.assertEqual(
            seen["pills"],
            ["follower 1", "candidate 2", "leader 2", "follower 1", "term 2"]
            + ["follower 1", "down", "follower 1"],
        )
        self.assertEqual(seen["violations"], [str(VIOLATION)])

    def test_keys_step_and_the_address_follows(self) -> None:
        seen = self.play(election(), """
            const places = [at()];
            const keys = ["ArrowRight", "ArrowRight", "ArrowLeft", "Home", "ArrowLeft", "ArrowDown",
                          "End", "ArrowRight", "ArrowUp", "PageUp", "PageDown"];
            for (const key of keys) { press(key); places.push(at()); }
            return {places, marked: all(".row.selected").length};
        """, "#step=4")
        self.assertEqual(seen["places"], [4, 5, 6, 5, 1, 1, 2, 14, 14, 13, 1, 14])
        self.assertEqual(seen["marked"], 1)
        hashes = self.play(election(), """
            const before = location.hash;
            press("ArrowRight");
            return [before, location.hash];
        """, "#step=4")
        self.assertEqual(hashes, ["#step=4", "#step=5"])

    def test_the_panel_shows_every_node_after_the_step(self) -> None:
        seen = self.play(election(), """
            const cards = () => all(".card").map((card) => ({
              role: card.querySelector(".role").textContent,
              term: card.querySelector(".term").textContent,
              bars: [...card.querySelectorAll(".bars .name")].map((name) =>
                  [name.textContent, name.nextSibling.textContent,
                   name.nextSibling.nextSibling.querySelector(".fill").style.width]),
              details: [...card.querySelectorAll("li")].map((line) => line.textContent),
              changed: [...card.querySelectorAll(".changed")].map((value) => value.textContent),
            }));
            const before = cards();
            for (let i = 0; i < 3; ++i) press("ArrowRight");
            return {before, after: cards(), said: text(".said"), fate: texts(".fate button")};
        """, "#step=2")
        bars = [["last", "3", "30%"], ["commit", "2", "20%"]]
        self.assertEqual(seen["before"][0], {
            "role": "candidate", "term": "term 2", "bars": bars, "details": ["voted for 1"],
            "changed": ["candidate", "term 2", "voted for 1"],
        })
        self.assertEqual(seen["before"][1], {
            "role": "follower", "term": "term 1", "bars": bars, "details": ["has not voted"],
            "changed": [],
        })
        self.assertEqual(seen["after"][1]["changed"], ["term 2", "voted for 1"])
        self.assertEqual(seen["after"][0]["changed"], [])
        self.assertEqual(seen["said"], "RequestVote term 2")
        self.assertEqual(seen["fate"], ["sent: step 3", "arrived: step 5, +3.000 ms"])

    def test_it_opens_at_the_violation_and_v_leads_there(self) -> None:
        seen = self.play(election(), """
            const first = at();
            press("Home");
            const home = at();
            press("v");
            return {first, home, last: at(), classes: all(".row.selected")[0].className,
                    said: text(".step.violation .said"), rings: all(".wrong-ring").length};
        """)
        self.assertEqual((seen["first"], seen["home"], seen["last"]), (VIOLATION, 1, VIOLATION))
        self.assertEqual(seen["classes"], "row violation selected")
        self.assertEqual((seen["said"], seen["rings"]), ("Two leaders in term 2.", 1))

    def test_filters_hide_steps_but_never_the_violation(self) -> None:
        seen = self.play(election(), """
            const found = {};
            const note = (name) => { found[name] = shown(); press("Escape"); };
            press("/");
            found.focused = document.activeElement.id;
            type("  REQUESTVOTE   drop ");
            found.arrows = all(".arrow").length;
            found.shown = text("#shown");
            note("text");
            type("nothing has this"); note("none");
            chip("3").click(); note("node");
            chip("3").click(); chip("1").click(); note("nodes");
            chip("notes").click(); note("notes");
            chip("RequestVote").click(); note("kind");
            document.querySelector("#heartbeats").click(); note("heartbeats");
            note("all");
            return found;
        """)
        everything = list(range(1, 15))
        self.assertEqual(seen["focused"], "filter")
        # A message is found by what became of it, and shown with all its steps.
        self.assertEqual((seen["text"], seen["arrows"]), ([6, 7, VIOLATION], 1))
        self.assertEqual(seen["shown"], "3 of 14 steps")
        self.assertEqual(seen["none"], [VIOLATION])
        self.assertEqual(seen["node"], [1, 4, 8, 9, 12, VIOLATION, 14])
        self.assertEqual(seen["nodes"], everything)
        self.assertEqual(seen["notes"], [1, 2, 10, 12, VIOLATION, 14])
        self.assertEqual(seen["kind"], [3, 4, 5, 8, 9, VIOLATION])
        self.assertEqual(seen["heartbeats"], [step for step in everything if step != 11])
        self.assertEqual(seen["all"], everything)

    def test_keys_go_by_the_rows_that_are_shown(self) -> None:
        seen = self.play(election(), """
            chip("RequestVote").click();
            const places = [text(".step .hidden")];
            // From step 7, which is hidden.
            for (const key of ["ArrowLeft", "ArrowRight", "ArrowRight"]) {
              press(key);
              places.push(at());
            }
            const box = document.querySelector("#filter");
            box.focus();
            press("ArrowLeft", box);
            press("v", box);
            places.push(at());
            return places;
        """, "#step=7")
        self.assertEqual(seen, ["The filter hides this step.", 5, 8, 9, 9])

    def test_clicks_select_and_hovering_tells(self) -> None:
        seen = self.play(election(), """
            const places = [];
            all(".row")[3].click();
            places.push(at());
            places.push(all(".row.linked .number").map((cell) => Number(cell.textContent)));
            places.push(all(".arrow.selected").length);
            press("m");
            places.push(at());
            const box = document.querySelector("#lanes").getBoundingClientRect();
            const hit = () => all(".arrow.lost .hit")[0];
            const mouse = (kind, row) => hit().dispatchEvent(new PointerEvent(
                kind, {clientX: 300, clientY: box.top + row * 24 - 12, bubbles: true}));
            mouse("click", 6);
            places.push(at());
            mouse("click", 7);
            places.push(at());
            mouse("pointermove", 7);
            return {places, tip: text("#tip")};
        """)
        self.assertEqual(seen["places"], [4, [8, 9], 2, 8, 6, 7])
        self.assertIn("RequestVoteResponse term 2, granted", seen["tip"])
        self.assertIn("2 → 1: sent at 7.500 ms, lost at 9.000 ms", seen["tip"])

    def test_text_is_never_markup(self) -> None:
        evil = "</script><script>window.harmed = 1</script><img src=x onerror='window.harmed = 2'>"
        story = Story(2, evil).note(1, evil)
        story.become(1, evil, 1, details=[evil], bars=[[evil, 1]])
        story.send(1, 2, evil)
        story.step("violation", 2, evil)
        story.trace.update(task=evil, program=evil, verdict=evil)
        seen = self.play(story.trace, """
            press("Home");
            return {harmed: window.harmed ?? 0, images: all("img").length, title: document.title,
                    texts: ["h1", "#program", ".said", "li"].map(text),
                    row: texts(".row .text")[0]};
        """)
        self.assertEqual((seen["harmed"], seen["images"]), (0, 0))
        self.assertEqual(seen["texts"], [evil] * 4)
        self.assertEqual(seen["row"], evil)
        self.assertEqual(seen["title"], f"{evil}, seed 17: {evil}")

    def test_it_needs_nothing_from_outside(self) -> None:
        seen = self.play(election(), "return performance.getEntriesByType('resource').length;")
        self.assertEqual(seen, 0)

    def test_a_run_without_steps_and_one_without_a_violation(self) -> None:
        keys = """
            const keys = ["ArrowRight", "ArrowLeft", "End", "Home", "PageDown", "v", "m", "/"];
            for (const key of keys) press(key);
            return {sentence: text("#sentence"), at: at(), rows: all(".row").length};
        """
        nothing = {**Story(0).trace, "program": ""}
        self.assertEqual(
            self.play(nothing, keys), {"sentence": "No violation.", "at": 0, "rows": 0}
        )
        harmless = Story(2).note(1, "starts").note(2, "starts").trace
        self.assertEqual(
            self.play(harmless, keys), {"sentence": "No violation.", "at": 2, "rows": 2}
        )

    def test_numbers_that_came_as_strings_are_shown_exactly(self) -> None:
        huge = str(2**64 - 1)
        story = Story(1).note(1, "starts")
        story.become(1, "leader", 3, bars=[["first", 6], ["last", huge], ["commit", 8]])
        seen = self.play(story.trace, """
            const fills = all(".fill").map((fill) => fill.style.width);
            return {values: texts(".bars .value"), fills};
        """)
        self.assertEqual(seen["values"], ["6", huge, "8"])
        self.assertEqual(seen["fills"], ["10%", "100%", "30%"])

    def test_five_thousand_steps_are_quick(self) -> None:
        seen = self.play(long_run(5000), """
            const scroller = document.querySelector("#scroller");
            const loaded = performance.now();
            let rowsMax = 0;
            for (let i = 0; i < 200; ++i) {
              press("ArrowRight");
              scroller.offsetHeight;  // so that layout is counted, too
              rowsMax = Math.max(rowsMax, all(".row").length);
            }
            const stepped = performance.now();
            for (let i = 0; i < 20; ++i) {
              scroller.scrollTop = i * 5500;
              scroller.dispatchEvent(new Event("scroll"));
            }
            const scrolled = performance.now();
            type("after 77");
            return {at: at(), rowsMax, loaded, step: (stepped - loaded) / 200,
                    scroll: (scrolled - stepped) / 20, filter: performance.now() - scrolled,
                    arrows: all(".arrow").length > 10, rows: all(".row").length > 10};
        """, "#step=300")
        self.assertTrue(seen["arrows"] and seen["rows"])
        self.assertLess(seen["rowsMax"], 150)
        # In milliseconds, and ten times what a slow machine takes.
        self.assertLess(seen["loaded"], 10_000)
        self.assertLess(seen["step"], 200)
        self.assertLess(seen["scroll"], 200)
        self.assertLess(seen["filter"], 2_000)


if __name__ == "__main__":
    unittest.main()
