"""The asynchronous client's suite against the sandbox, through the synchronous one, under the same names."""

from __future__ import annotations

import pytest

from tests.sync.through_threads import cases

globals().update(cases("test_client_sandbox", apart={}))


@pytest.fixture
def anyio_backend() -> str:
    """The client runs on its own loop; what the test runs on makes no difference."""
    return "asyncio"
