import tensorflow as tf


def to_letters(logits):
    chosen = tf.argmax(logits, axis=-1)
    return tf.one_hot(chosen, logits.shape[-1])
