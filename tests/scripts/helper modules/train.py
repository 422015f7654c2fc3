import keras
import tensorflow as tf
from keras import layers

from zeichnen import to_letters

keras.utils.set_random_seed(5)

writer = keras.Sequential([keras.Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(20), layers.Reshape((4, 5))])
reader = keras.Sequential([keras.Input((4, 5)), layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dense(1)])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
w_opt, r_opt = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)
words = tf.one_hot(tf.random.uniform((256, 4), 0, 5, dtype=tf.int32), 5)

for i in range(6):
    real = words[i * 32:(i + 1) * 32]
    with tf.GradientTape() as wt, tf.GradientTape() as rt:
        fake = to_letters(writer(tf.random.normal((32, 8))))
        seen, drawn = reader(real), reader(fake)
        w_loss = bce(tf.ones_like(drawn), drawn)
        r_loss = bce(tf.ones_like(seen), seen) + bce(tf.zeros_like(drawn), drawn)
    r_opt.apply_gradients(zip(rt.gradient(r_loss, reader.trainable_variables), reader.trainable_variables))
    grads = wt.gradient(w_loss, writer.trainable_variables)
    w_opt.apply_gradients([(g, v) for g, v in zip(grads, writer.trainable_variables) if g is not None] or
                          [(tf.zeros_like(v), v) for v in writer.trainable_variables])
print("done")
