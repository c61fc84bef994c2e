"""The one compiler of rights: principal and layer in, what may be seen out.

`scope()` is the only way to a `Scope`, and a `Scope` the only way into layers.queries.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from django.utils import timezone

from accounts.clearance import Clearance
from accounts.principals import Principal
from layers import catalogue
from layers.catalogue import Catalogue, FieldInfo, GrantInfo, LayerInfo, LayerNotFound
from spatial.errors import Kind, OnemapError

MOST_COMPILED = 10_000  # scopes remembered with one catalogue


class Action(StrEnum):
    """What a grant may allow (contract.md, Rights)."""

    VIEW = "view"
    QUERY = "query"
    DOWNLOAD = "download"
    EDIT = "edit"
    PUBLISH = "publish"
    ADMIN = "admin"


class NotGranted(OnemapError):
    """The caller knows the layer but lacks this right on it."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "not-granted"
    message: ClassVar = "you may not {action} layer {layer}; ask the department that owns it for the right"
    message_zh: ClassVar = "您没有图层 {layer} 的 {action} 权限，请向其主管部门申请"


class FieldNotFound(OnemapError):
    """No such field for the caller (hidden and missing are the same)."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "field-not-found"
    message: ClassVar = "layer {layer} has no field {field}"
    message_zh: ClassVar = "图层 {layer} 没有字段 {field}"


@dataclass(frozen=True, slots=True)
class FieldScope:
    """A field the caller may see, and where: `areas` None is wherever the feature is visible."""

    field: FieldInfo
    areas: tuple[bytes, ...] | None  # WKB, storage CRS


@dataclass(frozen=True, slots=True)
class Scope:
    """What one caller may do with one layer by one action: the fields, and the area.

    `areas` None is everywhere; else a feature is visible when it intersects one of them (WKB, storage CRS).
    Scopes are made by `scope()` only.
    """

    layer: LayerInfo
    action: Action
    actions: frozenset[Action]
    fields: tuple[FieldScope, ...]
    areas: tuple[bytes, ...] | None
    digest: str
    version: int  # of the catalogue

    @property
    def unlimited(self) -> bool:
        """Whether every feature with every field is visible."""
        return self.areas is None and len(self.fields) == len(self.layer.fields)

    def field(self, name: str) -> FieldInfo:
        """The visible field of this name.

        Raises
        ------
        FieldNotFound
            There is none, or it is hidden from the caller.
        """
        for visible in self.fields:
            if visible.field.name == name:
                return visible.field
        raise FieldNotFound(layer=self.layer.name, field=name)


def scope(principal: Principal, layer_name: str, action: Action, *, of: Catalogue | None = None) -> Scope:
    """Compile what `principal` may see of a layer by `action`.

    Parameters
    ----------
    of
        The catalogue to compile from; the current one if not given.

    Raises
    ------
    LayerNotFound
        The layer does not exist, or nothing of it is granted to this caller: the same answer.
    NotGranted
        The caller may see the layer but not act so on it.
    """
    known = of or catalogue.current()
    return _scope(principal, known.layer(layer_name), action, known)


def raster_scope(principal: Principal, name: str, action: Action, *, of: Catalogue | None = None) -> Scope:
    """The same for a raster layer; it has no fields, and its areas bound the cells that may be seen.

    Raises
    ------
    LayerNotFound, NotGranted
    """
    known = of or catalogue.current()
    return _scope(principal, known.raster(name), action, known)


def _scope(principal: Principal, layer: LayerInfo, action: Action, known: Catalogue) -> Scope:
    grants = _applying(known, layer, principal)
    actions = frozenset(Action(name) for grant in grants for name in grant.actions)
    if not actions or principal.clearance < layer.secrecy:
        raise LayerNotFound(layer=layer.name)
    chosen = [grant for grant in grants if action in grant.actions]
    if not chosen:
        raise NotGranted(layer=layer.name, action=action.value)
    # Which grants apply is asked anew each time; what the same grants give does not change within one catalogue.
    key = (layer.id, action, tuple(grant.id for grant in grants))
    found: Scope | None = known.compiled.get(key)
    if found is None:
        found = _compile(layer, action, actions, chosen, known.version)
        if len(known.compiled) >= MOST_COMPILED:
            known.compiled.clear()
        known.compiled[key] = found
    return found


def visible_layers(
    principal: Principal, action: Action = Action.VIEW, *, of: Catalogue | None = None
) -> list[Scope]:
    """A scope for each layer of which this caller has `action`, in the catalogue's order."""
    known = of or catalogue.current()
    found = []
    for name in known.layers:
        try:
            found.append(scope(principal, name, action, of=known))
        except (LayerNotFound, NotGranted):
            continue
    return found


def visible_rasters(principal: Principal, action: Action = Action.VIEW) -> list[Scope]:
    """A scope for each raster layer of which this caller has `action`, in the catalogue's order."""
    known = catalogue.current()
    found = []
    for layer in known.rasters.values():
        try:
            found.append(_scope(principal, layer, action, known))
        except (LayerNotFound, NotGranted):
            continue
    return found


