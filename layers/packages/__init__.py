"""Packages: a manifest, files with their digests, one signature. Written, verified and unpacked by these alone."""

from layers.packages.codes import add_code_lists
from layers.packages.keys import add_key, fingerprint, own_key, revoke_key
from layers.packages.manifest import FileFact, Manifest
from layers.packages.reading import Verified, unpack_package, verify_package
from layers.packages.writing import write_package

__all__ = [
    "add_code_lists",
    "FileFact",
    "Manifest",
    "Verified",
    "add_key",
    "fingerprint",
    "own_key",
    "revoke_key",
    "unpack_package",
    "verify_package",
    "write_package",
]
