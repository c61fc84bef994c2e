"""One event, one line: log records as JSON, so that no input can forge a line (threats.md P-20)."""

import json
import logging
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Write a record as one JSON object on one line, everything outside ASCII escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        event = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", None):
            event["request_id"] = request_id
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        # Everything outside ASCII is escaped by json; DEL is the one control character that it leaves.
        return json.dumps(event).replace("\x7f", "\\u007f")
