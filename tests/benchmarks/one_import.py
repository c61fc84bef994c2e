"""One import as the site does it, timed from the call to the report: `one_import PATH LAYER MODE [KEY]`."""

import json
import sys
import time
from pathlib import Path

import django

django.setup()

from layers.exchange.imports import import_now  # noqa: E402 - Django first
from layers.exchange.options import ImportOptions  # noqa: E402


def main(path, layer, mode, key=None):
    options = ImportOptions(
        layer=layer,
        title="宗地",
        department="data",
        theme="base",
        mode=mode,
        key=key,
        public=True,
        accept=("outside-city",),
    )
    began = time.perf_counter()
    report = import_now(Path(path), options)
    print(json.dumps({"seconds": time.perf_counter() - began, "report": report}))


if __name__ == "__main__":
    main(*sys.argv[1:])
