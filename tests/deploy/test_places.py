import pytest

from deploy import places
from deploy.places import Places


def test_two_checkouts_have_two_names(tmp_path):
    assert Places(tmp_path, tmp_path / "a").digest != Places(tmp_path, tmp_path / "b").digest


def test_the_name_is_short_whatever_the_path(tmp_path):
    assert len(Places(tmp_path, tmp_path / ("长" * 80) / "var").digest) == 8


def test_var_is_not_listable_by_others(tmp_path):
    installation = Places(tmp_path, tmp_path / "var")
    places.make_var(installation)
    assert installation.var.stat().st_mode & 0o066 == 0
    assert installation.logs.stat().st_mode & 0o077 == 0


def test_a_file_is_replaced_as_a_whole_and_private(tmp_path):
    path = tmp_path / "new" / "secrets.json"
    places.write_json(path, {"city": "深圳"})
    places.write_json(path, {"city": "深圳", "more": 1})
    assert places.read_json(path) == {"city": "深圳", "more": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secrets.json"]


def test_a_failed_write_leaves_the_old_content(tmp_path):
    path = tmp_path / "note"
    places.write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        places.write_text(path, "\ud800")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["note"]


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", '"text"'])
def test_what_is_not_an_object_reads_as_nothing(tmp_path, content):
    (tmp_path / "cluster").write_text(content)
    assert places.read_json(tmp_path / "cluster") == {}
