"""Keys of packages: this instance's own Ed25519 key, and the public keys whose packages it takes."""

import base64
import binascii
import hashlib
import os
import secrets
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from layers.models import TrustedKey
from process import audit
from spatial.errors import Kind, OnemapError

KEY_LOCK = 0x6F6D706B  # one process at a time makes or replaces the own key
KEY_BYTES = 32


class BadKey(OnemapError):
    """No public key can be read from a text."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-public-key"
    message: ClassVar = "a public key is the base64 text of the 32 bytes of an Ed25519 key"
    message_zh: ClassVar = "公钥应为 Ed25519 公钥 32 字节的 base64 文本"


class NoSuchTrustedKey(OnemapError):
    """No key is meant by this."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "no-such-trusted-key"
    message: ClassVar = "no trusted key has the id, the name or the fingerprint {key}"
    message_zh: ClassVar = "没有编号、名称或指纹为 {key} 的受信密钥"


class KeyWasRevoked(OnemapError):
    """A revoked key never comes back."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "trusted-key-revoked"
    message: ClassVar = "the key {fingerprint} was revoked; its owner must make a new one"
    message_zh: ClassVar = "密钥 {fingerprint} 已吊销，须由其所有者更换新密钥"


def key_path() -> Path:
    """Where the private key lies."""
    folder: Path = settings.ONEMAP_VAR / "keys"
    return folder / "packages.pem"


def text_of(key: Ed25519PublicKey) -> str:
    """A public key as it is written: base64 of its 32 bytes."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def key_of(text: str) -> Ed25519PublicKey:
    """The public key that a text stands for.

    Raises
    ------
    BadKey
    """
    try:
        raw = base64.b64decode(text.strip(), validate=True)
        if len(raw) != KEY_BYTES:
            raise BadKey()
        return Ed25519PublicKey.from_public_bytes(raw)
    except (binascii.Error, ValueError) as error:
        raise BadKey() from error


def fingerprint(public_key: str) -> str:
    """What people compare over the telephone: the beginning of the key's SHA-256, in groups of four."""
    digits = hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:32]
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


@transaction.atomic
def own_key() -> tuple[Ed25519PrivateKey, TrustedKey]:
    """The instance's own private key and its row; made on first use, and anew once the old one was revoked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [KEY_LOCK])
    private = _stored()
    if private is not None:
        row = TrustedKey.objects.filter(public_key=text_of(private.public_key())).first()
        if row is None:
            return private, _catalogued(private)
        if row.revoked_at is None:
            return private, row
    private = Ed25519PrivateKey.generate()
    _store(private)
    return private, _catalogued(private)


def _stored() -> Ed25519PrivateKey | None:
    path = key_path()
    if not path.is_file():
        return None
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise BadKey()
    return private


def _store(private: Ed25519PrivateKey) -> None:
    """Write the key complete or not at all, readable by its owner alone from the first byte on."""
    path = key_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """See to it that a rename in this folder outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _catalogued(private: Ed25519PrivateKey) -> TrustedKey:
    text = text_of(private.public_key())
    row = TrustedKey.objects.create(
        name=f"{settings.ONEMAP_CITY_ZH} {settings.ONEMAP_CITY_EN}",
        public_key=text,
        own=True,
        added_by="system",
    )
    audit.record("system", "trusted-key.make", "trusted-key", row.name, fingerprint=fingerprint(text))
    return row


@transaction.atomic
def add_key(name: str, public_key: str, by: str) -> TrustedKey:
    """Trust a key from now on; a key that is trusted already only takes the new name.

    Raises
    ------
    BadKey, KeyWasRevoked
    """
    text = text_of(key_of(public_key))
    found = TrustedKey.objects.select_for_update().filter(public_key=text).first()
    if found is not None and found.revoked_at is not None:
        raise KeyWasRevoked(fingerprint=fingerprint(text))
    row = found or TrustedKey(public_key=text, added_by=by)
    row.name = name[:120]
    row.save()
    audit.record(by, "trusted-key.add", "trusted-key", row.name, fingerprint=fingerprint(text))
    return row


def find_key(wanted: str) -> TrustedKey:
    """The key meant by an id, a name, a fingerprint or the key's own text.

    Raises
    ------
    NoSuchTrustedKey
        None, or more than one, is meant.
    """
    asked = wanted.strip()
    meant = [
        row
        for row in TrustedKey.objects.all()
        if asked in {str(row.pk), row.name, row.public_key, fingerprint(row.public_key)}
    ]
    if len(meant) != 1:
        raise NoSuchTrustedKey(key=asked[:120])
    return meant[0]


@transaction.atomic
def revoke_key(key: TrustedKey, by: str) -> TrustedKey:
    """Trust a key no more, whenever its packages were signed; revoking twice changes nothing."""
    changed = TrustedKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    if changed:
        facts = {"fingerprint": fingerprint(key.public_key)}
        audit.record(by, "trusted-key.revoke", "trusted-key", key.name, **facts)
    key.refresh_from_db()
    return key
