"""The list shows what tests have set up; search, discovery and lookups by id also find unlisted apps."""

import http.client
import time
from typing import Any

import pytest
import requests

from tests.sandbox.box import CAPTION, CARTOONIFY, KEY, Box


def ids(box: Box, **query: Any) -> list[str]:
    answer = box.get("/v1/apps", params=query)
    assert answer.ok, answer.text
    return [app["appId"] for app in answer.json()["data"]]


def discovered(box: Box, intent: str, **more: Any) -> list[dict[str, Any]]:
    answer = box.post("/v1/apps/discover", json={"intent": intent, **more})
    assert answer.ok, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["matches"]
    return found


@pytest.mark.parametrize("most", [100, 25, 12])
def test_a_larger_limit_is_capped_or_refused(box: Box, most: int) -> None:
    box.control("odd-apps", kind="plain", count=100)
    box.control("list", most=most)
    assert [len(ids(box, limit=limit)) for limit in (200, most + 1, most, 5)] == [most, most, most, 5]
    assert len(ids(box)) == most
    box.control("list", beyond="refuse")
    answers = [box.get("/v1/apps", params={"limit": limit}) for limit in (most + 1, most)]
    assert [answer.status_code for answer in answers] == [400, 200]
    assert answers[0].json()["code"] == "VALIDATION_ERROR"
    assert [request["query"] for request in box.state["requests"]][-1] == {"limit": str(most)}


def test_any_limit_may_be_refused(box: Box) -> None:
    box.control("list", refuse_limit=True, default=10)
    assert box.get("/v1/apps", params={"limit": 1}).status_code == 400
    assert len(ids(box)) == 10
    box.control("reset")
    assert len(ids(box, limit=1)) == 1


def test_the_order_changes_with_every_call_and_is_the_same_for_a_seed(box: Box) -> None:
    box.control("list", most=12, order="popularity", seed=1)
    first = [ids(box, limit=200) for _ in range(20)]
    box.control("list", seed=1)
    assert [ids(box, limit=200) for _ in range(20)] == first
    box.control("list", seed=2)
    assert ids(box, limit=200) != first[0]
    assert len({frozenset(page) for page in first}) == 20
    box.control("list", most=None, order="given")
    assert set().union(*first) == set(ids(box, limit=500))


def test_the_workspaces_own_apps_come_first(box: Box) -> None:
    box.control("apps", app={"appId": "mine", "name": "Mine", "isPublic": False})
    box.control("list", most=3, order="popularity")
    assert {ids(box)[0] for _ in range(5)} == {"mine"}


def test_an_unlisted_app_is_found_in_other_ways(box: Box) -> None:
    hidden = {"appId": "deep", "name": "Quiet harbour", "description": "Paints a lighthouse.", "outputs": []}
    box.control("apps", app=hidden, listed=False)
    assert "deep" not in ids(box, limit=500)
    assert ids(box, search="LIGHTHOUSE") == ["deep"]
    assert [match["appId"] for match in discovered(box, "lighthouses")] == ["deep"]
    assert box.get("/v1/apps/deep").ok
    assert box.finished(box.start("deep", {}))["status"] == "completed"
    box.control("apps/deep", found=False)
    assert (ids(box, search="lighthouse"), discovered(box, "lighthouse")) == ([], [])
    assert box.get("/v1/apps/deep").ok


def test_an_app_of_another_workspace_gets_403_and_a_removed_one_404(box: Box) -> None:
    box.control("apps", app={"appId": "theirs", "name": "Theirs alone"}, workspace="other")
    box.control(f"apps/{CAPTION}", gone=True)
    for app_id, status, code in (("theirs", 403, "FORBIDDEN"), (CAPTION, 404, "NOT_FOUND")):
        answers = [
            box.get(f"/v1/apps/{app_id}"),
            box.post(f"/v1/apps/{app_id}/estimate"),
            box.post(f"/v1/apps/{app_id}/runs", json={"inputs": {}}),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(status, code)] * 3
        assert app_id not in ids(box, limit=500)
    assert (ids(box, search="alone"), discovered(box, "alone")) == ([], [])
    box.control(f"apps/{CAPTION}", gone=False)
    box.control("apps/theirs", workspace="own")
    assert box.get(f"/v1/apps/{CAPTION}").ok
    assert box.get("/v1/apps/theirs").ok
    box.control("apps", app={"appId": "shared", "name": "Shared", "isPublic": True}, workspace="other")
    assert "shared" in ids(box, limit=500)
    assert box.get("/v1/apps/shared").ok


