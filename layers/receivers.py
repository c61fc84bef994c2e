"""What happens to departments, followed by what the catalogue keeps for them."""

from datetime import date
from typing import Any

from accounts import signals
from accounts.models import Department
from layers.models import Delivery, DeliveryProfile, Grant, Layer, Pull


def on_department_merged(
    sender: object, source: Department, target: Department, day: date, by: str, **kwargs: Any
) -> None:
    """Layers and rights of the department go to its successor, in the transaction of the merge."""
    for model in (Layer, Grant, Delivery, DeliveryProfile, Pull):
        model.objects.filter(department=source).update(department=target)


def connect() -> None:
    """Listen, once."""
    signals.department_merged.connect(on_department_merged, dispatch_uid="layers.merged")
