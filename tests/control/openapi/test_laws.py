"""Whatever is asked: an answer in the cloud's form, a World that keeps the rules and can be written down."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.api_parameters import POOL, filled
from tests.support.cloud_api import CLOUDAPI, VPC, Cloud
from tests.support.world_checks import assert_lookups_hold, assert_rules_hold, assert_same
from vpcdns.config import loads, written, yaml_text
from vpcdns.control.openapi.actions import ACTIONS
from vpcdns.control.openapi.keys import AccessKeys
from vpcdns.control.openapi.request import ApiRequest
from vpcdns.state import Commit, State
from vpcdns.state.change_json import decode_change, encode_change

PARAMETERS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in POOL.items()}
)
CALLS = st.lists(st.tuples(st.sampled_from(sorted(ACTIONS)), PARAMETERS), max_size=25)
IDS = ("GroupId", "InstanceId", "VpcId", "VSwitchId", "ZoneId", "RecordId")


@given(CALLS)
@settings(max_examples=60)
def test_any_calls_leave_a_world_that_keeps_the_rules(
    calls: list[tuple[tuple[str, str], dict[str, str]]],
) -> None:
    cloud = Cloud()
    commits: list[Commit] = []
    commit = cloud.state.commit

    def noted(commit_: Commit) -> Any:
        commits.append(commit_)
        return commit(commit_)

    vars(cloud.state)["commit"] = noted
    made: dict[str, str] = {}
    for (version, action), parameters in calls:
        before = cloud.state.world
        answer = cloud.ask(action, version, **filled(parameters, made))
        assert answer.status in (200, 400, 403, 404)
        assert answer.body["RequestId"]
        json.dumps(answer.body)
        if answer.status != 200:
            assert cloud.state.world is before
            assert not answer.body["Code"].startswith("Throttling")
        elif action.startswith(("Create", "Add")):
            made |= {name: str(answer.body[name]) for name in IDS if name in answer.body}
    world = cloud.state.world
    assert_rules_hold(world)
    assert_lookups_hold(world)
    assert_same(loads(yaml_text(written(world)), revision=world.revision).world, world)
    # The journal tells the same: what was done, read back, does the same.
    again = State(Cloud().world)
    for one in commits:
        told = json.loads(json.dumps([encode_change(change) for change in one.changes]))
        again.commit(Commit(tuple(map(decode_change, told)), json.loads(json.dumps(dict(one.attributes)))))
    assert_same(again.world, world)
    assert dict(again.contents.attributes) == dict(cloud.state.contents.attributes)


@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.text(max_size=60),
    st.dictionaries(
        st.sampled_from(
            ["authorization", "x-acs-action", "x-acs-version", "x-acs-date", "content-type", "host"]
        ),
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(
                [
                    "ACS3-HMAC-SHA256 Credential=testAK,SignedHeaders=host,Signature=00",
                    CLOUDAPI,
                    VPC,
                    "application/x-www-form-urlencoded",
                    "DescribeApiGroups",
                ]
            ),
        ),
    ),
    st.binary(max_size=80),
    st.booleans(),
)
def test_any_request_is_answered_in_the_clouds_form(
    method: str, query: str, headers: dict[str, str], body: bytes, keyed: bool
) -> None:
    cloud = Cloud() if keyed else Cloud(keys=AccessKeys({}), open_without_keys=True)
    before = cloud.state.world
    answer = cloud.api.answer(ApiRequest(method, "/", query, headers, body))
    assert answer.status in (200, 400, 403, 404)
    assert cloud.state.world is before
    if keyed:
        assert answer.status != 200, "nobody guesses a signature"
