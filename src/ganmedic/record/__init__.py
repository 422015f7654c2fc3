"""What happened in a run. No TensorFlow in here."""
