"""DXF drawings: closed outlines become polygons, with the text that lies inside as an attribute.

One layer each for polygons, lines, points and texts. A drawing names no coordinate system; its unit is taken
from $INSUNITS where the coordinates do not say otherwise. Everything is drawn flat: heights are left out.
Source: Autodesk DXF Reference; read with ezdxf.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import ezdxf
import numpy as np
import pyarrow as pa
import shapely
from ezdxf.document import Drawing

from spatial.formats import families
from spatial.formats.drawing import Drawn, Item, draw
from spatial.formats.placing import bounds_of
from spatial.formats.recoding import as_utf8, line_samples
from spatial.formats.refusals import NotAllowedFormat, UnreadableSource
from spatial.formats.source import Geometries, Notes, Source, SourceField, note
from spatial.validity import Family

LAYERS = {"polygons": Family.POLYGON, "lines": Family.LINE, "points": Family.POINT, "texts": Family.POINT}
_LARGEST = 200_000_000
_LONGEST_TEXT = 2_000
_LONGEST_VALUE = 1_000_000
_HEAD = 65_536
_BINARY = b"AutoCAD Binary DXF"
_METRES = {4: (0.001, "毫米", "millimetres"), 5: (0.01, "厘米", "centimetres")}
_FOOT, _INCH = 0.3048, 0.0254
_OTHER = {1: (_INCH, "英寸", "inches"), 2: (_FOOT, "英尺", "feet"), 7: (1000.0, "千米", "kilometres")}
_IN_METRES = 6
_PLANE_X, _PLANE_Y = (100_000.0, 46_000_000.0), (1_000_000.0, 6_500_000.0)
_NO_SYSTEM = "图纸不含坐标系 / a drawing does not name its coordinate system"


def open_dxf(path: Path, name: str, work: Path, encoding: str | None, layer: str | None) -> Source:
    """One of the layers 'polygons', 'lines', 'points' and 'texts' of a drawing.

    Parameters
    ----------
    path : Path
        A .dxf, as text or binary.
    name : str
        What it is called.
    work : Path
        An empty folder of our own.
    encoding : str, optional
        A person's choice for its text.
    layer : str, optional
        Which layer, where the drawing has several.

    Raises
    ------
    NotAllowedFormat
        A DWG under another name.
    UnreadableSource
        Broken, larger than 200 MB, or of more than 2,000,000 entities.
    SourceLayerMissing
        Several layers, and none or an unknown one was chosen.
    """
    used, sure, drawing = _load(path, name, work, encoding)
    notes: Notes = []
    drawn = draw(drawing, name)
    _tell(drawn, notes)
    scale = _scale(int(drawing.header.get("$INSUNITS", 0)), drawn, notes)
    present = {kind: items for kind in LAYERS if (items := drawn.layers[kind])}
    chosen = families.choose(list(present) or ["polygons"], layer)
    items = present.get(chosen, [])
    shapes = _scaled(families.as_array([item.shape for item in items]), scale)
    labels = _labels(shapes, drawn.layers["texts"], scale) if chosen == "polygons" else None
    fields, table = _table(chosen, items, labels)
    return Source(
        driver="DXF",
        layer=chosen,
        layers=list(present) or ["polygons"],
        fields=fields,
        count=len(items),
        reader=partial(families.batches, shapes, table),
        srid=None,
        crs_note=_NO_SYSTEM,
        encoding=used,
        encoding_sure=sure,
        encoding_samples=[] if sure else line_samples(path),
        bounds=bounds_of(shapes),
        family=LAYERS[chosen],
        notes=notes,
    )


def _load(path: Path, name: str, work: Path, encoding: str | None) -> tuple[str | None, bool, Drawing]:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head[:4] == b"AC10":
        raise NotAllowedFormat(name, "it is a DWG; save it as DXF", "内容是 DWG；请另存为 DXF")
    if path.stat().st_size > _LARGEST:
        raise UnreadableSource(name, "a drawing of more than 200 MB", "图纸超过 200 MB")
    link = work / "source.dxf"
    if head.startswith(_BINARY):
        link.symlink_to(path.resolve())
        return "utf-8", True, _parsed(link, name, None)
    if b"\x00" in head or b"SECTION" not in head.upper():
        raise UnreadableSource(name, "it does not begin as a drawing", "开头不是 DXF 图纸")
    _refuse_long_values(path, name)
    used, sure = as_utf8(path, link, name, encoding, _codepage(head))
    return used, sure, _parsed(link, name, "utf-8")


def _codepage(head: bytes) -> str | None:
    """What the header says of its text: UTF-8 from AutoCAD 2007 on, a code page before."""
    lines = [line.strip() for line in head.splitlines()]
    values = {
        lines[place]: lines[place + 2] for place in range(len(lines) - 2) if lines[place].startswith(b"$")
    }
    if values.get(b"$ACADVER", b"") >= b"AC1021":
        return "utf-8"
    return values.get(b"$DWGCODEPAGE", b"").decode("ascii", "ignore")[:40] or None


def _refuse_long_values(path: Path, name: str) -> None:
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_VALUE + 1):
            if len(line) > _LONGEST_VALUE:
                raise UnreadableSource(name, "a value is longer than 1 MB", "有一个值超过 1 MB")


def _parsed(path: Path, name: str, encoding: str | None) -> Drawing:
    try:
        return ezdxf.readfile(path, encoding=encoding)  # type: ignore[attr-defined]
    except Exception:  # whatever a hostile drawing makes the parser stumble over, it is the drawing's fault
        raise UnreadableSource(name, "the drawing is broken or incomplete", "图纸损坏或不完整") from None


def _tell(drawn: Drawn, notes: Notes) -> None:
    """What was not read, and why."""
    if drawn.unread:
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(drawn.unread.items()))
        note(
            notes,
            "entities-not-read",
            f"未读入的图元：{told}",
            f"entities not read: {told}",
            sum(drawn.unread.values()),
        )
    if drawn.not_expanded:
        zh = "图块引用自身、嵌套过深或展开过多，未展开"
        en = "blocks that refer to themselves, nest too deeply or bring too much were not expanded"
        note(notes, "blocks-not-expanded", zh, en, drawn.not_expanded)
    if drawn.cut:
        zh, en = f"文字超过 {_LONGEST_TEXT} 字，已截断", f"texts were cut after {_LONGEST_TEXT} characters"
        note(notes, "text-cut", zh, en, drawn.cut)


def _scale(unit: int, drawn: Drawn, notes: Notes) -> float:
    """Metres per drawing unit.

    Templates often say millimetres over coordinates in metres, so a drawing that lies where the national
    planes have their coordinates is taken to be in metres.
    """
    if unit == _IN_METRES:
        return 1.0
    known = {**_METRES, **_OTHER}.get(unit)
    if known is None:
        zh, en = "图纸未说明单位，按米读取", "the drawing does not state its unit; read as metres"
        note(notes, "unit-unstated", zh, en)
        return 1.0
    scale, zh, en = known
    if _on_a_plane(drawn):
        told = (
            f"图纸单位写为{zh}，坐标却是米，按米读取",
            f"the header says {en}, the coordinates are metres: read as metres",
        )
        note(notes, "unit-contradicted", *told)
        return 1.0
    note(notes, "unit-scaled", f"图纸单位为{zh}，已换算为米", f"the drawing is in {en}; turned into metres")
    return scale


def _on_a_plane(drawn: Drawn) -> bool:
    """Whether most of the drawing lies where the planes of three and six degrees have their coordinates."""
    items = drawn.layers["polygons"] or [item for items in drawn.layers.values() for item in items]
    if not items:
        return False
    boxes = shapely.bounds(families.as_array([item.shape for item in items]))
    x, y = np.nanmedian(boxes[:, 0]), np.nanmedian(boxes[:, 1])
    return bool(_PLANE_X[0] <= x <= _PLANE_X[1] and _PLANE_Y[0] <= y <= _PLANE_Y[1])


def _scaled(shapes: Geometries, scale: float) -> Geometries:
    if scale == 1.0:
        return shapes
    moved: Geometries = shapely.transform(shapes, lambda points: points * scale)
    return moved


def _labels(polygons: Geometries, texts: list[Item], scale: float) -> list[str | None]:
    """The texts inside each polygon, from top to bottom; a text belongs to the smallest polygon around it."""
    found: list[list[tuple[float, float, str]]] = [[] for _ in polygons]
    places = _scaled(families.as_array([item.shape for item in texts]), scale)
    sound = shapely.make_valid(polygons)
    areas = shapely.area(polygons)
    smallest: dict[int, int] = {}
    if texts and len(polygons):
        tree = shapely.STRtree(sound)
        for text, polygon in zip(*tree.query(places, predicate="intersects"), strict=True):
            best = smallest.setdefault(int(text), int(polygon))
            if areas[polygon] < areas[best]:
                smallest[int(text)] = int(polygon)
    for text, polygon in smallest.items():
        found[polygon].append((-places[text].y, places[text].x, texts[text].text))
    return ["\n".join(label for *_, label in sorted(one))[:_LONGEST_TEXT] or None for one in found]


def _table(
    kind: str, items: list[Item], labels: list[str | None] | None
) -> tuple[tuple[SourceField, ...], pa.Table]:
    texts: dict[str, Callable[[Item], str]] = {
        "layer": lambda item: item.layer,
        "entity": lambda item: item.kind,
        "block": lambda item: item.block,
        "handle": lambda item: item.handle,
    }
    columns: dict[str, pa.Array] = {
        name: pa.array([value(item) or None for item in items], pa.string()) for name, value in texts.items()
    }
    if kind in {"polygons", "texts"}:
        columns["text"] = pa.array(
            labels if labels is not None else [item.text or None for item in items], pa.string()
        )
    fields = tuple(SourceField(name, "text") for name in columns)
    return fields, pa.table(list(columns.values()), names=list(columns))
