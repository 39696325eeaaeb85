from pathlib import Path

from gateway.devices import mosquitto


def test_the_password_file_has_a_line_for_each_user():
    hashes = {"front": "$7$101$salt$hash", "back": "$7$101$other$hash"}
    assert mosquitto.password_file(hashes) == "back:$7$101$other$hash\nfront:$7$101$salt$hash\n"


def test_the_acl_gives_a_till_its_own_branch_and_the_gateway_the_tree():
    assert mosquitto.acl_file("store-1").splitlines() == [
        "user gateway",
        "topic readwrite root/v1/store-1/#",
        "",
        "pattern write root/v1/store-1/till/%u/status",
        "pattern write root/v1/store-1/till/%u/job/+/submit",
        "pattern write root/v1/store-1/till/%u/job/+/cancel",
        "pattern write root/v1/store-1/till/%u/job/+/query",
        "pattern write root/v1/store-1/till/%u/evt/ack",
        "pattern read root/v1/store-1/till/%u/evt/#",
        "pattern read root/v1/store-1/dev/+/state",
        "pattern read root/v1/store-1/dev/+/info",
        "pattern read root/v1/store-1/gw/status",
    ]


def test_the_gateways_user_may_have_another_name():
    assert mosquitto.acl_file("store-1", "hub").startswith("user hub\ntopic readwrite root/v1/store-1/#\n")


def test_the_configuration_lets_nobody_in_unnamed_and_sets_every_limit():
    text = mosquitto.configuration("192.168.1.10", 8883, Path("/etc/m"), certificate=Path("/c.pem"), key=Path("/k.pem"))
    lines = text.splitlines()
    for line in (
        "listener 8883 192.168.1.10",
        "certfile /c.pem",
        "keyfile /k.pem",
        "allow_anonymous false",
        "password_file /etc/m/passwords",
        "acl_file /etc/m/acl",
        "set_tcp_nodelay true",
        "max_queued_messages 1000",
        "message_size_limit 262144",
    ):
        assert line in lines
    assert "certfile" not in mosquitto.configuration("127.0.0.1", 1883, Path("/etc/m"))
