"""The picture of chapter 6 computes what digitnet does, wherever one draws, points or walks, and whatever the filter."""

import json

import numpy as np
import pytest
from digitnet.layers import Conv2D, MaxPool2D, ReLU
from playwright.sync_api import expect

SIDE, CELL = 14, 22


def digitnet_says(drawing, weights, *layers):
    convolution = Conv2D(filters=1, kernel_size=3)
    convolution.build((1, SIDE, SIDE))
    parameters = np.array([*weights, 0.0])
    convolution.bind(parameters, np.zeros_like(parameters))
    maps = convolution.predict(np.array(drawing, float).reshape(1, SIDE, SIDE, 1))
    for layer in layers:
        maps = layer.predict(maps)
    return maps.ravel()


@pytest.fixture
def page(open_chapter):
    return open_chapter("6-convolution")


def drawn(page):
    return json.loads(page.get_by_role("application", name="Your drawing").get_attribute("data-values"))


def shown(page):
    return json.loads(page.get_by_role("application", name="What the filter says").get_attribute("data-values"))


def chosen(page):
    return json.loads(page.locator(".says").get_attribute("data-weights"))


def middle_of(row, column):
    return {"x": (column + 0.5) * CELL, "y": (row + 0.5) * CELL}


@pytest.mark.parametrize("name", ["vertical edge", "horizontal edge", "slanted line", "blur"])
@pytest.mark.parametrize("digit", [0, 4])
def test_its_map_is_that_of_conv2d(page, name, digit):
    page.get_by_role("button", name=f"draw a {digit}").click()
    page.get_by_role("combobox").select_option(name)
    assert np.any(drawn(page))
    np.testing.assert_allclose(shown(page), digitnet_says(drawn(page), chosen(page)), atol=1e-5)


def test_a_filter_of_one_s_own_a_bend_and_pooling_are_digitnet_s_too(page, slide):
    for row, column, weight in ((1, 2, 1.5), (2, 1, -0.75), (3, 3, 0.25)):
        page.get_by_role("button", name=f"weight in row {row}, column {column}").click()
        slide(page, "weight", weight)
    expect(page.get_by_role("combobox")).to_have_value("your own")
    assert chosen(page) == [-1, 1.5, 1, -0.75, 0, 1, -1, 0, 0.25]
    page.get_by_role("checkbox", name="max pooling").check()
    np.testing.assert_allclose(shown(page), digitnet_says(drawn(page), chosen(page), MaxPool2D(2)), atol=1e-5)
    page.get_by_role("checkbox", name="ReLU").check()
    np.testing.assert_allclose(shown(page), digitnet_says(drawn(page), chosen(page), ReLU(), MaxPool2D(2)), atol=1e-5)
    assert len(shown(page)) == 36


def test_one_draws_with_the_mouse_and_rubs_out_what_was_there(page):
    page.get_by_role("button", name="Clear").click()
    assert sum(drawn(page)) == 0
    board = page.get_by_role("application", name="Your drawing")
    board.drag_to(board, source_position=middle_of(3, 2), target_position=middle_of(3, 9))
    assert [i for i, ink in enumerate(drawn(page)) if ink] == [3 * SIDE + column for column in range(2, 10)]
    np.testing.assert_allclose(shown(page), digitnet_says(drawn(page), chosen(page)), atol=1e-5)
    board.click(position=middle_of(3, 5))
    assert sum(drawn(page)) == 7


@pytest.mark.parametrize(("row", "column"), [(0, 1), (6, 9), (11, 11)])
def test_the_window_goes_where_one_points_in_the_map_and_its_sum_is_what_the_map_has_there(page, row, column):
    page.get_by_role("application", name="What the filter says").hover(position=middle_of(row, column))
    says = page.locator(".says")
    expect(says).to_contain_text(f"Row {row + 1}, column {column + 1}:")
    assert float(says.get_attribute("data-sum")) == pytest.approx(shown(page)[row * 12 + column], abs=1e-5)


def test_the_nine_products_are_said(page):
    page.get_by_role("application", name="What the filter says").hover(position=middle_of(4, 7))
    expect(page.locator(".says")).to_have_text(
        "Row 5, column 8: 0 · −1 + 0 · 0 + 1 · 1 + 0 · −1 + 1 · 0 + 1 · 1 + 0 · −1 + 1 · 0 + 1 · 1 = 3."
    )


def test_the_keyboard_moves_the_window_to_the_edge_and_no_further_and_draws(page):
    page.get_by_role("application", name="Your drawing").focus()
    for _ in range(SIDE):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".says")).to_contain_text("Row 2, column 1:")
    page.keyboard.press(" ")
    assert drawn(page)[2 * SIDE + 1] == 1


def test_a_drawing_that_is_moved_takes_its_map_along(page):
    before = np.reshape(shown(page), (12, 12))
    page.get_by_role("button", name="move the drawing right").click()
    after = np.reshape(shown(page), (12, 12))
    assert np.any(before)
    np.testing.assert_array_equal(after[:, 1:], before[:, :-1])


def test_a_finger_draws_on_a_phone(open_chapter):
    page = open_chapter("6-convolution", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Clear").tap()
    page.get_by_role("application", name="Your drawing").tap(position=middle_of(5, 6))
    assert [i for i, ink in enumerate(drawn(page)) if ink] == [5 * SIDE + 6]
