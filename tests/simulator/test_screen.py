import io

from rich.console import Console

from gateway.simulator.scene import Scene
from gateway.simulator.screen import drawn
from gateway.simulator.tally import Sale, Tally


def shown(scene):
    page = io.StringIO()
    Console(file=page, width=140, height=40, color_system=None).print(drawn(scene))
    return page.getvalue()


def test_an_empty_scene_can_be_drawn():
    assert "setting up" in shown(Scene(Tally(), say=lambda _: None))


def test_everything_that_happens_is_on_the_screen():
    scene = Scene(Tally(), say=lambda _: None, now=lambda: 12.0)
    scene.act = "2 of 6: the line is cut"
    scene.is_gateway_up, scene.is_line_whole = True, False
    scene.status = {
        "link": {"state": "offline", "waiting": 17, "eta_s": 3.2},
        "ranges": [{"series": "000-001-01", "last": 150, "left": 40}],
        "warnings": [{"text": "No line to head office."}],
    }
    scene.office = {"seq": 99}
    scene.stock["1"] = ("BANANAS", "42 ")
    scene.paper.append("EL EJEMPLO")
    scene.tally.add(Sale("7", "till-1", "id", "000-001-01", 3, "000-001-01-00000003", "9.99", 1.0))
    scene.tell("the line is cut")
    page = shown(scene)
    for text in ("2 of 6", "CUT", "offline", "17 rows wait", "99 rows", "authorised to 150", "BANANAS", "42 "):
        assert text in page
    for text in ("No line to head office.", "EL EJEMPLO", "12.0 s  the line is cut", "1 sold"):
        assert text in page


def test_the_story_is_said_as_it_happens():
    said = []
    Scene(Tally(), say=said.append, now=lambda: 1.25).tell("hello")
    assert said == ["[  1.2 s] hello"]
