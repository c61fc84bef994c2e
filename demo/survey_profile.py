"""The profile of the district's yearly survey (layers/exchange/deliveries/profile.schema.json)."""

from typing import Any

from demo.delivery import COMPONENT_CLASSES, KEYS, SOURCES
from demo.tables import rows

Part = dict[str, Any]
TITLES = {
    "XZQ": "行政区",
    "JDXZQ": "街道",
    "SQ": "社区",
    "DLTB": "地类图斑",
    "GHTB": "规划图斑",
    "ZD": "宗地",
    "JF": "街坊",
    "JZW": "建筑物",
    "DLZX": "道路中心线",
    "SX": "水系",
    "LD": "绿地",
    "STBHHX": "生态保护红线",
    "CZKFBJ": "城镇开发边界",
    "FDTZ": "法定图则",
    "TDCR": "土地出让",
    "DYWG": "单元网格",
    "ZRWG": "责任网格",
    "MPDZ": "门牌地址",
    "XQD": "兴趣点",
    "GGSS": "公共设施",
    "GHTZ": "规划图则范围",
}
WITHOUT_KEY = ("DLZX", "SX", "LD")
LAND_CHECKS: Part = {
    "unique": ["BSM"],
    "partition": {"within": "part:XZQ", "tolerance_m": 0.01, "sliver_m2": 20.0, "thinness": 0.02},
    "area": {"field": "TBMJ", "method": "ellipsoid", "absolute_m2": 1.0, "relative": 0.001},
    "sums": [{"field": "TBMJ", "by": "DLBM", "table": "part:KZMJ", "total_field": "KZMJ", "tolerance": 1.0}],
    "name_of": [{"code": "DLBM", "name": "DLMC"}],
}
TABLES: tuple[Part, ...] = (
    {
        "source": "RK", "kind": "table", "layer": "survey_rk", "title_zh": "年度调查 人口", "theme": "management",
        "key": "JZWBM", "joins": "survey_jzw", "join_field": "JZWBM", "required": True,
    },
    {
        "source": "KZMJ", "kind": "table", "layer": "survey_kzmj", "title_zh": "控制面积", "theme": "status",
        "key": "DLBM", "required": True,
    },
    {
        "source": "DEM", "kind": "raster", "layer": "survey_dem", "title_zh": "年度调查 地面高程",
        "theme": "base", "required": True,
    },
)  # fmt: skip


def profile() -> Part:
    """Forty layers, two tables and a raster, with what must hold of them."""
    parts = [*land_parts(), *component_parts(), *TABLES]
    return {
        "version": 1,
        "title_zh": "区年度土地调查",
        "title_en": "Yearly land survey of a district",
        "department": "planning",
        "mode": "replace",
        "parts": parts,
    }


def land_parts() -> list[Part]:
    """One part for each source that is not components."""
    found = []
    for source, _, names in SOURCES:
        key = KEYS.get(source, "" if source in WITHOUT_KEY else next(iter(names.values())))
        part: Part = {
            "source": source,
            "kind": "layer",
            "layer": f"survey_{source.lower()}",
            "title_zh": f"年度调查 {TITLES[source]}",
            "theme": "status",
            "required": True,
            **({"key": key} if key else {}),
        }
        if source == "DLTB":
            fields = {"DLBM": {"alias_zh": "地类编码", "code_list": "landuse-sd@2023"}}
            part |= {"fields": fields, "checks": LAND_CHECKS}
        found.append(part)
    return found


def component_parts() -> list[Part]:
    """One part for each class of components."""
    return [
        {
            "source": f"BJ{one['class']}",
            "kind": "layer",
            "layer": f"survey_bj{one['class']}",
            "title_zh": f"年度调查 {one['name_zh']}",
            "theme": "management",
            "key": "BJBM",
            "required": False,
        }
        for one in rows("components.csv")[:COMPONENT_CLASSES]
    ]
