"""The JSON API of the one map: what the map page lists, what is here, and editing."""

from ninja import Router

from accounts.guard import caller
from layers.views import editing, looking

router = Router(tags=["layers"], auth=caller)
router.add_router("", looking.router)
router.add_router("", editing.router)
