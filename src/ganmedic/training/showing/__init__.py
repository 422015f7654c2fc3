"""What a training run shows a person: pictures of samples, curves, a progress bar, a page of the run. No TensorFlow but in `events`."""
