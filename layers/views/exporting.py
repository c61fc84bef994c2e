"""Asking for an export, looking at it, fetching its file."""

from typing import Any

from django.http import FileResponse, HttpRequest
from ninja import Router, Schema, Status
from pydantic import ConfigDict

from accounts.principals import who_asks
from layers.exchange import export_jobs
from layers.exchange.export_jobs import ExportRequest
from layers.exchange.exports import MEDIA
from layers.exchange.exports.areas import drawn_area
from layers.ogc import axes
from layers.rights import Action, scope
from process import audit
from process.models import Job, State
from spatial.crs import crs_of

router = Router()


class ExportIn(Schema):
    """What to write; `area` is a GeoJSON polygon in longitude and latitude, or {"division": "CODE"}."""

    model_config = ConfigDict(extra="forbid")

    format: str
    crs: str | None = None
    encoding: str = "utf-8"
    area: dict[str, Any] | None = None
    cut: bool = False


@router.post("/layers/{name}/exports", response={202: dict[str, Any]}, summary="Ask for an export")
def ask_for_export(request: HttpRequest, name: str, body: ExportIn) -> Status[dict[str, Any]]:
    """A job writes the file; look at /api/exports/JOB until it is done."""
    principal = who_asks(request)
    scope(principal, name, Action.DOWNLOAD)  # before anything else is said of what was sent
    suffix = f".{body.format.lower().lstrip('.')}"
    fallback = crs_of(4326 if suffix == ".geojson" else axes.STORAGE).code
    wanted = ExportRequest(name, suffix, body.crs or fallback, body.encoding, _area(body.area), body.cut)
    return Status(202, {"job": export_jobs.ask(principal, wanted).pk})


def _area(given: dict[str, Any] | None) -> str | None:
    """The area as a request keeps it.

    Raises
    ------
    BadArea
    """
    if given is None:
        return None
    if set(given) == {"division"} and isinstance(given["division"], str):
        return f"division:{given['division'][:40]}"
    return drawn_area(given).hex()


@router.get("/exports/{int:job}", summary="An export")
def read_export(request: HttpRequest, job: int) -> dict[str, Any]:
    """How far it is; once it is done, what was written and until when it is kept."""
    return _told(export_jobs.export_of(who_asks(request), job))


def _told(job: Job) -> dict[str, Any]:
    result = job.result if job.state == State.DONE and job.result else {}
    kept = ("name", "size", "features")
    until = job.finished_at + export_jobs.KEPT if result and job.finished_at else None
    return {
        "job": job.pk,
        "layer": job.arguments["wanted"]["layer"],
        "format": job.arguments["wanted"]["format"],
        "state": job.state,
        "step": job.step,
        "progress": job.progress,
        "reason": job.reason,
        **{name: result.get(name) for name in kept},
        "kept_until": until.isoformat() if until else None,
        "file": f"/api/exports/{job.pk}/file" if result else None,
    }


@router.get("/exports/{int:job}/file", summary="The file of an export")
def fetch_export(request: HttpRequest, job: int) -> FileResponse:
    """The file, for the one who asked and still may have it."""
    principal = who_asks(request)
    path, wanted = export_jobs.file_of(principal, job)
    facts = {"job": job, "size": path.stat().st_size, "format": wanted.format}
    audit.record(principal, "layer.download", "layer", wanted.layer, **facts)
    response = FileResponse(
        path.open("rb"), as_attachment=True, filename=path.name, content_type=MEDIA[wanted.format]
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response
