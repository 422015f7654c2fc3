import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(2)

BATCH = 64
NZ = 32
weights_init = keras.initializers.RandomNormal(stddev=0.02)

images = load_digits().images.astype("float32")[..., None] / 8.0 - 1.0


def make_generator():
    model = keras.Sequential([keras.Input((NZ,))], name="generator")
    for width in (96, 128, 128):
        model.add(layers.Dense(width, use_bias=False, kernel_initializer=weights_init))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
    model.add(layers.Dense(64, activation="tanh", kernel_initializer=weights_init))
    model.add(layers.Reshape((8, 8, 1)))
    return model


def make_discriminator():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Flatten(),
        layers.Dense(128),
        layers.LeakyReLU(0.2),
        layers.Dense(64),
        layers.LeakyReLU(0.2),
        layers.Dense(1),
    ], name="discriminator")


generator = make_generator()
discriminator = make_discriminator()
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
generator_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
discriminator_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)


@tf.function
def train_step(batch):
    noise = tf.random.normal([BATCH, NZ])
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated = generator(noise)
        real_output = discriminator(batch)
        fake_output = discriminator(generated)
        gen_loss = cross_entropy(tf.ones_like(fake_output), fake_output)
        disc_loss = (cross_entropy(tf.ones_like(real_output), real_output)
                     + cross_entropy(tf.zeros_like(fake_output), fake_output))
    gen_grads = gen_tape.gradient(gen_loss, generator.trainable_variables)
    disc_grads = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gen_grads, generator.trainable_variables))
    discriminator_optimizer.apply_gradients(zip(disc_grads, discriminator.trainable_variables))
    return gen_loss, disc_loss


dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(1797, seed=9).batch(BATCH, drop_remainder=True)
for epoch in range(18):
    for batch in dataset:
        gen_loss, disc_loss = train_step(batch)
    print(f"epoch {epoch}: generator {float(gen_loss):.3f}, discriminator {float(disc_loss):.3f}")

grid = generator(tf.random.normal([36, NZ])).numpy()
print("pixel std over 36 samples: %.4f (data: %.4f)" % (grid.std(axis=0).mean(), np.std(images, axis=0).mean()))