def test_discover_gives_no_small_words_as_reasons(box: Box) -> None:
    intent = "Image for our shop, bild für unsere Katze"
    matches = box.post("/v1/apps/discover", json={"intent": intent, "limit": 50}).json()["data"]["matches"]

    reasons = " ".join(match["whyMatch"] for match in matches)
    assert "image" in reasons
    assert not {"for", "our", "für", "unsere"} & set(reasons.replace(",", " ").replace(".", " ").split())


def test_discover_ranks_apps_and_says_why(box: Box) -> None:
    answer = box.post("/v1/apps/discover", json={"intent": "Turn a photo into a cartoon image"}).json()["data"]
    first = answer["matches"][0]
    assert set(first) == {
        "appId", "name", "description", "relevanceScore", "whyMatch", "estimatedCredits", "capabilities", "thumbnail",
    }  # fmt: skip
    assert (first["appId"], first["estimatedCredits"]) == (CARTOONIFY, 12)
    assert "cartoon" in first["whyMatch"]
    assert first["capabilities"]["produces"] == ["image"]
    scores = [match["relevanceScore"] for match in answer["matches"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] <= scores[0] <= 1
    assert answer["intent"] == {"medium": "image", "summary": "Turn a photo into a cartoon image"}
    assert discovered(box, "xylophone") == []


def test_discover_respects_constraints(box: Box) -> None:
    assert len(discovered(box, "test card", limit=7)) == 7
    cheap = discovered(box, "test card", limit=50, constraints={"maxCredits": 3})
    assert cheap
    assert all(match["estimatedCredits"] is None or match["estimatedCredits"] <= 3 for match in cheap)
    videos = discovered(box, "test card", limit=50, constraints={"outputFormat": "video"})
    assert videos
    assert all("video" in match["capabilities"]["produces"] for match in videos)
    wrong: list[dict[str, Any]] = [
        {}, {"intent": " "}, {"intent": "x", "limit": 0}, {"intent": "x", "constraints": {"maxCredits": "3"}},
    ]  # fmt: skip
    for body in wrong:
        assert box.post("/v1/apps/discover", json=body).status_code == 400


@pytest.mark.parametrize("status", [400, 403, 404])
def test_search_and_ids_work_while_the_list_is_refused(box: Box, status: int) -> None:
    box.control("faults", endpoint="apps", fault="status", status=status, times=None)
    assert box.get("/v1/apps").status_code == status
    assert ids(box, search="cartoon") == [CARTOONIFY]
    assert box.get(f"/v1/apps/{CARTOONIFY}").ok
    box.control("faults", endpoint="search", fault="status", status=503)
    assert box.get("/v1/apps", params={"search": "cartoon"}).status_code == 503
    assert [one["endpoint"] for one in box.state["requests"]] == ["apps", "search", "app", "search"]


def test_the_list_can_drip(box: Box) -> None:
    box.control("faults", endpoint="apps", fault="drip", seconds=2, gap=0.5)
    connection = http.client.HTTPConnection("127.0.0.1", box.sandbox.port, timeout=60)
    started = time.monotonic()
    connection.request("GET", "/v1/apps", headers=KEY)
    answer = connection.getresponse()
    pieces = list(iter(lambda: answer.read1(1 << 20), b""))
    assert time.monotonic() - started >= 2
    assert len(pieces) > 1
    assert len(b"".join(pieces)) == int(answer.headers["Content-Length"])
    connection.close()


def test_a_stopped_sandbox_stops_dripping(box: Box) -> None:
    box.control("faults", endpoint="apps", fault="drip", seconds=600, gap=300)
    with requests.get(f"{box.url}/v1/apps", headers=KEY, stream=True, timeout=60) as answer:
        box.sandbox.stop()
        with pytest.raises(requests.RequestException):
            answer.content  # noqa: B018 - reading it is the test


def test_another_workspace_in_the_header_gets_403(box: Box) -> None:
    own = box.get("/v1/account").json()["data"]["workspace"]["id"]
    found = [
        requests.get(f"{box.url}/v1/account", headers=KEY | {"x-workspace-id": workspace}, timeout=60)
        for workspace in (own, "ws-other")
    ]
    assert [answer.status_code for answer in found] == [200, 403]
    assert found[1].json()["code"] == "FORBIDDEN"
