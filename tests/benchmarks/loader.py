"""The site's own imports in a process that stays: each line is `{"path": …, "options": {…}}` or `{"drop": …}`."""

import time
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402 - Django first

from layers.exchange.imports import import_now  # noqa: E402
from layers.exchange.options import ImportOptions  # noqa: E402
from layers.models import Layer  # noqa: E402
from layers.tables import drop_tables  # noqa: E402
from tests.benchmarks.measure import answers  # noqa: E402


def run(question):
    """Import a file, timed from the call to the report; or remove a layer for good."""
    if name := question.get("drop"):
        drop_tables(connection.cursor(), name)
        Layer.objects.filter(name=name).delete()
        return {}
    options = ImportOptions(
        title="宗地",
        department="data",
        theme="base",
        public=True,
        accept=("outside-city",),
        **question["options"],
    )
    began = time.perf_counter()
    report = import_now(Path(question["path"]), options)
    return {"seconds": time.perf_counter() - began, "report": report}


if __name__ == "__main__":
    answers(run)
