"""Packages of layers and of deliveries: written for others, and applied when others send them."""

import shutil
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone

from layers.exchange.deliveries.flow import import_delivery_now
from layers.exchange.exports import export
from layers.models import Delivery, Field, Layer
from layers.packages import Manifest, add_code_lists, unpack_package, verify_package, write_package
from layers.packages.writing import packages_folder
from layers.rights import operator_scope
from process import audit
from process.models import Job
from spatial.crs import crs_of
from spatial.errors import Kind, OnemapError

LAYER_FACTS = (
    *("title_zh", "title_en", "abstract_zh", "abstract_en", "secrecy", "valid_time", "label_field"),
    *("update_days", "join_field", "checks", "style", "order"),
)
FIELD_FACTS = ("alias_zh", "alias_en", "unit", "required", "minimum", "maximum", "max_length")


class NoPackageOfDelivery(OnemapError):
    """Only an accepted delivery has a package."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "delivery-not-packaged"
    message: ClassVar = "delivery {delivery} has no package: it was not accepted"
    message_zh: ClassVar = "交付 {delivery} 尚未入库，没有数据包"


class NoLayers(OnemapError):
    """A package of layers needs one."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "package-no-layers"
    message: ClassVar = "name the layers the package is to hold"
    message_zh: ClassVar = "请指明要打包的图层"


def copy_package(delivery_id: int, to: Path, *, actor: str) -> Path:
    """Copy the package of an accepted delivery, once it was verified anew.

    Raises
    ------
    NoPackageOfDelivery
    """
    delivery = Delivery.objects.filter(pk=delivery_id).exclude(package="").first()
    source = packages_folder() / delivery.package if delivery else None
    if source is None or not source.is_file():
        raise NoPackageOfDelivery(delivery=delivery_id)
    verify_package(source)
    part = to.with_name(f".{to.name}.part")
    try:
        shutil.copyfile(source, part)
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    audit.record(actor, "package.write", "delivery", str(delivery_id))
    return to


def write_layers(names: Sequence[str], to: Path | None = None, *, name: str, actor: str) -> Path:
    """Write layers as they are today as a package, with a profile by which another instance takes them.

    Raises
    ------
    NoLayers, LayerNotFound
    """
    if not names:
        raise NoLayers()
    scopes = [operator_scope(one) for one in dict.fromkeys(names)]
    settings.ONEMAP_VAR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.ONEMAP_VAR, prefix="package-") as folder:
        for scope in scopes:
            export(scope, Path(folder) / f"{scope.layer.name}.gpkg", crs=crs_of(settings.ONEMAP_SRID))
        layers = list(Layer.objects.filter(name__in=[scope.layer.name for scope in scopes], deleted_at=None))
        path = write_package(Path(folder), to, facts=_facts(layers, name))
    for layer in layers:
        audit.record(actor, "package.write", "layer", layer.name, package=name)
    return path


def _facts(layers: Sequence[Layer], name: str) -> dict[str, Any]:
    return {
        "name": name,
        "made_at": timezone.now(),
        "city_zh": settings.ONEMAP_CITY_ZH,
        "city_en": settings.ONEMAP_CITY_EN,
        "profile": profile_of(layers, name),
        "answers": {"source_crs": f"EPSG:{settings.ONEMAP_SRID}", "encoding": "utf-8"},
        "layers": [
            {"layer": one.name, "revision": one.revision, "features": one.feature_count} for one in layers
        ],
    }


def profile_of(layers: Sequence[Layer], title: str) -> dict[str, Any]:
    """The profile by which exported layers are taken elsewhere: each replaces its like, identity by key."""
    return {
        "version": 1,
        "title_zh": title,
        "title_en": title,
        "department": layers[0].department.code,
        "mode": "replace",
        "parts": [_part(layer, {f"part:{one.name}" for one in layers}) for layer in layers],
    }


def _part(layer: Layer, parts: Collection[str]) -> dict[str, Any]:
    told = {name: getattr(layer, name) for name in LAYER_FACTS}
    told["checks"] = {name: rule for name, rule in layer.checks.items() if _parts_in(rule) <= set(parts)}
    part = {
        "source": layer.name,
        "kind": "table" if layer.family == Layer.Family.TABLE else "layer",
        "layer": layer.name,
        "theme": layer.theme.code,
        "department": layer.department.code,
        "required": True,
        "mode": "replace",
        "fields": {field.name: _field(field) for field in layer.fields.select_related("code_list")},
        **{name: value for name, value in told.items() if value not in ("", None, {})},
    }
    if layer.key_field:
        part["key"] = layer.key_field
    if layer.joins is not None:
        part["joins"] = layer.joins.name
    return part


def _parts_in(rule: Any) -> set[str]:
    """The parts of a delivery that a check is about: one that is not packed cannot be checked against."""
    if isinstance(rule, str):
        return {rule} if rule.startswith("part:") else set()
    inner = rule.values() if isinstance(rule, dict) else rule if isinstance(rule, list) else ()
    return set().union(*map(_parts_in, inner))


def _field(field: Field) -> dict[str, Any]:
    told = {name: getattr(field, name) for name in FIELD_FACTS}
    facts = {name: value for name, value in told.items() if value not in ("", None, False)}
    if field.code_list is not None:
        facts["code_list"] = f"{field.code_list.code}@{field.code_list.edition}"
    return facts


def apply_package(
    path: Path,
    *,
    actor: str,
    department: str = "",
    accept: Sequence[str] = (),
    dry_run: bool = False,
    on_progress: Callable[[Job], None] | None = None,
) -> dict[str, Any]:
    """Take a package of a trusted signer as a delivery; return the report of the import.

    Raises
    ------
    OnemapError
        The package, its signer or what it holds cannot be taken (layers.packages.verify_package).
    """
    verified = verify_package(path)
    manifest = verified.manifest
    settings.ONEMAP_VAR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.ONEMAP_VAR, prefix="package-") as scratch:
        unpacked = unpack_package(path, Path(scratch) / "files", expected=manifest)
        added = [] if dry_run else add_code_lists(manifest.code_lists, actor)
        audit.record(
            actor, "package.apply", "package", manifest.name, signer=verified.signer, dry_run=dry_run
        )
        document = _for_department(manifest.document, department)
        report = import_delivery_now(
            _main(unpacked, manifest),
            document,
            name=manifest.name[:300],
            department=str(document.get("department", "")),
            actor=actor,
            answers=manifest.answers | {"accept": sorted({*manifest.answers.get("accept", ()), *accept})},
            dry_run=dry_run,
            on_progress=on_progress,
        )
    return report | {"package": manifest.name, "signer": verified.signer, "code_lists_added": added}


def _for_department(document: dict[str, Any], department: str) -> dict[str, Any]:
    """The profile with another department: codes of one city say nothing in another."""
    if not department:
        return document
    parts = [
        {name: value for name, value in part.items() if name != "department"} for part in document["parts"]
    ]
    return {**document, "department": department, "parts": parts}


def _main(unpacked: Path, manifest: Manifest) -> Path:
    """What is handed on: the folder, or the one file a package consists of."""
    return unpacked / manifest.files[0].path if len(manifest.files) == 1 else unpacked
