"""The installation's secrets: made once, kept in one file that only its owner can read."""

import secrets

from deploy.places import Places, read_json, write_json

# Bytes of randomness for each name. The demonstration password is typed by people, so it is shorter.
SIZES = {
    "secret_key": 48,
    "superuser_password": 24,
    "owner_password": 24,
    "web_password": 24,
    "render_password": 24,
    "demo_password": 9,
}


def ensure(places: Places) -> dict[str, str]:
    """Return the secrets, making those that are missing. A secret that exists is never changed."""
    path = places.var / "secrets.json"
    known = read_json(path)
    missing = {name: secrets.token_urlsafe(size) for name, size in SIZES.items() if not known.get(name)}
    if missing:
        known.update(missing)
        write_json(path, known)
    path.chmod(0o600)
    return known


def remember(places: Places, name: str, value: str) -> None:
    """Keep one secret that the operator chose."""
    known = ensure(places)
    if known[name] != value:
        write_json(places.var / "secrets.json", {**known, name: value})
