"""`python -m layers.styles`: the JSON schema of styles as the map page takes them, of which it makes its types."""

import json
import sys

from layers.styles.showing import drawn_schema

sys.stdout.write(json.dumps(drawn_schema(), ensure_ascii=False, indent=2) + "\n")
