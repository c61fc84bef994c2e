from deploy import passwords
from deploy.places import Places, read_json, write_json


def test_secrets_are_made_once_and_only_the_owner_reads_them(tmp_path):
    installation = Places(tmp_path, tmp_path / "var")
    first = passwords.ensure(installation)
    file = installation.var / "secrets.json"
    assert set(first) == set(passwords.SIZES)
    assert len(first["secret_key"]) >= 50
    assert file.stat().st_mode & 0o777 == 0o600
    assert passwords.ensure(installation) == first


def test_a_missing_secret_is_added_and_the_others_stay(tmp_path):
    installation = Places(tmp_path, tmp_path / "var")
    write_json(installation.var / "secrets.json", {"secret_key": "kept", "own": "of the operator"})
    known = passwords.ensure(installation)
    assert known["secret_key"] == "kept"
    assert known["own"] == "of the operator"
    assert known["web_password"]


def test_the_operators_demo_password_is_remembered(tmp_path):
    installation = Places(tmp_path, tmp_path / "var")
    passwords.remember(installation, "demo_password", "一张图 2026")
    assert read_json(installation.var / "secrets.json")["demo_password"] == "一张图 2026"
