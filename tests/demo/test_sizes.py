"""How large the sizes are, told from the plan alone: areas, and how finely they are divided."""

from math import sqrt

import numpy as np
import pytest
import shapely

from demo.city import survey
from demo.roads import district_of
from demo.sizes import SIZES
from demo.tables import districts

NET = 0.82  # of the urban ground lies in parcels, the rest in streets: 46,248 parcels drawn of 55,938 without streets


@pytest.fixture(scope="module")
def urban_m2():
    """Urban ground of each district; a seed's is the same in every size."""
    plan = survey("district", 20)
    owner = district_of(plan.ground, np.arange(plan.ground.communities))
    area = np.where(shapely.is_missing(plan.urban), 0.0, shapely.area(plan.urban))
    return {one.code: area[owner == one.code].sum() for one in districts()}


@pytest.mark.parametrize(("name", "wanted"), [("district", 50_000), ("city", 480_000)])
def test_so_many_parcels_are_drawn(urban_m2, name, wanted):
    told = sum(NET * area / SIZES[name].grain(code).parcel_m2 for code, area in urban_m2.items())
    assert told == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize(("name", "wanted"), [("district", 324_098), ("city", 1_500_000)])
def test_so_many_components_stand_along_the_streets(urban_m2, name, wanted):
    """Streets between square blocks are 2/√block long per area, with components on both sides."""
    size = SIZES[name]
    told = sum(
        4 * area / sqrt(size.grain(code).block_m2) / size.component_m(code) for code, area in urban_m2.items()
    )
    assert told == pytest.approx(wanted, rel=0.1)
