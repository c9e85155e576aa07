"""Ink on the real page: what each pointer leaves on the canvas, and how it is taken back. Input goes through the browser's own queue."""

import pytest
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
BAR = [(140, 60), (140, 120), (140, 220)]
RIGHT_BAR = [(220, 60), (220, 220)]
PALM = (40, 250)
RIGHT_BUTTON, ERASER_END = {"button": 2, "buttons": 2}, {"button": 5, "buttons": 32}


class Hand:
    """Mouse, pen and fingers on one canvas, in its logical units of 280 x 280."""

    def __init__(self, page):
        self._page, self._devtools = page, page.context.new_cdp_session(page)
        page.locator("#doodle-canvas").scroll_into_view_if_needed()
        self._box = page.locator("#doodle-canvas").bounding_box()

    def place(self, x, y):
        return self._box["x"] + x * self._box["width"] / 280, self._box["y"] + y * self._box["height"] / 280

    def touch(self, kind, *points):
        """`kind`: Start, Move, End or Cancel; all fingers that are down after it, in the order in which they came."""
        places = [self.place(*point) for point in points]
        touch_points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        self._devtools.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": touch_points})

    def swipe(self, points):
        self.touch("Start", points[0])
        for point in points[1:]:
            self.touch("Move", point)
        self.touch("End")

    def pen(self, points, button="left"):
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, map(lambda point: self.place(*point), [*points, points[-1]])):
            event = {"type": kind, "x": x, "y": y, "button": button, "buttons": 1, "clickCount": 1, "pointerType": "pen"}
            self._devtools.send("Input.dispatchMouseEvent", event)

    def mouse(self, points, button="left"):
        mouse = self._page.mouse
        mouse.move(*self.place(*points[0]))
        mouse.down(button=button)
        for point in points[1:]:
            mouse.move(*self.place(*point), steps=4)
        mouse.up(button=button)

    def ink(self, *points):
        """Whether each of these places has ink, after the next frame."""
        return self._page.evaluate(
            """points => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => {
                 const canvas = document.querySelector("#doodle-canvas");
                 resolve(points.map(([x, y]) => canvas.getContext("2d").getImageData(
                   x * canvas.width / 280, y * canvas.height / 280, 1, 1).data[0] > 100));
               })))""",
            points,
        )


@pytest.fixture
def open_page(page_url, new_page):
    """open_page(**options): the page, and a hand."""

    def open_page(**options):
        page = new_page(**options)
        page.goto(page_url)
        return page, Hand(page)

    return open_page


class TestStrayInk:
    def test_the_pen_draws_though_a_palm_landed_first_and_the_palm_leaves_no_ink(self, open_page):
        page, hand = open_page(**PHONE)
        hand.touch("Start", PALM)
        hand.touch("Move", (44, 246))
        hand.pen(BAR)
        hand.touch("Move", (48, 242))
        hand.touch("End")
        assert hand.ink(BAR[1], PALM) == [True, False]

    def test_a_palm_beside_the_pen_leaves_no_ink(self, open_page):
        page, hand = open_page(**PHONE)
        hand.pen(BAR)
        hand.swipe([PALM, (60, 240)])
        assert hand.ink(BAR[1], PALM) == [True, False]

    def test_a_cancelled_touch_removes_its_stroke_alone(self, open_page):
        page, hand = open_page(**PHONE)
        hand.swipe(BAR)
        hand.touch("Start", RIGHT_BAR[0])
        hand.touch("Move", RIGHT_BAR[1])
        assert hand.ink(BAR[1], (220, 140)) == [True, True]
        hand.touch("Cancel")
        assert hand.ink(BAR[1], (220, 140)) == [True, False]

    def test_two_fingers_zoom_and_leave_no_ink(self, open_page, eventually):
        page, hand = open_page(**PHONE)
        hand.touch("Start", (130, 140))
        hand.touch("Start", (130, 140), (150, 140))
        for step in range(1, 8):
            hand.touch("Move", (130 - 12 * step, 140), (150 + 12 * step, 140))
        hand.touch("End")
        eventually(lambda: page.evaluate("visualViewport.scale") > 1.5, "the page is zoomed", 10)
        assert hand.ink((130, 140), (150, 140), (100, 140)) == [False] * 3

    def test_a_finger_that_comes_late_neither_zooms_nor_ends_the_stroke(self, open_page):
        page, hand = open_page(**PHONE)
        hand.touch("Start", BAR[0])
        hand.touch("Move", BAR[1])
        page.wait_for_timeout(450)
        hand.touch("Start", BAR[1], PALM)
        for step in range(1, 8):
            hand.touch("Move", (140, 120 + 10 * step), (40 - 5 * step, 250))
        hand.touch("End")
        assert page.evaluate("visualViewport.scale") == 1
        assert hand.ink(BAR[0], (140, 180), PALM) == [True, True, False]
