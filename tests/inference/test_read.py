"""POST /read finds the digits of numbers, in any form of a drawing. The included model reads them."""

from pathlib import Path

import numpy as np
import pytest
from digitnet.images.strokes import image_from_strokes
from inference.schemas.responses import ReadResponse
from PIL import Image, ImageDraw
from pngs import png_of, turned
from polling import eventually
from polylines import number
from stores.models import LIVE
from stores.models.folder import FolderModels

MODEL = Path(__file__).parents[2] / "artifacts" / "model"
BOXES = [[30, 30, 60, 100], [110, 30, 60, 100]]  # of number("42")


@pytest.fixture(scope="module")
def included(tmp_path_factory):
    """Return a store with the included model."""
    models = FolderModels(folder := tmp_path_factory.mktemp("included"))
    models.point(LIVE, models.publish(MODEL)["version"])
    return folder


@pytest.fixture(scope="module")
def reader(serve, included):
    with serve(included) as client:
        yield client


def canvas(strokes, width, height, scale=1.0):
    """Return the strokes in a light pen on black, (height, width)."""
    image = Image.new("L", (round(width * scale), round(height * scale)))
    for stroke in strokes:
        points = [(x * scale, y * scale) for x, y in stroke]
        ImageDraw.Draw(image).line(points, fill=255, width=round(12 * scale), joint="curve")
    return image


def read(client, strokes=None, image=None, route="/read"):
    """Return the answer of /read, which the schema accepts."""
    if image is None:
        answer = client.post(route, json={"strokes": strokes})
    else:
        answer = client.post("/read", content=image, headers={"Content-Type": "image/png"})
    assert answer.status_code == 200, answer.text
    ReadResponse.model_validate_json(answer.content, strict=True)
    return answer.json()


def boxes(answer):
    return [digit["box"] for line in answer["lines"] for digit in line["digits"]]


TWO, ZERO = number("20")
DRAWINGS = [
    *((text, number(text)) for text in ("7", "42", "10", "16", "2026", "0612345789")),
    ("42\n2026", number("42") + number("2026", y=170)),
    ("20", [TWO + ZERO]),  # The pen stays on the paper.
    ("", []),
]


@pytest.mark.parametrize(("text", "strokes"), DRAWINGS)
def test_reads_strokes_line_by_line(reader, text, strokes):
    answer = read(reader, strokes)
    assert answer["text"] == text
    assert [line["text"] for line in answer["lines"]] == text.split()
    assert ["".join(str(digit["digit"]) for digit in line["digits"]) for line in answer["lines"]] == text.split()


@pytest.mark.parametrize(("gap", "text"), [(35, "5"), (150, "?\n5")])
def test_a_bar_above_its_line_belongs_to_the_digit(reader, gap, text):
    body = [[72, 60], [70, 110], [90, 100], [120, 105], [135, 130], [130, 160], [100, 175], [70, 165]]
    assert read(reader, [[[70, 60 - gap], [140, 60 - gap]], body])["text"] == text


SLASHED_ZERO = [[[100 + 25 * np.cos(t), 100 + 30 * np.sin(t)] for t in np.linspace(0, 6.3, 30)], [[30, 145], [170, 55]]]


def test_a_long_slash_makes_no_one_of_a_zero(reader):
    assert read(reader, SLASHED_ZERO)["text"] == "0"


def test_boxes_are_in_the_unit_of_the_points(reader):
    np.testing.assert_allclose(boxes(read(reader, number("42"))), BOXES)


@pytest.mark.parametrize("scale", [1.0, 5.0], ids=["as it is", "reduced"])
def test_boxes_are_in_pixels_of_the_file(reader, scale):
    answer = read(reader, image=png_of(np.asarray(canvas(number("42"), 640, 280, scale))))
    assert answer["text"] == "42"
    np.testing.assert_allclose(boxes(answer), np.array(BOXES) * scale, atol=16 * scale)  # The pen is 12 wide.


def test_boxes_are_upright(reader):
    """The file stores the image rotated, with an Exif orientation."""
    answer = read(reader, image=turned(canvas(number("42"), 640, 280).rotate(90, expand=True), "PNG", 6))
    assert answer["text"] == "42"
    np.testing.assert_allclose(boxes(answer), BOXES, atol=16)


