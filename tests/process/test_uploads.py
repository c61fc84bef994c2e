"""Files in pieces: whatever is acknowledged stays, whatever is not is sent again, and nobody sees another's."""

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actions import ensure_department, ensure_user
from process import uploads
from process.models import Upload
from process.uploads import SMALLEST_PIECE, append, begin, cancel, find, gather, sweep_uploads

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.process.urls")]
LIN, WANG = "user:lin", "user:wang"
CONTENT = bytes(range(256)) * 1600  # three small pieces and a bit


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def var(settings, tmp_path):
    settings.ONEMAP_VAR = tmp_path
    settings.ONEMAP_DISK_RESERVE = 0.0
    return tmp_path


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def announced(content: bytes = CONTENT, name: str = "2026/DLTB.zip", by: str = LIN) -> Upload:
    return begin(name, len(content), sha(content), sent_by=by)


def send_rest(upload: Upload, content: bytes = CONTENT) -> Upload:
    while not upload.complete:
        at = upload.received
        upload = append(upload.token, at, content[at : at + SMALLEST_PIECE], sent_by=upload.sent_by)
    return upload


def test_pieces_become_the_file(var):
    upload = send_rest(announced())
    assert (var / "uploads" / upload.token).read_bytes() == CONTENT


def test_the_same_file_announced_again_goes_on_where_it_was():
    first = append(announced().token, 0, CONTENT[:SMALLEST_PIECE], sent_by=LIN)
    again = announced()
    assert (again.token, again.received) == (first.token, SMALLEST_PIECE)
    assert announced(by=WANG).token != first.token


@pytest.mark.parametrize("piece", range(4))
@pytest.mark.parametrize("step", ["write", "flush", "count"])
def test_a_kill_at_any_step_of_any_piece_loses_nothing_acknowledged(monkeypatch, var, piece, step):
    upload = announced()
    for _ in range(piece):
        upload = append(
            upload.token,
            upload.received,
            CONTENT[upload.received : upload.received + SMALLEST_PIECE],
            sent_by=LIN,
        )
    acknowledged = upload.received
    with monkeypatch.context() as patch:
        die_at(patch, step)
        with pytest.raises(Killed):
            send_rest(upload)
    resumed = announced()
    assert resumed.received == acknowledged
    assert send_rest(resumed).complete
    assert (var / "uploads" / upload.token).read_bytes() == CONTENT


