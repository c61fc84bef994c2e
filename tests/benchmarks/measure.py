"""Fair measuring: the sides take turns, medians are compared."""

import json
import statistics
import subprocess
import sys

from tests.conftest import ROOT

CLIENTS = 8


def alternate(sides, rounds):
    """Median seconds by side.

    Parameters
    ----------
    sides
        Name to function of the round's number that returns seconds. Round 0 warms up and does not count; each
        later round turns the order round.
    """
    seconds = {name: [] for name in sides}
    for number in range(rounds + 1):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in order:
            took = sides[name](number)
            if number:
                seconds[name].append(took)
    return {name: statistics.median(values) for name, values in seconds.items()}


class Helper:
    """A process of our own that answers one JSON line with one JSON line; measuring happens there, not here."""

    def __init__(self, module, *words, env=None):
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.benchmarks.{module}", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=env,
            text=True,
        )

    def send(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.process.args)} ended without an answer")
        return json.loads(line)

    def ask(self, question):
        self.send(question)
        return self.receive()

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def answers(handler):
    """The other end of a Helper: call `handler` for each line of stdin."""
    for line in sys.stdin:
        print(json.dumps(handler(json.loads(line))), flush=True)


class Client:
    """Keep-alive HTTP clients in a process of their own."""

    def __init__(self):
        self.helper = Helper("http_client")

    def seconds(self, port, paths, clients=CLIENTS, key=None):
        """Seconds per request when `clients` connections ask for the paths, each path once, by a service key."""
        told = self.helper.ask({"port": port, "paths": paths, "clients": clients, "key": key})
        if set(told["statuses"]) != {"200"}:
            raise RuntimeError(f"port {port}: {told['statuses']}, {told['trouble']}")
        return told["seconds"] / len(paths)

    def close(self):
        self.helper.close()
