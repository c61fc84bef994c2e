import os
import stat
import zipfile

import pytest

from spatial.formats import ArchiveTooBig, NotAllowedFormat, SourceLayerMissing, UnreadableSource, open_source


@pytest.fixture
def packed(tmp_path):
    """Writes a zip of (name or ZipInfo, content)."""

    def put(*members, compress=zipfile.ZIP_DEFLATED):
        path = tmp_path / "delivery.zip"
        with zipfile.ZipFile(path, "w", compress) as archive:
            for name, content in members:
                archive.writestr(name, content, compress)
        return path

    return put


def shapefile_parts(path, prefix):
    return [(prefix + part.suffix, part.read_bytes()) for part in path.parent.glob(path.stem + ".*")]


def tree(folder):
    return sorted(str(item.relative_to(folder)) for item in folder.rglob("*"))


@pytest.mark.parametrize(
    "prefix",
    [
        "plain",
        "目录/子目录/地块",
        "../../../escape",
        "/absolute",
        "C:\\windows",
        "a\\b",
        "x" * 200,
        "a:b",
        "\u202etxt",
    ],
)
def test_names_in_an_archive_never_become_paths(packed, gbk_shapefile, tmp_path, prefix):
    archive = packed(*shapefile_parts(gbk_shapefile, prefix))
    work = tmp_path / "work"
    work.mkdir()
    before = [item for item in tree(tmp_path) if not item.startswith("work")]
    source = open_source(archive, work=work)
    assert source.count == 2
    inside = [item.name for item in work.rglob("*") if item.is_file() and not item.is_symlink()]
    assert all(name.startswith("member") for name in inside)
    assert [item for item in tree(tmp_path) if not item.startswith("work")] == before


def test_the_room_is_given_back(packed, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    source = open_source(packed(("a.csv", "a\n1\n")), work=work)
    assert len(list(work.iterdir())) == 1
    del source
    assert list(work.iterdir()) == []
    with pytest.raises(UnreadableSource):
        open_source(packed(("a.csv", "")), work=work)
    assert list(work.iterdir()) == []


def test_gbk_names_without_the_mark_are_shown_right(tmp_path):
    path = tmp_path / "gbk.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("AAAA.csv", "a\n1\n")
    path.write_bytes(path.read_bytes().replace(b"AAAA", "地块".encode("gbk")))
    assert open_source(path).layer == "地块"


def test_case_twins_and_several_layers_need_a_choice(packed, gbk_shapefile):
    members = [*shapefile_parts(gbk_shapefile, "one"), *shapefile_parts(gbk_shapefile, "two")]
    archive = packed(*members)
    with pytest.raises(SourceLayerMissing) as refusal:
        open_source(archive)
    assert refusal.value.facts["layers"] == ["one", "two"]
    assert open_source(archive, source_layer="two").layer == "two"


def test_other_members_are_left_out_and_told(packed, gbk_shapefile):
    source = open_source(
        packed(*shapefile_parts(gbk_shapefile, "one"), ("readme.pdf", b"%PDF"), ("t.csv", "a\n1\n"))
    )
    ignored = next(note for note in source.notes if note["code"] == "members-ignored")
    assert ignored["count"] == 2
    assert "readme.pdf" in ignored["en"]


def test_a_bomb_stops_at_real_bytes(packed, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(ArchiveTooBig) as refusal:
        open_source(packed(("a.csv", b"a,b\n" + b"1,2\n" * 10_000_000)), work=work)
    assert refusal.value.code == "archive-too-big"
    assert list(work.iterdir()) == []


def test_two_thousand_entries_are_the_most(packed):
    with pytest.raises(ArchiveTooBig):
        open_source(packed(*((f"{place}.csv", "") for place in range(2001))))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(packed, kind):
    entry = zipfile.ZipInfo("a.csv")
    entry.external_attr = (kind | 0o777) << 16
    with pytest.raises(NotAllowedFormat):
        open_source(packed((entry, "/etc/passwd")))


def test_an_archive_within_is_refused(packed):
    with pytest.raises(NotAllowedFormat):
        open_source(packed(("inner.zip", b"PK\x03\x04"), ("a.csv", "a\n1\n")))


def test_broken_archives(packed):
    archive = packed(("a.csv", "a,b\n" + "1,2\n" * 1000))
    whole = archive.read_bytes()
    for data in (whole[:-10], whole[:40] + bytes(20) + whole[60:], whole[:4]):
        archive.write_bytes(data)
        with pytest.raises(UnreadableSource):
            open_source(archive)


def test_nothing_readable_inside(packed):
    with pytest.raises(NotAllowedFormat):
        open_source(packed(("a.exe", b"MZ")))


def test_a_link_in_a_folder_is_refused(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    os.symlink("/etc/passwd", folder / "a.csv")
    with pytest.raises(NotAllowedFormat):
        open_source(folder)
