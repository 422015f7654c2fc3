import math
import numpy as np
import keras
from keras import layers
import tensorflow as tf

keras.utils.set_random_seed(105)

LENGTH, Z_DIM, WIDTH, DEPTH = 48, 12, 64, 10
BATCH, STEPS = 64, 100

init = keras.initializers.HeNormal()


def waves(n, rng):
    t = np.linspace(0.0, 1.0, LENGTH)
    freq = rng.uniform(1.0, 4.0, (n, 1))
    phase = rng.uniform(0.0, 2 * math.pi, (n, 1))
    return (0.9 * np.sin(2 * math.pi * freq * t + phase)).astype("float32")


def build_generator():
    z = keras.Input((Z_DIM,))
    x = z
    for i in range(DEPTH):
        x = layers.Dense(WIDTH, activation="elu", kernel_initializer=init, name=f"g_{i}")(x)
    return keras.Model(z, layers.Dense(LENGTH, activation="tanh", kernel_initializer=init, name="g_out")(x))


def build_discriminator():
    s = keras.Input((LENGTH, 1))
    x = layers.Conv1D(24, 5, strides=2, padding="same", activation="leaky_relu")(s)
    x = layers.Conv1D(48, 5, strides=2, padding="same", activation="leaky_relu")(x)
    return keras.Model(s, layers.Dense(1)(layers.Flatten()(x)))


netG, netD = build_generator(), build_discriminator()
optG = keras.optimizers.SGD(0.02, momentum=0.5)
optD = keras.optimizers.Adam(2e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_step(real):
    z = tf.random.normal((BATCH, Z_DIM))
    with tf.GradientTape() as tape_d, tf.GradientTape() as tape_g:
        fake = netG(z, training=True)
        logit_real = netD(real[..., None], training=True)
        logit_fake = netD(fake[..., None], training=True)
        lossD = bce(tf.ones_like(logit_real), logit_real) + bce(tf.zeros_like(logit_fake), logit_fake)
        lossG = bce(tf.ones_like(logit_fake), logit_fake)
    gD = tape_d.gradient(lossD, netD.trainable_variables)
    gG = tape_g.gradient(lossG, netG.trainable_variables)
    optD.apply_gradients(zip(gD, netD.trainable_variables))
    optG.apply_gradients(zip(gG, netG.trainable_variables))
    return lossD, lossG


rng = np.random.default_rng(105)
for step in range(STEPS):
    lossD, lossG = train_step(waves(BATCH, rng))
    if step % 20 == 0 or step == STEPS - 1:
        spread = float(tf.reduce_mean(tf.math.reduce_std(netG(tf.random.normal((128, Z_DIM))), axis=0)))
        print(f"{step:3d}: D {float(lossD):.4f} G {float(lossG):.4f} spread {spread:.6f}")
