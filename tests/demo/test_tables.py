from demo.layers import LAYERS
from demo.people import ACCOUNTS, CITY_OFFICES, offices
from demo.tables import centres, districts, land_mix, land_uses, rows, seats, streets, use_rules


def test_every_street_lies_in_a_district_and_has_a_seat():
    codes = {each.code for each in districts()}
    assert all(street.parent in codes and street.code.startswith(street.parent) for street in streets())
    assert [seat.code for seat in seats()] == [street.code for street in streets()]


def test_every_use_named_anywhere_is_in_the_code_table():
    named = {row["code"] for row in rows("land_mix.csv")} | set(use_rules())
    assert named <= set(land_uses())


def test_level_two_uses_have_their_level_one_parent():
    table = land_uses()
    assert all(use.parent == "" or use.parent in table for use in table.values())
    assert sum(use.parent == "" for use in table.values()) == 24
    assert table["0701"].rgb == (255, 255, 45)


def test_the_mix_of_a_zone_is_whole():
    for zone in {row["zone"] for row in rows("land_mix.csv")}:
        for role in ("main", "fill"):
            assert abs(sum(land_mix(zone, role)[1]) - 1) < 1e-9


def test_rules_and_centres_are_within_reason():
    for rule in use_rules().values():
        assert 0 < rule.far_edge <= rule.far_centre < 10
        assert 0 < rule.density + rule.green < 1
        assert rule.storey_m < rule.limit_m
    assert all(0 < centre.height <= 1 for centre in centres())


def test_layers_are_owned_by_departments_of_the_city():
    known = {office.code for office in CITY_OFFICES}
    assert {spec.department for spec in LAYERS} <= known


def test_what_is_public_is_ground_or_plan():
    closed = {spec.name for spec in LAYERS if not spec.public}
    assert closed >= {
        "block",
        "parcel",
        "landuse_plan",
        "landuse_status",
        "population",
        "component",
        "land_sale",
    }
    assert all(spec.theme in {"base", "plan"} for spec in LAYERS if spec.public)


def test_every_title_and_alias_speaks_both_languages():
    for spec in LAYERS:
        assert spec.title_zh and spec.title_en
        assert spec.label_field in {"", *(field.name for field in spec.fields)}
        for field in spec.fields:
            assert field.alias_zh and field.alias_en
            assert bool(field.note_zh) == bool(field.note_en)


def test_a_department_comes_after_the_one_above_it():
    seen = set()
    for office in offices():
        assert office.parent is None or office.parent in seen
        seen.add(office.code)
    assert {account.department for account in ACCOUNTS} <= seen
