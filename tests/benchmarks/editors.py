"""Editors, each at a steady pace: `editors http PORT KEY LAYER` or `editors sql DSN LAYER`.

One JSON line asks for some seconds of it and is answered with every edit's seconds and the refusals. An edit that
comes late because the one before took long is counted from when it was due.
"""

import http.client
import json
import sys
import threading
import time

import psycopg2
from psycopg2 import sql

from tests.benchmarks.measure import answers

EDITORS, EACH_PER_S = 20, 2.0
FIELD, COLUMN = "use", "f_002"


class OverHttp:
    """An editor who changes an attribute of features of their own, with If-Match."""

    def __init__(self, number, port, key, layer):
        self.connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        self.head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.path, self.fid, self.version, self.edits = f"/api/layers/{layer}/features", number + 1, 1, 0

    def edit(self):
        """Whether the edit was accepted."""
        self.edits += 1
        body = {"reason": "bench", "properties": {FIELD: f"用途 {self.edits}"}}
        head = {**self.head, "If-Match": f'"{self.version}"'}
        self.connection.request("PATCH", f"{self.path}/{self.fid}", json.dumps(body), head)
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        if answer.status == 200:
            self.version = told["versions"][0]
        return answer.status == 200


class OverSql:
    """The floor: an UPDATE of one row under the same locks, and nothing else."""

    def __init__(self, number, dsn, layer):
        self.connection = psycopg2.connect(dsn)
        self.values = {"fid": number + 1 + EDITORS, "layer": layer}
        facts = {"table": sql.Identifier("data", layer), "column": sql.Identifier(COLUMN)}
        lock = "SELECT fid FROM {table} WHERE fid = %(fid)s FOR UPDATE"
        write = (
            "SELECT id FROM layers_layer WHERE name = %(layer)s FOR NO KEY UPDATE;"
            "UPDATE {table} SET {column} = %(use)s WHERE fid = %(fid)s"
        )
        self.texts = [sql.SQL(text).format(**facts) for text in (lock, write)]
        self.edits = 0

    def edit(self):
        self.edits += 1
        with self.connection, self.connection.cursor() as cursor:
            for text in self.texts:
                cursor.execute(text, {**self.values, "use": f"用途 {self.edits}"})
        return True


def main(kind, *words):
    made = {"http": OverHttp, "sql": OverSql}[kind]
    editors = [made(number, *words) for number in range(EDITORS)]

    def run(question):
        took, refused = [], []
        began = time.perf_counter() + 0.2
        threads = [
            threading.Thread(
                target=work, args=(one, began + number / EDITORS / EACH_PER_S, question, took, refused)
            )
            for number, one in enumerate(editors)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"seconds": took, "refused": len(refused)}

    answers(run)


def work(editor, began, question, took, refused):
    """One editor's share."""
    pause = threading.Event()
    for turn in range(round(question["seconds"] * EACH_PER_S)):
        due = began + turn / EACH_PER_S
        pause.wait(max(0.0, due - time.perf_counter()))
        if not editor.edit():
            refused.append(turn)
        took.append(time.perf_counter() - due)


if __name__ == "__main__":
    main(*sys.argv[1:])
