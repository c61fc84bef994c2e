"""The web application with one more address, which makes the mixed calls; served by granian."""

import json

from config import wsgi
from tests.config import mixed_calls


def application(environ, start_response):
    if environ["PATH_INFO"] != "/mixed":
        return wsgi.application(environ, start_response)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(mixed_calls.report()).encode()]
