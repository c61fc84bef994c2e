"""Sending files in pieces: announce, send from the offset the server names, look, cancel."""

from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema, Status

from accounts.guard import caller
from accounts.principals import Principal
from process import uploads
from process.models import Upload
from spatial.errors import Kind, OnemapError
from spatial.numbers import parse_integer

router = Router(tags=["uploads"], auth=caller)

OFFSET_DIGITS = 15
RECOMMENDED_PIECE = 2 * 2**20  # bytes: two seconds on a slow office line


class SignInToUpload(OnemapError):
    """Only people and programs with a name may send files."""

    kind: ClassVar = Kind.UNAUTHENTICATED
    code: ClassVar = "sign-in-to-upload"
    message: ClassVar = "sign in to send files"
    message_zh: ClassVar = "上传文件需要先登录"


class OffsetMissing(OnemapError):
    """The request does not say where its piece belongs."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "upload-offset-missing"
    message: ClassVar = "the header Upload-Offset must hold the byte at which the piece begins"
    message_zh: ClassVar = "请求头 Upload-Offset 应为该段的起始字节"


class UploadIn(Schema):
    """A file to come: its name with folders, its bytes, its SHA-256 in small hexadecimal digits."""

    name: str = Field(min_length=1, max_length=uploads.LONGEST_NAME)
    size: int = Field(ge=0, le=uploads.LARGEST_FILE)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class UploadOut(Schema):
    """Where to send it: the next byte the server wants, and how many bytes a piece should have."""

    token: str
    offset: int
    chunk: int
    complete: bool


def sender(request: HttpRequest) -> str:
    """Who sends.

    Raises
    ------
    SignInToUpload
    """
    principal: Principal = vars(request)["principal"]
    if principal.kind == "public":
        raise SignInToUpload()
    return principal.name


def offset_of(request: HttpRequest) -> int:
    """The byte at which the piece begins.

    Raises
    ------
    OffsetMissing
    """
    text = request.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) <= OFFSET_DIGITS):
        raise OffsetMissing()
    return parse_integer(text, name="Upload-Offset")


def told(upload: Upload) -> HttpResponse:
    """204 with how far the file is."""
    response = HttpResponse(status=204)
    response.headers["Upload-Offset"] = str(upload.received)
    response.headers["Upload-Length"] = str(upload.size)
    response.headers["Upload-Complete"] = "1" if upload.complete else "0"
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/uploads", response={201: UploadOut}, summary="Announce a file")
def begin(request: HttpRequest, body: UploadIn) -> Status[UploadOut]:
    """Begin an upload, or find the one that is under way for the same file."""
    upload = uploads.begin(body.name, body.size, body.sha256, sent_by=sender(request))
    answer = UploadOut(
        token=upload.token, offset=upload.received, chunk=RECOMMENDED_PIECE, complete=upload.complete
    )
    return Status(201, answer)


@router.api_operation(["GET", "HEAD"], "/uploads/{token}", response={204: None}, summary="How far a file is")
def look(request: HttpRequest, token: str) -> HttpResponse:
    """`Upload-Offset` is the next byte the server wants; `Upload-Complete` is 1 once the digest was right."""
    return told(uploads.find(token, sender(request)))


@router.patch("/uploads/{token}", response={204: None}, summary="Send a piece")
def send(request: HttpRequest, token: str) -> HttpResponse:
    """The body is the piece, `Upload-Offset` the byte at which it begins; 409 tells the true one in `facts.offset`."""
    return told(uploads.append(token, offset_of(request), request.body, sent_by=sender(request)))


@router.delete("/uploads/{token}", response={204: None}, summary="Cancel an upload")
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Forget a file and its bytes."""
    uploads.cancel(token, sent_by=sender(request))
    return HttpResponse(status=204)
