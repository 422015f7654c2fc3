import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(52)
SIZE, PATCH, N_PATCHES, BATCH, LATENT = 12, 4, 3, 16, 10


def scenes(n):
    """Digits dropped at random places of a larger dark picture."""
    images = load_digits().images.astype("float32") / 16.0
    out = np.zeros((n, SIZE, SIZE, 1), "float32")
    for i in range(n):
        y, x = np.random.randint(0, SIZE - 8 + 1, 2)
        out[i, y:y + 8, x:x + 8, 0] = images[np.random.randint(len(images))]
    return out


class Painter:
    """Paints a picture patch by patch onto a shared canvas."""

    def __init__(self):
        self.brush = keras.Sequential([
            keras.Input((LATENT + 2,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(PATCH * PATCH, activation="sigmoid"),
            layers.Reshape((PATCH, PATCH, 1)),
        ])
        self.canvas = tf.Variable(tf.zeros((BATCH, SIZE, SIZE, 1)), trainable=False)

    def paint(self, z):
        self.canvas.assign(tf.zeros_like(self.canvas))
        for row in range(N_PATCHES):
            for col in range(N_PATCHES):
                where = tf.tile([[row / N_PATCHES, col / N_PATCHES]], [BATCH, 1])
                patch = self.brush(tf.concat([z, where], axis=1))
                y, x = row * PATCH, col * PATCH
                self.canvas[:, y:y + PATCH, x:x + PATCH].assign(patch)
        return tf.identity(self.canvas)


painter = Painter()
critic = keras.Sequential([
    keras.Input((SIZE, SIZE, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(),
    layers.Dense(1),
])
brush_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
critic_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)
data = scenes(600)

for step in range(30):
    real = tf.constant(data[np.random.randint(0, len(data), BATCH)])

    with tf.GradientTape() as tape:
        fake = painter.paint(tf.random.normal((BATCH, LATENT)))
        r, f = critic(real), critic(fake)
        critic_loss = bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
    critic_opt.apply_gradients(zip(tape.gradient(critic_loss, critic.trainable_variables), critic.trainable_variables))

    with tf.GradientTape() as tape:
        f = critic(painter.paint(tf.random.normal((BATCH, LATENT))))
        brush_loss = bce(tf.ones_like(f), f)
    variables = painter.brush.trainable_variables
    brush_opt.apply_gradients(zip(tape.gradient(brush_loss, variables), variables))

    if step % 10 == 0:
        print(f"step {step} critic {float(critic_loss):.4f} brush {float(brush_loss):.4f}")
