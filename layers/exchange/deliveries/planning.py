"""From a profile and the files of a delivery to its parts, and from a part to the options of its import."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from layers.exchange.deliveries.flow import incoming
from layers.exchange.deliveries.profile import plan_parts
from layers.exchange.options import ImportOptions
from layers.models import Delivery, DeliveryPart, Layer
from spatial.formats.listing import SourceLayer

PLAIN = (
    *("theme", "secrecy", "key", "valid_time", "label_field", "update_days", "join_field"),
    *("title_en", "abstract_zh", "abstract_en", "style", "order", "visible", "demo", "control", "public"),
)

# An answer that holds for all parts is for those that leave the question open: what a file says of itself stands.
ABOUT_CRS = {"crs-missing", "crs-contradicted", "axes-swapped"}
ABOUT_ENCODING = {"encoding-doubtful"}


def part_rows(
    delivery: Delivery, items: Sequence[SourceLayer]
) -> tuple[list[DeliveryPart], list[str], list[str]]:
    """The parts of a delivery in the order of the profile, what is missing, and what nobody asked for.

    A table comes after the layer it joins, so that what it joins is known.
    """
    planned = plan_parts(delivery.document, [(item.name, item.kind) for item in items])
    root = incoming()
    ordered = sorted(planned.parts, key=lambda one: bool(one.document.get("joins")))
    rows = [
        DeliveryPart(
            delivery=delivery,
            order=place,
            kind=items[one.index].kind,
            source=items[one.index].name,
            path=str(items[one.index].path.relative_to(root)),
            source_layer=items[one.index].source_layer or "",
            layer_name=one.document["layer"],
            options=dict(one.document),
            staged=f"delivery_{delivery.token}_{place}",
        )
        for place, one in enumerate(ordered, start=1)
    ]
    return rows, list(planned.missing_required), list(planned.unclaimed)


def options_of(part: DeliveryPart, delivery: Delivery) -> ImportOptions:
    """What the import of a part is told: the profile's word for it, with the answers that hold for all parts."""
    given, whole = part.options, delivery.document
    answers = {**whole.get("answers", {}), **given.get("answers", {}), **delivery.answers}
    asks = set(part.facts.get("asks", ()))
    read_as = answers.get("read_as", {}).get(part.source, {})  # against what the file says of itself
    department = given.get("department") or whole.get("department") or delivery.department.code
    options = ImportOptions(
        layer=part.layer_name,
        title=given.get("title_zh") or part.layer_name,
        department=department,
        source_crs=read_as.get("source_crs") or (answers.get("source_crs") if asks & ABOUT_CRS else None),
        encoding=read_as.get("encoding") or (answers.get("encoding") if asks & ABOUT_ENCODING else None),
        source_layer=part.source_layer or None,
        mode=given.get("mode") or whole.get("mode") or "replace",
        repair=bool(answers.get("repair", whole.get("repair", False))),
        valid_from=answers.get("valid_from") if _dated(part, given) else None,
        accept=tuple(answers.get("accept", ())),
        conflicts=answers.get("conflicts", "hold"),
        most_changed=given.get("most_changed", whole.get("most_changed")),
        fields=given.get("fields", {}),
        checks=given.get("checks", {}),
        joins=given.get("joins", ""),
        arriving=tuple(
            delivery.parts.filter(layer_name=given.get("joins", "")).values_list("layer_name", flat=True)
        ),
        actor=delivery.sent_by,
    )
    return replace(options, **{name: given[name] for name in PLAIN if given.get(name) is not None})


def _dated(part: DeliveryPart, given: dict[str, Any]) -> bool:
    """Whether the part's layer has valid time: the date of the delivery is for those alone."""
    known = Layer.objects.filter(name=part.layer_name).values_list("valid_time", flat=True).first()
    return bool(given.get("valid_time")) if known is None else bool(known)
