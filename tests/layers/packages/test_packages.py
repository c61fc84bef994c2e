"""A package is what was signed or it is refused, each fault by its own name."""

import base64
import json
import os
import random
import stat
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from layers.models import CodeList, CodeValue, TrustedKey
from layers.packages import add_code_lists, add_key, own_key, revoke_key, unpack_package, verify_package
from layers.packages.keys import (
    BadKey,
    KeyWasRevoked,
    NoSuchTrustedKey,
    find_key,
    fingerprint,
    key_path,
    text_of,
)
from layers.packages.manifest import (
    BadManifest,
    BadMemberName,
    FileFact,
    Manifest,
    UnknownVersion,
    judge_names,
    parse,
)
from layers.packages.reading import (
    DuplicateMember,
    ForbiddenMember,
    MissingMember,
    NoPackage,
    PackageTooBig,
    RevokedSigner,
    UnknownSigner,
    UnlistedMember,
    WrongDigest,
    WrongSignature,
)
from layers.packages.writing import SIGNED_PREFIX, NothingToPack, write_package
from process.models import AuditRecord
from spatial.errors import OnemapError

pytestmark = pytest.mark.django_db

FACTS = {
    "name": "南山区 2026 年度变更",
    "profile": {"version": 1, "parts": []},
    "answers": {"encoding": "gbk"},
}


@pytest.fixture(autouse=True)
def var(settings, tmp_path):
    settings.ONEMAP_VAR = tmp_path / "var"
    return settings.ONEMAP_VAR


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "delivery"
    (source / "宗地").mkdir(parents=True)
    (source / "宗地" / "DLTB.shp").write_bytes(bytes(range(256)) * 40)
    (source / "elevation.tif").write_bytes(b"II*\0" + os.urandom(5000))
    (source / "notes.txt").write_text("说明")
    return source


@pytest.fixture
def package(folder):
    return write_package(folder, facts=FACTS)


def members(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rebuilt(path, content, edit=None):
    """The package with other members; `edit` may spoil an entry."""
    target = path.with_name("rebuilt.zip")
    with zipfile.ZipFile(target, "w") as archive:
        for name, value in content if isinstance(content, list) else content.items():
            info = zipfile.ZipInfo(name)
            if edit:
                edit(info)
            archive.writestr(info, value)
    return target


def signed(content: dict, manifest: bytes, private=None) -> dict:
    """The members with another manifest, properly signed."""
    private = private or own_key()[0]
    told = {
        "algorithm": "Ed25519",
        "public_key": text_of(private.public_key()),
        "signature": base64.b64encode(private.sign(SIGNED_PREFIX + manifest)).decode(),
    }
    return {**content, "manifest.json": manifest, "signature.json": json.dumps(told).encode()}


def test_what_is_written_is_verified_and_unpacked(package, folder, tmp_path):
    found = verify_package(package)
    assert (found.trusted, found.manifest.name) == (True, FACTS["name"])
    assert [one.path for one in found.manifest.files] == ["elevation.tif", "notes.txt", "宗地/DLTB.shp"]
    into = unpack_package(package, tmp_path / "into")
    for one in found.manifest.files:
        assert (into / one.path).read_bytes() == (folder / one.path).read_bytes()
    assert str(tmp_path) not in found.manifest.canonical().decode()


def test_the_same_content_gives_the_same_bytes(package, folder, tmp_path):
    os.utime(folder / "notes.txt", (1, 1))
    (folder / "notes.txt").chmod(0o755)
    again = write_package(folder, tmp_path / "again.zip", facts=dict(reversed(FACTS.items())))
    assert again.read_bytes() == package.read_bytes()
    assert [one.name for one in package.parent.iterdir()] == [package.name]


def test_the_private_key_is_its_owners_alone(package):
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(key_path().parent.stat().st_mode) == 0o700
    assert TrustedKey.objects.get(own=True).public_key == text_of(own_key()[0].public_key())
    assert AuditRecord.objects.filter(action="trusted-key.make").count() == 1


def test_an_own_key_that_was_revoked_is_replaced(package):
    old = TrustedKey.objects.get(own=True)
    revoke_key(old, "tests")
    assert own_key()[1].pk != old.pk
    with pytest.raises(RevokedSigner) as refusal:
        verify_package(package)
    assert refusal.value.facts["fingerprint"] == fingerprint(old.public_key)


def test_an_empty_table_is_no_bomb(tmp_path):
    (tmp_path / "wide").mkdir()
    (tmp_path / "wide" / "blank.dbf").write_bytes(b" " * 12_000_000)
    assert verify_package(write_package(tmp_path / "wide", facts=FACTS)).trusted


def test_nothing_makes_no_package(tmp_path, var):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToPack):
        write_package(tmp_path / "empty", facts=FACTS)
    assert not (var / "packages").exists()


