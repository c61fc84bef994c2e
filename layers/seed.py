"""The first rows of an empty catalogue: themes, and the two roles that keep every layer."""

from typing import Any

from accounts.models import Role
from layers.codes import load_seeds
from layers.models import CatalogueState, Grant, Theme
from layers.rights import Action

THEMES = (
    ("base", "基础地理", "Base geography", 10),
    ("plan", "规划成果", "Planning results", 20),
    ("status", "土地现状", "Land status", 30),
    ("management", "公共管理", "City management", 40),
)
KEEPERS = (("admin", "系统管理员", "Administrator"), ("datamanager", "数据管理员", "Data manager"))


def seed(**_: Any) -> None:
    """Fill a catalogue that has never been filled; what an operator changed later is left alone.

    Code lists that a new release brings are added whenever the tables are made or changed.
    """
    load_seeds()
    if CatalogueState.objects.exists():
        return
    CatalogueState.objects.create(version=1)
    for code, zh, en, order in THEMES:
        Theme.objects.get_or_create(code=code, defaults={"title_zh": zh, "title_en": en, "order": order})
    for code, zh, en in KEEPERS:
        keeper, _created = Role.objects.get_or_create(code=code, defaults={"name_zh": zh, "name_en": en})
        Grant.objects.create(
            to="role", role=keeper, actions=[action.value for action in Action], created_by="platform"
        )
