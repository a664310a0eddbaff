"""Twice as many resources take about twice as long: nothing here looks at all of them for each of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.terraform_documents import change, large, large_rebind, octets, plan, resource, state
from vpcdns import gc_pauses
from vpcdns.importing.finish import finish
from vpcdns.importing.overlay import Overlay
from vpcdns.importing.terraform.documents import read
from vpcdns.importing.terraform.reading import Terraform
from vpcdns.importing.text import configuration_text
from vpcdns.rehearsal.terraform_plan import terraform_plan, terraform_text

FEW, MANY = 1_000, 4_000
AT_MOST = 7.0  # times as long for four times as many: 4, and others on the machine; but never 16

Work = Callable[[bytes], object]


def written(content: bytes) -> object:
    inventory = Terraform([read("tf.json", content)]).after()
    finish(inventory)
    return "\n".join(configuration_text(inventory, "a test"))


def planned(content: bytes) -> object:
    return list(terraform_text(terraform_plan(Terraform([read("tf.json", content)]))))


def crowded(count: int) -> dict[str, Any]:
    """One VPC that is only named, as are vSwitches in it, one for each instance; one zone for all records."""
    bound = (
        resource(
            f"alicloud_api_gateway_instance.all[{number}]",
            id=f"apigateway-hz-{number}",
            zone_id="cn-hangzhou-MAZ6",
            ingress_vpc_id="vpc-a",
            ingress_vswitch_id=f"vsw-{number}",
        )
        for number in range(count // 2)
    )
    records = (
        resource(
            f"alicloud_pvtz_zone_record.all[{number}]",
            id=f"{number}:zone",
            record_id=number,
            zone_id="zone",
            rr=f"h{number}",
            type="A",
            value="10.1.0.9",
            ttl=60,
        )
        for number in range(count // 2)
    )
    return state(*bound, resource("alicloud_pvtz_zone.z", id="zone", zone_name="z.internal"), *records)


def refused(count: int) -> dict[str, Any]:
    """Everything is refused, and takes what names it along."""
    bound = []
    for number in range(count // 3):
        vpc, vswitch, gateway = f"vpc-{number}", f"vsw-{number}", f"gw-{number}"
        binding = {"ingress_vpc_id": vpc, "ingress_vswitch_id": vswitch, "zone_id": "cn-hangzhou-MAZ6"}
        bound += [
            resource(
                f"alicloud_vpc.all[{number}]", id=vpc, cidr_block="10.0.0.0/99", region_id="cn-hangzhou"
            ),
            resource(f"alicloud_vswitch.all[{number}]", id=vswitch, vpc_id=vpc, cidr_block="x"),
            resource(f"alicloud_api_gateway_instance.all[{number}]", id=gateway, **binding),
        ]
    return state(*bound)


def unknown(count: int) -> dict[str, Any]:
    """A plan in which each of many refers to all of as many, which have other keys."""
    resources = [resource(f"alicloud_vpc.all[{number}]") for number in range(count // 2)]
    resources += [resource(f'alicloud_vswitch.all["{number}"]', vpc_id=None) for number in range(count // 2)]
    changes = [change(one["address"], ["create"], None, {}, ["id", "vpc_id"]) for one in resources]
    block = {
        "address": "alicloud_vswitch.all",
        "expressions": {"vpc_id": {"references": ["alicloud_vpc.all", "local.which"]}},
    }
    return plan([], resources, changes, {"root_module": {"resources": [block]}})


def assert_linear(work: Work, made: Callable[[int], dict[str, Any]]) -> None:
    """Of three tries, as others on the machine slow CPU time too; what is quadratic fails all of them."""
    tries = []
    for _ in range(3):
        few, many = seconds(work, made(FEW)), seconds(work, made(MANY))
        if many < AT_MOST * few:
            return
        tries.append(f"{few:.2f} s for {FEW:,}, {many:.2f} s for {MANY:,}")
    pytest.fail("; ".join(tries))


def zones(count: int) -> dict[str, Any]:
    """Many private zones, whose records are all made anew."""
    resources, changes = [resource("alicloud_vpc.v", id="vpc-1", cidr_block="10.1.0.0/16")], []
    for number in range(count // 3):
        own, record = f"zone-{number}", f"alicloud_pvtz_zone_record.r[{number}]"
        values = {"zone_id": own, "rr": "h", "type": "A", "value": "10.1.0.9"}
        resources += [
            resource(f"alicloud_pvtz_zone.z[{number}]", id=own, zone_name=f"z{number}.internal"),
            resource(f"alicloud_pvtz_zone_attachment.a[{number}]", id=own, zone_id=own, vpc_ids=["vpc-1"]),
            resource(record, id=f"{number}:{own}", record_id=str(number), **values),
        ]
        changes.append(change(record, ["delete", "create"], resources[-1]["values"], values, ["id"]))
    return plan(resources, resources, changes)


def seconds(work: Work, document: dict[str, Any]) -> float:
    """CPU time, the shorter of two."""
    content, taken = octets(document), []
    for _ in range(2):
        gc.collect()
        before = time.process_time()
        with gc_pauses.paused():
            work(content)
        taken.append(time.process_time() - before)
    return min(taken)


@pytest.mark.parametrize(
    ("work", "made"),
    [
        (written, lambda count: state(*large(count))),
        (planned, large_rebind),
        (written, crowded),
        (written, refused),
        (written, unknown),
        (planned, zones),
    ],
    ids=["an import", "a plan", "few large objects", "all is refused", "nothing is known", "many zones"],
)
def test_time_grows_with_the_number_of_resources(work: Work, made: Callable[[int], dict[str, Any]]) -> None:
    assert_linear(work, made)


def test_an_overlay_costs_no_more_than_its_objects() -> None:
    def laid(content: bytes) -> object:
        inventory = Terraform([read("tf.json", content)]).after()
        groups = [item.part["group_id"] for item in inventory.items("groups")]
        named = "".join(f"\n - {{group_id: '{one}', custom_domains: [g{one}.example]}}" for one in groups)
        finish(inventory, Overlay("own.yaml", f"groups:{named}".encode()))
        return inventory

    assert_linear(laid, lambda count: state(*large(count)))
