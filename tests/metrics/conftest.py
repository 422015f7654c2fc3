"""One thread for linear algebra: small matrices gain nothing by more, and lose much where the cores are busy."""

from __future__ import annotations

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="package")
def _one_thread():
    with threadpool_limits(1):
        yield
