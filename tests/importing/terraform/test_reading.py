"""Terraform's files as configurations: those that the provider wrote, and resources of every type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import vpcdns
from tests.support.terraform_documents import WRITTEN, hybrid, state, written
from vpcdns.config import loads
from vpcdns.importing.finish import finish
from vpcdns.importing.inventory import Inventory
from vpcdns.importing.terraform.documents import read
from vpcdns.importing.terraform.reading import Terraform
from vpcdns.model.world import World


def imported(*documents: bytes | dict[str, Any]) -> Inventory:
    """What an import makes of files."""
    octets = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents)
    terraform = Terraform([read(f"{number}.json", one) for number, one in enumerate(octets, start=1)])
    inventory = terraform.after()
    finish(inventory)
    return inventory


def world(inventory: Inventory) -> World:
    return loads(json.dumps(inventory.document())).world


@pytest.mark.parametrize("file", sorted(WRITTEN.glob("*.json")), ids=lambda file: str(file.stem))
def test_what_the_provider_wrote_is_read(file: Path, tmp_path: Path) -> None:
    """And `check` accepts what is printed."""
    ran = vpcdns("import", "terraform", str(file))
    assert ran.returncode == 0, ran.stderr
    (tmp_path / "vpcdns.yaml").write_text(ran.stdout)
    checked = vpcdns("check", str(tmp_path / "vpcdns.yaml"))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_state_and_its_file_say_the_same() -> None:
    shown, kept = (
        imported((WRITTEN / name).read_bytes()) for name in ("state.json", "terraform.tfstate.json")
    )
    assert shown.document() == kept.document()
    assert world(shown).groups["4fe3d18607eba35112ec3982cab60e44"].vpc_domain


def test_resources_of_every_type(tmp_path: Path) -> None:
    ran = vpcdns("import", "terraform", str(written(tmp_path, state(*hybrid()))))
    made = loads(ran.stdout).world
    assert set(made.topology.vpcs) == {"vpc-core", "vpc-shop"}
