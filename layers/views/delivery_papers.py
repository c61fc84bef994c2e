"""What was found in a delivery and what it would change: pages of it, files for the surveyor, the signed package."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from django.conf import settings
from django.db.models import BigIntegerField, Case, F, Q, When
from django.http import FileResponse, HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from accounts.principals import who_asks
from layers.exchange.deliveries import documents
from layers.exchange.deliveries.planning import options_of
from layers.exchange.differences import difference
from layers.exchange.publishing import StagedRows
from layers.models import DeliveryFinding, Layer
from layers.views.deliveries import DeliveryNotFound, delivery_of, may_deliver
from process import audit

router = Router()

MOST_ROWS = 500
A_LEVEL = 10**15  # farther apart than any two findings
RANK = Case(
    When(level="block", then=0), When(level="warn", then=1), default=2, output_field=BigIntegerField()
)


class Page(Schema):
    """Which findings."""

    model_config = ConfigDict(extra="forbid")

    code: str = ""
    level: str = ""
    part: int | None = None
    after: int = 0
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100


@router.get("/deliveries/{int:number}/findings", summary="The faults of a delivery")
def findings(request: HttpRequest, number: int, page: Query[Page]) -> dict[str, Any]:
    """What must be mended first; `next` is the `after` of the next page."""
    found = delivery_of(who_asks(request), number)
    wanted = Q(delivery=found, place_in_list__gt=page.after)
    wanted &= Q(code=page.code) if page.code else Q()
    wanted &= Q(level=page.level) if page.level else Q()
    wanted &= Q(part__order=page.part) if page.part is not None else Q()
    ranked = DeliveryFinding.objects.annotate(place_in_list=RANK * A_LEVEL + F("pk"))
    rows = list(ranked.filter(wanted).select_related("part").order_by("place_in_list")[: page.limit])
    return {
        "findings": [_finding(one) for one in rows],
        "next": vars(rows[-1])["place_in_list"] if len(rows) == page.limit else None,
    }


def _finding(one: DeliveryFinding) -> dict[str, Any]:
    part = one.part
    return {
        "id": one.pk,
        "part": {"order": part.order, "source": part.source, "layer": part.layer_name} if part else None,
        **{
            name: getattr(one, name)
            for name in ("code", "level", "message", "message_zh", "row", "facts", "place")
        },
    }


@router.get("/deliveries/{int:number}/findings.gpkg", summary="The faults, for the surveyor's GIS")
def findings_file(request: HttpRequest, number: int) -> FileResponse:
    """A GeoPackage of the faults at their places."""
    found = delivery_of(who_asks(request), number)
    with tempfile.TemporaryDirectory(dir=settings.ONEMAP_VAR, prefix="findings-") as scratch:
        path = Path(scratch) / "findings.gpkg"
        documents.findings_gpkg(found, path)
        file = path.open("rb")  # stays readable after the folder is gone
    audit.record(who_asks(request).name, "delivery.findings", "delivery", str(found.pk))
    return _file(file, f"delivery-{found.pk}-findings.gpkg", "application/geopackage+sqlite3")


@router.get("/deliveries/{int:number}/verdict.pdf", summary="The verdict on paper")
def verdict_document(request: HttpRequest, number: int) -> HttpResponse:
    """As it stands now."""
    found = delivery_of(who_asks(request), number)
    response = HttpResponse(documents.verdict_pdf(found), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="delivery-{found.pk}-verdict.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@router.get("/deliveries/{int:number}/package.zip", summary="The signed package of an accepted delivery")
def package(request: HttpRequest, number: int) -> FileResponse:
    """Manifest, files, digests and signature."""
    found = delivery_of(who_asks(request), number)
    path = settings.ONEMAP_VAR / "packages" / found.package
    if not found.package or not path.is_file():
        raise DeliveryNotFound()
    audit.record(who_asks(request).name, "delivery.package", "delivery", str(found.pk))
    return _file(path.open("rb"), f"delivery-{found.pk}.zip", "application/zip")


def _file(file: Any, name: str, media: str) -> FileResponse:
    response = FileResponse(file, as_attachment=True, filename=name, content_type=media)
    response.headers["Cache-Control"] = "private, no-store"
    return response


class DiffPage(Schema):
    """Which changes."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["insert", "update", "remove", "conflict"]
    after: int = 0
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100


@router.get("/deliveries/{int:number}/parts/{int:order}/diff", summary="What a delivery would change")
def diff(request: HttpRequest, number: int, order: int, page: Query[DiffPage]) -> dict[str, Any]:
    """The features a part would insert, change or remove, and those where a correction is in the way."""
    who = who_asks(request)
    found = delivery_of(who, number)
    part = found.parts.filter(order=order).first()
    if part is None or "table" not in part.facts or found.state not in {"checked", "waiting"}:
        raise DeliveryNotFound()
    may_deliver(who, {"parts": [{"layer": part.layer_name}]})  # it shows what the layer holds now
    rows = StagedRows.from_json(
        options_of(part, found),
        {name: part.facts[name] for name in ("table", "family", "fields", "count", "extent", "origin")},
    )
    layer = Layer.objects.filter(name=part.layer_name, deleted_at=None).first()
    return difference(rows, layer, op=page.op, after=page.after, limit=page.limit)
