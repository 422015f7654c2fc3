import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow.keras import Model, Input, layers, optimizers, utils

utils.set_random_seed(17)

# Fill in the missing 4x4 centre of 8x8 digits (context encoder)
x = load_digits().images.astype("float32")[..., None] / 16.0
mask = np.ones((8, 8, 1), "float32")
mask[2:6, 2:6] = 0.0

enc_in = Input((8, 8, 1))
h = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(enc_in)
h = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(h)
encoder = Model(enc_in, layers.Dense(24)(layers.Flatten()(h)), name="encoder")

dec_in = Input((24,))
h = layers.Dense(4 * 4 * 16, activation="relu")(dec_in)
h = layers.Reshape((4, 4, 16))(h)
h = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(h)
decoder = Model(dec_in, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(h), name="decoder")

disc_in = Input((8, 8, 1))
h = layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu")(disc_in)
h = layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu")(h)
critic = Model(disc_in, layers.Dense(1)(layers.Flatten()(h)), name="critic")

ae_vars = encoder.trainable_variables + decoder.trainable_variables
ae_opt = optimizers.Adam(1e-3)
critic_opt = optimizers.Adam(2e-4)
ADV, REC = 0.05, 1.0


def bce(logits, y):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=y * tf.ones_like(logits)))


def reconstruction(target, output):
    error = (np.array(target) - np.array(output)) * (1.0 - mask)
    return np.sum(error ** 2, axis=(1, 2, 3)).mean()


def train_on(batch):
    damaged = batch * mask
    with tf.GradientTape() as ae_tape, tf.GradientTape() as critic_tape:
        filled = decoder(encoder(damaged, training=True), training=True)
        composed = damaged + filled * (1.0 - mask)
        real_logit = critic(batch, training=True)
        fake_logit = critic(composed, training=True)
        rec_loss = reconstruction(batch, filled)
        ae_loss = REC * rec_loss + ADV * bce(fake_logit, 1.0)
        critic_loss = bce(real_logit, 1.0) + bce(fake_logit, 0.0)
    ae_opt.apply_gradients(zip(ae_tape.gradient(ae_loss, ae_vars), ae_vars))
    critic_opt.apply_gradients(zip(critic_tape.gradient(critic_loss, critic.trainable_variables),
                                   critic.trainable_variables))
    return float(rec_loss), float(critic_loss)


for epoch in range(4):
    order = np.random.permutation(len(x))[:960]
    history = [train_on(tf.constant(x[order[i:i + 32]])) for i in range(0, len(order), 32)]
    rec, crit = np.mean(history, axis=0)
    print(f"epoch {epoch + 1}  reconstruction {rec:.4f}  critic {crit:.4f}")
