"""POST /v1/predict: every way in, every way out, and the scenes are the library's own."""

import base64
import json

import cv2
import numpy as np
import pytest

from yolopv2.files import encode_image
from yolopv2.media import Frame, decode_image
from yolopv2.scene import Scene


@pytest.fixture(scope="module")
def own(model, jpeg):
    """The library's scene of the street, without its name."""
    (scene,) = model.predictor([Frame(decode_image(jpeg).image, "")], model.thresholds(conf=0.4))
    return scene.to_dict()


def unnamed(scene):
    return {**scene, "source": ""}


def test_form_bytes_and_base64_give_the_library_s_scene(http, jpeg, own):
    assert own["vehicles"]
    text = base64.b64encode(jpeg).decode()
    answers = [
        http.post("/v1/predict", files={"file": ("a/street.jpg", jpeg)}, params={"conf": 0.4}),
        http.post("/v1/predict", files={"file": ("street.jpg", jpeg)}, data={"conf": "0.4"}),
        http.post("/v1/predict", content=jpeg, params={"conf": 0.4}, headers={"content-type": "image/jpeg"}),
        http.post("/v1/predict", content=jpeg, params={"conf": 0.4}),
        http.post("/v1/predict", json={"images": [{"data": text, "name": "street.jpg"}], "conf": 0.4}),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.json()["model"] == "nano"
        (scene,) = answer.json()["scenes"]
        assert unnamed(scene) == unnamed(own)
    assert [a.json()["scenes"][0]["source"] for a in answers] == [*["street.jpg"] * 2, *["image-0"] * 2, "street.jpg"]


def test_several_pictures_are_answered_in_their_order(start, grey):
    http = start()
    values = [250, 90, 170, 130, 210]
    answer = http.post("/v1/predict", files=[("file", (f"{v}.png", grey(v, 40 + v // 10))) for v in values])
    scenes = [Scene.from_dict(entry) for entry in answer.json()["scenes"]]
    assert [scene.source for scene in scenes] == [f"{v}.png" for v in values]
    assert [round(255 * float(scene.vehicles.confidence[0])) for scene in scenes] == values
    assert [scene.height for scene in scenes] == [40 + v // 10 for v in values]


def test_options_do_what_they_say(start, grey):
    http = start()

    def found(**options):
        answer = http.post("/v1/predict", content=grey(128), params=options)
        assert answer.status_code == 200, answer.text
        return len(answer.json()["scenes"][0]["vehicles"])

    assert found() == found(conf=0.5) == found(classes="car") == found(classes="0,truck") == 1
    assert found(conf=0.51) == found(classes="truck") == found(classes="1") == 0
    inside = http.post("/v1/predict", json={"images": [{"data": base64.b64encode(grey(128)).decode()}], "classes": [1]})
    assert inside.json()["scenes"][0]["vehicles"] == []


def test_a_picture_with_everything_drawn(http, jpeg, model):
    scene = model(decode_image(jpeg).image)
    png = http.post("/v1/predict", content=jpeg, headers={"accept": "image/png"})
    assert png.headers["content-type"] == "image/png"
    drawn = cv2.cvtColor(cv2.imdecode(np.frombuffer(png.content, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(drawn, scene.draw())
    jpg = http.post("/v1/predict", content=jpeg, params={"format": "jpeg"})
    assert (jpg.headers["content-type"], jpg.content) == ("image/jpeg", encode_image(scene.draw(), ".jpg"))
    assert http.post("/v1/predict", content=jpeg, headers={"accept": "text/plain"}).status_code == 406
    two = http.post("/v1/predict", files=[("file", jpeg), ("file", jpeg)], params={"format": "png"})
    assert two.status_code == 422
    assert "2 pictures" in two.json()["detail"]


def test_models_health_metrics_and_docs(http, jpeg):
    first, *others = http.get("/v1/models").json()["models"]
    assert (first["name"], first["served"], first["default"]) == ("nano", True, True)
    assert first["classes"] == {"0": "vehicle"}
    assert (first["heads"], first["bundled"], first["here"]) == (
        ["detection", "drivable", "lanes", "masks"],
        True,
        True,
    )
    assert first["licence"].startswith("BDD100K")
    (official,) = (entry for entry in others if entry["name"] == "official")
    assert (official["served"], official["bundled"], official["runtime"]) == (False, False, None)
    assert (official["size"], official["licence"], official["classes"]) == (156_380_200, "MIT", {"0": "vehicle"})
    assert not [entry for entry in (first, *others) if "path" in entry]
    assert "/" not in json.dumps(first["runtime"])
    assert http.post("/v1/predict", content=jpeg, params={"model": "official"}).status_code == 404
    assert http.get("/health").json() == {"status": "ok"}
    assert http.get("/ready").json() == {"status": "ready"}
    http.post("/v1/predict", content=b"no picture")
    http.request("BREW", "/coffee")
    text = http.get("/metrics").text
    assert 'yolopv2_requests_total{method="POST",route="/v1/predict",status="422"}' in text
    assert 'yolopv2_requests_total{method="other",route="other",status="404"}' in text
    assert "yolopv2_batch_frames_count" in text
    assert "yolopv2_held_images 0.0" in text
    page = http.get("/docs")
    assert "<h2><b>POST</b>/v1/predict</h2>" in page.text
    assert "<script" not in page.text
    assert "http" not in page.text.replace("http://127.0.0.1:8000", "")
