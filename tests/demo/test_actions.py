import pytest

from accounts.models import Department, User
from demo import actions
from demo.layers import LAYERS
from demo.sizes import UnknownSize
from layers.models import Layer, Theme


@pytest.fixture
def site(settings, tmp_path):
    settings.ONEMAP_VAR = tmp_path
    settings.ONEMAP_DEMO_PASSWORD = "a demonstration password"
    return settings


@pytest.fixture
def no_files(monkeypatch):
    """The city without drawing it."""
    monkeypatch.setattr(
        actions, "write_city", lambda folder, size, seed: ((spec, folder / spec.name) for spec in LAYERS)
    )


class Importer:
    """Takes layers into the catalogue without reading a file."""

    def __init__(self, held=()):
        self.taken, self.held = [], held

    def __call__(self, path, options):
        if options.layer in self.held:
            return {"status": "held", "held": [{"code": "outside-city"}]}
        theme, _ = Theme.objects.get_or_create(
            code=options.theme, defaults={"title_zh": options.theme, "title_en": options.theme}
        )
        Layer.objects.create(
            name=options.layer,
            title_zh=options.title,
            theme=theme,
            department=Department.objects.get(code=options.department),
            family="polygon",
        )
        self.taken.append(options)
        return {"status": "done", "inserted": 5}


@pytest.mark.django_db
def test_people_are_settled_once(site):
    first, second = actions.settle_people(), actions.settle_people()
    assert first == second == {"departments": 96, "accounts": 11}
    street = Department.objects.get(code="440304008")
    assert (street.name_zh, street.parent.code, street.parent.parent.code) == (
        "莲花街道",
        "440304",
        "citycare",
    )
    planner = User.objects.get(username="planner")
    assert planner.check_password("a demonstration password")
    assert [role.code for role in planner.roles.all()] == ["planner"]
    assert [user.username for user in User.objects.filter(is_superuser=True)] == ["admin"]


@pytest.mark.django_db
def test_a_second_run_finds_the_city_there(site, no_files):
    importer = Importer()
    first = actions.load_city("small", 20, importer)
    second = actions.load_city("small", 20, importer)
    assert list(first["layers"]) == [spec.name for spec in LAYERS]
    assert not first["already"]
    assert second["already"]
    assert second["layers"] == {}
    assert len(importer.taken) == len(LAYERS)


@pytest.mark.django_db
def test_a_broken_off_load_is_taken_up_where_it_stopped(site, no_files):
    halted = actions.load_city("small", 20, Importer(held={"parcel"}))
    resumed = actions.load_city("small", 20, Importer())
    assert (halted["status"], halted["layer"]) == ("held", "parcel")
    assert "division_district" in halted["layers"]
    assert "division_district" not in resumed["layers"]
    assert "parcel" in resumed["layers"]
    assert resumed["status"] == "done"


@pytest.mark.django_db
def test_the_scratch_folder_is_gone_afterwards(site, no_files):
    actions.load_city("small", 20, Importer())
    assert list(site.ONEMAP_VAR.iterdir()) == []


@pytest.mark.django_db
def test_an_unknown_size_leaves_nothing_behind(site):
    with pytest.raises(UnknownSize):
        actions.load_city("planet", 20, Importer())
    assert Layer.objects.count() == 0


@pytest.mark.parametrize("spec", LAYERS, ids=lambda spec: spec.name)
def test_demo_layers_are_marked_and_never_a_control(spec):
    options = actions.import_options(spec)
    assert options.demo
    assert not options.control
    assert options.public == (options.secrecy == "public")
    assert set(options.fields) == {field.name for field in spec.fields}
    assert options.from_json(options.to_json()) == options