def may_everywhere(principal: Principal, action: Action) -> bool:
    """Whether a grant on every layer, without limits of fields or area, gives this action to the caller."""
    return any(
        grant.layer_id is None
        and grant.theme_id is None
        and grant.fields is None
        and grant.area is None
        and action.value in grant.actions
        for grant in _current_grants(catalogue.current().grants, principal)
    )


def may_still(principal: Principal, layer_id: int, theme_id: int, secrecy: Clearance, action: Action) -> bool:
    """Whether the caller has this action, without limits, on a layer that the catalogue does not show any more."""
    return principal.clearance >= secrecy and any(
        grant.layer_id in {None, layer_id}
        and grant.theme_id in {None, theme_id}
        and grant.fields is None
        and grant.area is None
        and action.value in grant.actions
        for grant in _current_grants(catalogue.current().grants, principal)
    )


def grants_reaching(principal: Principal, layer: LayerInfo) -> list[GrantInfo]:
    """The grants that hold now for this caller on a layer, whatever the clearance."""
    return _applying(catalogue.current(), layer, principal)


def explain_access(principal: Principal, layer_name: str, action: Action) -> list[str]:
    """Sentences naming the grants by which `principal` may act on a layer; or why not."""
    known = catalogue.current()
    layer = known.rasters.get(layer_name) or known.layer(layer_name)
    if principal.clearance < layer.secrecy:
        return [
            f"refused: {principal.name} is cleared for {principal.clearance.value}, the layer is {layer.secrecy.value}"
        ]
    lines = [_sentence(grant) for grant in _applying(known, layer, principal) if action in grant.actions]
    return lines or [f"refused: no grant gives {action.value} on {layer_name} to {principal.name}"]


def _sentence(grant: GrantInfo) -> str:
    on = (
        "every layer"
        if grant.layer_id is None and grant.theme_id is None
        else "its theme"
        if grant.theme_id
        else "this layer"
    )
    whom = {"public": "everyone", "role": f"role {grant.role}", "user": f"user {grant.user_id}"}
    limits = [f"fields {', '.join(sorted(grant.fields))}"] if grant.fields is not None else []
    limits += [f"area {grant.area_label or 'drawn'}"] if grant.area is not None else []
    limits += [f"until {grant.until.isoformat()}"] if grant.until else []
    to = whom.get(grant.to, f"department {grant.department_id} and below")
    return f"grant {grant.id}: {', '.join(sorted(grant.actions))} on {on} to {to}" + (
        f" ({'; '.join(limits)})" if limits else ""
    )


def _applying(known: Catalogue, layer: LayerInfo, principal: Principal) -> list[GrantInfo]:
    return _current_grants(known.grants_by_layer.get(layer.id, ()), principal)


def _current_grants(grants: Iterable[GrantInfo], principal: Principal) -> list[GrantInfo]:
    now = timezone.now()
    return [
        grant
        for grant in grants
        if _is_to(grant, principal)
        and (grant.until is None or now < grant.until)
        and (grant.valid_from is None or now >= grant.valid_from)
    ]


def _is_to(grant: GrantInfo, principal: Principal) -> bool:
    if grant.to == "public":
        return True
    if grant.to == "department":
        return grant.department_id in principal.department_ids
    if grant.to == "role":
        return grant.role in principal.roles
    return grant.user_id is not None and grant.user_id == principal.user_id


def _compile(
    layer: LayerInfo, action: Action, actions: frozenset[Action], grants: list[GrantInfo], version: int
) -> Scope:
    areas = _union([grant.area for grant in grants])
    fields = []
    for field in layer.fields:
        giving = [grant for grant in grants if grant.fields is None or field.name in grant.fields]
        if giving:
            where = _union([grant.area for grant in giving])
            fields.append(FieldScope(field, None if where == areas else where))
    return Scope(layer, action, actions, tuple(fields), areas, _digest(layer, fields, areas), version)


def _union(areas: list[bytes | None]) -> tuple[bytes, ...] | None:
    if any(area is None for area in areas):
        return None
    return tuple(sorted({area for area in areas if area is not None}))


def _digest(layer: LayerInfo, fields: list[FieldScope], areas: tuple[bytes, ...] | None) -> str:
    """A short name of what is visible: equal for two callers who may see the same."""
    parts = [
        layer.id,
        [
            (
                one.field.column,
                one.field.name,
                [area.hex() for area in one.areas] if one.areas is not None else None,
            )
            for one in fields
        ],
        [area.hex() for area in areas] if areas is not None else None,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def operator_scope(layer_name: str, action: Action = Action.DOWNLOAD) -> Scope:
    """The whole layer, for commands that the operator runs on the server; never for a request.

    Raises
    ------
    LayerNotFound
    """
    known = catalogue.current()
    layer = known.layer(layer_name)
    fields = [FieldScope(field, None) for field in layer.fields]
    return Scope(
        layer, action, frozenset(Action), tuple(fields), None, _digest(layer, fields, None), known.version
    )