def die_at(patch, step: str) -> None:
    whole = os.pwrite

    def half(handle, piece, offset):
        whole(handle, piece[: len(piece) // 2], offset)
        raise Killed

    def gone(*_, **__):
        raise Killed

    if step == "write":
        patch.setattr(os, "pwrite", half)
    elif step == "flush":
        patch.setattr(os, "fsync", gone)
    else:
        patch.setattr(Upload, "save", gone)


def test_a_lost_answer_to_the_last_piece_is_asked_for_again(monkeypatch):
    upload = announced()
    with monkeypatch.context() as patch:
        patch.setattr(uploads, "_close", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            send_rest(upload)
    upload = find(upload.token, LIN)
    assert (upload.received, upload.complete) == (len(CONTENT), False)
    assert append(upload.token, len(CONTENT), b"", sent_by=LIN).complete


def test_two_windows_are_told_the_true_offset():
    upload = announced()
    append(upload.token, 0, CONTENT[:SMALLEST_PIECE], sent_by=LIN)
    with pytest.raises(uploads.WrongOffset) as refusal:
        append(upload.token, 0, CONTENT[:SMALLEST_PIECE], sent_by=LIN)
    assert refusal.value.facts == {"offset": SMALLEST_PIECE}


def test_a_disk_with_less_than_was_counted_is_believed(var):
    upload = announced()
    append(upload.token, 0, CONTENT[:SMALLEST_PIECE], sent_by=LIN)
    os.truncate(var / "uploads" / upload.token, 1000)
    with pytest.raises(uploads.WrongOffset) as refusal:
        append(upload.token, SMALLEST_PIECE, CONTENT[SMALLEST_PIECE:][:SMALLEST_PIECE], sent_by=LIN)
    assert refusal.value.facts == {"offset": 1000}
    assert append(upload.token, 1000, CONTENT[1000:][:SMALLEST_PIECE], sent_by=LIN).received > SMALLEST_PIECE


def test_other_contents_than_announced_begin_anew():
    upload = begin("x.zip", len(CONTENT), sha(b"something else"), sent_by=LIN)
    with pytest.raises(uploads.WrongDigest):
        send_rest(upload)
    assert (find(upload.token, LIN).received, find(upload.token, LIN).complete) == (0, False)


@pytest.mark.parametrize("piece", [b"", b"x" * (SMALLEST_PIECE - 1), CONTENT + b"x"])
def test_pieces_of_the_wrong_size_are_refused(piece):
    with pytest.raises(uploads.WrongPiece):
        append(announced().token, 0, piece, sent_by=LIN)


def test_an_empty_file_is_complete_at_once():
    assert announced(b"").complete
    with pytest.raises(uploads.WrongDigest):
        begin("y", 0, sha(b"not empty"), sent_by=LIN)


def test_quota_and_reserve_are_kept(settings):
    settings.ONEMAP_UPLOAD_QUOTA = len(CONTENT) + 10
    announced()
    with pytest.raises(uploads.UploadQuota):
        announced(b"x" * 11, "more")
    announced(b"x" * 11, "more", by=WANG)
    settings.ONEMAP_DISK_RESERVE = 1.0
    with pytest.raises(uploads.NoRoom):
        announced(b"x", "again", by=WANG)


def test_a_full_disk_is_a_refusal(monkeypatch):
    upload = announced()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(uploads.NoRoom):
        append(upload.token, 0, CONTENT[:SMALLEST_PIECE], sent_by=LIN)


def test_another_s_upload_is_none_at_all():
    upload = announced()
    for act in (
        lambda: append(upload.token, 0, b"", sent_by=WANG),
        lambda: cancel(upload.token, sent_by=WANG),
    ):
        with pytest.raises(uploads.UploadNotFound):
            act()
    with pytest.raises(uploads.UploadNotFound):
        gather([send_rest(upload).token], WANG, Path("/nonexistent"))


def test_gathered_files_keep_folders_and_are_used_once(var):
    names = ["survey/../DLTB.shp", "survey/DLTB.dbf"]
    done = [
        send_rest(announced(CONTENT[number:], name), CONTENT[number:]) for number, name in enumerate(names)
    ]
    into = var / "delivery"
    into.mkdir()
    made = gather([one.token for one in done], LIN, into)
    assert [str(path.relative_to(into)) for path in made] == ["survey/DLTB.shp", "survey/DLTB.dbf"]
    assert [path.read_bytes() for path in made] == [CONTENT, CONTENT[1:]]
    with pytest.raises(uploads.UploadUsed):
        gather([done[0].token], LIN, into)


def test_half_a_file_is_not_gathered(var):
    with pytest.raises(uploads.UploadIncomplete):
        gather([announced().token], LIN, var)


def test_sweeping_takes_what_is_used_and_what_is_abandoned(var):
    kept, old, used = (announced(name=name) for name in ("kept", "old", "used"))
    Upload.objects.filter(pk=old.pk).update(touched_at=timezone.now() - timedelta(days=8))
    Upload.objects.filter(pk=used.pk).update(taken_at=timezone.now() - timedelta(hours=2))
    stray = var / "uploads" / "stray"
    stray.touch()
    os.utime(stray, (0, 0))
    assert sweep_uploads() == 3
    assert [one.name for one in (var / "uploads").iterdir()] == [kept.token]


@pytest.fixture
def lin():
    user = ensure_user("lin", "a-long-password", ensure_department("data", "数据管理", "Data"), [], "林")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    token = client.get("/api/session").json()["csrf_token"]

    def ask(method, path, body=b"", kind="application/octet-stream", **headers):
        return client.generic(method, path, body, kind, headers={"X-CSRFToken": token, **headers})

    return ask


def test_the_protocol_over_http(lin):
    told = f'{{"name": "a.zip", "size": {len(CONTENT)}, "sha256": "{sha(CONTENT)}"}}'
    answer = lin("POST", "/api/uploads", told, "application/json")
    assert (answer.status_code, answer.json()["offset"]) == (201, 0)
    path = f"/api/uploads/{answer.json()['token']}"
    piece = lin("PATCH", path, CONTENT[:SMALLEST_PIECE], **{"Upload-Offset": "0"})
    assert (piece.status_code, piece["Upload-Offset"]) == (204, str(SMALLEST_PIECE))
    late = lin("PATCH", path, CONTENT[:SMALLEST_PIECE], **{"Upload-Offset": "0"})
    assert (late.status_code, late.json()["facts"]["offset"]) == (409, SMALLEST_PIECE)
    rest = lin("PATCH", path, CONTENT[SMALLEST_PIECE:], **{"Upload-Offset": str(SMALLEST_PIECE)})
    assert (rest.status_code, rest["Upload-Complete"]) == (204, "1")
    assert lin("HEAD", path)["Upload-Offset"] == str(len(CONTENT))
    assert [lin("DELETE", path).status_code for _ in range(2)] == [204, 404]


@pytest.mark.parametrize("offset", ["", "-1", "1.5", "１", "9" * 20])
def test_an_offset_that_is_none_is_refused(lin, offset):
    assert (
        lin("PATCH", f"/api/uploads/{announced().token}", b"x", **{"Upload-Offset": offset}).status_code
        == 400
    )


def test_the_public_cannot_send(client):
    body = {"name": "a", "size": 1, "sha256": "0" * 64}
    answer = Client().post("/api/uploads", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-to-upload")
