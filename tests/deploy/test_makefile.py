import subprocess

import pytest

from deploy.__main__ import COMMANDS, main
from deploy.places import CHECKOUT

PROMISED = "run start stop status test check bench bench-peers e2e bless backup restore help".split()


@pytest.mark.parametrize("name", PROMISED)
def test_every_promised_command_is_in_the_help(name):
    text = subprocess.run(["make", "help"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert any(line.split()[:2] == ["make", name] for line in text.splitlines())


@pytest.mark.parametrize("name", [name for name in PROMISED if name != "help"])
def test_every_promised_command_does_something(name):
    dry = subprocess.run(
        ["make", "-n", name], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    assert f"deploy/onemap.sh {name}" in dry
    assert name in COMMANDS


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--port", "0"],
        ["run", "--port", "65536"],
        ["run", "--port", "８０００"],
        ["run", "--demo", "huge"],
        ["fly"],
    ],
)
def test_a_mistyped_option_is_refused_before_anything_happens(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "error" in capsys.readouterr().err
