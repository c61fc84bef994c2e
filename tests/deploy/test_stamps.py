import pytest

from deploy import stamps


@pytest.fixture
def files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    return [tmp_path / "a", tmp_path / "b"]


def test_the_same_inputs_have_the_same_digest_in_any_order(files):
    assert stamps.digest(files, "1") == stamps.digest(reversed(files), "1")


def test_every_input_counts(files, tmp_path):
    before = stamps.digest(files, "1")
    assert stamps.digest(files, "2") != before
    assert stamps.digest(files[:1], "1") != before
    files[0].write_text("changed")
    assert stamps.digest(files, "1") != before
    files[0].unlink()
    assert stamps.digest(files, "1") != before


def test_a_stamp_is_fresh_for_exactly_its_inputs(tmp_path):
    stamp = tmp_path / "folder" / "stamp"
    assert not stamps.is_fresh(stamp, "x")
    stamps.mark(stamp, "x")
    assert stamps.is_fresh(stamp, "x")
    assert not stamps.is_fresh(stamp, "y")


def test_folders_by_name_are_left_out_at_any_depth(tmp_path):
    for name in ("src/main.ts", "node_modules/x.js", "packages/ui/node_modules/y.js", "packages/ui/z.ts"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = {
        str(path.relative_to(tmp_path)) for path in stamps.files_below(tmp_path, frozenset({"node_modules"}))
    }
    assert found == {"src/main.ts", "packages/ui/z.ts"}