def test_a_changed_file_is_seen(package):
    content = members(package)
    for spoilt in (b"x" + content["files/notes.txt"][1:], content["files/notes.txt"] + b"x", b""):
        with pytest.raises(WrongDigest):
            verify_package(rebuilt(package, {**content, "files/notes.txt": spoilt}))


def test_a_changed_manifest_is_seen(package):
    content = members(package)
    other = content["manifest.json"].replace(b"gbk", b"big")
    with pytest.raises(WrongSignature):
        verify_package(rebuilt(package, {**content, "manifest.json": other}))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b"\xff", b'{"algorithm":"none","public_key":"","signature":""}']
)
def test_a_signature_that_is_none_is_wrong(package, text):
    with pytest.raises(WrongSignature):
        verify_package(rebuilt(package, {**members(package), "signature.json": text}))


def test_an_unknown_signer_is_refused_until_trusted(package):
    stranger = Ed25519PrivateKey.generate()
    content = members(package)
    foreign = rebuilt(package, signed(content, content["manifest.json"], stranger))
    with pytest.raises(UnknownSigner) as refusal:
        verify_package(foreign)
    key = text_of(stranger.public_key())
    assert refusal.value.facts == {"fingerprint": fingerprint(key)}
    assert verify_package(foreign, untrusted_too=True).trusted is False
    row = add_key("邻市 Neighbour", key, "tests")
    assert verify_package(foreign).signer == "邻市 Neighbour"
    revoke_key(row, "tests")
    with pytest.raises(RevokedSigner):
        verify_package(foreign)
    with pytest.raises(KeyWasRevoked):
        add_key("again", key, "tests")
    actions = AuditRecord.objects.filter(object_type="trusted-key").values_list("action", flat=True)
    assert {"trusted-key.add", "trusted-key.revoke"} <= set(actions)


def test_extra_missing_and_double_members_are_refused(package):
    content = members(package)
    with pytest.raises(UnlistedMember):
        verify_package(rebuilt(package, {**content, "files/extra.txt": b"x"}))
    with pytest.raises(UnlistedMember):
        verify_package(rebuilt(package, {**content, "../escape": b"x"}))
    with pytest.raises(MissingMember):
        verify_package(rebuilt(package, {k: v for k, v in content.items() if k != "files/notes.txt"}))
    with pytest.warns(UserWarning, match="Duplicate"), pytest.raises(DuplicateMember):
        verify_package(rebuilt(package, [*content.items(), ("files/notes.txt", b"x")]))
    with pytest.raises(NoPackage):
        verify_package(rebuilt(package, {k: v for k, v in content.items() if k != "signature.json"}))


def link(info):
    if info.filename == "files/notes.txt":
        info.external_attr = 0o120777 << 16


def bzip(info):
    info.compress_type = zipfile.ZIP_BZIP2


@pytest.mark.parametrize("spoil", [link, bzip])
def test_links_and_unknown_packings_are_refused(package, spoil):
    with pytest.raises(ForbiddenMember):
        verify_package(rebuilt(package, members(package), spoil))


def manifest_of(**changes) -> Manifest:
    facts = {**FACTS, "code_lists": []}
    return Manifest(facts, (FileFact("a.txt", 1, "0" * 64),), **changes)


@pytest.mark.parametrize(
    "path",
    [
        "../a",
        "/a",
        "a/../b",
        "C:/a",
        "a\\b",
        "",
        "a//b",
        "con",
        "Aux.txt",
        "a /b",
        "a.",
        "x" * 301,
        "\u202ea",
    ],
)
def test_signed_names_must_stay_in_the_package_too(package, path):
    evil = Manifest({**FACTS, "code_lists": []}, (FileFact(path, 1, "0" * 64),)).canonical()
    with pytest.raises(BadMemberName):
        parse(evil)
    content = signed({f"files/{path}".replace("\0", ""): b"x"}, evil)
    with pytest.raises(BadMemberName):
        verify_package(rebuilt(package, content))


@pytest.mark.parametrize("paths", [["a", "A"], ["ﬁle", "file"], ["a", "a/b"], ["é", "é"]])
def test_names_that_two_systems_read_differently_are_refused(paths):
    with pytest.raises(BadMemberName):
        judge_names(paths)


@given(st.lists(st.text(alphabet="ab/.宗地C:\\ ", max_size=12), max_size=4))
def test_judged_names_stay_below_their_folder(tmp_path_factory, paths):
    try:
        judge_names(paths)
    except BadMemberName:
        return
    root = tmp_path_factory.getbasetemp() / "root"
    for path in paths:
        assert (root / path).resolve().is_relative_to(root.resolve())
        assert (root / path).resolve() != root.resolve()


