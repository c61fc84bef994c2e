import pytest

from demo.names import chinese_number, community_name, road_names
from demo.seeds import stream


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "一"), (9, "九"), (10, "十"), (14, "十四"), (20, "二十"), (99, "九十九"), (100, "一百"),
     (105, "一百零五"), (110, "一百一十"), (316, "三百一十六")],
)  # fmt: skip
def test_numbers_are_written_as_in_chinese(number, text):
    assert chinese_number(number) == text


def test_every_number_has_its_own_writing():
    assert len({chinese_number(number) for number in range(1, 1000)}) == 999


@pytest.mark.parametrize(
    ("street", "expected"),
    [
        (("桂园街道", "Guiyuan Subdistrict"), ("桂园第三社区", "Guiyuan Community No. 3")),
        (
            ("福田保税区", "Futian Free Trade Zone"),
            ("福田保税区第三社区", "Futian Free Trade Zone Community No. 3"),
        ),
    ],
)
def test_a_community_bears_its_streets_name(street, expected):
    assert community_name(*street, 3) == expected


def test_road_names_fit_their_class_in_both_languages():
    classes = ["主干路", "支路"] * 50
    zh, en = road_names(classes, stream(1, "test"))
    assert all(name.endswith(("大道", "路")) for name in zh[::2])
    assert all(name.endswith(("Avenue", "Road")) for name in en[::2])
    assert all(name[0] != name[1] for name in zh)
