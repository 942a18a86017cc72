"""Stands in for the servers in tests: the same flags, exit statuses, error line and /status.

FAKE_SERVER in the environment makes it misbehave: "crash" dies without a word before it serves,
"stubborn" ignores SIGTERM, "mute" never says that it serves; "leaderless" never has a leader.
"crash:2" is for store 2 of a cluster alone. Without a fault, store 1 leads.
"""
import http.server
import json
import os
import signal
import socket
import sys

NAME = os.path.basename(sys.argv[0])


def fail(status, message):
    print(f"{NAME}: {message}", file=sys.stderr, flush=True)
    sys.exit(status)


def read_flags(words):
    flags = {"--check-config": None}
    while words:
        name = words.pop(0)
        flags[name] = "" if name == "--check-config" else words.pop(0)
    return flags


def bind(address):
    host, port = address.rsplit(":", 1)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
    except OSError as error:
        fail(1, f"cannot listen on {address}: {error.strerror}")
    listener.listen()
    return listener


def configuration(flags):
    settings = {}
    if "--config" in flags:
        for line in open(flags["--config"], encoding="utf-8"):
            key, _, value = line.partition("=")
            if key.strip() not in ("listen", "status_listen", "data"):
                fail(2, f"{flags['--config']}: unknown key '{key.strip()}'")
            settings["--" + key.strip().replace("_", "-")] = json.loads(value)
    return {**settings, **flags}


def mood_of(settings):
    mood, _, store = os.environ.get("FAKE_SERVER", "").partition(":")
    return mood if store in ("", settings.get("--cluster.store-id")) else ""


def begin(settings):
    """A store that has no data begins only where the cluster is new."""
    marker = os.path.join(settings["--data"], "begun")
    if os.path.exists(marker):
        return
    if settings.get("--cluster.new") != "true":
        fail(1, f"data directory {settings['--data']}: there is no store in it")
    open(marker, "w", encoding="utf-8").close()


def regions(settings, mood):
    if "--cluster.store-id" not in settings:
        return {}
    leads = 0 if mood == "leaderless" else 1
    role = "leader" if settings["--cluster.store-id"] == str(leads) else "follower"
    return {"regions": [{"id": 1, "role": role, "term": 6, "leader_store": leads}]}


def main():
    settings = configuration(read_flags(sys.argv[1:]))
    if settings["--check-config"] is not None:
        sys.exit(0)
    print("starting", file=sys.stderr, flush=True)
    mood = mood_of(settings)
    if mood == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if mood == "stubborn" else lambda *_: os._exit(0))
    try:
        os.makedirs(settings["--data"], exist_ok=True)
    except OSError as error:
        fail(1, f"{settings['--data']}: {error.strerror}")
    if "--cluster.store-id" in settings:
        begin(settings)
    clients = bind(settings["--listen"])  # kept: nobody else may have it

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            answer = {
                "serving": mood != "mute",
                "pid": os.getpid(),
                "address": settings["--listen"],
                "data": settings["--data"],
                "uptime_seconds": 1.5,
                **regions(settings, mood),
            }
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    bind(settings["--status-listen"]).close()  # for its error line
    host, port = settings["--status-listen"].rsplit(":", 1)
    http.server.HTTPServer((host, int(port)), Handler).serve_forever()
    clients.close()


main()
