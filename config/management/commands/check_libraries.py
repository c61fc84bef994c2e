"""Say which GDAL, GEOS and PROJ this installation uses, and whether they are safe."""

from typing import Any

from accounts.commandline import JsonCommand
from config import checks


class Command(JsonCommand):
    """`manage.py check_libraries [--json]`; exit 1 when the platform must not serve with them."""

    help = "which GDAL, GEOS and PROJ are in use; exit 1 when they are unsafe"
    requires_system_checks: list[str] = []  # it reports what they would refuse

    def run(self, **options: Any) -> dict[str, Any]:
        found = checks.loaded()
        reasons = [*checks.faults(found), *checks.misplaced()]
        status = {"status": "failed", "reason": "; ".join(reasons)} if reasons else {"status": "done"}
        return {**status, **found._asdict(), "faults": reasons}
