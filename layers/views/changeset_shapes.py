"""What goes in and comes out of /api/changesets."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from layers.actions.edit import MOST_EDITS
from layers.fids import Fid

StateName = Literal[
    "private", "shared", "submitted", "approved", "published", "returned", "withdrawn", "abandoned"
]
StepName = Literal[
    "share", "unshare", "submit", "withdraw", "return", "approve", "publish", "abandon", "revert"
]
Related = Annotated[int, Field(strict=True, gt=-(MOST_EDITS + 1), lt=2**63)]
Version = Annotated[int, Field(ge=1, lt=2**31)]
Counter = Annotated[int, Field(ge=0, lt=2**62)]


class Strict(Schema):
    """Takes nothing it does not know."""

    model_config = ConfigDict(extra="forbid")


class ChangesetIn(Strict):
    """A new changeset; `shared`: the owner's department sees it and may edit it from the start."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    about: Annotated[str, Field(max_length=4000)] = ""
    shared: bool = False


class DescriptionIn(Strict):
    """What to change of a changeset; what is not named stays. `shared` takes the step share or unshare."""

    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    about: Annotated[str, Field(max_length=4000)] | None = None
    shared: bool | None = None


class DraftEditIn(Strict):
    """One edit.

    `version` is the one that the map with the changeset shows (update, delete). `split_from` and `merged_into` are
    fids, or -N for the feature that edit N of the same call inserts.
    """

    op: Literal["insert", "update", "delete"]
    fid: Fid | None = None
    version: Version | None = None
    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] = {}
    period: date | None = None
    since: date | None = None
    split_from: Related | None = None
    merged_into: Related | None = None


class EditsIn(Strict):
    """Edits of one layer, all taken or none; `counter`, if given, is the content the caller saw."""

    layer: Annotated[str, Field(max_length=48)]
    edits: Annotated[list[DraftEditIn], Field(min_length=1, max_length=MOST_EDITS)]
    counter: Counter | None = None


class EditsOut(Schema):
    """Fids and versions in the order of the edits."""

    counter: int
    fids: list[int]
    versions: list[int]


class CounterOut(Schema):
    """Where the content stands now."""

    counter: int


class StepIn(Strict):
    """A step: why, and of which content; approve and publish need `counter`, return needs `reason`."""

    reason: Annotated[str, Field(max_length=2000)] = ""
    counter: Counter | None = None


class MergeIn(Strict):
    """Which content is to be merged with the one map."""

    counter: Counter | None = None


class MergeOut(Schema):
    """How many features took over what the one map has now, and how many wait for a decision."""

    counter: int
    merged: int
    conflicts: int


class DecisionIn(Strict):
    """How one conflict is settled.

    `part` is a field's name, 'geometry', 'period' or 'feature', as the conflict names it; `version` the conflict's
    `current_version`; `value` belongs to 'other' (a geometry as GeoJSON in Content-Crs).
    """

    layer: Annotated[str, Field(max_length=48)]
    fid: Fid
    period: date | None = None
    version: Version | None = None
    part: Annotated[str, Field(max_length=200)]
    take: Literal["ours", "theirs", "other"]
    value: Any = None


class ResolveIn(Strict):
    """Decisions; all conflicts of a feature are settled in one call."""

    choices: Annotated[list[DecisionIn], Field(min_length=1, max_length=MOST_EDITS)]
    counter: Counter | None = None


class DepartmentOut(Schema):
    """A department."""

    code: str
    name_zh: str
    name_en: str


class TouchedLayerOut(Schema):
    """A layer that the changeset touches and the caller may see; counts are null for a caller of one area."""

    name: str
    title_zh: str
    title_en: str
    inserted: int | None
    updated: int | None
    deleted: int | None
    revision: int | None  # that publication made


class LineOut(Schema):
    """A changeset in a list. `mine`: the caller made it."""

    id: int
    title: str
    state: StateName
    shared: bool
    owner: str
    department: DepartmentOut | None
    mine: bool
    counter: int
    created_at: datetime
    changed_at: datetime
    layers: list[TouchedLayerOut]


class ListOut(Schema):
    """Changesets, the last changed first; `total` of all pages."""

    changesets: list[LineOut]
    total: int


class LoggedOut(Schema):
    """A step that was taken. `step`: create, share, submit, merge, resolve, …; `state` after it."""

    step: str
    state: StateName
    counter: int
    by: str
    at: datetime
    reason: str


class ChangesetOut(LineOut):
    """A changeset. `steps`: those the caller may take now; `editable`: whether the caller may edit it now."""

    about: str
    steps: list[StepName]
    editable: bool
    editors: list[str]
    approved_by: str
    approved_counter: int | None
    submitted_at: datetime | None
    published_at: datetime | None
    reverts: int | None  # the changeset that this one takes back
    log: list[LoggedOut]


class SideOut(Schema):
    """A feature before or after: geometry in longitude and latitude; `area` in square metres on the ellipsoid."""

    properties: dict[str, Any]
    geometry: dict[str, Any] | None
    area: float | None
    valid_to: date | None


class FieldChangeOut(Schema):
    """A field that changes."""

    name: str
    before: Any
    after: Any


class DifferenceOut(Schema):
    """A changed feature. `version` is that of the map with the changeset; `base_revision` where it started from."""

    layer: str
    fid: int
    period: date | None
    op: Literal["insert", "update", "delete"]
    author: str
    at: datetime
    split_from: int | None
    merged_into: int | None
    version: int
    base_version: int | None
    base_revision: int | None
    before: SideOut | None
    after: SideOut | None
    reshaped: bool
    fields: list[FieldChangeOut]


class LedgerOut(Schema):
    """Of a layer, as far as the caller sees it: features, and square metres on the ellipsoid before and after."""

    layer: str
    inserted: int
    updated: int
    deleted: int
    area_before: float
    area_after: float


class DiffOut(Schema):
    """A page of changes, by layer, fid and period; `next` continues it. The ledger comes with the first page."""

    counter: int
    changes: list[DifferenceOut]
    ledger: list[LedgerOut]
    next: str | None


class ConflictPartOut(Schema):
    """A part that both sides changed.

    `kind`: field, geometry, period, deleted-there (on the one map), deleted-here, inserted-there, overlap (two
    periods). `part`: the field's name, 'geometry', 'period' or 'feature'. Values are the field's; geometries GeoJSON
    in longitude and latitude; null for 'feature'.
    """

    kind: Literal["field", "geometry", "period", "deleted-there", "deleted-here", "inserted-there", "overlap"]
    part: str
    base: Any
    ours: Any
    theirs: Any


class ConflictOut(Schema):
    """A feature with conflicts. `current_version`: on the one map now, null where it is gone from there, or from sight.

    `hidden`: one of the versions lies beyond the caller's rights, so no values are told.
    """

    layer: str
    fid: int
    period: date | None
    version: int
    base_version: int | None
    current_version: int | None
    hidden: bool
    parts: list[ConflictPartOut]


class ConflictsOut(Schema):
    """The conflicts of a changeset with the one map as it is now."""

    counter: int
    conflicts: list[ConflictOut]
    total: int
