"""The JSON API of the one map: what the map page lists, what is here, and editing."""

from ninja import Router

from accounts.guard import caller
from layers.views import (
    changesets,
    codes,
    deliveries,
    delivery_papers,
    editing,
    exporting,
    granting,
    keeping,
    looking,
    profiles,
    pulls,
    quality,
    rasters,
    styling,
)

router = Router(tags=["layers"], auth=caller)
router.add_router("", looking.router)
router.add_router("", editing.router)
router.add_router("", changesets.router)
router.add_router("", codes.router)
router.add_router("", rasters.router)
router.add_router("", exporting.router)
router.add_router("", pulls.router)
router.add_router("", deliveries.router)
router.add_router("", delivery_papers.router)
router.add_router("", profiles.router)
router.add_router("", quality.router)
router.add_router("", keeping.router)
router.add_router("", styling.router)
router.add_router("", granting.router)
