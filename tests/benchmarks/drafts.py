"""Rows of reading the map with a changeset, against the same features of the one map, asked for by the same caller.

A view of 10,000 parcels, of which 2,000 or 50 are changed; a hundred other changesets change the same place.
"""

from layers.changesets.content import FIRST_VERSION
from tests.benchmarks import parcels
from tests.benchmarks.measure import alternate
from tests.benchmarks.report import Row
from tests.benchmarks.serving import ITEMS, LAYER

SIZES = (2_000, 50)
NAMES = tuple(f"changeset_{size}" for size in SIZES)
OTHERS, EACH = 100, 200
PEER = "published"
OWNER = "key:data/bench"
# A changed parcel is drawn 10 cm further north and used otherwise; every fifth is deleted.
FILL = """
INSERT INTO layers_changesetfeature (changeset_id, layer_id, fid, op, version, base_version, base_revision, geom,
       content, author, at)
SELECT {changeset}, layer.id, was.fid, CASE WHEN mod(was.nth, 5) = 0 THEN 'delete' ELSE 'update' END, {version},
       was.version, was.rev_from, ST_Translate(was.geom, 0, 0.1), was.content, '{owner}', now()
  FROM layers_layer AS layer,
       (SELECT fid, version, rev_from, geom, row_number() OVER (ORDER BY md5(fid::text || {changeset}::text)) AS nth,
               to_jsonb(parcel) - ARRAY['fid', 'version', 'rev_from', 'geom', 'label_pt'] || '{{"f_002": "混合用地"}}'
               AS content
          FROM data.{layer} AS parcel
         WHERE geom && ST_MakeEnvelope({box}, {srid})) AS was
 WHERE layer.name = '{layer}' AND was.nth <= {count}
"""
CREATE = """
INSERT INTO layers_changeset (title, about, state, shared, owner, editors, counter, approved_by, created_at, changed_at)
SELECT 'bench', '', 'private', false, %s, ARRAY[%s], 1, '', now(), now() RETURNING id
"""
TOUCHED = """
INSERT INTO layers_changesetlayer (changeset_id, layer_id, inserted, updated, deleted)
SELECT changeset_id, layer_id, 0, count(*), 0 FROM layers_changesetfeature GROUP BY 1, 2
"""


def view(extent):
    """The box of the view, metres: 10,000 parcels in the middle of the layer."""
    columns, rows = extent
    x = parcels.WEST + parcels.SIDE_M * ((columns - ITEMS) // 2 + 0.5)
    y = parcels.SOUTH + parcels.SIDE_M * ((rows - ITEMS) // 2 + 0.5)
    side = parcels.SIDE_M * (ITEMS - 1)
    return x, y, x + side, y + side


def draw(bed, box, count, owner):
    """A changeset with this many changed parcels in the box; its number."""
    (number,) = bed.query(CREATE, owner, owner)[0]
    listed = ", ".join(str(value) for value in box)
    facts = {
        "layer": LAYER,
        "srid": parcels.SRID,
        "owner": owner,
        "version": FIRST_VERSION + 1,
        "box": listed,
    }
    bed.query(FILL.format(changeset=number, count=count, **facts))
    return number


def measure(run):
    """Rows changeset_2000 and changeset_50."""
    if not run.wants(*NAMES):
        return []
    bed, box = run.bed, view(run.extent)
    key = bed.key("bench")
    numbers = {size: draw(bed, box, size, OWNER) for size in SIZES}
    for _ in range(OTHERS):
        draw(bed, box, EACH, "user:another")
    bed.query(TOUCHED)
    bed.settle()
    listed = ",".join(f"{value:.7f}" for value in box)
    path = f"/ogc/collections/{LAYER}/items?limit=10000&crs=EPSG:4547&bbox-crs=EPSG:4547&bbox={_north_first(listed)}"

    def asked(more):
        return lambda _number: run.client.seconds(bed.port, [path + more], clients=1, key=key)

    rows = []
    for size, number in numbers.items():
        medians = alternate({"ours": asked(f"&changeset={number}"), PEER: asked("")}, run.rounds)
        rows.append(Row(f"changeset_{size}", PEER, medians["ours"], medians[PEER]))
    return rows


def _north_first(listed):
    """EPSG:4547 is written north first."""
    west, south, east, north = listed.split(",")
    return f"{south},{west},{north},{east}"
