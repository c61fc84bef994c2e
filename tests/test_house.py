"""The rules of the house that no linter knows: docs/decisions and pyproject.toml say why."""

import ast
import re
import string
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
APPS = ("config", "demo", "planning", "gridcity", "tiles", "layers", "process", "accounts", "spatial")
MODULES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py"))
OURS = [path for path in MODULES if "migrations" not in path.parts]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EVERYTHING = [*OURS, *sorted((ROOT / "deploy").glob("*.py")), *TESTS]
MOST_LINES, MOST_OF_A_FUNCTION = 400, 60
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DRAWERS = {"utils", "util", "helpers", "common", "misc", "manager", "core", "base", "tools"}
# The words by which a statement names a layer's table.
LAYER_TABLE = re.compile(
    r"""\b(?:FROM|JOIN|INTO|UPDATE|ONLY|TABLE|INDEX ON|ON)\s+"?(?:data|history|staging)"?\.(?!\w+\()"""
    r"""|Identifier\(\s*["'](?:data|history|staging)["']""",
)
LEFTOVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


def short(path):
    return str(path.relative_to(ROOT))


@cache
def tree(path):
    """The syntax of a module; several tests look at all of them."""
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def trees_forgotten():
    """Those of all modules are large."""
    yield
    tree.cache_clear()


def functions(path):
    """Every function of a module with the lines from its def to its end."""
    for node in ast.walk(tree(path)):
        if isinstance(node, FUNCTIONS):
            yield node, node.end_lineno - node.lineno + 1


def test_there_is_a_house():
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(APPS)
    assert len(OURS) > 100


def test_no_function_is_longer_than_a_page():
    long = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in EVERYTHING
        for node, lines in functions(path)
        if lines >= MOST_OF_A_FUNCTION
    ]
    assert long == []


def test_no_file_is_longer_than_an_hour():
    sources = [*OURS, *(ROOT / "deploy").glob("*.py")]
    long = [short(path) for path in sources if len(path.read_text("utf-8").splitlines()) > MOST_LINES]
    assert long == []


def test_nothing_is_imported_inside_a_function():
    inside = [
        f"{short(path)}:{found.lineno}"
        for path in OURS
        for node, _ in functions(path)
        for found in ast.walk(node)
        if isinstance(found, ast.Import | ast.ImportFrom)
        and not (path.name == "apps.py" and node.name == "ready")
    ]
    assert inside == []


