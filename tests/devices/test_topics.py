import paho.mqtt.client as paho
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices.topics import (
    GATEWAY_USER,
    AckTopic,
    EchoTopic,
    JobTopic,
    PresenceTopic,
    Tree,
    Verb,
    covers,
)

TREE = Tree("store-1")
ROOT = "root/v1/store-1"
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
levels = st.one_of(st.sampled_from(["a", "b", "till", "front", "+", "#", ""]), st.text(max_size=4))
topics = st.lists(levels, min_size=1, max_size=6).map("/".join)


@given(names, names, st.sampled_from(Verb))
def test_what_is_built_is_parsed_again(till, device, verb):
    assert TREE.parse(TREE.job(till, device, verb)) == JobTopic(till, device, verb)
    assert TREE.parse(TREE.acknowledgement(till)) == AckTopic(till)
    assert TREE.parse(TREE.till_status(till)) == PresenceTopic(till)
    assert TREE.parse(TREE.echo) == EchoTopic()


@given(st.one_of(st.text(), topics, topics.map(lambda end: f"{ROOT}/till/{end}")))
def test_any_topic_is_parsed_or_is_none_of_ours(topic):
    parsed = TREE.parse(topic)
    match parsed:
        case JobTopic(till, device, verb):
            assert topic == TREE.job(till, device, verb)
        case AckTopic(till):
            assert topic == TREE.acknowledgement(till)
        case PresenceTopic(till):
            assert topic == TREE.till_status(till)


def test_another_stores_topic_is_none_of_ours():
    assert TREE.parse(Tree("store-2").till_status("front")) is None
    assert TREE.parse(f"{ROOT}/till/Front/status") is None
    assert TREE.parse(f"{ROOT}/till/front/job/p/submit/more") is None


@given(topics, topics)
def test_a_pattern_covers_a_topic_as_a_broker_matches_it(pattern, topic):
    if "+" in topic or "#" in topic or not topic or topic.startswith("$") or "#" in pattern[:-1]:
        return
    try:
        expected = paho.topic_matches_sub(pattern, topic)
    except ValueError:
        return
    if any(level not in {"+", "#"} and ("+" in level or "#" in level) for level in pattern.split("/")):
        return
    assert covers(pattern, topic) == expected


@given(topics, topics, topics)
def test_a_covered_filter_lets_nothing_through_that_the_pattern_does_not(pattern, wanted, topic):
    if "+" in topic or "#" in topic or "#" in pattern[:-1] or "#" in wanted[:-1]:
        return
    if covers(pattern, wanted) and covers(wanted, topic):
        assert covers(pattern, topic)


@given(names, names)
def test_a_till_speaks_and_hears_below_its_own_name_only(till, other):
    for topic in (
        TREE.job(other, "front", Verb.SUBMIT),
        TREE.till_status(other),
        TREE.acknowledgement(other),
    ):
        assert TREE.may_publish(till, topic) == (till in {other, GATEWAY_USER})
    assert TREE.may_read(till, TREE.event(other, "job")) == (till in {other, GATEWAY_USER})


def test_a_till_reads_devices_and_the_gateways_status_and_nothing_wider():
    for topic in (TREE.device_state("front"), TREE.device_info("front"), TREE.gateway_status, f"{ROOT}/dev/+/state"):
        assert TREE.may_read("front", topic)
    for topic in ("#", f"{ROOT}/#", f"{ROOT}/till/+/evt/#", f"{ROOT}/till/back/evt/#", f"{ROOT}/dev/#", "$SYS/#"):
        assert not TREE.may_read("front", topic)
    assert not TREE.may_publish("front", TREE.device_state("front"))
    assert not TREE.may_publish("front", TREE.event("front", "job"))
    assert not TREE.may_publish("", TREE.till_status(""))
    assert not TREE.may_publish("+", TREE.till_status("+"))


def test_the_gateway_stays_in_its_own_stores_tree():
    assert TREE.may_publish(GATEWAY_USER, TREE.gateway_status)
    assert not TREE.may_publish(GATEWAY_USER, Tree("store-2").gateway_status)
