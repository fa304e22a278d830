import pytest

from webhooks.inbound import logbook
from webhooks.inbound.endpoints import forget_endpoints


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """What a web process keeps in memory."""
    forget_endpoints()
    logbook._buckets.clear()
    logbook._uncounted.clear()
