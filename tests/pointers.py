"""Draw on the page by mouse, finger and pen, in the canvas's logical units of 280 x 280."""

import json
import subprocess
from contextlib import contextmanager

from polling import eventually
from websockets.sync.client import connect


class ChromiumPointer:
    """Chromium's pointers, through its input queue: Playwright's mouse, and touch and pen over the DevTools protocol."""

    def __init__(self, page):
        self._page, self._devtools = page, page.context.new_cdp_session(page)
        self.find_canvas()

    def find_canvas(self):
        canvas = self._page.locator("#doodle-canvas")
        canvas.scroll_into_view_if_needed()
        self._box = canvas.bounding_box()

    def place(self, x, y):
        return self._box["x"] + x * self._box["height"] / 280, self._box["y"] + y * self._box["height"] / 280

    def touch(self, kind, *points):
        """Send a touch event. `kind` is Start, Move, End or Cancel; `points` are all fingers that are down after it, in order."""
        places = [self.place(*point) for point in points]
        touch_points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        self._devtools.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": touch_points})

    def swipe(self, points):
        self.touch("Start", points[0])
        for point in points[1:]:
            self.touch("Move", point)
        self.touch("End")

    def pen(self, points):
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, map(lambda point: self.place(*point), [*points, points[-1]])):
            event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen"}
            self._devtools.send("Input.dispatchMouseEvent", event)

    def mouse(self, points, button="left"):
        mouse = self._page.mouse
        mouse.move(*self.place(*points[0]))
        mouse.down(button=button)
        for point in points[1:]:
            mouse.move(*self.place(*point))
        mouse.up(button=button)

    def ink(self, *points):
        """Return whether each point has ink, after the next frame."""
        return self._page.evaluate(
            """points => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => {
                 const canvas = document.querySelector("#doodle-canvas");
                 resolve(points.map(([x, y]) => canvas.getContext("2d").getImageData(
                   x * canvas.height / 280, y * canvas.height / 280, 1, 1).data[0] > 100));
               })))""",
            points,
        )


class FirefoxPointer:
    """Firefox over WebDriver BiDi. Playwright cannot control Debian's build."""

    def __init__(self, socket):
        self._socket, self._last_id = socket, 0
        self._call("session.new", capabilities={})
        self._context = self._call("browsingContext.getTree")["contexts"][0]["context"]

    def _call(self, method, **parameters):
        self._last_id += 1
        self._socket.send(json.dumps({"id": self._last_id, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv(timeout=60))).get("id") != self._last_id:
            pass  # an event
        assert answer["type"] == "success", f"{method}: {answer.get('message')}"
        return answer["result"]

    def open(self, url):
        self._call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression):
        answer = self._call(
            "script.evaluate", expression=f"JSON.stringify({expression})", target={"context": self._context}, awaitPromise=True
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"].get("value", "null"))

    def press(self, button):
        self.evaluate(
            f"void Array.from(document.querySelectorAll('button')).find(button => button.textContent === '{button}').click()"
        )

    def stroke(self, pointer_type, points):
        left, top, size = self.evaluate(
            "(({left, top, height}) => [left, top, height])(document.querySelector('canvas').getBoundingClientRect())"
        )
        places = [(round(left + x * size / 280), round(top + y * size / 280)) for x, y in points]
        moves = [{"type": "pointerMove", "x": x, "y": y, "duration": 0} for x, y in places]
        steps = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0}]
        source = {"type": "pointer", "id": pointer_type, "parameters": {"pointerType": pointer_type}, "actions": steps}
        self._call("input.performActions", context=self._context, actions=[source])


@contextmanager
def firefox(executable, port, profile):
    """Start a headless Firefox with a fresh profile and without network services."""
    off = ["app.normandy", "extensions.update", "network.captive-portal-service", "network.connectivity-service"]
    settings = {f"{name}.enabled": False for name in off} | {"app.update.disabledForTesting": True}
    (profile / "user.js").write_text("".join(f"user_pref('{name}', {json.dumps(on)});\n" for name, on in settings.items()))
    command = [executable, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", str(port), "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"ws://127.0.0.1:{port}/session"
        with eventually(lambda: connect(address, max_size=None), "Firefox listens", not_yet=(OSError,)) as socket:
            yield FirefoxPointer(socket)
    finally:
        process.terminate()
        process.wait()
