"""Stands in for a grader's program in tests: the same flags and events, and a task for each way to end.

FAKE_GRADER in the environment makes --list misbehave: "deaf" exits 3, "more" names a task too many,
"less" one too few.
"""
import json
import os
import signal
import subprocess
import sys
import time

# A stack as graders/task/crash_stack.h prints it, of a program that no one can look up.
STACK = "*** SIGABRT: stack:\n/usr/bin/nothing(+0x10)[0x1010]\n"


class Run:
    """The flags of one call, and its result pipe."""

    def __init__(self, words):
        flags = dict(zip(words[::2], words[1::2]))
        base = int(flags["--seed-base"])
        self.seeds = range(base, base + int(flags["--seeds"]))
        self._pipe = open(int(flags["--result-fd"]), "w", encoding="utf-8")

    def say(self, text):
        self._pipe.write(f"{text}\n")
        self._pipe.flush()

    def begin(self, seed):
        self.say(json.dumps({"event": "seed", "seed": seed}))

    def begin_all(self):
        for seed in self.seeds:
            self.begin(seed)

    def finish(self, verdict, **more):
        self.say(json.dumps({"event": "finished", "verdict": verdict, **more}))

    def passed(self):
        self.begin_all()
        self.finish("passed", seeds=len(self.seeds))


def passes(run):
    run.passed()


def fail_with(verdict, at=2):
    def body(run):
        for seed in range(run.seeds[0], at + 1):
            run.begin(seed)
        here = os.getcwd()
        run.finish(
            verdict,
            seeds=at,
            seed=at,
            sentence=f"{here}/a.cc:1: expected | but got <\x1b[2J",
            program=f"1. put {'x' * 150}\n2. get",
            events=["first", "\x00 second"],
        )
        sys.exit(1)

    return body


def segfaults(run):
    run.begin(1)
    print("to stdout", flush=True)
    print(f"to stderr\n*** the program:\n1. put\n2. get\n{STACK}", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


def exits(run):
    run.begin(1)
    os._exit(0)


def is_sanitized(run):
    run.begin(1)
    report = "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n"
    print("before\n" + report + "    #0 f\n" * 100, file=sys.stderr, flush=True)
    os._exit(1)


def leaks_after_its_end(run):
    run.passed()
    print("==7==ERROR: LeakSanitizer: detected memory leaks", file=sys.stderr, flush=True)
    os._exit(1)


def loops(run):
    run.begin(1)
    run.begin(2)

    def last_words(_number, _frame):
        print("in the loop", file=sys.stderr, flush=True)
        os._exit(9)

    signal.signal(signal.SIGABRT, last_words)
    time.sleep(600)


def is_deaf(run):
    run.passed()
    signal.signal(signal.SIGABRT, signal.SIG_IGN)
    time.sleep(600)


def garbles(run):
    run.begin(1)
    run.say('{"event": "finished", "verd')


def goes_on(run):
    run.passed()
    run.begin(9)


def invents_a_verdict(run):
    run.finish("excellent", seeds=1)


def skips_seeds(run):
    run.begin(run.seeds[0])
    run.finish("passed", seeds=1)


def claims_seeds(run):
    run.begin(run.seeds[0])
    run.finish("passed", seeds=len(run.seeds))


def passes_and_fails(run):
    run.passed()
    sys.exit(7)


def prints_a_pass(run):
    print('{"event":"finished","verdict":"passed","seeds":3}', flush=True)


def chatters(run):
    for number in range(20_000):
        print(f"line {number}")
    sys.stdout.flush()
    fail_with("wrong")(run)


def leaves_a_server(run):
    server = subprocess.Popen(["sleep", "600"])
    with open(os.path.join(os.environ["TMPDIR"], "left"), "w", encoding="utf-8"):
        pass
    with open("left-behind", "w", encoding="utf-8") as file:
        file.write(f"{server.pid} {os.environ['TMPDIR']}")
    run.passed()


TASKS = {
    "passes": passes,
    "not-started": fail_with("not started", at=1),
    "wrong": fail_with("wrong"),
    "stuck": fail_with("stuck"),
    "check": fail_with("crashed"),
    "segfaults": segfaults,
    "exits": exits,
    "sanitized": is_sanitized,
    "leaks": leaks_after_its_end,
    "loops": loops,
    "deaf": is_deaf,
    "garbles": garbles,
    "goes-on": goes_on,
    "invents": invents_a_verdict,
    "skips-seeds": skips_seeds,
    "claims-seeds": claims_seeds,
    "passes-and-fails": passes_and_fails,
    "prints": prints_a_pass,
    "chatters": chatters,
    "server": leaves_a_server,
}


def list_tasks():
    mood = os.environ.get("FAKE_GRADER")
    if mood == "deaf":
        sys.exit("cannot open libsomething.so")
    names = list(TASKS)
    if mood == "more":
        names.append("secret")
    if mood == "less":
        names.remove("passes")
    print("\n".join(names))


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        list_tasks()
    else:
        TASKS[sys.argv[2]](Run(sys.argv[3:]))
