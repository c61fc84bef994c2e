"""Who keeps a layer: the scope by which its own pages are opened."""

from accounts.principals import Principal
from layers import catalogue
from layers.actions import WholeLayerOnly
from layers.rights import Action, NotGranted, Scope, raster_scope, scope

KEEPING = (Action.PUBLISH, Action.ADMIN)


def kept_scope(principal: Principal, name: str, *actions: Action) -> Scope:
    """The scope of a layer, a table or a raster by the first of `actions` that the caller has.

    One that reaches the whole layer goes before one that does not.

    Raises
    ------
    LayerNotFound
    NotGranted
        The caller has none of them.
    """
    known = catalogue.current()
    compiled = raster_scope if name in known.rasters else scope
    found: list[Scope] = []
    for action in actions:
        try:
            found.append(compiled(principal, name, action, of=known))
        except NotGranted:
            continue
    if not found:
        raise NotGranted(layer=name, action=actions[0].value)
    return next((one for one in found if one.unlimited), found[0])


def require_whole(found: Scope) -> Scope:
    """The scope, if it reaches every feature and every field.

    Raises
    ------
    WholeLayerOnly
    """
    if not found.unlimited:
        raise WholeLayerOnly(layer=found.layer.name)
    return found


def kept_layers(principal: Principal) -> list[Scope]:
    """A scope for each layer that the caller keeps as a whole."""
    known = catalogue.current()
    found = []
    for name in (*known.layers, *known.rasters):
        try:
            one = kept_scope(principal, name, *KEEPING)
        except (catalogue.LayerNotFound, NotGranted):
            continue
        if one.unlimited:
            found.append(one)
    return found
