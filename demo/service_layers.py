"""The layers that administration stands on, declared: control lines, grids, components, addresses, services, sales."""

from demo.spec import AREA, CODE, NAME, FieldSpec, LayerSpec, flat, quiet
from layers.styles.seeds import seed

COMMUNITY = FieldSpec("community", "text", "社区代码", "Community code")
PARCEL = FieldSpec("parcel", "text", "宗地代码", "Parcel code")
BUILDING = FieldSpec("building", "text", "建筑编码", "Building code")
DOCUMENT = FieldSpec("document", "text", "批准文号", "Approval document")

SERVICES = (
    LayerSpec(
        "line_ecology", "生态保护红线", "Ecological protection red line", "plan", "planning", "polygon", "name",
        True, (CODE, NAME, AREA), seed("line-ecology"), key="code",
    ),
    LayerSpec(
        "line_farmland", "永久基本农田", "Permanent basic farmland", "plan", "planning", "polygon", "code",
        False, (CODE, AREA), seed("line-farmland"), key="code",
    ),
    LayerSpec(
        "line_urban", "城镇开发边界", "Urban development boundary", "plan", "planning", "polygon", "name",
        True, (CODE, NAME, AREA), seed("line-urban"), key="code",
    ),
    LayerSpec(
        "plan_area", "法定图则范围", "Statutory plan areas", "plan", "planning", "polygon", "code", True,
        (
            CODE,
            NAME,
            FieldSpec("status", "text", "状态", "State", "", "已批准、修编中、编制中", "In Chinese"),
            FieldSpec("approved_on", "date", "批准日期", "Approved on"),
            DOCUMENT,
            AREA,
        ),
        quiet("#ffffff00", "#6a4c93", 1.6, 25_000), key="code",
    ),
    LayerSpec(
        "land_sale", "土地出让", "Land sales", "status", "planning", "polygon", "code", False,
        (
            FieldSpec("code", "text", "合同编号", "Contract number"),
            PARCEL,
            FieldSpec("way", "text", "出让方式", "Way of supply", "", "招标、拍卖、挂牌、协议", "In Chinese"),
            FieldSpec("land_use", "text", "用地代码", "Land use code"),
            FieldSpec("price", "real", "成交价", "Price", "万元"),
            FieldSpec("sold_on", "date", "成交日期", "Sold on"),
            FieldSpec("years", "integer", "使用年限", "Term", "年"),
            FieldSpec("far", "real", "容积率", "Floor area ratio"),
            AREA,
        ),
        quiet("#ef8a6266", "#b2412b", 1.0, 5_000), key="code", codes={"land_use": "landuse-sd@2023"},
    ),
    LayerSpec(
        "grid_unit", "单元网格", "Unit grids", "management", "citycare", "polygon", "code", False,
        (
            FieldSpec(
                "code", "text", "网格代码", "Grid code", "",
                "社区12位、顺序号3位", "Community (12 digits), sequence (3)",
            ),
            COMMUNITY,
            FieldSpec("duty_area", "text", "责任区代码", "Duty area code"),
            AREA,
        ),
        seed("grid-unit"), key="code",
        checks={"unique": ["code"], "partition": {"within": "division_community", "tolerance_m": 0.01}},
    ),
    LayerSpec(
        "duty_area", "责任网格", "Duty areas", "management", "citycare", "polygon", "code", False,
        (CODE, COMMUNITY, FieldSpec("grids", "integer", "网格数", "Grids"), AREA),
        seed("duty-area"), key="code",
    ),
    LayerSpec(
        "component", "管理部件", "Components", "management", "citycare", "point", "", False,
        (
            FieldSpec(
                "code", "text", "部件编码", "Component code", "",
                "行政区6位、类4位、顺序号6位", "District (6 digits), class (4), sequence (6)",
            ),
            FieldSpec("class", "text", "类别代码", "Class code"),
            FieldSpec("name", "text", "类别名称", "Class"),
            FieldSpec("grid", "text", "单元网格", "Unit grid"),
            FieldSpec("road", "text", "所在道路", "Road"),
            FieldSpec("keeper", "text", "权属部门", "Keeper"),
            FieldSpec("state", "text", "状态", "State", "", "完好、破损、丢失", "In Chinese"),
            FieldSpec("installed", "integer", "安装年份", "Year installed"),
        ),
        seed("component"), key="code", checks={"unique": ["code"]}, update_days=90,
    ),
    LayerSpec(
        "address", "门牌地址", "Addresses", "base", "planning", "point", "number", True,
        (
            CODE,
            FieldSpec("full", "text", "标准地址", "Full address"),
            FieldSpec("road", "text", "道路", "Road"),
            FieldSpec("number", "text", "门牌号", "Number"),
            BUILDING,
            COMMUNITY,
        ),
        flat("#6b7a8a", "#ffffff", 0.6), key="code",
    ),
    LayerSpec(
        "poi", "兴趣点", "Points of interest", "base", "planning", "point", "name", True,
        (
            CODE,
            NAME,
            FieldSpec("kind", "text", "类别", "Kind"),
            FieldSpec("address", "text", "地址", "Address"),
            BUILDING,
        ),
        flat("#8a4fa3", "#ffffff", 0.8), key="code",
    ),
    LayerSpec(
        "facility", "公共设施", "Public facilities", "base", "planning", "point", "name", True,
        (
            CODE,
            NAME,
            FieldSpec("kind", "text", "类别", "Kind", "", "小学、中学、幼儿园、医院、养老院、公园等", "In Chinese"),
            FieldSpec("capacity", "real", "规模", "Capacity"),
            FieldSpec("unit", "text", "规模单位", "Unit of capacity", "", "座、床、㎡", "Seats, beds, square metres"),
            PARCEL,
            AREA,
        ),
        flat("#c2185b", "#ffffff", 1.0), key="code",
    ),
    LayerSpec(
        "population", "人口（按楼）", "Population by building", "management", "data", "table", "", False,
        (
            BUILDING,
            FieldSpec("households", "integer", "户数", "Households", "户"),
            FieldSpec("residents", "integer", "常住人口", "Residents", "人"),
            FieldSpec("under_15", "integer", "0–14岁", "Under 15", "人"),
            FieldSpec("over_59", "integer", "60岁及以上", "60 and over", "人"),
            FieldSpec("counted_on", "date", "统计日期", "Counted on"),
        ),
        {}, key="building", joins="building", join_field="building", update_days=365,
    ),
    LayerSpec(
        "elevation", "地面高程", "Ground elevation", "base", "planning", "raster", "", True, (), {},
    ),
)  # fmt: skip
