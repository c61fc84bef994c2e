from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from spatial.crs import BadParameters, InaccurateTransform, transformation
from spatial.errors import Kind

SHIFT = "+proj=pipeline +step +proj=affine +xoff=-115.5 +yoff=3.25"
CHECK = np.array([[114.0579, 22.5431]])


@pytest.mark.parametrize("source", [4326, 4490])
def test_the_handbooks_check_value(source):
    found = transformation(source, 4547).apply(CHECK)[0]
    assert found == pytest.approx([505_955.846, 2_493_941.246], abs=5e-4)


def test_the_zone_number_is_a_million_each():
    plain = np.array([[505_955.846, 2_493_941.246]])
    zoned = transformation(4547, 4526).apply(plain)
    assert zoned[0] == pytest.approx([38_505_955.846, 2_493_941.246], abs=1e-6)
    assert transformation(4526, 4547).apply(zoned)[0] == pytest.approx(plain[0], abs=1e-6)


@pytest.mark.parametrize(
    ("source", "target", "metres"),
    [
        (4490, 4547, 0.0),
        (4526, 4547, 0.0),
        (4326, 3857, 0.0),
        (4547, 4547, 0.0),
        (4326, 4547, 1.0),
        (3857, 4490, 1.0),
    ],
)
def test_accuracy_is_stated(source, target, metres):
    way = transformation(source, target)
    assert way.accuracy_m == metres
    assert way.statement


@pytest.mark.parametrize("source", [2383, 2435, 4610, 4214, 2326])
def test_a_datum_without_parameters_is_refused(source):
    with pytest.raises(InaccurateTransform) as refusal:
        transformation(source, 4547)
    assert (refusal.value.kind, refusal.value.code) == (Kind.UNPROCESSABLE, "crs-inaccurate")
    assert "your city's parameters" in str(refusal.value)
    assert f"{source}->4547" in refusal.value.text("zh")


def test_the_citys_parameters_are_used():
    way = transformation(2383, 4547, {"2383->4547": SHIFT + " +accuracy=0.05"})
    assert way.apply(np.array([[500_000.0, 2_500_000.0]]))[0] == pytest.approx([499_884.5, 2_500_003.25])
    assert way.accuracy_m == 0.05


def test_parameters_to_one_system_serve_the_others_of_its_datum():
    way = transformation(2383, 4326, {"2383->4547": SHIFT})
    expected = transformation(4547, 4326).apply(np.array([[499_884.5, 2_500_003.25]]))
    assert way.apply(np.array([[500_000.0, 2_500_000.0]])) == pytest.approx(expected)
    assert way.accuracy_m == 2.0  # one metre assumed for parameters without a statement, one for the datums


@pytest.mark.parametrize("text", ["", "EPSG:2383", "/etc/passwd", "+proj=pipeline +step +proj=no_such"])
def test_parameters_that_are_no_pipeline(text):
    with pytest.raises(BadParameters):
        transformation(2383, 4547, {"2383->4547": text})


def test_eight_threads_agree():
    way = transformation(4490, 4547)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: tuple(way.apply(CHECK)[0]), range(64)))
    assert len(set(found)) == 1


def test_there_and_back_within_a_tenth_of_a_millimetre():
    there = transformation(4490, 4547).apply(np.array([[113.8, 22.4], [114.6, 22.85]]))
    back = transformation(4547, 4490).apply(there)
    assert back == pytest.approx(np.array([[113.8, 22.4], [114.6, 22.85]]), abs=1e-9)
    assert transformation(4490, 4547).apply(np.empty((0, 2))).shape == (0, 2)
