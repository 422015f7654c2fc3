"""Cells: variables of ganmedic's own that the user's program never sees.

They are made by raw operations, so that no variable creator, strategy or tracker of the program hears of them. A cell may be
written inside a function graph, a loop, a branch and an XLA cluster; writing hands a buffer over and copies nothing.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.ops import gen_resource_variable_ops as raw

#: The name under which TensorFlow makes a resource that nothing else can look up.
_ANONYMOUS = "cd2c89b7-88b7-44c8-ad83-06c2a9158347"


class Cell:
    """One value of any shape, empty until it is first written unless ``first`` is given."""

    def __init__(self, dtype: Any, shape: Any = None, first: Any = None) -> None:
        self.dtype = tf.as_dtype(dtype)
        with tf.init_scope():
            self._handle = raw.var_handle_op(
                dtype=self.dtype, shape=tf.TensorShape(None) if shape is None else shape, shared_name=_ANONYMOUS
            )
            if first is not None:
                self.put(tf.constant(first, self.dtype))
        self._empty = first is None

    def put(self, value: Any) -> None:
        """Writes a value, where the code runs: at once, or as an operation of the graph that is being built."""
        raw.assign_variable_op(self._handle, value)

    def add(self, value: Any) -> None:
        """Adds to the value."""
        raw.assign_add_variable_op(self._handle, tf.constant(value, self.dtype))

    def put_row(self, index: Any, row: Any) -> None:
        """Writes one row of a matrix."""
        raw.resource_scatter_update(self._handle, tf.reshape(index, (1,)), tf.expand_dims(row, 0))

    def read(self) -> Any:
        """The value as it is now, where the code runs."""
        return raw.read_variable_op(self._handle, self.dtype)

    def get(self) -> Any:
        """The value as an eager tensor, ``None`` where nothing was written yet."""
        with tf.init_scope():
            if self._empty and not bool(raw.var_is_initialized_op(self._handle)):
                return None
            return self.read()