def test_a_bomb_is_refused_before_it_is_unpacked(package, tmp_path, var):
    size = 50_000_000
    listed = Manifest({**FACTS, "code_lists": []}, (FileFact("zeros", size, "0" * 64),)).canonical()
    content = signed({}, listed)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in {**content, "files/zeros": bytes(size)}.items():
            archive.writestr(name, value)
    with pytest.raises(PackageTooBig):
        unpack_package(bomb, tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_what_is_unpacked_is_never_more_than_was_signed(package, tmp_path):
    content = {**members(package), "files/notes.txt": b"0" * 9_000_000}
    with pytest.raises(WrongDigest):
        unpack_package(rebuilt(package, content), tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_a_list_of_a_million_members_is_not_read(tmp_path):
    path = tmp_path / "many.zip"
    path.write_bytes(b"PK\5\6" + bytes(4) + b"\xff\xff\xff\xff" + b"\xff\xff\xff\x7f" + bytes(6))
    with pytest.raises(PackageTooBig):
        verify_package(path)


@pytest.mark.parametrize("cut", [0, 10, 200, -1, -30])
def test_a_file_that_is_cut_off_is_no_package(package, cut):
    broken = package.with_name("broken.zip")
    broken.write_bytes(package.read_bytes()[:cut])
    with pytest.raises(NoPackage):
        verify_package(broken)
    with pytest.raises(NoPackage):
        verify_package(package.with_name("nowhere.zip"))


def test_no_flipped_byte_goes_unseen(package, folder, tmp_path):
    text, chance = package.read_bytes(), random.Random(7)
    whole = {one.relative_to(folder): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    refused = 0
    for number in range(300):
        spoilt = bytearray(text)
        spoilt[chance.randrange(len(text))] ^= chance.randrange(1, 256)
        package.write_bytes(spoilt)
        into = tmp_path / f"into{number}"
        try:
            unpack_package(package, into)
        except OnemapError:
            refused += 1
            assert not into.exists()
            continue
        # A flip in the archive's own book-keeping: what came out is what was signed.
        assert {one.relative_to(into): one.read_bytes() for one in into.rglob("*") if one.is_file()} == whole
    assert refused > 200


def test_a_package_replaced_while_it_is_read_is_refused(package, folder, tmp_path):
    expected = verify_package(package).manifest
    (folder / "notes.txt").write_text("other")
    write_package(folder, package, facts=FACTS)
    with pytest.raises(NoPackage):
        unpack_package(package, tmp_path / "into", expected=expected)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"format": "other"}, BadManifest),
        ({"version": 2}, UnknownVersion),
        ({"files": []}, BadManifest),
        ({"facts": {}}, BadManifest),
        ({"more": 1}, BadManifest),
        ({"files": [{"path": "a", "size": -1, "sha256": "0" * 64}]}, BadManifest),
        ({"files": [{"path": "a", "size": 2**40, "sha256": "0" * 64}]}, BadManifest),
        ({"files": [{"path": n, "size": 1, "sha256": "0" * 64} for n in "ba"]}, BadManifest),
    ],
)
def test_a_manifest_has_one_form(change, refusal):
    value = json.loads(manifest_of().canonical()) | change
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(refusal):
        parse(text)


def test_a_manifest_has_one_text():
    text = manifest_of().canonical()
    assert parse(text) == manifest_of()
    with pytest.raises(BadManifest):
        parse(text.replace(b",", b", ", 1))


@pytest.mark.parametrize("text", ["", "AAAA", "x" * 44, "密钥", base64.b64encode(b"1" * 31).decode()])
def test_a_key_is_a_key(text):
    with pytest.raises(BadKey):
        add_key("broken", text, "tests")
    with pytest.raises(NoSuchTrustedKey):
        find_key(text)


def test_code_lists_travel_with_the_profile(folder):
    listed = CodeList.objects.create(code="test-codes", edition="2026", title_zh="测试", title_en="Test")
    CodeValue.objects.create(
        code_list=listed, code="0101", title_zh="水田", title_en="Paddy", colour="#ffff00"
    )
    profile = {"parts": [{"fields": {"DLBM": {"code_list": "test-codes@2026"}}}]}
    found = verify_package(write_package(folder, facts={**FACTS, "profile": profile})).manifest
    assert add_code_lists(found.code_lists, "tests") == []
    listed.delete()
    assert add_code_lists(found.code_lists, "tests") == ["test-codes@2026"]
    assert CodeValue.objects.get(code_list__code="test-codes").title_zh == "水田"


def test_the_command_keeps_the_keys(capsys):
    def told(*words):
        call_command("trusted_key", *words, "--json")
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    own = told("own")
    assert own["own"]
    other = text_of(Ed25519PrivateKey.generate().public_key())
    added = told("add", "--name", "邻市", other)
    assert told("revoke", added["fingerprint"])["revoked_at"]
    assert {one["name"] for one in told("list")["keys"]} == {"邻市", own["name"]}
