"""Code lists over HTTP: what a code means, in which edition, and how editions map."""

from datetime import date
from typing import Any, ClassVar

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.principals import who_asks
from layers import codes
from layers.actions.codes import Edition, add_edition, change_edition
from layers.models import CodeList
from layers.rules.codelists import read_csv
from spatial.errors import Kind, OnemapError

router = Router()


class BadCsv(OnemapError):
    """The first line of a CSV text does not name what is needed."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-csv"
    message: ClassVar = "the first line names code, title_zh and some of title_en, parent, colour, selectable"
    message_zh: ClassVar = "首行应列出 code、title_zh，以及 title_en、parent、colour、selectable 中的若干列"


class ValuesGiven(OnemapError):
    """Values are sent in one form."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "values-or-csv"
    message: ClassVar = "send either values or csv"
    message_zh: ClassVar = "values 与 csv 须且只能给出一个"


class CodeIn(Schema):
    """One code."""

    model_config = ConfigDict(extra="forbid")

    code: str = ""
    title_zh: str = ""
    title_en: str = ""
    parent: str = ""
    colour: str = ""
    selectable: bool = True


class EditionIn(Schema):
    """An edition: its facts, and its codes as values or as the text of a CSV file."""

    model_config = ConfigDict(extra="forbid")

    title_zh: str = Field(min_length=1, max_length=120)
    title_en: str = Field("", max_length=120)
    source: str = Field("", max_length=300)
    valid_from: date | None = None
    valid_to: date | None = None
    values: list[CodeIn] | None = Field(None, max_length=20_000)
    csv: str | None = Field(None, max_length=4_000_000)


@router.get("/code-lists", summary="The code lists")
def code_lists(request: HttpRequest) -> dict[str, Any]:
    """Every code list in every edition, with its validity and how many codes it has."""
    return {"code_lists": [{**codes.described(one), "values": count} for one, count in codes.listed()]}


@router.get("/code-lists/{code}/{edition}", summary="One edition of a code list")
def code_list(request: HttpRequest, code: str, edition: str) -> dict[str, Any]:
    """The codes of an edition with their titles, colours and marks, and the tree that they form."""
    return _told(codes.named(code, edition))


@router.get("/code-lists/{code}/{edition}/mapping/{code2}/{edition2}", summary="How two editions map")
def mapping(request: HttpRequest, code: str, edition: str, code2: str, edition2: str) -> dict[str, Any]:
    """How the codes of one edition read in another, and which of them nothing is known of."""
    source, target = codes.named(code, edition), codes.named(code2, edition2)
    found = codes.mapped(source, target)
    known = {one["source"]["code"] for one in found}
    return {
        "source": codes.described(source),
        "target": codes.described(target),
        "mappings": found,
        "unmapped": [one for one, _, _ in codes.choices(source) if one not in known],
    }


@router.post("/code-lists/{code}/{edition}", response={201: dict[str, Any]}, summary="Add an edition")
def add(request: HttpRequest, code: str, edition: str, body: EditionIn) -> Status[dict[str, Any]]:
    """Add an edition; refused as a whole, with every faulty row named."""
    return Status(201, _told(add_edition(who_asks(request), _edition(code, edition, body))))


@router.put("/code-lists/{code}/{edition}", summary="Change an edition")
def change(request: HttpRequest, code: str, edition: str, body: EditionIn) -> dict[str, Any]:
    """Make an edition what is sent; a code that features hold cannot be left out."""
    return _told(change_edition(who_asks(request), _edition(code, edition, body)))


def _edition(code: str, edition: str, body: EditionIn) -> Edition:
    if (body.values is None) == (body.csv is None):
        raise ValuesGiven()
    facts = {
        name: getattr(body, name) for name in ("title_zh", "title_en", "source", "valid_from", "valid_to")
    }
    return Edition(code=code, edition=edition, rows=_rows(body), **facts)


def _rows(body: EditionIn) -> list[dict[str, str]]:
    if body.csv is not None:
        try:
            return read_csv(body.csv)
        except ValueError as error:
            raise BadCsv() from error
    return [
        {
            **{name: text.strip() for name, text in one.dict(exclude={"selectable"}).items()},
            "selectable": "yes" if one.selectable else "no",
        }
        for one in body.values or ()
    ]


def _told(found: CodeList) -> dict[str, Any]:
    values = list(found.values.all())
    names = ("code", "title_zh", "title_en", "parent", "colour", "selectable", "mark")
    return {
        **codes.described(found),
        "values": [{name: getattr(one, name) for name in names} for one in values],
        "tree": codes.tree(values),
    }
