"""The layers of the demonstration city, declared.

Titles, fields, who owns them, who sees them, and how they look: the catalogue takes it from here.
"""

from demo.landuse import occurring
from demo.service_layers import SERVICES
from demo.spec import AREA, CODE, NAME, NAME_EN, PARENT, FieldSpec, LayerSpec, Style, flat, quiet
from layers.styles.seeds import of_codes, seed


def by_land_use(column: str) -> Style:
    """The colours of the land-use classes that occur (code list landuse-sd@2023), by the code in a column."""
    return of_codes("landuse-sd@2023", column, frozenset(occurring()))


USE_NOTE = (
    "国土空间调查、规划、用途管制用地用海分类,2023年11月版",
    "Classification of land and sea use for territorial survey, planning and use control, edition 2023-11",
)
LAND_USE = FieldSpec("land_use", "text", "用地代码", "Land use code", "", *USE_NOTE)
LAND_USE_NAME = FieldSpec("land_use_name", "text", "用地名称", "Land use")
BLOCK = FieldSpec("block", "text", "街坊代码", "Block code")
DIVISION_FIELDS = (CODE, NAME, NAME_EN, PARENT, AREA)
COVERS = {"partition": {"within": "division_district", "tolerance_m": 0.01}}
CODED = {"unique": ["code"], "forms": {"code": "parcel_code"}}

LAND = (
    LayerSpec(
        "division_district", "行政区", "Districts", "base", "planning", "polygon", "name", True,
        DIVISION_FIELDS, seed("division-district"), visible=True, key="code",
    ),
    LayerSpec(
        "division_street", "街道", "Subdistricts", "base", "planning", "polygon", "name", True,
        DIVISION_FIELDS, seed("division-street"), key="code",
    ),
    LayerSpec(
        "division_community", "社区", "Communities", "base", "planning", "polygon", "name", True,
        DIVISION_FIELDS, seed("division-community"), key="code",
    ),
    LayerSpec(
        "green_area", "山林绿地", "Green areas", "base", "planning", "polygon", "name", True,
        (
            NAME,
            NAME_EN,
            FieldSpec("kind", "text", "类别", "Kind", "", "山林或公园", "Woods or park"),
            AREA,
        ),
        flat("#b9dba4", "#8fbf78"), visible=True,
    ),
    LayerSpec(
        "water_area", "水域", "Waters", "base", "water", "polygon", "name", True,
        (
            NAME,
            NAME_EN,
            FieldSpec("kind", "text", "类别", "Kind", "", "河流或水库", "River or reservoir"),
            AREA,
        ),
        flat("#a9cfe8", "#6fa8d0"), visible=True,
    ),
    LayerSpec(
        "road", "道路中心线", "Road centre lines", "base", "transport", "line", "name", True,
        (
            NAME,
            NAME_EN,
            FieldSpec("class", "text", "等级", "Class", "", "快速路、主干路、次干路、支路", "In Chinese"),
            FieldSpec("width_m", "real", "红线宽度", "Width", "m", "红线之间", "Between the red lines"),
        ),
        seed("roads-class"), visible=True,
    ),
    LayerSpec(
        "block", "街坊", "Blocks", "base", "planning", "polygon", "code", False,
        (CODE, FieldSpec("community", "text", "社区代码", "Community code"), AREA),
        quiet("#ece7dc66", "#b6ac98", 0.8, 10_000), key="code",
    ),
    LayerSpec(
        "parcel", "宗地", "Parcels", "status", "planning", "polygon", "code", False,
        (
            FieldSpec(
                "code", "text", "宗地代码", "Parcel code", "",
                "县级行政区6位、地籍区3位、地籍子区3位、特征码2位、顺序号5位",
                "Division (6), cadastral district (3), sub-district (3), kind (2), sequence (5)",
            ),
            BLOCK,
            LAND_USE,
            LAND_USE_NAME,
            AREA,
        ),
        quiet("#f4efe633", "#9c8f78", 0.6, 2_500), key="code", codes={"land_use": "landuse-sd@2023"},
        checks=CODED, update_days=30,
    ),
    LayerSpec(
        "landuse_plan", "规划用地", "Planned land use", "plan", "planning", "polygon", "land_use", False,
        (
            LAND_USE,
            LAND_USE_NAME,
            FieldSpec("parcel", "text", "宗地代码", "Parcel code"),
            FieldSpec("far", "real", "容积率", "Floor area ratio", "", "上限", "Upper limit"),
            FieldSpec("density", "real", "建筑密度", "Building density", "%", "上限", "Upper limit"),
            FieldSpec("green", "real", "绿地率", "Green ratio", "%", "下限", "Lower limit"),
            FieldSpec("height_m", "real", "限高", "Height limit", "m", "上限", "Upper limit"),
            AREA,
        ),
        by_land_use("land_use"), codes={"land_use": "landuse-sd@2023"}, checks=COVERS, update_days=365,
    ),
    LayerSpec(
        "landuse_status", "现状用地", "Present land use", "status", "planning", "polygon", "land_use", False,
        (
            LAND_USE,
            LAND_USE_NAME,
            FieldSpec("survey_year", "integer", "调查年份", "Survey year"),
            AREA,
        ),
        by_land_use("land_use"), codes={"land_use": "landuse-sd@2023"}, checks=COVERS, update_days=365,
    ),
    LayerSpec(
        "building", "建筑物", "Buildings", "base", "construction", "polygon", "name", True,
        (
            FieldSpec(
                "code", "text", "建筑编码", "Building code", "",
                "宗地代码、F、幢号4位、0000", "Parcel code, F, building number (4), 0000",
            ),
            NAME,
            FieldSpec("floors", "integer", "层数", "Floors", "", "地上层数", "Above ground"),
            FieldSpec("height_m", "real", "高度", "Height", "m"),
            FieldSpec("use", "text", "用途", "Use", "", "中文用途", "In Chinese"),
            FieldSpec("year", "integer", "建成年份", "Year built"),
        ),
        seed("building"), visible=True, key="code", checks={"unique": ["code"]}, update_days=365,
    ),
)  # fmt: skip
LAYERS = (*LAND, *SERVICES)
BY_NAME = {spec.name: spec for spec in LAYERS}
