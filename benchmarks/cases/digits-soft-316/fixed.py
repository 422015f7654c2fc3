import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(16)

scans = (load_digits().data / 8.0 - 1.0).astype("float32")
batch_size, z_size, steps = 64, 16, 400

netG = keras.Sequential(name="netG")
netG.add(keras.Input((z_size,)))
for width in (96, 128):
    netG.add(layers.Dense(width))
    netG.add(layers.LeakyReLU(0.1))
netG.add(layers.Dense(64, activation="tanh"))

netD = keras.Sequential(name="netD")
netD.add(keras.Input((64,)))
for width in (128, 64):
    netD.add(layers.Dense(width))
    netD.add(layers.LeakyReLU(0.1))
netD.add(layers.Dense(1))

optG = keras.optimizers.Adam(1e-3, beta_1=0.5)
optD = keras.optimizers.Adam(1e-3, beta_1=0.5)


def criterion(logits, target):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logits))


@tf.function
def iterate(real):
    z = tf.random.normal([batch_size, z_size])
    real_target = tf.ones([batch_size, 1]) - 0.2 * tf.random.uniform([batch_size, 1])
    fake_target = tf.random.uniform([batch_size, 1], 0.0, 0.1)
    with tf.GradientTape() as tape:
        errD = criterion(netD(real), real_target) + criterion(netD(netG(z)), fake_target)
    optD.apply_gradients(zip(tape.gradient(errD, netD.trainable_variables), netD.trainable_variables))
    with tf.GradientTape() as tape:
        errG = criterion(netD(netG(z)), tf.ones([batch_size, 1]))
    optG.apply_gradients(zip(tape.gradient(errG, netG.trainable_variables), netG.trainable_variables))
    return errD, errG


for i in range(1, steps + 1):
    errD, errG = iterate(scans[np.random.choice(len(scans), batch_size)])
    if i % 50 == 0:
        print("[%d/%d] errD %.4f errG %.4f" % (i, steps, errD, errG))
