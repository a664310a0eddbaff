"""VPC second-level domains: which names have their form, and whether one is open to a client.

Knows what rules 2 to 5 of DESIGN §1 mean for answers. The form is meant loosely, so that a mistyped
name does not leak: any label that ends in `-vpc`, directly under the suffix.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from vpcdns.model.clients import Client
from vpcdns.model.decision import Decision, Outcome, Reason, Step, answer_step, pick
from vpcdns.model.dns import ExtendedError, InfoCode, Question, Rcode, RRType
from vpcdns.model.gateway import VPC_LABEL_END, Group, Instance, InstanceType, group_of_label
from vpcdns.model.names import Name
from vpcdns.model.policy import Denied
from vpcdns.model.world import World


class Form(Enum):
    VPC_DOMAIN = auto()  # <label>-vpc.<suffix>
    BELOW = auto()  # <anything>.<label>-vpc.<suffix>
    SEARCH_EXPANDED = auto()  # <label>-vpc.<suffix>.<search domain>


@dataclass(frozen=True, slots=True)
class Formed:
    """A name of VPC-domain form; `apex` is the suffix as it stands in the name, search domain included."""

    form: Form
    label: bytes
    apex: Name


def recognise(name: Name, suffix: Name) -> Formed | None:
    """Whether `name` has the form of a VPC domain, exactly or nearly."""
    labels, suffix_labels = name.folded, suffix.folded
    length = len(suffix_labels)
    for index in range(len(labels) - length - 1, -1, -1):
        if labels[index].endswith(VPC_LABEL_END) and labels[index + 1 : index + 1 + length] == suffix_labels:
            if index + 1 + length < len(labels):
                form = Form.SEARCH_EXPANDED
            else:
                form = Form.BELOW if index else Form.VPC_DOMAIN
            return Formed(form, labels[index], Name(name.labels[index + 1 :]))
    return None


def group_at(name: Name, world: World) -> Group | None:
    """The group whose group_id is in a name of VPC-domain form."""
    formed = recognise(name, world.answers.suffix)
    ids = None if formed is None else group_of_label(formed.label)
    return None if ids is None else world.groups.get(ids[0])


def decide(question: Question, formed: Formed, client: Client, world: World) -> Decision:
    """What a name of VPC-domain form is to the client; never forwarded, whatever it is."""
    match formed.form:
        case Form.SEARCH_EXPANDED:
            suffix, labels = world.answers.suffix, question.name.labels
            found = Name(labels[: len(labels) - len(formed.apex)]).under(suffix)
            search = Name(formed.apex.labels[len(suffix) :])
            detail = f"{found} with the search domain {search} behind it"
            text = f"search domain {search} behind a VPC domain"
            return _nonexistent(Reason.SEARCH_EXPANDED, detail, formed.apex, text=text)
        case Form.BELOW:
            return _nonexistent(Reason.BELOW_VPC_DOMAIN, "there is nothing below a VPC domain", formed.apex)
        case Form.VPC_DOMAIN:
            return _decide_vpc_domain(question, formed, client, world)


def _decide_vpc_domain(question: Question, formed: Formed, client: Client, world: World) -> Decision:
    ids = group_of_label(formed.label)
    group = None if ids is None else world.groups.get(ids[0])
    if ids is None or group is None:
        detail = "no such group" if ids else "no group_id of 32 hexadecimal digits and no region_id"
        return _nonexistent(Reason.NO_SUCH_GROUP, detail, formed.apex)
    if group.region_id != ids[1]:
        detail = f"no such group in {ids[1]}: it is in {group.region_id}"
        return _nonexistent(Reason.NO_SUCH_GROUP, detail, formed.apex)
    named = f" ({group.name})" if group.name else ""
    known = Step("group", f"group {group.group_id}{named}, on instance {group.instance_id}")
    if not group.vpc_domain:
        detail, code = "the group's VPC domain is off", InfoCode.PROHIBITED
        return _nonexistent(Reason.VPC_DOMAIN_OFF, detail, formed.apex, code, before=(known,))
    instance = world.instance_of(group)
    reason, why = access(instance, client)
    steps: tuple[Step, ...] = (known, Step("instance", _described(instance)), Step("access", why))
    if reason in OPEN:
        records = pick(question.name, question.rtype, world.answers.ttl, {RRType.A: instance.all_addresses})
        steps = (*steps, answer_step(records, Rcode.NOERROR, question.rtype))
        return Decision(reason, steps, records=records, zone=formed.apex)
    return _closed(reason, why, steps, formed.apex, world.answers.denied)


OPEN: Final = frozenset({Reason.SERVERLESS_SAME_REGION, Reason.DEDICATED_BOUND_VPC})


def access(instance: Instance, client: Client) -> tuple[Reason, str]:
    """Whether the instance's VPC domains are open to the client, and why (DESIGN §1.3-1.5)."""
    asks = client.whereabouts
    if instance.type is InstanceType.SERVERLESS:
        if client.vpc_id is None:
            return Reason.INTERNET, f"open to VPCs of {instance.region_id}, {asks}"
        if client.region_id != instance.region_id:
            return Reason.OTHER_REGION, f"open to VPCs of {instance.region_id}, {asks} in {client.region_id}"
        return Reason.SERVERLESS_SAME_REGION, f"open to every VPC of {instance.region_id}, {asks}"
    if instance.binding is None:
        return Reason.NOT_BOUND, "the dedicated instance is not bound to a VPC"
    bound = f"bound to {instance.binding.vpc_id}"
    if client.vpc_id is None:
        return Reason.INTERNET, f"{bound}, {asks}"
    if client.vpc_id != instance.binding.vpc_id:
        other = Reason.OTHER_VPC if client.region_id == instance.region_id else Reason.OTHER_REGION
        return other, f"{bound}, {asks}"
    return Reason.DEDICATED_BOUND_VPC, f"{bound}, {asks}"


def _closed(reason: Reason, why: str, steps: tuple[Step, ...], apex: Name, denied: Denied) -> Decision:
    error = ExtendedError(InfoCode.PROHIBITED, why)
    steps = (*steps, Step("answer", f"closed to this client; answers.denied is {denied.value}"))
    rcode = _DENIED.get(denied, Rcode.REFUSED)
    zone = None if rcode is Rcode.REFUSED else apex
    outcome = Outcome.DROP if denied is Denied.DROP else Outcome.RESPOND
    return Decision(reason, steps, rcode, zone=zone, extended_error=error, outcome=outcome)


_DENIED: Final = {Denied.NXDOMAIN: Rcode.NXDOMAIN, Denied.NODATA: Rcode.NOERROR}


def _nonexistent(
    reason: Reason,
    detail: str,
    apex: Name,
    code: InfoCode = InfoCode.OTHER,
    text: str | None = None,
    before: tuple[Step, ...] = (),
) -> Decision:
    """NXDOMAIN for everybody; `text` is the extended error's, if it is not the detail."""
    steps = (*before, Step("name", detail), answer_step((), Rcode.NXDOMAIN, 0))
    error = ExtendedError(code, text or detail)
    return Decision(reason, steps, Rcode.NXDOMAIN, zone=apex, extended_error=error)


def _described(instance: Instance) -> str:
    """The instance in words, without its addresses: these steps are shown to clients it is closed to."""
    if instance.type is InstanceType.SERVERLESS:
        return f"serverless in {instance.region_id}"
    if instance.binding is None:
        return f"dedicated in {instance.region_id}, not bound"
    return f"dedicated in {instance.region_id}, bound to {instance.binding.vpc_id}"