def test_reads_a_vector(reader):
    answer = reader.post("/read", json={"image_vector": image_from_strokes(number("7")).ravel().astype(float).tolist()}).json()
    assert answer["text"] == "7"
    [[x, y, width, height]] = boxes(answer)
    assert 0 <= x <= x + width <= 28
    assert 0 <= y <= y + height <= 28
    assert height >= 18


def test_a_mark_without_shape_is_a_question_mark(reader):
    answer = read(reader, [[[50, 50]]])
    assert answer["text"] == "?"
    [[digit]] = [line["digits"] for line in answer["lines"]]
    assert (digit["digit"], digit["best_guess"], digit["is_digit"]) == (None, None, False)


def test_shows_the_candidates_of_touching_digits(reader):
    [line] = read(reader, [TWO + ZERO], route="/read?candidates=true")["lines"]
    assert [piece["is_cut"] for piece in line["pieces"]] == [False, True]
    chosen = [line["candidates"][index] for index in line["path"]]
    assert [(each["start"], each["end"], each["digit"]) for each in chosen] == [(0, 1, 2), (1, 2, 0)]
    assert {(each["start"], each["end"]) for each in line["candidates"]} == {(0, 1), (1, 2), (0, 2)}
    assert all(-21 < each["score"] <= 0 for each in line["candidates"])
    assert [digit["prediction_id"] for digit in line["digits"]] == [None, None]


LETTER_A = [[[70, 230], [140, 50], [210, 230]], [[95, 160], [185, 160]]]
LETTER_K = [[[70, 40], [70, 230]], [[180, 50], [82, 140]], [[100, 125], [180, 230]]]
RINGS = [[[50 + 20 * np.cos(t), y + 20 * np.sin(t)] for t in np.linspace(0, 6.3, 20)] for y in (50, 91)]


@pytest.mark.parametrize(
    ("strokes", "text"),
    [
        (number("7"), ""),
        (number("42"), "42"),
        (number("10"), "10"),
        ([TWO + ZERO], "20"),
        (LETTER_A, ""),
        (LETTER_K, ""),
        (RINGS, ""),
        (SLASHED_ZERO, ""),
        ([], ""),
    ],
    ids=["7", "42", "10", "joined 20", "A", "K", "8 of two rings", "slashed zero", "blank"],
)
def test_predicts_a_digit_or_a_number(reader, strokes, text):
    predicted, explained = (
        reader.post(route, json={"strokes": strokes}).json()
        for route in ("/predict?input=true&number=true", "/explain?number=true")
    )
    if text:
        assert (predicted["text"], explained["number"]["text"]) == (text, text)
        [line] = predicted["lines"]
        assert len(line["path"]) == len(text)
        assert all(digit["prediction_id"] for digit in line["digits"])
    else:
        alone = reader.post("/predict?input=true", json={"strokes": strokes}).json()
        assert predicted == alone | {"prediction_id": predicted["prediction_id"]}
        assert explained["number"] is None


def test_a_drawing_beyond_the_limits_is_one_digit(reader):
    drawing = {"strokes": [[[x, 0], [x, 9]] for x in range(0, 1000, 2)]}
    assert reader.post("/read", json=drawing).status_code == 422
    assert reader.post("/predict?number=true", json=drawing).json()["prediction_id"]


@pytest.mark.parametrize("route", ["/read", "/predict?number=true"])
def test_logs_and_counts_each_digit(serve, included, prediction_log_url, prediction_log, samples, route):
    with serve(included, prediction_log=prediction_log_url) as client:
        for unlogged in ("/read?candidates=true", "/explain?number=true"):
            assert client.post(unlogged, json={"strokes": number("42")}).status_code == 200
        [line] = client.post(route, json={"strokes": number("42")}).json()["lines"]
        for digit in line["digits"]:
            feedback = {"prediction_id": digit["prediction_id"], "actual_digit": digit["digit"]}
            assert client.post("/feedback", json=feedback).status_code == 200
        logged = eventually(
            lambda: len(found := prediction_log.recent_predictions(9)) == 2 and found, "both predictions in the log"
        )
        counted = samples(client)
    expected = {(digit["prediction_id"], "number", digit["digit"]) for digit in line["digits"]}
    assert {(each.prediction_id, each.form, each.digit) for each in logged} == expected
    assert counted["doodle_number_digits_sum", ()] == counted["doodle_drawings_total", ("number",)] == 2
    assert counted["doodle_read_seconds_count", ()] == counted["doodle_number_digits_count", ()] == 1
    assert counted["api_predict_calls_total", ()] == route.startswith("/predict")
