import numpy as np
import shapely

from demo.ground import join_strays, lay, merge


def boxes(count):
    return np.array([shapely.box(at, 0, at + 1, 1) for at in range(count)], dtype=object)


def test_merge_unites_by_label_and_leaves_empty_labels_out():
    united = merge(boxes(4), np.array([0, 0, 2, 0]), 4)
    assert united[0].area == 3
    assert united[1] is None
    assert united[2].equals(shapely.box(2, 0, 3, 1))


def test_a_stray_joins_the_neighbour_it_leans_on():
    labels = join_strays(boxes(5), np.array([0, 0, 1, 0, 1]))
    assert labels.tolist() in ([0, 0, 0, 0, 1], [0, 0, 1, 1, 1])


def test_the_ground_is_an_exact_coverage():
    ground = lay(7)
    assert shapely.coverage_is_valid(ground.faces)
    assert abs(ground.outline.area - shapely.area(ground.faces).sum()) < 1e-4
    assert ground.outline.geom_type == "Polygon"
    assert set(ground.street) == set(range(79))
