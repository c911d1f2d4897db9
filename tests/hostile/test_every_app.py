"""Every app in the sandbox can be opened and run, and nothing in its form or results is executed, lost or cut off."""

import pytest
from pytest_django.plugin import DjangoDbBlocker

from runs.home.views import APPS_SHOWN
from runs.sandbox.server import Sandbox
from runs.words.run_failures import FAILURES
from tests.hostile.browser import secrecy
from tests.hostile.journey import APP_IDS, Journey, media_folder, travel
from tests.support.page import Element, Page
from tests.support.quick_portal import quick_portal
from tests.support.sandbox_door import SandboxDoor, small_pictures
from tests.support.tables import way_back

# This mark makes pytest-django set up a database for the module; the tests themselves only check what `travelled`
# collected.
pytestmark = [pytest.mark.long, pytest.mark.django_db]

Travelled = tuple[dict[str, Journey], list[Page]]
UNUSUAL = {"card-half-fails": "Partly ready", "card-always-fails": "Failed", "card-nothing": "Failed"}
HOSTILE_TEXT = ['<script>alert("from a text result")</script>', "# Not a heading", "**Not bold**", "{{ 7*7 }}"]


@pytest.fixture(scope="module")
def travelled(
    _sandbox_server: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Travelled:
    """Run all apps once. The tests only check what was shown and sent."""
    door = SandboxDoor(_sandbox_server.url)
    door.control("reset")
    folder = media_folder(tmp_path_factory.mktemp("every-app"))
    with django_db_blocker.unblock():
        go_back = way_back()
        try:
            with small_pictures(), quick_portal(door, MEDIA_ROOT=folder), secrecy():
                found = travel(door)
        finally:
            go_back()
    return found


@pytest.fixture(params=APP_IDS)
def journey(request: pytest.FixtureRequest, travelled: Travelled) -> Journey:
    return travelled[0][request.param]


def test_what_was_chosen_arrives_exactly(journey: Journey) -> None:
    sent = journey.record["inputs"]

    assert set(sent) == set(journey.expected)
    for handle, value in journey.expected.items():
        assert sent[handle] == value or value is ..., handle


def test_the_run_ends_as_it_should(journey: Journey) -> None:
    made_nothing = not journey.record["outputs"]
    word = "Failed" if made_nothing else UNUSUAL.get(journey.detail["appId"], "Ready")

    assert journey.run_page.first(css="run-sentence").words.startswith(word)
    foot = journey.history.first(id=journey.card_id).first(css="run-card-foot").words
    assert "Ready" not in foot if word == "Ready" else foot.startswith(word)
    assert word in journey.fragment.first(id="run-panel").words


def test_names_are_complete_on_form_run_and_card(journey: Journey) -> None:
    name = journey.detail["name"]

    assert journey.form.first("h1").words == " ".join(name.split())
    assert journey.run_page.first("h1").words.startswith(" ".join(name.split()))
    assert " ".join(name.split()) in journey.history.first(id=journey.card_id).words
    for parameter in journey.detail["parameters"]:
        label = " ".join(parameter["name"].split())
        assert label in [e.words for e in journey.form.find(css="field-label")]
        assert label in [e.words.removesuffix(" default") for e in journey.run_page.find("dt")]
        for option in parameter.get("options", []):
            assert option.split() == [] or " ".join(option.split()) in journey.form.words.replace("␣", " ")
    for output in journey.detail.get("outputs") or []:
        assert " ".join(output["label"].split()) in journey.form.words
        assert " ".join(output["label"].split()) in journey.run_page.words


def test_texts_are_shown_completely(journey: Journey) -> None:
    shown = [e.text for e in journey.run_page.find(css="went-in-text")]

    for value in journey.expected.values():
        assert value is ... or not str(value).strip() or value in shown


def test_results_are_shown_as_what_they_are(journey: Journey) -> None:
    boxes = journey.run_page.find(css="output")
    tags = {"image": "img", "video": "video", "audio": "audio"}

    for box, output in zip(boxes, journey.detail.get("outputs") or [{"type": "image"}], strict=False):
        if "output-ready" in box.classes and output["type"] in tags:
            assert [e for e in box.walk() if e.tag == tags[output["type"]]]
    assert len(boxes) >= len(journey.detail.get("outputs") or [])


def test_the_pages_with_many_apps_show_them_all(travelled: Travelled) -> None:
    journeys, (home, *catalogue, home_after) = travelled
    names = [" ".join(journey.detail["name"].split()) for journey in journeys.values()]

    listed = " ".join(page.words for page in catalogue)
    assert [name for name in names if name not in listed] == []
    for page in (home, home_after):
        assert len([name for name in names if name in page.words]) >= APPS_SHOWN


class TestOddApps:
    """Checks that each test card shows what it is meant to show."""

    def box(self, travelled: Travelled, app_id: str, position: int = 0) -> Element:
        return travelled[0][app_id].run_page.find(css="output")[position]

    def test_an_unknown_kind_of_result_is_a_link(self, travelled: Travelled) -> None:
        assert self.box(travelled, "card-unknown-output", 1).first("a", css="output-other").attributes["download"]

    def test_a_list_shows_every_picture_as_a_result_of_its_own(self, travelled: Travelled) -> None:
        assert all(len(self.box(travelled, "card-value-list", position).find("img")) == 1 for position in range(3))

    def test_an_object_shows_every_picture_and_its_data_in_words(self, travelled: Travelled) -> None:
        assert len(self.box(travelled, "card-value-object").find("img")) == 2
        shown = self.box(travelled, "card-value-object", 1).first(css="object")
        assert "Seed 4711" in shown.words
        assert "<b>" in shown.text
        assert "{" not in shown.text

    def test_markup_in_a_text_is_text(self, travelled: Travelled) -> None:
        text = self.box(travelled, "card-hostile-text").first(css="output-text").text
        assert all(piece in text for piece in HOSTILE_TEXT)
        assert "spaces  \n" in text

    def test_a_long_text_is_not_cut_off(self, travelled: Travelled) -> None:
        text = self.box(travelled, "card-long-text").first(css="output-text").text
        assert len(text) > 19_000
        assert text.rstrip().endswith("wrong about the wind.")

    def test_a_half_failed_run_keeps_the_good_one(self, travelled: Travelled) -> None:
        page = travelled[0]["card-half-fails"].run_page
        assert "1 of 2 ready, 1 failed" in page.words
        assert self.box(travelled, "card-half-fails").find("img")
        assert "stopped by the safety filter" in self.box(travelled, "card-half-fails", 1).words

    def test_a_failure_quotes_lamina(self, travelled: Travelled) -> None:
        page = travelled[0]["card-always-fails"].run_page
        assert page.first(css="run-failure-sentence").words == str(FAILURES["remote"][0])
        assert page.first("blockquote").words == "Model refused: <b>unsafe</b> input & nothing to show"

    def test_a_run_completed_with_nothing_has_failed(self, travelled: Travelled) -> None:
        page = travelled[0]["card-nothing"].run_page
        assert page.first(css="run-failure-sentence").words == "Lamina finished, but there were no usable results."

    def test_equal_labels_can_be_distinguished(self, travelled: Travelled) -> None:
        labels = [e.words for e in travelled[0]["card-same-outputs"].run_page.find(css="output-label")]
        assert labels == ["Poster 1 of 2", "Poster 2 of 2", "Output 3"]

    def test_template_code_stays_template_code(self, travelled: Travelled) -> None:
        assert travelled[0]["card-template"].run_page.first("h1").words.startswith("{{ 7*7 }} {% debug %} ${7*7}")
