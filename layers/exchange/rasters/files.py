"""Where the files of rasters lie, and which of them nobody needs."""

import shutil
import time
from pathlib import Path

from django.conf import settings

from layers.models import DeliveryPart, RasterVersion

SUFFIXES = (".tif", ".tiff")
KEPT_S = 24 * 3600.0  # an unnamed file is older than this when it is swept
_DONE_WITH = (
    "accepted",
    "refused",
    "failed",
    "withdrawn",
)  # states of deliveries that need their files no more


def folder() -> Path:
    """Where the files of rasters lie."""
    found: Path = settings.ONEMAP_VAR / "rasters"
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


def sweep_rasters() -> int:
    """Remove files that no version and no open delivery names, a day after they were written; return how many."""
    named = set(RasterVersion.objects.values_list("file", flat=True))
    open_parts = DeliveryPart.objects.filter(kind="raster").exclude(delivery__state__in=_DONE_WITH)
    named |= {facts.get("file") for facts in open_parts.values_list("facts", flat=True)}
    old = time.time() - KEPT_S
    gone = 0
    for path in sorted(folder().iterdir()):
        if path.name in named or path.lstat().st_mtime > old:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        gone += 1
    return gone
