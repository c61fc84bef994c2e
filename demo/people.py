"""Departments, roles and accounts of the demonstration city, as data."""

from typing import NamedTuple

from demo.tables import districts, streets

CITY_CARE = "citycare"


class Office(NamedTuple):
    """A department: its code, names, and the code of the department above it."""

    code: str
    name_zh: str
    name_en: str
    parent: str | None = None


class Account(NamedTuple):
    """Somebody who signs in: the role bears the account's own name."""

    username: str
    name_zh: str
    name_en: str
    department: str
    superuser: bool = False


CITY_OFFICES = (
    Office("planning", "规划国土", "Planning and Land"),
    Office(CITY_CARE, "城市管理", "City Management"),
    Office("construction", "住房建设", "Housing and Construction"),
    Office("transport", "交通", "Transport"),
    Office("water", "水务", "Water"),
    Office("environment", "环保", "Environment"),
    Office("emergency", "应急", "Emergency"),
    Office("data", "数据管理", "Data Management"),
)
ACCOUNTS = (
    Account("planner", "规划编制", "Plan maker", "planning"),
    Account("reviewer", "规划审查", "Plan reviewer", "planning"),
    Account("registrar", "成果发布", "Registrar", "planning"),
    Account("inspector", "信息采集员", "Inspector", "440304"),
    Account("acceptor", "受理员", "Acceptor", CITY_CARE),
    Account("shift", "值班长", "Shift leader", CITY_CARE),
    Account("dispatcher", "派遣员", "Dispatcher", CITY_CARE),
    Account("handler", "处置部门", "Handler", "440304008"),
    Account("supervisor", "住建监督", "Construction supervisor", "construction"),
    Account("datamanager", "数据管理", "Data manager", "data"),
    Account("admin", "系统管理", "Administrator", "data", superuser=True),
)


# Who may do what with every layer of the city, layer by layer: a layer imported later is nobody's until granted.
RIGHTS = (
    ("department:planning", ("view", "query", "download")),
    ("role:planner", ("view", "query", "download", "edit")),
    ("role:registrar", ("view", "query", "download", "edit", "publish")),
    *((f"department:{office.code}", ("view", "query")) for office in CITY_OFFICES[1:]),
)


def offices() -> list[Office]:
    """Every department, a parent always before its children."""
    wards = [Office(each.code, each.name_zh, each.name_en, CITY_CARE) for each in districts()]
    posts = [Office(each.code, each.name_zh, each.name_en, each.parent) for each in streets()]
    return [*CITY_OFFICES, *wards, *posts]
