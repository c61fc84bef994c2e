"""Refusals as the OGC services write them: ServiceExceptionReport (WMS), ows:ExceptionReport (WMTS, WFS)."""

import re
from xml.sax.saxutils import escape, quoteattr

from spatial.errors import OnemapError

SERVICES = "/services/"
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
# Our codes in the words of WMS 1.3.0 (OGC 06-042, table E.1); 1.1.1 says SRS for CRS.
WMS_CODES = {
    "layer-not-found": "LayerNotDefined",
    "style-not-found": "StyleNotDefined",
    "unknown-crs": "InvalidCRS",
    "bad-format": "InvalidFormat",
    "not-granted": "LayerNotQueryable",
    "bad-point": "InvalidPoint",
    "bad-time": "InvalidDimensionValue",
    "unknown-operation": "OperationNotSupported",
}
# And of OWS Common (OGC 06-121r9, table 27).
OWS_CODES = {
    "missing-parameter": "MissingParameterValue",
    "unknown-operation": "OperationNotSupported",
    "tile-out-of-range": "TileOutOfRange",
}


def report(path: str, version: str, error: OnemapError, language: str, request_id: str) -> tuple[str, str]:
    """The document and its media type.

    Parameters
    ----------
    path
        Of the request: which service speaks.
    version
        As the client named it, "" if not.
    """
    text = NO_XML.sub("\ufffd", f"{error.text(language)} (request {request_id})")
    if path.startswith("/services/wms"):
        return _wms(version, error, text)
    code = OWS_CODES.get(
        error.code, "InvalidParameterValue" if error.kind.value in _SENDERS else "NoApplicableCode"
    )
    where = error.facts.get("parameter") or next((word for word in ("layer",) if word in error.facts), None)
    locator = f" locator={quoteattr(NO_XML.sub('?', str(where)))}" if where else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1" version="1.0.0">'
        f'<ows:Exception exceptionCode="{code}"{locator}>'
        f"<ows:ExceptionText>{escape(text)}</ows:ExceptionText></ows:Exception></ows:ExceptionReport>\n",
        "text/xml; charset=utf-8",
    )


_SENDERS = {"invalid", "not-found", "unprocessable"}


def _wms(version: str, error: OnemapError, text: str) -> tuple[str, str]:
    code = WMS_CODES.get(error.code, "")
    if version == "1.1.1":
        code = code.replace("InvalidCRS", "InvalidSRS")
        head, media = '<ServiceExceptionReport version="1.1.1">', "application/vnd.ogc.se_xml"
    else:
        head = '<ServiceExceptionReport version="1.3.0" xmlns="http://www.opengis.net/ogc">'
        media = "text/xml; charset=utf-8"
    told = f' code="{code}"' if code else ""
    body = f"<ServiceException{told}>{escape(text)}</ServiceException></ServiceExceptionReport>\n"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{body}', media
