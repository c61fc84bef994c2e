import json
from pathlib import Path

import pytest

from layers.styles.conditions import holds

# The map page answers the same table (client/packages/map/test/conditions.test.ts).
CASES = json.loads((Path(__file__).parent / "data" / "conditions.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one['where']} {one['values']}")
def test_conditions_hold_as_the_table_says(case):
    assert holds(case["where"], case["values"]) is case["holds"]
