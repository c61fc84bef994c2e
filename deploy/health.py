"""Ask the running platform whether it works."""

import http
import http.client
import json
import urllib.error
import urllib.request

# No proxy: the question goes to this machine.
OK = http.HTTPStatus.OK
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url: str, seconds: float = 3.0) -> bool:
    """Whether /healthz says that database, storage and a worker answer."""
    return ask(url, seconds)[0] == OK


def ask(url: str, seconds: float = 3.0) -> tuple[int, str]:
    """The status and body of /healthz; status 0 when nothing answers at all."""
    try:
        with OPENER.open(f"{url}healthz", timeout=seconds) as answer:
            return answer.status, answer.read(10_000).decode("utf-8", "replace")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, _one_line(refusal.read(10_000))
    except (OSError, http.client.HTTPException):
        return 0, ""


def _one_line(body: bytes) -> str:
    """A body as one line, for a terminal."""
    text = body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return " ".join(text.split())[:300]
