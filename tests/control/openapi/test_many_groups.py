"""Over very many groups: no call of the API stops the event loop, and what it finds is right."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from itertools import count, pairwise
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.cloud_api import CLOUDAPI
from tests.support.event_loop import on_loop
from tests.support.example_world import BOUND, HZ, SHARED, VPC_A, example
from vpcdns.control.openapi.endpoint import OpenApi
from vpcdns.control.openapi.keys import AccessKeys
from vpcdns.control.openapi.request import ApiRequest
from vpcdns.model.frozen_map import FrozenMap
from vpcdns.model.gateway import Group
from vpcdns.model.name_tree import NameTree
from vpcdns.model.world import World
from vpcdns.state import State

MANY = 100_000
# Seconds of CPU time of this process, so that other load does not count. At 300,000 groups it is 8 ms.
AT_MOST = 0.02


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(MANY)


def world_of(many: int) -> World:
    groups = FrozenMap(
        (f"{number:032x}", Group(f"{number:032x}", BOUND, HZ, f"group_{number}")) for number in range(many)
    )
    return replace(example(), groups=groups, custom_domains=NameTree())


class Asker:
    """Calls the API; `stopped` is the longest time that the event loop had to wait meanwhile."""

    def __init__(self, state: State) -> None:
        self.api = OpenApi(state, AccessKeys({}), open_without_keys=True, region_id=HZ)
        self.stopped = 0.0
        seconds = count(1_795_345_263)
        self.api.now = lambda: float(next(seconds))

    async def beat(self) -> None:
        while True:
            before = time.process_time()
            await asyncio.sleep(0.001)
            self.stopped = max(self.stopped, time.process_time() - before - 0.001)

    async def ask(self, action: str, **parameters: str) -> dict[str, Any]:
        query = urlencode({"Action": action, "Version": CLOUDAPI, "RegionId": HZ, **parameters})
        answer = await self.api.respond(ApiRequest("POST", "/", query, {}))
        assert answer.status == 200, answer.body
        return answer.body

    async def names(self, **parameters: str) -> list[str]:
        told = await self.ask("DescribeApiGroups", **parameters)
        return [one["GroupName"] for one in told["ApiGroupAttributes"]["ApiGroupAttribute"]]


@on_loop
async def test_no_call_stops_the_event_loop(world: World) -> None:
    state = State(world)
    asker = Asker(state)
    beating = asyncio.create_task(asker.beat())
    await asyncio.sleep(0.01)
    for number in range(2):
        made = await asker.ask("CreateApiGroup", GroupName=f"made_{number}", InstanceId=BOUND)
        await asker.ask("DescribeInstances")
        assert (await asker.names())[0] == f"made_{number}"
        last = await asker.names(Sort="asc", PageSize="50", PageNumber=str(MANY // 50 + 1))
        assert last[-1] == f"made_{number}", "the last that was changed"
        assert await asker.names(GroupId=made["GroupId"]) == [f"made_{number}"]
        found = await asker.names(GroupName="group_4711", PageSize="50")
        assert sorted(found) == ["group_4711", *(f"group_4711{digit}" for digit in range(10))]
        assert await asker.names(InstanceId=SHARED) == []
        await asker.ask("SetDomain", GroupId=made["GroupId"], DomainName=f"a{number}.example.org")
        await asker.ask("DeleteApiGroup", GroupId=f"{number:032x}")
        instance = await asker.ask(
            "CreateInstance", InstanceName="n", InstanceSpec="s", ChargeType="PostPaid", Token=f"t-{number}"
        )
        bind = {"InstanceId": instance["InstanceId"], "VpcId": VPC_A}
        await asker.ask("ModifyInstanceVpcAttributeForConsole", **bind, VswitchId="vsw-1")
        await asker.ask("ModifyInstanceVpcAttributeForConsole", **bind, DeleteVpcAccess="true")
        await asker.ask("DeleteInstance", InstanceId=instance["InstanceId"])
    beating.cancel()
    assert asker.stopped < AT_MOST


@on_loop
async def test_each_group_is_on_one_page_in_either_order() -> None:
    state = State(world_of(3_000))
    asker, now = Asker(state), 1_795_345_263.0
    asker.api.now = lambda: now
    for number in range(0, 3_000, 7):
        now += number % 2
        await asker.ask("ModifyApiGroup", GroupId=f"{number:032x}", Description="changed")
    listed: dict[str, list[tuple[str, str]]] = {}
    for order in ("asc", "desc"):
        for page in range(1, 61):
            told = await asker.ask("DescribeApiGroups", Sort=order, PageSize="50", PageNumber=str(page))
            listed.setdefault(order, []).extend(
                (one.get("ModifiedTime", ""), one["GroupName"])
                for one in told["ApiGroupAttributes"]["ApiGroupAttribute"]
            )
        assert len(set(listed[order])) == 3_000
    assert all(before[0] <= after[0] for before, after in pairwise(listed["asc"]))
    assert listed["desc"] == listed["asc"][::-1]


@on_loop
async def test_after_a_reload_no_old_group_is_found_or_kept(world: World) -> None:
    state = State(world)
    asker = Asker(state)
    await asker.ask("CreateApiGroup", GroupName="fresh_one", InstanceId=BOUND)
    state.reload(replace(world, groups=FrozenMap({"a" * 32: Group("a" * 32, BOUND, HZ, "another")})))
    await asker.ask("CreateApiGroup", GroupName="group_1", InstanceId=BOUND)
    await asker.ask("CreateApiGroup", GroupName="fresh_one", InstanceId=BOUND)
    assert sorted(await asker.names()) == ["another", "fresh_one", "group_1"]
