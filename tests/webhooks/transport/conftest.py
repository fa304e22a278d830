"""A transport that may reach this machine, and receivers to send to."""

from contextlib import ExitStack

import pytest

from tests.webhooks.hostile import Authority, serving
from tests.webhooks.transport.sending import LOOPBACK
from webhooks.transport import Transport


@pytest.fixture
def transport():
    transport = Transport(LOOPBACK)
    yield transport
    transport.close()


@pytest.fixture
def serve():
    with ExitStack() as stack:
        yield lambda behave, **options: stack.enter_context(serving(behave, **options))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))
