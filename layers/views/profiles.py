"""The profiles of deliveries: what they are expected to hold."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict

from accounts.principals import who_asks
from layers.exchange.deliveries import flow
from layers.exchange.deliveries.profile import schema
from layers.models import DeliveryProfile
from layers.rights import Action, may_everywhere
from layers.views.deliveries import MayNotDeliver, may_use

router = Router()


class ProfileIn(Schema):
    """A profile to keep."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]


@router.get("/delivery-profiles", summary="What deliveries are expected to hold")
def profiles(request: HttpRequest) -> dict[str, Any]:
    """Those you may deliver by: a profile names layers, which others need not know of."""
    who = who_asks(request)
    everywhere = may_everywhere(who, Action.PUBLISH)
    listed = DeliveryProfile.objects.select_related("department")
    return {
        "profiles": [
            {
                "code": one.code,
                "title_zh": one.title_zh,
                "title_en": one.title_en,
                "department": one.department.code,
                "document": one.document,
                "changed_by": one.changed_by,
                "changed_at": one.changed_at,
            }
            for one in listed
            if everywhere or may_use(who, one)
        ]
    }


@router.get("/delivery-profiles/schema", summary="The schema of a profile")
def profile_schema(request: HttpRequest) -> dict[str, Any]:
    """JSON Schema."""
    return schema()


@router.put("/delivery-profiles/{slug:code}", summary="Keep a profile")
def keep_profile(request: HttpRequest, code: str, body: ProfileIn) -> dict[str, Any]:
    """Add a profile or change it; deliveries on their way keep the one they began with."""
    who = who_asks(request)
    if not may_everywhere(who, Action.PUBLISH):
        raise MayNotDeliver(layer="*")
    kept = flow.keep_profile(code, body.document, by=who.name)
    return {"code": kept.code, "changed_at": kept.changed_at}
