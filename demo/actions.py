"""Load the demonstration city: its departments and accounts, then its layers through the import."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.actions import ensure_department, ensure_role, ensure_user
from accounts.models import Department
from demo.layers import LAYERS
from demo.package import write_city
from demo.people import ACCOUNTS, RIGHTS, offices
from demo.spec import FieldSpec, LayerSpec
from layers.actions.grants import give, grantee
from layers.exchange.options import ImportOptions
from layers.models import Layer

Importer = Callable[[Path, ImportOptions], Mapping[str, Any]]
DONE = "done"
ABSTRACT_ZH = "演示城市的数据,由程序生成:名称和代码取自深圳,图形均为虚构。"
ABSTRACT_EN = (
    "Data of the demonstration city, generated: names and codes are Shenzhen's, every shape is invented."
)


@transaction.atomic
def settle_people() -> dict[str, int]:
    """Make the departments, roles and accounts, or bring them to what `demo.people` says.

    Returns
    -------
    dict
        How many departments and accounts there are now.
    """
    made: dict[str, Department] = {}
    for office in offices():
        parent = made[office.parent] if office.parent else None
        made[office.code] = ensure_department(office.code, office.name_zh, office.name_en, parent)
    for account in ACCOUNTS:
        role = ensure_role(account.username, account.name_zh, account.name_en)
        ensure_user(
            account.username,
            settings.ONEMAP_DEMO_PASSWORD,
            made[account.department],
            [role],
            account.name_zh,
            is_superuser=account.superuser,
        )
    return {"departments": len(made), "accounts": len(ACCOUNTS)}


def missing_layers() -> list[str]:
    """Names of the city's layers that the catalogue does not hold yet, in their order."""
    held = set(Layer.objects.filter(name__in=[spec.name for spec in LAYERS]).values_list("name", flat=True))
    return [spec.name for spec in LAYERS if spec.name not in held]


def import_options(spec: LayerSpec) -> ImportOptions:
    """What the import is told of a layer; `demo` keeps it from ever serving as a control for positions."""
    return ImportOptions(
        layer=spec.name,
        title=spec.title_zh,
        title_en=spec.title_en,
        abstract_zh=ABSTRACT_ZH + "".join(f"{field.alias_zh}:{field.note_zh}。" for field in noted(spec)),
        abstract_en=ABSTRACT_EN + "".join(f" {field.alias_en}: {field.note_en}." for field in noted(spec)),
        department=spec.department,
        theme=spec.theme,
        secrecy=spec.secrecy,
        public=spec.public,
        label_field=spec.label_field or "",
        style=spec.style,
        fields={
            field.name: {
                "alias_zh": field.alias_zh,
                "alias_en": field.alias_en,
                "unit": field.unit,
                **({"code_list": spec.codes[field.name]} if field.name in spec.codes else {}),
            }
            for field in spec.fields
        },
        key=spec.key or None,
        joins=spec.joins,
        join_field=spec.join_field,
        checks=dict(spec.checks),
        update_days=spec.update_days,
        order=LAYERS.index(spec) * 10 + 10,
        visible=spec.visible,
        demo=True,
        actor="demo_city",
    )


def noted(spec: LayerSpec) -> list[FieldSpec]:
    """The fields whose meaning needs a word."""
    return [field for field in spec.fields if field.note_en]


def grant_rights(name: str) -> None:
    """Open a layer of the city to its departments and roles (`demo.people.RIGHTS`)."""
    layer = Layer.objects.get(name=name)
    for whom, actions in RIGHTS:
        give(grantee(whom), actions, by="demo_city", layer=layer)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder below the site's own, gone afterwards."""
    settings.ONEMAP_VAR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="demo-", dir=settings.ONEMAP_VAR) as folder:
        yield Path(folder)


def load_city(
    size: str, seed: int, importer: Importer, say: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Load the city; what is there already stays as it is.

    Parameters
    ----------
    size
        A name of `demo.sizes.SIZES`.
    seed
        The city's number.
    importer
        Imports one file as told, and reports as `import_layer` does.
    say
        Told of each layer when it is in.

    Returns
    -------
    dict
        `status` done or what the import said, `already` whether nothing was left to do, `layers` with the
        features imported now, and how many departments and accounts there are.

    Raises
    ------
    UnknownSize
        No such size.
    """
    report: dict[str, Any] = {"status": DONE, "size": size, "seed": seed, **settle_people()}
    wanted = missing_layers()
    report |= {"already": not wanted, "layers": {}}
    if not wanted:
        return report
    with scratch_folder() as folder:
        for spec, path in write_city(folder, size, seed):
            if spec.name not in wanted:
                continue
            result = importer(path, import_options(spec))
            if result["status"] != DONE:
                return report | {"status": result["status"], "layer": spec.name, "import": dict(result)}
            grant_rights(spec.name)
            report["layers"][spec.name] = result["inserted"]
            say(f"{spec.title_zh} {spec.name}: {result['inserted']}")
    return report
