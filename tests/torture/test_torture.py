"""Short versions of the long runs; `./run torture` has the long ones."""

import random

import pytest

from tests.components import component, root
from tests.torture import controls, faults, power, selling
from tests.torture.selling import Size

pytestmark = [pytest.mark.torture, pytest.mark.timeout(180)]


@pytest.fixture
def seed():
    """A new one each time; it is printed with what failed, and `--seed` replays it."""
    return random.SystemRandom().randrange(10**6)


async def test_both_ends_killed_and_the_line_cut_lose_nothing_double_nothing_and_leave_no_gap(seed):
    size = Size(tills=5, baskets=30, kills=1, seed=seed)
    found = await selling.run(size, name="both", blows=[selling.gateway_killed, selling.office_killed])
    assert found["ok"], found


@pytest.mark.needs_cc
@pytest.mark.parametrize("fault", list(faults.FAULTS))
async def test_a_failing_disk_refuses_everything_and_recovers_with_all_that_was_answered(fault, seed):
    component("cc", "gcc")
    found = await faults.run(fault, seed=seed)
    assert found["ok"], found


@pytest.mark.needs_root
def test_a_power_cut_loses_no_answered_sale_and_the_rig_finds_a_disk_that_lies(seed):
    root()
    why = power.missing()
    if why:
        pytest.skip(why)
    found = power.run(promises=60, states=24, seed=seed)
    assert found["ok"], found


def events():
    numbers = {f"k{number}": number for number in range(1, 9)}
    asked = [
        {"client": "c", "counter": "A", "key": key, "start": n, "end": n + 0.5, "status": "ok", "number": n}
        for key, n in numbers.items()
    ]
    return [*asked, {"final": {"counter": "A", "numbers": sorted(numbers.values()), "keys": numbers}}]


@pytest.mark.parametrize("rule", sorted(controls.HISTORIES))
def test_a_spoilt_history_is_found(rule):
    assert rule in {breach[:2] for breach in controls.gapless.check(controls.HISTORIES[rule](events()))}
    assert controls.gapless.check(events()) == []
