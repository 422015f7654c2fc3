"""Fills the record from TensorFlow. The only place that touches TensorFlow or Keras internals."""
