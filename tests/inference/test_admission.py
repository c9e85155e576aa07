"""More at once than the service can answer soon: the rest is turned away, quickly and in words, and nobody suffers for it."""

import asyncio
import json
import socket

import pytest
from inference.admission import TURN, Admission
from inference.settings import Settings

AT_MOST = 3
BODY = json.dumps({"strokes": [[[140, 40], [145, 130], [150, 240]]]}).encode()


class Door:
    """An app whose requests end when `open` is set, behind an Admission."""

    def __init__(self):
        self.open, self.refused = asyncio.Event(), []
        self.admission = Admission(self._app, AT_MOST, self.refused.append)

    async def _app(self, scope, receive, send):
        await receive()
        await self.open.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        await self.after_answer()

    async def after_answer(self):
        """What the app still does once it has answered."""

    async def ask(self, method="POST", body=None, taken=None):
        """The answer's status, headers and body. `body`: an event after which the question's is there; `taken`: the answer."""
        sent = []

        async def receive():
            if body is not None:
                await body.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            if taken is not None:
                await taken.wait()
            sent.append(message)

        await self.admission({"type": "http", "method": method, "path": "/predict/"}, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def settled():
    """After everybody had several turns."""
    for _ in range(5):
        await asyncio.sleep(0)


def run(test):
    asyncio.run(asyncio.wait_for(test(), 10))


def test_so_many_are_let_in_and_the_next_is_told_to_wait():
    async def test():
        door = Door()
        asked = [asyncio.create_task(door.ask()) for _ in range(AT_MOST + 2)]
        await settled()
        assert [task.done() for task in asked] == [False] * AT_MOST + [True] * 2
        status, headers, body = asked[-1].result()
        assert (status, headers[b"retry-after"], int(headers[b"content-length"])) == (429, b"1", len(body))
        assert json.loads(body) == {"detail": "too many requests at once: wait a second, then send it again"}
        assert door.refused == ["/predict/"] * 2

        door.open.set()
        assert [status for status, *_ in await asyncio.gather(*asked)] == [200] * AT_MOST + [429] * 2
        assert (await door.ask())[0] == 200
        assert door.admission.inside == 0

    run(test)


def test_those_who_wait_for_their_turn_are_counted():
    """Who works without a pause would otherwise always be alone inside, however many have come meanwhile."""

    async def test():
        door = Door()
        door.open.set()
        statuses = [status for status, *_ in await asyncio.gather(*(door.ask() for _ in range(TURN + AT_MOST + 4)))]
        # A turn's worth is answered, each before the next comes; then so many wait for the next turn.
        assert statuses == [200] * TURN + [200] * AT_MOST + [429] * 4

    run(test)


@pytest.mark.parametrize("slow_to", ["send their body", "take their answer"])
def test_those_who_are_slow_keep_nobody_out(slow_to):
    async def test():
        door, hurry = Door(), asyncio.Event()
        door.open.set()
        waits = {"body": hurry} if slow_to == "send their body" else {"taken": hurry}
        slow = [asyncio.create_task(door.ask(**waits)) for _ in range(AT_MOST)]
        await settled()
        slow += [asyncio.create_task(door.ask(**waits)) for _ in range(AT_MOST)]
        await settled()
        assert not any(task.done() for task in slow)
        assert (await door.ask())[0] == 200
        hurry.set()
        assert [status for status, *_ in await asyncio.gather(*slow)] == [200] * 2 * AT_MOST
        assert door.admission.inside == 0

    run(test)


def test_whoever_is_answered_is_outside_whatever_is_still_done_for_him():
    async def test():
        door, done = Door(), asyncio.Event()
        door.open.set()
        door.after_answer = done.wait
        asked = [asyncio.create_task(door.ask()) for _ in range(AT_MOST)]
        await settled()
        assert door.admission.inside == 0
        done.set()
        await asyncio.gather(*asked)

    run(test)


def test_probes_and_scrapes_are_always_let_in():
    async def test():
        door = Door()
        inside = [asyncio.create_task(door.ask()) for _ in range(AT_MOST)]
        await settled()
        probe = asyncio.create_task(door.ask("GET"))
        await settled()
        door.open.set()
        assert (await probe)[0] == 200
        await asyncio.gather(*inside)

    run(test)


def test_few_begin_in_one_turn_of_the_event_loop_and_first_come_is_first_served():
    async def test():
        begun = []

        async def app(scope, receive, send):
            begun.append(scope["number"])
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def send(message):
            pass

        admission, turns = Admission(app, 100, lambda _: None), []
        scopes = [{"type": "http", "method": "POST", "path": "/", "number": number} for number in range(50)]
        asked = [asyncio.create_task(admission(scope, None, send)) for scope in scopes]
        while not all(task.done() for task in asked):
            await asyncio.sleep(0)
            turns.append(len(begun) - sum(turns))
        assert begun == list(range(50))
        assert max(turns) == TURN

    run(test)


def test_whoever_hangs_up_while_he_waits_leaves_his_place():
    async def test():
        door = Door()
        door.open.set()
        *first, gone, last = (asyncio.create_task(door.ask()) for _ in range(TURN + 2))
        await asyncio.sleep(0)
        assert door.admission.inside == 2
        gone.cancel()
        assert [(await each)[0] for each in (*first, last)] == [200] * (TURN + 1)
        await settled()
        assert door.admission.inside == 0
        assert (await door.ask())[0] == 200

    run(test)


def test_an_app_that_fails_leaves_its_place():
    async def fails(*_):
        raise RuntimeError

    async def test():
        admission = Admission(fails, 1, lambda _: None)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await admission({"type": "http", "method": "POST", "path": "/"}, None, None)
        assert admission.inside == 0

    run(test)


def request(body=BODY, announced=None):
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {announced or len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def answers_of(url, requests):
    """What the service says to all of them at once: (status, body)."""
    address = url.removeprefix("http://").split(":")

    async def ask(content):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(content)
        answer = await reader.read()
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    async def all_of_them():
        return await asyncio.wait_for(asyncio.gather(*map(ask, requests)), 30)

    return asyncio.run(all_of_them())


def test_of_a_crowd_each_is_answered_or_told_to_wait_and_all_are_counted(service):
    before = service.samples()
    rounds = 5
    answers = [answer for _ in range(rounds) for answer in answers_of(service.url, [request()] * 4 * Settings.max_requests)]
    well = [json.loads(body) for status, body in answers if status == 200]
    refused = [json.loads(body) for status, body in answers if status == 429]
    assert len(well) + len(refused) == len(answers)
    assert refused, "the crowd was not large enough"
    assert len(well) >= rounds
    assert {each["digit"] for each in well} == {well[0]["digit"]}
    assert len({each["prediction_id"] for each in well}) == len(well)

    after = service.samples()
    counted = {
        name: after[name] - before.get(name, 0.0)
        for name in (
            ("api_predict_calls_total", ()),
            ("prediction_error_total", ()),
            ("doodle_predict_errors_total", ("429",)),
            ("doodle_http_requests_total", ("429", "/predict")),
        )
    }
    assert list(counted.values()) == [len(answers), len(refused), len(refused), len(refused)]
    assert after["doodle_http_requests_inside", ()] == 0
    assert service.log().count("event=load_shed") == 1
    assert service.post_bytes(BODY, "application/json").status_code == 200


def test_whatever_is_asked_for_the_log_has_one_line_of_it(caplog):
    async def ask():
        await Admission(None, 0, lambda _: None)({"type": "http", "method": "POST", "path": path}, None, send)

    async def send(_):
        pass

    path = "/x\ntime=now level=error event=made_up\x1b[2J" + 1000 * "x"
    asyncio.run(ask())
    (said,) = caplog.messages
    assert said.startswith("event=load_shed inside=0 path=/x%0Atime%3Dnow%20level%3Derror%20event%3Dmade_up%1B%5B2J")
    assert len(said) < 300


def test_connections_that_never_send_their_body_keep_nobody_out(service, eventually):
    address = service.url.removeprefix("http://").split(":")
    half_open = [socket.create_connection(address) for _ in range(2 * Settings.max_requests)]
    try:
        for connection in half_open:
            connection.sendall(request(BODY[:10], announced=len(BODY)))
        eventually(lambda: service.sample("doodle_http_requests_inside") == 0, "all of them are waited for outside")
        assert [status for status, _ in answers_of(service.url, [request()] * 5)] == [200] * 5
    finally:
        for connection in half_open:
            connection.close()
