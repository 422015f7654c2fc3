"""Follows values out of TensorFlow: ``.numpy()`` and ``float()`` in the user's own code.

NumPy reads an eager tensor through the buffer protocol when it is handed one (``np.asarray(tensor)``), which nothing can
watch; those departures are found in the source instead.
"""

from __future__ import annotations

from typing import Any

from tensorflow.python.framework import ops

from ganmedic.capture.patches import Patches
from ganmedic.capture.places import called_by_user
from ganmedic.capture.recorder import Recorder
from ganmedic.record.schema import Departure


class Conversions:
    """Hooks on the ways in which an eager tensor becomes a Python or NumPy value."""

    def __init__(self, recorder: Recorder, patches: Patches) -> None:
        self._recorder = recorder
        self._patches = patches

    def install(self) -> None:
        """Puts the hooks on."""
        base: Any = ops.EagerTensor.__mro__[1]
        for name, how in (("numpy", ".numpy()"), ("__float__", "float()"), ("__array__", "NumPy")):
            self._patches.wrap(base, name, before=lambda tensor, *a, _how=how, **k: self._leave(tensor, _how))

    def _leave(self, tensor: Any, how: str) -> None:
        recorder = self._recorder
        if (
            recorder.recording
            and not recorder.here.silent
            and len(recorder.record.departures) < 20_000
            and called_by_user()
        ):
            row = Departure(id=recorder.now(), how=how, stack=recorder.stack(), value=tensor._id)
            recorder.record.departures[row.id] = row
