"""`manage.py demo_city`: load the demonstration city."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from demo.actions import load_city
from demo.sizes import SIZES, UnknownSize
from layers.exchange.imports import import_now
from process.runner import one_child

SEED = 20


def seed_number(text: str) -> int:
    """Read a seed: a whole number, 0 or more."""
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


class Command(JsonCommand):
    """`manage.py demo_city --size small|district|city --seed N`."""

    help = "load the demonstration city: departments, accounts and layers; a second run changes nothing"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--size", default="small", help=", ".join(SIZES))
        parser.add_argument("--seed", type=seed_number, default=SEED, help="the city's number, 0 or more")

    def run(self, **options: Any) -> dict[str, Any]:
        """Load it, telling of each layer on stderr."""
        if options["size"] not in SIZES:
            raise UnknownSize(size=options["size"], possible=", ".join(SIZES))
        with one_child():
            return load_city(options["size"], options["seed"], import_now, self.stderr.write)

    def describe(self, result: dict[str, Any]) -> str:
        """One or two lines for a person."""
        if result["already"]:
            return "演示城市已在库中,未作改动。 The demonstration city is there already; nothing was changed."
        total = sum(result["layers"].values())
        return (
            f"演示城市已载入:{len(result['layers'])} 个图层,{total} 个要素。"
            f" The demonstration city is in: {len(result['layers'])} layers, {total} features."
        )