def imports(path):
    """The names of all modules a module imports."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("mapnik", {"tiles/render.py"}),
        ("psycopg", set()),
        ("rasterio", {"layers/exchange/geotiff.py", "demo/elevation.py"}),
    ],
)
def test_a_library_is_imported_where_it_may_be(library, allowed):
    users = {short(path) for path in OURS if any(name.split(".")[0] == library for name in imports(path))}
    assert users == allowed


# Modules that may see text somebody sent; and what they may make numbers or JSON of with Python's own readers:
# the platform's own figures, rows and files. What senders write goes through spatial.numbers and spatial.strictjson.
EDGE = re.compile(r"^(?:django\.http|ninja)\b")
PLAIN_READERS = {"int", "float", "complex", "Decimal", "json.loads", "json.load", "eval", "literal_eval"}
OWN_FIGURES = {
    "accounts/throttling.py": {"int(pause.total_seconds())"},
    "config/errors.py": {"int(str(body['status']))"},
    "config/pages.py": {"json.loads(path.read_text(encoding='utf-8'))"},
    "config/pools.py": {"int(entry.name)"},
    "config/security.py": {"int(time.time())"},
    "layers/catalogue_pages.py": {"json.loads(state['first_levels'])"},
    "layers/ogc/features_api/documents.py": {"int(code)"},
    "layers/ogc/features_api/views.py": {"json.loads(''.join(chunks))", "json.loads(body)"},
    "layers/views/looking.py": {
        *("float(value)", "float(point[0, 0])", "float(point[0, 1])", "json.loads(state['first_levels'])"),
        *("json.loads(values)", "json.loads(geometry)", "json.loads(one['properties'])"),
        "json.loads(one['geometry'] or 'null')",
    },
    "layers/views/rasters.py": {
        *("float(np.hypot(*np.diff(course, axis=0).T).sum())", "float(f'{value:.7g}')"),
        *("float(place[0, 0])", "float(place[0, 1])"),
    },
    "tiles/wmts/views.py": {"float(part)"},
    "tiles/views.py": {
        "int(json.loads(levels).get(grid, grids()[grid].min_level))",
        "json.loads(levels)",
    },
}


def test_what_was_sent_is_read_by_the_strict_readers_alone():
    edges = [path for path in OURS if any(EDGE.match(name) for name in imports(path))]
    assert len(edges) > 25
    plain = [
        f"{short(path)}:{node.lineno} {ast.unparse(node)}"
        for path in edges
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in PLAIN_READERS
        if ast.unparse(node) not in OWN_FIGURES.get(short(path), set())
    ]
    assert plain == []


def test_bodies_are_taken_where_their_size_and_form_are_known():
    taken = {
        short(path) for path in OURS if re.search(r"request\.body\b|wsgi\.input", path.read_text("utf-8"))
    }
    # JSON by the strict reader (twice); a workbook; a piece of an upload; the empty one of our own call to MapProxy.
    programs = "layers/ogc/features_api/transactions.py"
    people, uploads = "accounts/people_views.py", "process/upload_views.py"
    assert taken == {"config/api.py", programs, people, uploads, "tiles/proxy/calls.py"}


def test_xml_is_parsed_in_one_place():
    libraries = {"xml", "lxml", "defusedxml", "html5lib", "xmltodict", "untangle", "bs4"}
    found = {
        (short(path), name) for path in OURS for name in imports(path) if name.split(".")[0] in libraries
    }
    assert found == {
        ("spatial/strictxml.py", "xml.parsers"),
        ("spatial/formats/gml.py", "xml.sax.saxutils"),  # escapes what it writes
        ("spatial/formats/workbook.py", "xml.etree.ElementTree"),  # the exception that openpyxl raises
        ("layers/exchange/exports/qml.py", "xml.etree.ElementTree"),  # written, never read
        ("tiles/drawing/mapnik_xml.py", "xml.etree.ElementTree"),  # written for Mapnik
        ("tiles/reports.py", "xml.sax.saxutils"),  # escapes what it writes
        ("tiles/wms/info.py", "xml.sax.saxutils"),
        ("tiles/legends.py", "xml.etree.ElementTree"),
    }
    parsing = re.compile(r"ET\.(?:parse|fromstring|iterparse|XML)\b")
    assert [short(path) for path in OURS if parsing.search(path.read_text("utf-8"))] == []


def test_the_renderers_module_is_loaded_by_no_other_process():
    users = {short(path) for path in OURS if "tiles.render" in set(imports(path))}
    assert users == {"tiles/drawing/child.py"}
    assert {short(path) for path in OURS if "tiles.drawing.child" in set(imports(path))} == set()


def test_layer_tables_are_named_inside_layers_alone():
    named = [
        short(path)
        for app in APPS
        for path in sorted([*(ROOT / app).rglob("*.py"), *(ROOT / app).rglob("*.sql")])
        if app != "layers" and "migrations" not in path.parts
        if LAYER_TABLE.search(path.read_text("utf-8"))
    ]
    assert named == []
    assert LAYER_TABLE.search('sql.Identifier("data", layer.name)')
    assert LAYER_TABLE.search("SELECT * FROM data.parcel WHERE true")
    assert LAYER_TABLE.search('UPDATE "data"."parcel" SET')
    assert not LAYER_TABLE.search("read(data.decode())")


def test_the_environment_is_read_in_the_settings_alone():
    # One way to write it is needed before the settings are read, or to restore what another library set.
    writers = {"config/wsgi.py", "tiles/render.py", "config/settings.py"}
    readers = {
        short(path) for path in OURS if re.search(r"\bos\.(?:environ|getenv)\b", path.read_text("utf-8"))
    }
    handed_on = {"process/children.py", "tiles/drawing/pool.py"}
    assert readers <= writers | handed_on


def test_commands_answer_in_json():
    """All but those that run until they are told to end."""
    plain = {short(path) for path in OURS if path.parent.name == "commands" and path.stem != "__init__"}
    plain -= {path for path in plain if "(JsonCommand)" in (ROOT / path).read_text("utf-8")}
    assert {Path(path).stem for path in plain} <= {"worker", "run_jobs", "follow_tiles"}


def test_no_drawer_and_nothing_left_for_later():
    assert [
        short(path) for path in MODULES if path.stem in DRAWERS or DRAWERS & set(path.relative_to(ROOT).parts)
    ] == []
    sources = [*OURS, *(path for app in APPS for path in (ROOT / app).rglob("*.sql"))]
    assert [short(path) for path in sources if LEFTOVER.search(path.read_text("utf-8"))] == []


def test_every_statement_file_says_what_it_is():
    statements = [path for app in APPS for path in (ROOT / app).rglob("*.sql")]
    assert statements
    assert [short(path) for path in statements if not path.read_text("utf-8").startswith("-- ")] == []


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readmes_two_commands_exist(name):
    text = (ROOT / name).read_text("utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z0-9-]+)", text))
    assert {"run", "test"} <= named
    assert named <= targets


def placeholders(text):
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(text) if name}


def refusals():
    """Every refusal that is made by its facts alone, with the facts that its two messages name."""
    found = {}
    for path in OURS:
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ClassDef) or any(isinstance(one, FUNCTIONS) for one in node.body):
                continue
            texts = [
                ast.literal_eval(one.value)
                for one in node.body
                if isinstance(one, ast.AnnAssign) and one.value and one.target.id in {"message", "message_zh"}
            ]
            if len(texts) == 2:
                found.setdefault(node.name, []).append(set().union(*map(placeholders, texts)))
    return found


def test_a_refusal_is_raised_with_what_it_says_in_both_languages():
    known = refusals()
    assert len(known) > 100
    silent = []
    for path in OURS:
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            given = {keyword.arg for keyword in node.keywords}
            if node.func.id in known and None not in given:  # **facts: their own tests
                missing = [needed - given for needed in known[node.func.id]]
                silent += [f"{short(path)}:{node.lineno} {min(missing, key=len)}"] if all(missing) else []
    assert silent == []


def test_decisions_are_numbered_without_a_gap():
    records = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert records
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    for name in records:
        assert re.fullmatch(r"[0-9]{4}-[a-z0-9-]+\.md", name)
        assert (ROOT / "docs" / "decisions" / name).read_text("utf-8").startswith("# ")


def test_decisions_that_are_cited_exist():
    numbers = {path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")}
    cited = {
        (short(path), number)
        for path in OURS
        for number in re.findall(r"docs/decisions/([0-9]{4})", path.read_text("utf-8"))
    }
    assert {one for one in cited if one[1] not in numbers} == set()


def test_the_import_contracts_are_kept():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " 0 broken" in done.stdout
