"""What reads answered: remembered, shared in flight, never twice within the interval."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from trio.testing import MockClock

from mensatek_async import ConnectionFailed, MensatekError, NotYours
from mensatek_async._core.limits.read_cache import ReadCache


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on a clock that jumps to the next deadline, so that no test waits."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


class Asker:
    """Reads through a memory, and counts the calls that really went out."""

    def __init__(self, interval: float = 5.0, size: int = 100, lasting: float = 0.0) -> None:
        self.memory: ReadCache[str] = ReadCache(interval, size)
        self.lasting = lasting
        self.calls: list[tuple[float, object]] = []
        self.error: MensatekError | None = None
        self.left = True

    async def __call__(self, about: object = "credits", max_age: float = 0.0, form: str = "JSON") -> str:
        return await self.memory.read(("Get", about), form, max_age, self.fetch(about), lambda: self.left)

    def fetch(self, about: object) -> Callable[[], Awaitable[str]]:
        async def fetch() -> str:
            self.calls.append((anyio.current_time(), about))
            number = len(self.calls)
            await anyio.sleep(self.lasting)
            if self.error is not None:
                raise self.error
            return f"answer {number}"

        return fetch


async def test_the_error_of_a_shared_call_reaches_everybody() -> None:
    """Each gets an exception of its own, and for the interval it is given again without a call, but not for
    `max_age`. It holds on to no frame, which would keep the call's body, and so texts, in memory."""
    ask, caught = Asker(lasting=2), []
    ask.error = NotYours("GetReportSMS", -2, "No")

    async def one() -> None:
        with pytest.raises(NotYours) as info:
            await ask()
        caught.append(info.value)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(one)
    await one()

    assert len(ask.calls) == 1
    assert len({id(error) for error in caught}) == 6
    assert {str(error) for error in caught} == {str(ask.error)}
    kept, _ = ask.memory._entries["Get", "credits"].answers["JSON"]
    assert isinstance(kept, NotYours)
    assert kept.__traceback__ is kept.__context__ is None
    await anyio.sleep(6)
    ask.error = None
    assert await ask(max_age=60) == "answer 2"


async def test_an_answer_on_its_way_during_a_change_is_not_given_to_later_questions() -> None:
    """Who asked before the change gets it; who asks after the change gets a newer one."""
    ask, answers = Asker(lasting=3), {}

    async def one(name: str) -> None:
        answers[name] = await ask("msg", max_age=60)

    async with anyio.create_task_group() as group:
        group.start_soon(one, "leader")
        await anyio.sleep(1)
        group.start_soon(one, "before")
        await anyio.sleep(0.5)
        ask.memory.forget(("Get",), "another")
        ask.memory.forget(("Get",), "msg")
        group.start_soon(one, "after")

    assert answers == {"leader": "answer 1", "before": "answer 1", "after": "answer 2"}
    assert ask.calls[1][0] - ask.calls[0][0] == pytest.approx(5.0)


@pytest.mark.parametrize("anyio_backend", ["asyncio", ("trio", {"clock": MockClock(autojump_threshold=0)})])
async def test_followers_go_on_when_the_leader_is_cancelled() -> None:
    """One of them leads then, after the interval since the cancelled call, and all get its answer."""
    ask, answers = Asker(interval=0.5, lasting=0.4), []

    async def one() -> None:
        answers.append(await ask())

    async with anyio.create_task_group() as followers, anyio.create_task_group() as leaders:
        leaders.start_soon(one)
        await anyio.sleep(0.05)
        for _ in range(3):
            followers.start_soon(one)
        await anyio.sleep(0.05)
        leaders.cancel_scope.cancel()

    assert answers == ["answer 2"] * 3
    assert ask.calls[1][0] - ask.calls[0][0] >= 0.499


async def test_a_call_that_never_left_costs_nobody_time() -> None:
    """Nor does it erase the one before: the interval since the last call that did leave still counts."""
    ask = Asker(lasting=2)
    ask.left = False
    with anyio.move_on_after(1):
        await ask()
    ask.left = True
    await ask()
    assert ask.calls[1][0] - ask.calls[0][0] == pytest.approx(1.0)

    ask.memory.forget(("Get",), None)
    ask.error, ask.left = ConnectionFailed("No network."), False
    with pytest.raises(ConnectionFailed):
        await ask()  # at 5 s, its turn
    ask.error, ask.left = None, True
    await ask()
    assert [round(at - ask.calls[1][0], 3) for at, _ in ask.calls[1:]] == [0, 5, 7]


async def test_forms_have_their_own_answers_and_one_interval() -> None:
    """JSON, XML and TXT of one question never go out together, asked one by one or at once."""
    ask, answers = Asker(), {}

    async def one(form: str) -> None:
        answers[form] = await ask(form=form)

    await ask()
    async with anyio.create_task_group() as group:
        for form in ("XML", "TXT"):
            group.start_soon(one, form)

    assert sorted(answers.values()) == ["answer 2", "answer 3"]
    gaps = [round(at - ask.calls[0][0], 3) for at, _ in ask.calls]
    assert gaps == [0, 5, 10]


async def test_memory_is_bounded() -> None:
    """The oldest question is forgotten first; asking again keeps one young."""
    ask = Asker(size=3, interval=0)
    for about in ("a", "b", "c", "a", "d"):
        await ask(about)

    assert [about for _, about in ask.memory._entries] == ["c", "a", "d"]


async def test_a_question_forgotten_while_it_waits_is_asked_all_the_same() -> None:
    """Others may push it out of a small memory while it waits for its turn."""
    ask = Asker(size=1)
    await ask("a")
    ask.memory.forget(("Get",), "a")
    answers = []

    async def waiting() -> None:
        answers.append(await ask("a"))

    async with anyio.create_task_group() as group:
        group.start_soon(waiting)
        await anyio.sleep(1)
        await ask("b")

    assert answers == ["answer 3"]
