import pytest

from tests.ledger.simulation import BadDayError, Gateway, Simulation

SEEDS = 60
STEPS = 250


@pytest.mark.parametrize("seed", range(SEEDS))
def test_on_a_bad_day_every_promise_is_kept(seed):
    simulation = Simulation(seed)
    simulation.run(STEPS)
    assert len(simulation.answered) > 60


def test_a_seed_is_the_same_day_each_time():
    heads = set()
    for _ in range(2):
        simulation = Simulation(7)
        simulation.run(STEPS)
        heads.add(simulation.head)
    assert len(heads) == 1


class HastyGateway(Gateway):
    """Answers before the disk has it: a group reaches the disk with the next one."""

    def commit(self):
        behind = len(self.disk)
        Gateway.commit(self)
        self.late, self.disk[:] = self.disk[behind:], [*self.disk[:behind]]
        self.disk.extend(getattr(self, "before", []))
        self.before = self.late


class ForgetfulGateway(Gateway):
    """Does not know after a crash which requests it answered."""

    def crash(self):
        Gateway.crash(self)
        self.shop.page.papers.clear()


class RewoundGateway(Gateway):
    """Comes back from a crash with yesterday's disk, and asks nobody."""

    def crash(self):
        del self.disk[-5:]
        Gateway.crash(self)


@pytest.mark.parametrize("gateway", [HastyGateway, ForgetfulGateway, RewoundGateway])
def test_a_gateway_that_breaks_a_promise_is_caught(gateway):
    for seed in range(5):
        with pytest.raises(BadDayError, match=f"replay: python -m tests.ledger.simulation {seed}$"):
            Simulation(seed, gateway=gateway).run(3 * STEPS)
