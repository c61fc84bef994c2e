from layers.styles.reading import read_style
from spatial.validity import Family
from tiles.legends import titled

LINE = {"type": "line", "color": "#000000"}


def test_a_class_that_looks_otherwise_at_other_scales_is_in_the_legend_once():
    near = {
        "values": ["主干路"],
        "title_zh": "主干路",
        "title_en": "Main road",
        "max_scale": 60_000,
        "symbols": [LINE],
    }
    far = {**near, "min_scale": 60_000, "max_scale": None, "symbols": [{**LINE, "width": 0.5}]}
    other = {"values": ["支路"], "symbols": [LINE]}
    style = read_style({"kind": "categorised", "field": "class", "classes": [near, far, other]}, Family.LINE)
    rows = titled(style, "道路", english=False)

    assert [title for title, _ in rows] == ["主干路", "道路"]
    assert rows[0][1].max_scale == 60_000
    assert titled(style, "Roads", english=True)[0][0] == "Main road"
